"""The field types that users write as strings, and the one parser of each."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import Field, StringConstraints

_DURATION: Final = re.compile(r"(\d+)(h|ms|m|s)")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SUFFIXES: Final = {
    "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip

Duration = Annotated[str, StringConstraints(pattern=r"^([0-9]{1,6}(ms|h|m|s)){1,4}$", max_length=32)]
Quantity = Annotated[
    str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", max_length=32)
]
Percentage = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,4})?%$", max_length=9)]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$", max_length=71)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Text = Annotated[str, Field(max_length=1024)]


def parse_seconds(duration: str) -> float:
    """Seconds of a duration such as `90s`, `1h30m` or `500ms`. Raises ValueError for anything else."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is no duration; write it like 90s, 5m or 1h30m")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def parse_share(percentage: str) -> float:
    """A percentage such as `1%` or `0.5%` as a share of 1. Raises ValueError for anything else."""
    number = percentage.removesuffix("%")
    if number == percentage:
        raise ValueError(f"{percentage!r} is no percentage; write it like 1% or 0.5%")
    return float(number) / 100


def parse_quantity(quantity: str) -> float:
    """A Kubernetes quantity in its base unit: cores for CPU, bytes for memory. Raises ValueError otherwise."""
    match = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", quantity)
    if not match or match[2] not in _SUFFIXES:
        raise ValueError(f"{quantity!r} is no quantity; write it like 500m, 2 or 512Mi")
    return float(match[1]) * _SUFFIXES[match[2]]
