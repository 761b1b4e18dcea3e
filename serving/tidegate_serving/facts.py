"""The facts of one predictor process that only it can tell: how long its start took, and how much memory it needed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import msgspec

FACTS_PATH: Final = "/internal/process"

_STATUS: Final = Path("/proc/self/status")
_STAT: Final = Path("/proc/self/stat")
_UPTIME: Final = Path("/proc/uptime")
_STARTED: Final = 19
"""Of the fields of /proc/self/stat behind the command's name: when it started, in ticks since the machine did."""


class ProcessFacts(msgspec.Struct, frozen=True):
    """What a process says of itself; 0 where the system doesn't tell."""

    process: str
    """An id that is new with every start."""
    ready_seconds: float
    """From its start until it could answer."""
    peak_memory_bytes: int
    """The most that it held at any time."""
    memory_limit_bytes: int
    """What it may hold before the kernel ends it; 0: without limit."""
    threads: int
    """What it answers with."""


def read_age() -> float:
    """Seconds since this process began; 0 where the system doesn't tell."""
    try:
        ticks = int(_STAT.read_text().rpartition(")")[2].split()[_STARTED])
        up = float(_UPTIME.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    return up - ticks / os.sysconf("SC_CLK_TCK")


def read_peak() -> int:
    """The most bytes that this process held in memory; 0 where the system doesn't tell."""
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
