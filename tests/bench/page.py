"""docs/performance.md: the figures' tables, between the marks that the page has for them."""

import goals
from bench import Missing, spread
from goals import a_megabyte, a_session, cost, per_second, rate_of


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def tasks(data, session):
    for target in ("T2", "T1"):
        group = f"tasks {target}"
        if not data.all(group):
            continue
        floor = data.median(group, "floor", cost)
        rows = [(one["who"], session.get(one["who"], "-"), f"{one['x']:,}",
                 spread([cost(run) for run in one["runs"]]),
                 f"{data.median(group, one['who'], cost) / floor:.1f}",
                 spread([run["wall"] for run in one["runs"]]),
                 spread([run["server_cpu"] / run["tasks"] * 1e3 for run in one["runs"]]))
                for one in data.all(group)]
        yield {"T2": "Simulated devices (T2)", "T1": "A real OpenSSH server (T1)"}[target] + ":\n"
        yield markdown(["client", "session", "tasks", "CPU ms a task", "x floor", "wall s",
                        "servers' CPU ms a task"], rows) + "\n"


def sweep(data, _):
    rows = []
    for one in data.all("sweep"):
        rows.append((one["who"], one["x"], spread([run["wall"] for run in one["runs"]]),
                     spread([run["cpu"] for run in one["runs"]]),
                     spread([run["rss"] for run in one["runs"]], "{:.0f}")))
    yield markdown(["client", "at once", "wall s", "CPU s", "peak MB of the largest process"], rows)


def memory(data, _):
    rows = [(one["who"], f"{one['x']:,}",
             spread([run["resident"] for run in one["runs"]], "{:.1f}"),
             spread([run["proportional"] for run in one["runs"]], "{:.1f}"),
             f"{data.median('memory', one['who'], 'proportional', one['x']) * 1024 / one['x']:.0f}",
             spread([run["cpu"] / run["sessions"] * 1e3 for run in one["runs"]]),
             spread([run["servers"] for run in one["runs"]], "{:.0f}"))
            for one in data.all("memory")]
    yield markdown(["client", "sessions", "resident MB", "proportional MB", "KB a session",
                    "CPU ms a session", "the simulators' MB"], rows)
    yield ("\nA session more costs, resident, from the fewest to the most: " + ", ".join(
        f"{who} {a_session(data, who):.1f} KB" for who in dict.fromkeys(
            one["who"] for one in data.all("memory"))) + ".")


def large(data, _):
    yield markdown(["one large output", "MB", "CPU ms a MB", "wall s", "peak MB"], [
        (one["who"], one["x"], spread([a_megabyte(run) for run in one["runs"]]),
         spread([run["wall"] for run in one["runs"]]),
         spread([run["rss"] for run in one["runs"]], "{:.0f}")) for one in data.all("large")])


def start(data, _):
    yield markdown(["start", "CPU ms", "wall ms"], [
        (one["who"], *(spread([run[figure] * 1e3 for run in one["runs"]])
                       for figure in ("cpu", "wall"))) for one in data.all("start")])


def fleet_rows(series):
    for one in series:
        runs = one["runs"]
        yield (one["who"], f"{one['x']:,}", spread([run["wall"] for run in runs], "{:.2f}"),
               spread([rate_of(run) for run in runs], "{:.0f}"),
               spread([microseconds(run) for run in runs], "{:.1f}"),
               spread([run["rss"] for run in runs], "{:.0f}"))


def microseconds(run):
    return (run["dispatcher_cpu"] + run["workers_cpu"]) / run["hosts"] * 1e6


FLEET = ["hosts", "wall s", "thousand tasks/s", "CPU us a task", "dispatcher's peak MB"]


def fleet(data, _):
    yield markdown(["sweep", *FLEET], fleet_rows(data.all("fleet")))
    closed = data.values("fleet", "closed", "p50"), data.values("fleet", "closed", "p99")
    late = data.values("fleet", "first host last", "late")
    after = data.values("fleet", "first host last", "after")
    yield (f"\nOne at a time (closed), us from one start to the next: p50 "
           f"{spread(closed[0], '{:.0f}')}, p99 {spread(closed[1], '{:.0f}')}. The first host took "
           f"{late[0]:.0f} s; the sweep ended {spread(after)} s after it.")


