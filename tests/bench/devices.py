"""The parts that log in to devices: what a task costs, how long a sweep of slow devices takes, what
sessions cost in memory. netfleet, the floor and the peers, alternately."""

import tree
from contenders import Job, everybody, named
from targets import Devices, OpenSsh, wait_until

AT_ONCE = 8
IDEAL = {50: 11.0, 100: 5.5, 500: 1.1}  # s: of 500 devices, 0.5 s login and two commands of 0.3 s


def figures(job, contender):
    """One run, with what it cost the servers meanwhile."""
    before = job.target.cpu()
    finished = contender.run(job)
    return {"tasks": job.count, "wall": finished.wall, "cpu": finished.cpu, "rss": finished.rss,
            "server_cpu": job.target.cpu() - before}


def line(bench, group, target, contender, count, at_once, x):
    job = Job(bench, target, count, at_once)
    return group, contender.name, x, lambda: figures(job, contender)


def tasks(bench):
    """G1, G2: CPU a task, 8 at once, on simulated devices (T2) and on OpenSSH (T1)."""
    series = []
    plenty = bench.pick(1000, 1000, 20)  # for netfleet and the floor, which are quick
    few = bench.pick(1000, 100, 20)
    for name, make, most in (("T2", Devices, plenty), ("T1", OpenSsh, bench.pick(256, 32, 0))):
        if most == 0:
            continue
        with make(bench, most) as target:
            lines = []
            for one in bench.wanted(everybody()):
                cheap = one.name in ("netfleet", "floor")
                count = most if cheap else max(min(8, most), int(min(few, most) * one.share))
                lines.append(line(bench, f"tasks {name}", target, one, count, AT_ONCE, count))
            if bench.size != "quick":
                series += bench.alternate(lines)
                continue
            cheap = [one for one in lines if one[1] in ("netfleet", "floor")]
            series += bench.alternate(cheap, 3)
            series += bench.alternate([one for one in lines if one not in cheap])
    return series


def sweep(bench):
    """G3, G4: 500 devices that are slow, at 50, 100 and 500 at once."""
    peers = named("asyncssh", "paramiko, threads", "Netmiko, threads", "clush")
    quick_peers = named("asyncssh")
    delays = ("--login-delay", "500ms", "--command-delay", "300ms")
    count = bench.pick(500, 500, 20)
    lines = []
    with Devices(bench, count, *delays) as target:
        for at_once in bench.pick((50, 100, 500), (100, 500), (20,)):
            ours = named("netfleet", "floor")
            others = bench.pick(peers, quick_peers if at_once == 500 else [], [])
            lines += [line(bench, "sweep", target, one, count, at_once, at_once)
                      for one in bench.wanted(ours + others)]
        return bench.alternate(lines)


def held(bench, contender, count):
    """All sessions at once, waiting for `show version`: what the client holds then."""
    with Devices(bench, count, hold=True) as target:
        job = Job(bench, target, count, count)
        with contender.begin(job) as running:
            wait_until(lambda: running.ended() or target.all_wait(),
                       f"{count} sessions of {contender.name} at once")
            now = running.memory()
            servers = tree.memory(process.pid for process in target.processes)["proportional"]
            target.let_go()
            finished = contender.end(job, running)
    return {"sessions": count, **now, "cpu": finished.cpu, "servers": servers}


def memory(bench):
    """G5: memory against sessions that are there at once."""
    lines = []
    for count in bench.pick((100, 500, 1000, 5000, 10000), (100, 1000), (10, 20)):
        names = ["netfleet", "floor"]
        if count <= 1000 and bench.size == "full":
            names += ["asyncssh", "paramiko, threads"]
        if count <= 500 and bench.size == "full":
            names += ["Netmiko, threads", "clush"]
        lines += [("memory", one.name, count,
                   lambda one=one, count=count: held(bench, one, count))
                  for one in bench.wanted(named(*names))]
    return bench.alternate(lines, bench.pick(bench.rounds, 1))
