"""What gates cost: `make bench-gates`.

A bundle of 5 MB against 100,000 held-out rows, compared with itself: performance with one column of slices, then
serving for ten seconds. `tidegate check` runs as a process of its own on one core; its time and its memory are those of
that process, the predictor that it starts left out.

    python -m bench.gates [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from bench.bundle import build_bundle
from bench.report import describe_spread, print_table, versions_of, write_report
from click.testing import CliRunner
from demo.adult import TARGET, read_census

from tidegate.cli import main as cli

ROWS = 100_000
WANTED_SECONDS, WANTED_MIB = 60.0, 300.0
GATES = [
    {
        "name": "predicts-well",
        "performance": {
            "data": {"uri": "rows.csv", "label": TARGET},
            "metrics": [
                {"name": name} for name in ("auc", "accuracy", "logLoss", "brier", "calibrationError")
            ],
            "slices": [{"column": "education"}],
        },
    },
    {
        "name": "serves-well",
        "serving": {
            "concurrency": 4,
            "duration": "10s",
            "latency": {"p99": "1s"},
        },
    },
]


def write_rows(path: Path) -> None:
    """Held-out rows, over and over, as many as are wanted."""
    held_out = read_census().held_out
    times = -(-ROWS // len(held_out))
    pd.concat([held_out] * times).head(ROWS).to_csv(path, index=False)


def check(folder: Path) -> tuple[float, float]:
    """Seconds and MiB of one check."""
    command = [sys.executable, "-m", "bench.gates", "--check", str(folder)]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.monotonic() - begun, float(done.stdout)


def check_here(folder: Path) -> None:
    """`tidegate check` in this process, on one core; prints the most memory that it held, in MiB."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    bundle = str(folder / "bundle")
    arguments = ["check", bundle, "--stable", bundle, "--gates", str(folder / "gates.json"), "--output=json"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Measures, reports, and fails where it takes more than wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.check:
        check_here(arguments.check)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_bundle(folder / "bundle")
        write_rows(folder / "rows.csv")
        (folder / "gates.json").write_text(json.dumps(GATES))
        rounds = [check(folder) for _ in range(arguments.rounds)]
    report(rounds)


def report(rounds: list[tuple[float, float]]) -> None:
    """The table and the file."""
    seconds, mib = ([one[place] for one in rounds] for place in range(2))
    rows = [
        ("the whole set, s", describe_spread(seconds), WANTED_SECONDS),
        ("memory, MiB", describe_spread(mib, digits=0), WANTED_MIB),
    ]
    print_table(f"{ROWS:,} rows, a bundle of 5 MB, one core", ("what", "median (range)", "wanted"), rows)
    figures = {"seconds": seconds, "mib": mib}
    write_report("gates", figures, samples={"rounds": rounds}, versions=versions_of("onnxruntime", "duckdb"))
    if statistics.median(seconds) > WANTED_SECONDS or max(mib) > WANTED_MIB:
        sys.exit("worse than wanted")


if __name__ == "__main__":
    main()
