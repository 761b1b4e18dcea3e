"""Slices: the same rule for parts of the rows, so that a better average hides no group that is served worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tidegate.verdict import Verdict
from tidegate_gates.estimate import Undefined
from tidegate_gates.metrics import Evaluated, Metric
from tidegate_gates.rule import Harm, Limits, conclude, find_harm, reject_in_order


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one value of one column."""

    column: str
    value: str

    def __str__(self) -> str:
        """As users read it."""
        return f"{self.column}={self.value}"


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rule says of one slice."""

    slice: Slice
    rows: int
    verdict: Verdict
    """NotEnough: neither shown to be worse nor to be good enough."""
    is_small: bool
    """Whether it has too few rows to be judged."""
    candidate: float
    stable: float
    harm: Harm


def find_slices(columns: Mapping[str, NDArray[np.str_]]) -> dict[Slice, NDArray[np.bool_]]:
    """Which rows belong to each value of each column."""
    return {
        Slice(column, str(value)): values == value
        for column, values in columns.items()
        for value in np.unique(values)
    }


def judge_slices(
    metric: Metric,
    pair: tuple[Evaluated, Evaluated],
    slices: Mapping[Slice, NDArray[np.bool_]],
    limits: Limits,
    *,
    least_rows: int,
) -> tuple[Judged, ...]:
    """Compares candidate and stable (`pair`) in every slice, the worst first.

    The level is that of all slices together: of twenty groups that are served as well as before, one would else look
    worse by chance. Slices of fewer than `least_rows` rows, and those on which the metric is not defined, are not
    judged, and don't make the others' level smaller.
    """
    compared = [_compare(metric, pair, one, rows) for one, rows in slices.items()]
    tried = [one for one in compared if one and one.rows >= least_rows]
    left = [replace(one, is_small=True) for one in compared if one and one.rows < least_rows]
    chances = [one.harm.chance_if_accepted(limits) for one in tried]
    bad = reject_in_order(chances, limits.blocking_level)
    judged = [
        replace(one, verdict=conclude(one.harm, limits, is_bad=is_bad))
        for one, is_bad in zip(tried, bad, strict=True)
    ]
    return tuple(sorted((*judged, *left), key=_find_place))


def _find_place(one: Judged) -> tuple[int, float]:
    """What blocks comes first, then what holds up, then the rest; within each the largest harm."""
    stands = {Verdict.BAD: 0, Verdict.NOT_ENOUGH: 2 if one.is_small else 1, Verdict.GOOD: 2}
    return stands[one.verdict], -one.harm.value


def _compare(
    metric: Metric, pair: tuple[Evaluated, Evaluated], one: Slice, rows: NDArray[np.bool_]
) -> Judged | None:
    candidate, stable = (metric.measure(model.only(rows)) for model in pair)
    if isinstance(candidate, Undefined) or isinstance(stable, Undefined):
        return None
    harm = find_harm(candidate, stable, higher_is_better=metric.higher_is_better)
    return Judged(
        one,
        harm.rows,
        Verdict.NOT_ENOUGH,
        is_small=False,
        candidate=candidate.value,
        stable=stable.value,
        harm=harm,
    )
