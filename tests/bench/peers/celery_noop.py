"""Celery with Redis: a task that does nothing.

usage: celery_noop.py COUNT [one]     BENCH_REDIS is the broker's URL; "one": one at a time

As a module it is the worker's application: celery -A celery_noop worker
"""

import os
import sys
import time

import celery

app = celery.Celery("celery_noop", broker=os.environ["BENCH_REDIS"],
                    backend=os.environ["BENCH_REDIS"])
app.conf.worker_prefetch_multiplier = 64


@app.task(name="noop")
def noop(number):
    return number


def main():
    count = int(sys.argv[1])
    start = time.monotonic()
    if len(sys.argv) > 2:
        answers = [noop.delay(number).get(timeout=600) for number in range(count)]
    else:
        answers = celery.group(noop.s(number) for number in range(count))().get(timeout=600)
    seconds = time.monotonic() - start
    if answers != list(range(count)):
        sys.exit(f"{len(answers)} answers of {count} tasks")
    print(seconds)


if __name__ == "__main__":
    main()
