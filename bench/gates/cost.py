"""What gates cost: the whole standard set over a bundle of 5 MB and 100,000 held-out rows, in one process on one core.

The bundle is compared with itself: performance with one column of slices, then serving for ten seconds. Time and memory
are those of `tidegate check`, the predictor that it starts left out.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from bench.bundle import build_bundle
from click.testing import CliRunner
from demo.adult import TARGET, read_census

from tidegate.cli import main as cli

ROWS = 100_000
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
    command = [sys.executable, "-m", "bench.gates.cost", str(folder)]
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


def measure(rounds: int) -> list[tuple[float, float]]:
    """Seconds and MiB of so many checks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_bundle(folder / "bundle")
        write_rows(folder / "rows.csv")
        (folder / "gates.json").write_text(json.dumps(GATES))
        return [check(folder) for _ in range(rounds)]


if __name__ == "__main__":
    check_here(Path(sys.argv[1]))
