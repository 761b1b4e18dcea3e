"""What gates cost: the whole standard set over a bundle of 5 MB and 100,000 held-out rows, in one process on one core.

The bundle is compared with itself: performance with one column of slices, then serving for ten seconds. Time and memory
are those of `tidegate check`, the predictor that it starts left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from bench.bundle import build_bundle
from demo.adult import TARGET, read_census

ROWS = 100_000
GATES = [
    {
        "name": "predicts-well",
        "performance": {
            "data": {"uri": "rows.csv", "label": TARGET},
            "metrics": [
                *({"name": name} for name in ("auc", "accuracy", "logLoss", "brier")),
                {"name": "calibrationError", "atMost": "0.2"},
            ],
            "slices": [{"column": "sex"}],
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


# A process counts the memory of the one that it came from as its own, until it is larger; so it comes from a small one.
_LAUNCHER = """
import os, sys
process = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(process, 0)
print(used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def write_rows(path: Path) -> None:
    """Held-out rows, over and over, as many as are wanted."""
    held_out = read_census().held_out
    times = -(-ROWS // len(held_out))
    pd.concat([held_out] * times).head(ROWS).to_csv(path, index=False)


def check(folder: Path) -> tuple[float, float]:
    """Seconds and MiB of one `tidegate check` on one core."""
    program, bundle = Path(sys.executable).parent / "tidegate", str(folder / "bundle")
    arguments = ["check", bundle, "--stable", bundle, "--gates", str(folder / "gates.json")]
    core = str(min(os.sched_getaffinity(0)))
    command = [sys.executable, "-c", _LAUNCHER, "taskset", "--cpu-list", core, str(program), *arguments]
    begun = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return time.monotonic() - begun, float(done.stdout.splitlines()[-1]) / 1024


def measure(rounds: int) -> list[tuple[float, float]]:
    """Seconds and MiB of so many checks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_bundle(folder / "bundle")
        write_rows(folder / "rows.csv")
        (folder / "gates.json").write_text(json.dumps(GATES))
        return [check(folder) for _ in range(rounds)]
