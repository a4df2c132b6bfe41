"""Compares cron_table with croniter over ten years in five zones.

croniter yields the labels on the clock; what becomes of a label that is skipped or comes twice is
our rule (firing.h), written here once more with Python's own time zones.
"""

import datetime
import subprocess
import sys
import zoneinfo

from croniter import croniter

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
FIRST = datetime.datetime(2020, 1, 1)
LAST = datetime.datetime(2030, 1, 1)
EXPRESSIONS = [
    "0 2 * * *", "30 2 * * *", "15 1,2,3 * * *", "0 0 1 * *", "0 12 13 * 5", "59 23 31 * *",
    "0 0 29 2 *", "*/20 3-5 * * mon-fri", "5 4 * * sun", "0 0 * * 7", "45 1 * mar,oct,nov sun",
    "10-50/20 2 1-7 * *", "0 22 * * 1-5", "0 6 1,15 * wed", "0 */6 * * *", "30 * * * 0",
    "7 */5 1 */3 *", "0 0 1 1 *", "0 3 28-31 * 6",
]
MINUTE = datetime.timedelta(minutes=1)
UTC = datetime.timezone.utc


def labels(expression):
    """What the clock shows at each firing, from a day before to a day after."""
    each = croniter(expression, FIRST - datetime.timedelta(days=1))
    while (label := each.get_next(datetime.datetime)) <= LAST + datetime.timedelta(days=1):
        yield label


def instants_of(label, zone):
    """The Unix times at which the clock shows the label: none, one or two."""
    found = []
    for fold in (0, 1):
        at = label.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) == label and at not in found:
            found.append(at)
    return sorted(found)


def end_of_gap(label, zone):
    """The first instant after the clock has jumped over the label."""
    at = label.replace(tzinfo=zone, fold=1).astimezone(UTC) - datetime.timedelta(hours=3)
    at = at.replace(second=0)
    while at.astimezone(zone).replace(tzinfo=None) < label:
        at += MINUTE
    return at


def expected(expression, zone):
    every_so_often = expression.split()[1].startswith("*")
    times = set()
    for label in labels(expression):
        found = instants_of(label, zone)
        if every_so_often:
            times.update(found)
        else:
            times.add(found[0] if found else end_of_gap(label, zone))
    first, last = FIRST.replace(tzinfo=UTC), LAST.replace(tzinfo=UTC)
    return sorted(int(t.timestamp()) for t in times if first < t <= last)


def main():
    bounds = [str(int(t.replace(tzinfo=UTC).timestamp())) for t in (FIRST, LAST)]
    table = subprocess.run([sys.argv[1], *bounds, *ZONES], input="\n".join(EXPRESSIONS) + "\n",
                           text=True, stdout=subprocess.PIPE, check=True, timeout=200)
    rows = iter(table.stdout.splitlines())
    firings = 0
    for expression in EXPRESSIONS:
        for name in ZONES:
            ours = [int(word) for word in next(rows).split()]
            theirs = expected(expression, zoneinfo.ZoneInfo(name))
            assert theirs, f"{expression}: nothing to compare"
            odd = sorted(set(ours) ^ set(theirs))[:5]
            shown = [datetime.datetime.fromtimestamp(t, zoneinfo.ZoneInfo(name)) for t in odd]
            assert ours == theirs, f"{expression} in {name}: {[str(t) for t in shown]}"
            firings += len(ours)
    print(f"{len(EXPRESSIONS)} expressions in {len(ZONES)} zones: {firings} firings are the same")


main()
