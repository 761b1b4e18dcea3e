"""Changes: which values a feature takes in which rows, where an expectation says that it changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tidegate.expectations import Expectation, Value, parse_value
from tidegate.signature import Feature, FeatureKind

MOST_VALUES: Final = 20
"""Where the expectation names none: so many, spread over those that there are."""
_DIGITS: Final = 9
"""Of a step: a tenth of 30 is a little more than 3 to a computer, and would move a whole number by 4."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row that gets another value."""

    row: int
    after: Value


def plan_changes(expectation: Expectation, feature: Feature, values: Sequence[Any]) -> list[Change]:
    """Every change of a column that an expectation is about.

    A row in which the value is missing, or would stay what it is, has none.
    """
    present = {row: value for row, value in enumerate(values) if not _is_missing(value)}
    if expectation.by:
        step, whole = expectation.by, feature.kind is FeatureKind.INTEGER
        moved = {row: _move(value, step, whole=whole) for row, value in present.items()}
        return [Change(row, after) for row, after in moved.items() if after != present[row]]
    others = [parse_value(text, feature) for text in expectation.to] or _choose(
        feature, list(present.values())
    )
    return [
        Change(row, other)
        for row, value in present.items()
        for other in others
        if _plain(value, feature) != other
    ]


def _move(value: float, step: str, *, whole: bool) -> float:
    """By a share of its size or by an amount: with "10%", −100 becomes −90."""
    amount = float(step.rstrip("%"))
    distance = abs(value) * abs(amount) / 100 if step.endswith("%") else abs(amount)
    if whole:
        distance = math.ceil(round(distance, _DIGITS))
    return value + math.copysign(distance, amount)


def _choose(feature: Feature, present: list[Any]) -> list[Value]:
    if feature.kind is FeatureKind.BOOLEAN:
        return [False, True]
    known: list[Value] = list(feature.categories) or sorted({_plain(value, feature) for value in present})
    return known[:: max(1, math.ceil(len(known) / MOST_VALUES))]


def _plain(value: Any, feature: Feature) -> Any:  # noqa: ANN401 - what a caller may send
    """A code of a category is a number to those who send it."""
    return str(value) if feature.kind in (FeatureKind.STRING, FeatureKind.CATEGORY) else value


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
