"""How the cost of a task grows with devices that are logged in to; what session threads bring."""

import contextlib
import os

from contenders import Job, Netfleet
from devices import figures
from targets import Devices


def remove(*paths):
    for path in paths:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + suffix)


def growth(bench):
    """G14: CPU a task at 100 to 100,000 devices, stored, every host key new."""
    counts = bench.pick((100, 1_000, 10_000, 100_000), (100, 1_000, 5_000), (10, 20))
    with Devices(bench, max(counts)) as target:
        store, known = f"{target.place.name}/store.db", f"{target.place.name}/known_hosts"
        contender = Netfleet("--store", store)

        def several(count):
            runs = []
            for _ in range(max(1, min(10, 1000 // count))):
                remove(store, known)
                runs.append(figures(Job(bench, target, count, 100), contender))
            return {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}

        return bench.alternate([("growth", "netfleet", count,
                                 lambda count=count: several(count)) for count in counts])


def threads(bench):
    """The same sweep with 1 to 8 session threads."""
    count = bench.pick(1000, 500, 20)
    with Devices(bench, count) as target:
        job = Job(bench, target, count, 64)
        return bench.alternate([
            ("growth threads", "netfleet", number, lambda number=number: figures(
                job, Netfleet("--store", "none", "--session-threads", str(number))))
            for number in bench.pick((1, 2, 4, 8), (1, 2, 4), (1, 2))])
