"""A change: one thing that is not the same in two versions of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """What a change is about, in the order in which changes are told."""

    BUNDLE = "bundle"
    CODE = "code"
    RUN = "run"
    DATA = "data"
    FEATURES = "features"
    SIGNATURE = "signature"
    METRICS = "metrics"
    PACKAGES = "packages"
    FILES = "files"
    BUILD = "built"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same in both versions."""

    group: Group
    what: str
    """Such as commit, a package's name, or `age, nullable`."""
    before: str | None
    """None: it was not there."""
    after: str | None
    """None: it is there no longer."""
    said: str
    """Both of them, or the one that there is, as a person reads them."""


def changed(
    group: Group, what: str, before: str | None, after: str | None, *, said: str = ""
) -> Iterator[Change]:
    """Gives one change, or none if both are the same; `said` stands for both where there are two."""
    if before != after:
        there = [value for value in (before, after) if value is not None]
        yield Change(group, what, before, after, said if said and len(there) > 1 else " → ".join(there))


def in_order(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Gives the names of both: those of the earlier one as it has them, then the new ones."""
    return [*before, *(name for name in after if name not in before)]
