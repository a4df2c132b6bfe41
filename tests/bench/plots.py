"""The plots of docs/performance.md, as SVG."""

import io
import statistics

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402: the backend is chosen before
from matplotlib import ticker  # noqa: E402

from bench import Missing  # noqa: E402
from devices import IDEAL  # noqa: E402
from goals import cost  # noqa: E402
from page import microseconds  # noqa: E402

matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "netfleet", "font.size": 9,
                            "axes.grid": True, "grid.alpha": 0.3, "figure.figsize": (6.4, 3.8)})


def save(figure, path):
    figure.tight_layout()
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    path.write_text("".join(line.rstrip() + "\n" for line in text.getvalue().splitlines()),
                    encoding="utf-8")


def lines(data, group, get, path, title, x_label, y_label, logarithmic=True, beside=()):
    """A line a contender, medians over x, lowest to highest as bars. `beside`: (name, xs, ys)."""
    figure, axes = pyplot.subplots()
    for who in dict.fromkeys(one["who"] for one in data.all(group)):
        points = sorted((one["x"], [get(run) for run in one["runs"]])
                        for one in data.all(group) if one["who"] == who)
        xs = [x for x, _ in points]
        middle = [statistics.median(values) for _, values in points]
        bars = [[value - min(values) for value, (_, values) in zip(middle, points)],
                [max(values) - value for value, (_, values) in zip(middle, points)]]
        axes.errorbar(xs, middle, yerr=bars, marker="o", capsize=3, label=who)
    for more, xs, values in beside:
        axes.plot(xs, values, "--", color="grey", label=more)
    axes.set_xscale("log")
    axes.set_xticks(sorted({one["x"] for one in data.all(group)}))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(ticker.NullLocator())
    else:
        axes.set_ylim(bottom=0)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    axes.legend()
    save(figure, path)


def cpu(data, path):
    """CPU a task, one bar a contender, on both targets."""
    names = [one["who"] for one in data.all("tasks T2")]
    figure, axes = pyplot.subplots()
    for shift, target, label in ((-0.2, "T2", "simulated devices"), (0.2, "T1", "OpenSSH")):
        values = []
        for name in names:
            try:
                values.append(data.median(f"tasks {target}", name, cost))
            except Missing:
                values.append(0)
        bars = axes.barh([place + shift for place in range(len(names))], values, 0.4, label=label)
        axes.bar_label(bars, [f"{value:.3g}" if value else "" for value in values], padding=2,
                       fontsize=7)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set(title="CPU a task, 8 at once", xlabel="ms, logarithmic")
    axes.legend()
    save(figure, path)


def draw(data, directory):
    """What can be drawn of what was measured; the files' names."""
    if data.has("tasks"):
        cpu(data, directory / "cpu.svg")
    if data.has("sweep"):
        lines(data, "sweep", lambda run: run["wall"], directory / "wall.svg",
              "A sweep of 500 slow devices", "sessions at once", "s",
              beside=[("ideal", list(IDEAL), list(IDEAL.values()))])
    if data.has("memory"):
        lines(data, "memory", lambda run: run["proportional"], directory / "memory.svg",
              "Memory with all sessions at a command", "sessions",
              "MB, what is shared once")
    if data.has("growth"):
        lines(data, "growth", cost, directory / "growth.svg",
              "CPU a task against the size of a sweep", "devices", "ms", logarithmic=False)
    if data.has("growth_fleet"):
        lines(data, "growth no-op", microseconds, directory / "growth-no-op.svg",
              "CPU a no-op task against the size of a sweep", "hosts", "us")