def queues(data, _):
    rows = []
    for one in data.all("queues"):
        alone = data.values("one task", one["who"], lambda run: 1e6 * run["seconds"] / run["tasks"])
        rows.append((one["who"], f"{one['runs'][0]['tasks']:,}",
                     spread([per_second(run) / 1e3 for run in one["runs"]]),
                     spread([run["cpu"] / run["tasks"] * 1e6 for run in one["runs"]], "{:.0f}"),
                     spread(alone, "{:.0f}")))
    yield markdown(["no-op tasks through 2 workers", "tasks", "thousand tasks/s", "CPU us a task",
                    "one at a time, us"], rows)


def jump(data, _):
    direct = data.median("jump", "direct", "cpu")
    yield markdown(["way", "devices", "failures", "CPU ms a device", "x direct", "wall s",
                    "the jump host's CPU s"], [
        (one["who"], f"{one['x']:,}", f"{max(run['failures'] for run in one['runs']):.0f}",
         spread([cost(run) for run in one["runs"]]),
         f"{data.median('jump', one['who'], 'cpu') / direct:.2f}",
         spread([run["wall"] for run in one["runs"]]),
         spread([run["hop_cpu"] for run in one["runs"]])) for one in data.all("jump")])


def growth(data, _):
    yield "Devices that are logged in to, 100 at once, stored, every host key new:\n"
    yield markdown(["devices", "CPU ms a task", "wall s", "peak MB"], [
        (f"{one['x']:,}", spread([cost(run) for run in one["runs"]]),
         spread([run["wall"] for run in one["runs"]]),
         spread([run["rss"] for run in one["runs"]], "{:.0f}")) for one in data.all("growth")])


def threads(data, _):
    yield "Session threads, 64 sessions at once:\n"
    yield markdown(["threads", "devices", "CPU ms a task", "wall s"], [
        (one["x"], one["runs"][0]["tasks"], spread([cost(run) for run in one["runs"]]),
         spread([run["wall"] for run in one["runs"]])) for one in data.all("growth threads")])


def growth_fleet(data, _):
    yield "No-op hosts, 2 workers, stored:\n"
    yield markdown(FLEET, [row[1:] for row in fleet_rows(data.all("growth no-op"))])
    yield "\nWorkers, 1,024 slots in all, not stored:\n"
    yield markdown(["workers", *FLEET], [(one["x"], f"{one['runs'][0]['hosts']:,}", *row[2:])
                                         for one in data.all("growth workers")
                                         for row in fleet_rows([one])])


def parts(data, _):
    yield markdown(["part", "CPU us", "a second"], [
        (one["who"].removeprefix("BM_"), spread([run["us"] for run in one["runs"]], "{:,.1f}"),
         per_second_text(one)) for one in data.all("parts")])


def per_second_text(one):
    data = sorted(run["bytes"] for run in one["runs"])[len(one["runs"]) // 2]
    items = sorted(run["items"] for run in one["runs"])[len(one["runs"]) // 2]
    if data:
        return f"{number(data / 1e6)} MB"
    return f"{number(items)} of them" if items else "-"


def verdicts(data, _):
    yield markdown(*goals.table(data))


SECTIONS = {"tasks": tasks, "sweep": sweep, "memory": memory, "large": large, "start": start,
            "fleet": fleet, "queues": queues, "jump": jump, "growth": growth, "threads": threads,
            "growth_fleet": growth_fleet, "parts": parts}


def render(page, data, machine, session):
    """The page with every table made anew."""
    def put(name, lines):
        nonlocal page
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = page.split(begin)
        page = before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end)[1]

    put("machine", [machine])
    put("goals", verdicts(data, session))
    for name, section in SECTIONS.items():
        if not data.has(name):
            put(name, ["Not measured."])
            continue
        part = data.parts[name]
        try:
            lines = [*section(data, session), f"\n{part['when']}; rounds: {part['rounds']}, "
                     f"{part['seconds']:.0f} s; load average before, that of earlier parts in it: "
                     f"{part['load']:.1f}."]
        except Missing as missing:
            lines = [f"Not all was measured: {missing}."]
        put(name, lines)
    return page
