"""What all parts of the benchmark share: how big a run is, and the series that it fills.

A *series* is what was measured of one contender doing one thing: {"group": "tasks T2", "who":
"netfleet", "x": 1000, "runs": [{"wall": 1.2, "cpu": 0.6, ...}, ...]}, a run a round. `x` is what
the group varies (hosts, sessions at once, workers). The page and the goals are made of series.
"""

import dataclasses
import statistics
import sys

from tree import Wrong


@dataclasses.dataclass
class Bench:
    """bin: the programs' directory. size: "full", "quick" or "smoke"."""
    bin: str
    rounds: int
    size: str = "full"
    only: tuple = ()  # names of contenders; empty: all
    wrong: list = dataclasses.field(default_factory=list)  # what contenders did wrong, for people

    def pick(self, full, quick, smoke=None):
        return {"full": full, "quick": quick, "smoke": quick if smoke is None else smoke}[self.size]

    def wanted(self, contenders):
        return [one for one in contenders if not self.only or one.name in self.only]

    @staticmethod
    def say(text):
        print(text, file=sys.stderr, flush=True)

    def alternate(self, lines, rounds=None):
        """Runs every line of (group, who, x, function -> figures) once a round, and returns the
        series. A contender that is wrong is noted and left out."""
        series = [{"group": group, "who": who, "x": x, "runs": []} for group, who, x, _ in lines]
        good = list(zip(series, lines))
        for _ in range(rounds or self.rounds):
            for pair in list(good):
                one, (group, who, x, function) = pair
                try:
                    figures = function()
                except Wrong as wrong:
                    self.say(f"{group:18} {who:22} {x:>9,}  WRONG: {wrong}")
                    self.wrong.append(f"{group}, {who}, {x:,}")
                    good.remove(pair)
                    continue
                one["runs"].append(figures)
                shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items()
                                  if isinstance(value, (int, float)))
                self.say(f"{group:18} {who:22} {x:>9,}  {shown}")
        return [one for one, _ in good]


class Missing(Exception):
    """The series is not there: its part was not run."""


class Data:
    """The series of all parts, looked up."""

    def __init__(self, parts):
        self.parts = parts
        self.series = [one for part in parts.values() for one in part["series"]]

    def has(self, part):
        return part in self.parts

    def all(self, group):
        return [one for one in self.series if one["group"] == group]

    def values(self, group, who, figure, x=None):
        """`figure`: a name, or a function of a run. Without x, that of the only series."""
        for one in self.series:
            if one["group"] == group and one["who"] == who and x in (None, one["x"]):
                get = figure if callable(figure) else lambda run: run[figure]
                return [get(run) for run in one["runs"]]
        raise Missing(f"{group}, {who}" + (f", {x:,}" if x else ""))

    def median(self, group, who, figure, x=None):
        return statistics.median(self.values(group, who, figure, x))


def spread(values, form="{:.2f}"):
    """The median and, in brackets, the lowest and the highest."""
    median, low, high = statistics.median(values), min(values), max(values)
    texts = [form.format(value) for value in (median, low, high)]
    return f"{texts[0]} ({texts[1]}-{texts[2]})" if len(values) > 1 else texts[0]
