"""Memory: what this process may use, as the container's limit says, and what it uses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

# Version 2 of control groups, then version 1; elsewhere (a laptop's macOS, say) neither is there.
_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_STATISTICS: Final = Path("/proc/self/statm")
_NO_LIMIT: Final = 1 << 50
"""Version 1 writes a number of this order where there is no limit, version 2 the word `max`."""


def read_limit() -> int | None:
    """Gives the bytes that the container may use before the kernel ends it; None: without limit."""
    for path in _LIMITS:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < _NO_LIMIT:
            return int(text)
    return None


def read_resident() -> int:
    """Gives the bytes that this process holds in memory now; 0 where the system doesn't tell."""
    try:
        pages = int(_STATISTICS.read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def read_room(limit: int | None) -> int | None:
    """Gives the bytes that a limit leaves; None: as many as there are."""
    return None if limit is None else max(0, limit - read_resident())


def shown(size: float) -> str:
    """Writes a size as Kubernetes does, rounded down."""
    for unit in ("bytes", "Ki", "Mi"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{int(size)}{unit}"
        size /= 1024
    return f"{int(size * 10) / 10:g}Gi"
