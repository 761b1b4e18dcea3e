"""The report that every benchmark leaves: a table to read, and a file with its figures, raw samples and machine."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "build/bench"


def write_report(
    name: str, figures: Mapping[str, Any], *, samples: Mapping[str, Any], versions: Mapping[str, str] = {}
) -> Path:
    """Write `build/bench/<name>.json`: the figures at its top, and under `run` what is needed to doubt them.

    `samples` are the raw values that the figures were made from, `versions` those of programs beside Python.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    run = {**describe_machine(), "versions": dict(versions), "samples": samples}
    path.write_text(json.dumps({**figures, "run": run}, indent=1) + "\n")
    print(f"\nwritten: {path.relative_to(FOLDER.parents[1])}")
    return path


def describe_machine() -> dict[str, Any]:
    """What a figure depends on beside the code: cores, their kind, how busy they were, and Python."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cores": os.cpu_count(),
        "processor": names[0].partition(":")[2].strip() if names else platform.machine(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def versions_of(*packages: str) -> dict[str, str]:
    """The installed versions of Python packages."""
    return {package: metadata.version(package) for package in packages}


def describe_spread(values: Sequence[float], unit: str = "", digits: int = 1) -> str:
    """Median and range: one value alone says nothing about a machine that others use too."""
    if not values:
        return "–"
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f}{unit} ({low:,.{digits}f}–{high:,.{digits}f})"


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A Markdown table, so that what is printed is what stands in docs/benchmarks.md."""
    print(f"\n{title}\n")
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(map(str, row))} |")
