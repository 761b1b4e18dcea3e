"""Quantities as Kubernetes writes them, and what they mean: durations, ages, shares, cores and bytes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

DURATION: Final = r"^([0-9]{1,6}(ms|s|m|h))+$"
PERCENTAGE: Final = r"^[0-9]{1,3}(\.[0-9]{1,4})?%$"
AGE: Final = r"^[0-9]{1,5}[dh]$"
_UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_SUFFIXES: Final = {
    "": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip


def parse_seconds(duration: str) -> float:
    """The seconds of a Duration: "1h30m" is 5400.0. ValueError if it is none."""
    if not re.search(DURATION, duration):
        msg = f'{duration!r} is no duration; write one such as "30s" or "1h30m"'
        raise ValueError(msg)
    return sum(int(number) * _UNIT_SECONDS[unit] for number, unit in re.findall(r"(\d+)(ms|s|m|h)", duration))


def parse_age(age: str) -> timedelta:
    """The time that an age means, in days or hours: "30d", "36h". ValueError if it is none."""
    if not re.fullmatch(AGE, age):
        msg = f'{age!r} is no age; write one such as "30d" or "36h"'
        raise ValueError(msg)
    return timedelta(hours=int(age[:-1]) * (24 if age[-1] == "d" else 1))


def parse_share(percentage: str) -> float:
    """The share that a Percentage means: "1%" is 0.01. ValueError if it is none."""
    if not re.fullmatch(PERCENTAGE, percentage):
        msg = f'{percentage!r} is no percentage; write one such as "1%"'
        raise ValueError(msg)
    return float(percentage.removesuffix("%")) / 100


def parse_quantity(quantity: str) -> float:
    """Cores of a cpu quantity ("250m" is 0.25), bytes of a memory quantity ("1Ki" is 1024.0).

    ValueError if it is none, or ends in a suffix that neither cpu nor memory has any use for (P, E, n, u).
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(e[0-9]+|[A-Za-z]*)", quantity)
    if found is None or (found[2] not in _SUFFIXES and not re.fullmatch(r"e[0-9]+", found[2])):
        msg = f'{quantity!r} is no quantity; write one such as "500m" or "512Mi"'
        raise ValueError(msg)
    if found[2] in _SUFFIXES:
        return float(found[1]) * _SUFFIXES[found[2]]
    return float(quantity)
