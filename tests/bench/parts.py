"""The parts of the programs by themselves: part_bench (Google Benchmark), a process a round."""

import json
import tempfile

import tree


def parts(bench):
    """A series a benchmark: us of CPU an iteration, and what it processes a second."""
    series = {}
    options = bench.pick(["--benchmark_min_time=0.3"],
                         ["--benchmark_min_time=0.05", "--benchmark_filter=-/1000000$"],
                         ["--benchmark_min_time=0", "--benchmark_filter=/1000$"])
    scale = {"ns": 1e-3, "us": 1.0, "ms": 1e3}
    for _ in range(bench.rounds):
        with tempfile.NamedTemporaryFile() as file:
            tree.run([f"{bench.bin}/part_bench", f"--benchmark_out={file.name}",
                      "--benchmark_out_format=json", *options])
            rows = json.load(file)["benchmarks"]
        for row in rows:
            one = series.setdefault(row["name"], {"group": "parts", "who": row["name"], "x": 1,
                                                  "runs": []})
            one["runs"].append({
                "us": row["cpu_time"] * scale[row["time_unit"]],
                "bytes": row.get("bytes_per_second", 0), "items": row.get("items_per_second", 0)})
    bench.say(f"parts: {len(series)} benchmarks")
    return list(series.values())
