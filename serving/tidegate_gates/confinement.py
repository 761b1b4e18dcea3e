"""The confinement: the CPU and memory limits of a pod, for a process on this machine, where its system allows that."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_PERIOD: Final = 100_000
"""Microseconds over which a share of the CPU is counted: Kubernetes' own choice, so throttling comes as it would."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a predictor pod may use."""

    cores: float = 1.0
    memory_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class Confinement:
    """Where a process is put; without groups, it is not confined."""

    groups: tuple[Path, ...] = ()
    why_not: str = ""
    """Why this machine does not confine it."""

    def admit(self, process: int) -> None:
        """Puts a process under the limits."""
        for group in self.groups:
            (group / "cgroup.procs").write_text(str(process))


@contextmanager
def confine(limits: Limits) -> Iterator[Confinement]:
    """Makes control groups with these limits, and removes them once their processes have ended."""
    made: list[Path] = []
    try:
        try:
            for parent, settings in _plan(limits).items():
                group = parent / f"tidegate-check-{os.getpid()}"
                group.mkdir()
                made.append(group)
                for name, value in settings.items():
                    (group / name).write_text(value)
        except OSError as error:
            why = "this machine lets us make no control group for it"
            yield Confinement(why_not=f"{why} ({error.strerror})")
        else:
            yield Confinement(tuple(made), "" if made else "this system has no control groups")
    finally:
        for group in made:
            with contextlib.suppress(OSError):
                group.rmdir()


def _plan(limits: Limits) -> Mapping[Path, Mapping[str, str]]:
    """The groups that ours get children in, with what is written there: version 2, or else version 1."""
    quota, memory = str(int(limits.cores * _PERIOD)), str(limits.memory_bytes)
    own = _read_own_groups()
    if (_ROOT / "cgroup.controllers").is_file() and "" in own:
        settings = {"memory.max": memory, "memory.swap.max": "0", "cpu.max": f"{quota} {_PERIOD}"}
        return {_ROOT / own[""].lstrip("/"): settings}
    wanted = {
        "memory": {"memory.limit_in_bytes": memory},
        "cpu": {"cpu.cfs_period_us": str(_PERIOD), "cpu.cfs_quota_us": quota},
    }
    return {
        _ROOT / controller / own[controller].lstrip("/"): settings
        for controller, settings in wanted.items()
        if controller in own
    }


def _read_own_groups() -> dict[str, str]:
    """The group of this process by controller; the one of version 2 has no name."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        found |= dict.fromkeys(controllers.split(","), path)
    return found
