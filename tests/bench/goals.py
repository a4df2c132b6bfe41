"""The goals G1 to G14, judged by the figures and by nothing else."""

import dataclasses

from bench import Missing, spread


@dataclasses.dataclass
class Row:
    goal: str
    measure: str
    figure: str       # median and spread, with its unit
    beside: str       # who it is compared with in the same run, and the ratio
    must: str         # "reached", "not reached", "-" or why nothing can be said
    stretch: str


def at_most(value, limit):
    return "reached" if value <= limit else "not reached"


def at_least(value, limit):
    return "reached" if value >= limit else "not reached"


def with_limit(limit, verdict):
    return f"{limit}: {verdict}"


class Judge:
    """Rows are made by one method a goal; what was not measured becomes a row that says so."""

    def __init__(self, data):
        self.data = data
        self.rows = []

    def add(self, goal, measure, figure, beside, value, must, stretch, test=at_most):
        self.rows.append(Row(goal, measure, figure, beside, with_limit(must, test(value, must)),
                             with_limit(stretch, test(value, stretch))))

    def judge(self):
        for goal in (self.g1, self.g2, self.g3, self.g4, self.g5, self.g6, self.g7, self.g8,
                     self.g9, self.g10, self.g11, self.g12, self.g13, self.g14):
            try:
                goal()
            except Missing as missing:
                self.rows.append(Row(goal.__name__.upper(), f"not measured here: {missing}", "-",
                                     "-", "-", "-"))
        return self.rows

    def size(self, group, who, wanted):
        """What the goal is about must have been measured, not less."""
        largest = max((one["x"] for one in self.data.all(group) if one["who"] == who), default=0)
        if largest < wanted:
            raise Missing(f"{group} at {wanted:,}")

    def g1(self):
        ours, floor = (self.data.values("tasks T2", who, cost) for who in ("netfleet", "floor"))
        ratio = self.data.median("tasks T2", "netfleet", cost) / self.data.median(
            "tasks T2", "floor", cost)
        self.add("G1", "CPU ms a task, simulated devices, 8 at once", spread(ours),
                 f"floor {spread(floor)}: {ratio:.2f} times", round(ratio, 2), 1.2, 1.0)

    def g2(self):
        own = self.data.median("tasks T2", "netfleet", cost)
        for name, must, stretch in (("Netmiko, threads", 10, 13), ("paramiko, threads", 5, 7),
                                    ("Ansible network_cli", 500, 900)):
            try:
                theirs = self.data.values("tasks T2", name, cost)
            except Missing:
                self.rows.append(Row("G2", f"the same: {name}", "not measured", "-", "-", "-"))
                continue
            ratio = self.data.median("tasks T2", name, cost) / own
            self.add("G2", f"the same: {name}", spread(theirs), f"{ratio:.1f} times netfleet's",
                     ratio, must, stretch, at_least)
        self.rows.append(Row("G2", "the same: Nornir", "Debian has no package", "-", "11: -",
                             "14: -"))

    def g3(self):
        self.size("sweep", "netfleet", 500)
        for at_once, must, stretch in ((50, 11.5, 11.15), (100, 6.0, 5.7), (500, 1.7, 1.5)):
            try:
                wall = self.data.median("sweep", "netfleet", "wall", at_once)
            except Missing:
                continue  # --quick leaves one out
            floor = self.data.values("sweep", "floor", "wall", at_once)
            self.add("G3", f"wall s, 500 slow devices, {at_once} at once",
                     spread(self.data.values("sweep", "netfleet", "wall", at_once)),
                     f"floor {spread(floor)}", round(wall, 2), must, stretch)

    def g4(self):
        for figure, measure, must, stretch in (("cpu", "CPU s", 0.75, 0.5),
                                               ("rss", "peak memory MB", 60, 40)):
            values = self.data.values("sweep", "netfleet", figure, 500)
            self.add("G4", f"{measure}, 500 at once", spread(values),
                     "floor " + spread(self.data.values("sweep", "floor", figure, 500)),
                     self.data.median("sweep", "netfleet", figure, 500), must, stretch)

    def g5(self):
        self.size("memory", "netfleet", 10_000)
        most = max(one["x"] for one in self.data.all("memory") if one["who"] == "netfleet")
        self.add("G5", "sessions at once in one worker", f"{most:,}",
                 "more was not tried", most, 10_000, 20_000, at_least)
        ours = a_session(self.data, "netfleet")
        self.add("G5", "KB of memory a session, 100 to 10,000 at once", f"{ours:.1f}",
                 f"floor {a_session(self.data, 'floor'):.1f}", ours, 30, 24)

    def g6(self):
        beside = "ssh to a file " + spread(self.data.values("large", "ssh to a file", a_megabyte))
        for who, must, stretch in (("kept and printed", 5, 2.2), ("to a file", 2.5, 1.3)):
            self.add("G6", f"CPU ms a MB of one large output, {who}",
                     spread(self.data.values("large", who, a_megabyte)), beside,
                     self.data.median("large", who, a_megabyte), must, stretch)

    def g7(self):
        peers = []
        try:
            own = self.data.median("queues", "netfleet, stored", per_second)
            peers = [f"{name} {own / self.data.median('queues', name, per_second):,.0f} times less"
                     for name in ("gearmand", "Celery, Redis")]
        except Missing:
            pass
        for who in ("store none", "stored"):
            rate = self.data.median("fleet", who, rate_of)
            self.add("G7", f"thousand no-op tasks/s, 2 workers, {who}",
                     spread(self.data.values("fleet", who, rate_of), "{:.0f}"),
                     ", ".join(peers) or "-", rate, 150, 1000, at_least)

    def g8(self):
        for figure, must, stretch in (("p50", 150, 60), ("p99", 1000, 200)):
            self.add("G8", f"us, one no-op task at a time, stored: {figure}",
                     spread(self.data.values("fleet", "closed", figure), "{:.0f}"), "-",
                     self.data.median("fleet", "closed", figure), must, stretch)

    def g9(self):
        self.size("fleet", "to a file", 1_000_000)
        for figure, measure, must, stretch in (("wall", "wall s", 60, 15),
                                               ("rss", "dispatcher's peak memory MB", 300, 120)):
            self.add("G9", f"1,000,000 no-op hosts, stored, in order: {measure}",
                     spread(self.data.values("fleet", "to a file", figure), "{:.1f}"), "-",
                     self.data.median("fleet", "to a file", figure), must, stretch)

    def g10(self):
        self.size("fleet", "first host last", 1_000_000)
        ratio = (self.data.median("fleet", "first host last", "rss") /
                 self.data.median("fleet", "to a file", "rss"))
        self.add("G10", "the same, the first host last: peak memory MB",
                 spread(self.data.values("fleet", "first host last", "rss"), "{:.1f}"),
                 f"{ratio:.2f} times G9's", round(ratio, 2), 1.05, 1.05)

    def g11(self):
        failures = max(self.data.values("jump", "one hop", "failures"))
        self.add("G11", "failures behind one jump host", f"{failures:.0f}", "-", failures, 0, 0)
        ratio = (self.data.median("jump", "one hop", "cpu") /
                 self.data.median("jump", "direct", "cpu"))
        direct = spread(self.data.values("jump", "direct", cost))
        self.add("G11", "CPU ms a device behind it",
                 spread(self.data.values("jump", "one hop", cost)),
                 f"direct {direct}: {ratio:.2f} times", round(ratio, 2), 2.0, 1.5)

    def g12(self):
        def ratio(run):
            return run["swept"] / run["ideal"]
        self.add("G12", "one worker of four 10 times slower: times the ideal split",
                 spread(self.data.values("fleet", "one slow worker", ratio)), "-",
                 round(self.data.median("fleet", "one slow worker", ratio), 2), 1.2, 1.05)

    def g13(self):
        def milliseconds(figure):
            return lambda run: run[figure] * 1e3
        help_cpu = self.data.values("start", "netfleet --help", milliseconds("cpu"))
        self.add("G13", "CPU ms of `netfleet --help`", spread(help_cpu), "-",
                 self.data.median("start", "netfleet --help", milliseconds("cpu")), 5, 2)
        ours = self.data.median("start", "netfleet, one device", milliseconds("wall"))
        floor = self.data.median("start", "floor, one device", milliseconds("wall"))
        self.add("G13", "wall ms of `run` of one device above the device's own time (the floor's)",
                 f"{ours - floor:.1f}", f"{ours:.1f} and {floor:.1f} in all", ours - floor, 30, 10)

    def g14(self):
        self.size("growth", "netfleet", 100_000)
        costs = {one["x"]: self.data.median("growth", "netfleet", cost, one["x"])
                 for one in self.data.all("growth")}
        listed = ", ".join(f"{value:.2f}" for value in costs.values())
        apart = (max(costs.values()) / min(costs.values()) - 1) * 100
        self.add("G14", "CPU ms a task at 100, 1,000, 10,000, 100,000 devices, stored: % apart",
                 f"{apart:.0f} ({listed})", without_start(self.data, costs), apart, 20, 5)


def cost(run):
    """CPU ms a task."""
    return run["cpu"] / run["tasks"] * 1e3


def a_megabyte(run):
    return run["cpu"] / run["megabytes"] * 1e3


def per_second(run):
    return run["tasks"] / run["seconds"]


def rate_of(run):
    """Thousand tasks a second; a sweep too short for the summary's clock counts whole."""
    return run["hosts"] / (run["swept"] or run["wall"]) / 1e3


def a_session(data, who):
    """KB that each session adds between the fewest and the most at once."""
    counts = sorted(one["x"] for one in data.all("memory") if one["who"] == who)
    low, high = (data.median("memory", who, "resident", x) for x in (counts[0], counts[-1]))
    return (high - low) * 1024 / (counts[-1] - counts[0])


def without_start(data, costs):
    """How far apart they are when the CPU time of a run of one device is not counted."""
    try:
        start = data.median("start", "netfleet, one device", "cpu") * 1e3
    except Missing:
        return "-"
    less = [value - start / x for x, value in costs.items()]
    return f"{(max(less) / min(less) - 1) * 100:.0f} without starting and ending ({start:.0f} ms)"


def table(data):
    rows = [(row.goal, row.measure, row.figure, row.beside, row.must, row.stretch)
            for row in Judge(data).judge()]
    return ["#", "measure", "netfleet", "in the same run", "must", "stretch"], rows
