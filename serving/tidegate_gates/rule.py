"""The rule: when a candidate that is compared with stable on the same rows passes, and when it does not.

Two mistakes are possible, and both have the same declared level. A candidate whose harm is accepted (`tolerance`) is
blocked no more often than that, however the rows fell. One whose harm must not pass (`detect`) passes no more often,
since whoever passes has shown that its harm is less: a test of non-inferiority. What is neither shown to be worse nor
shown to be good enough gets no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from tidegate.verdict import Verdict
from tidegate_gates.estimate import Estimate

_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a user accepts, in the metric's own unit."""

    tolerance: float
    """Harm that is accepted."""
    detect: float
    """Harm that must not pass; larger than the tolerance."""
    level: float = 0.05
    """Chance of either mistake. Default: one in twenty, as everywhere in statistics."""
    comparisons: int = 1
    """Comparisons that share the chance of a block by noise; each alone blocks a candidate."""

    @property
    def blocking_level(self) -> float:
        """The share of one comparison."""
        return self.level / self.comparisons


@dataclass(frozen=True, slots=True)
class Harm:
    """By how much the candidate is worse than stable on the same rows; negative where it is better."""

    value: float
    standard_error: float
    rows: int
    reach: float = 1.0
    """As much as a single row can do harm."""

    def at_least(self, level: float) -> float:
        """The harm that there is at least, but for a chance of `level`."""
        return self.value - _NORMAL.inv_cdf(1 - level) * self.standard_error

    def is_less_than(self, harm: float, level: float) -> bool:
        """Whether rows would look worse than these, but for a chance of `level`, were this the harm.

        Of a harm that a few rows do, such as a class that is forgotten, a small set may hold none. So the precision is
        that which there would be with such a harm, not that of the rows at hand alone (a score test).
        """
        spread = max(self.standard_error, math.sqrt(self._least_variance(harm) / self.rows))
        # Rows are whole: half a one more is what a smooth curve misses between two steps (Yates, 1934).
        most = self.value + self.reach / (2 * self.rows)
        return most + _NORMAL.inv_cdf(1 - level) * spread <= harm

    def _least_variance(self, harm: float) -> float:
        """Of a row's influence, where the harm is done by rows that each do as much as a row can."""
        return max(0.0, harm * (self.reach - harm))

    def chance_if_accepted(self, limits: Limits) -> float:
        """The p-value: the chance of rows that look as bad as these where the harm is just the accepted one."""
        return _NORMAL.cdf((limits.tolerance - self.value) / self.standard_error)

    def rows_needed(self, limits: Limits) -> int:
        """As many rows like these would tell a candidate whose harm is accepted from one whose harm must not pass."""
        quantile, room = _NORMAL.inv_cdf(1 - limits.level), limits.detect - limits.tolerance
        by_these = self.rows * (2 * quantile * self.standard_error / room) ** 2
        return math.ceil(max(by_these, quantile**2 * self._least_variance(limits.detect) / room**2))


def find_harm(candidate: Estimate, stable: Estimate, *, higher_is_better: bool) -> Harm:
    """Compares two estimates of the same rows in the same order.

    To the rows come half a one that spoke against the candidate and half a one that spoke for it, each as much as a
    row can (Agresti and Min, Effects and non-effects of paired identical observations, 2004). Without these, two models
    that happen to agree on a few rows would have shown that they agree everywhere.
    """
    sign = -1.0 if higher_is_better else 1.0
    influence = candidate.influence - stable.influence
    reach = max(candidate.reach, stable.reach)
    spread = math.sqrt(float(np.sum((influence - influence.mean()) ** 2)) + reach**2) / len(influence)
    return Harm(sign * (candidate.value - stable.value), spread, len(influence), reach)


def judge(harm: Harm, limits: Limits) -> Verdict:
    """Bad: the harm is surely more than accepted. Good: it is surely less than what must not pass."""
    is_bad = harm.chance_if_accepted(limits) < limits.blocking_level
    return conclude(harm, limits, is_bad=is_bad)


def conclude(harm: Harm, limits: Limits, *, is_bad: bool) -> Verdict:
    """The verdict where it was decided already whether the harm is surely more than accepted."""
    if is_bad:
        return Verdict.BAD
    return Verdict.GOOD if harm.is_less_than(limits.detect, limits.level) else Verdict.NOT_ENOUGH


def reject_in_order(chances: Sequence[float], level: float) -> tuple[bool, ...]:
    """Which of several p-values are surprising, where the chance of any mistake shall be `level` (Holm, 1979)."""
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    rejected = [False] * len(chances)
    for tried, place in enumerate(order):
        if chances[place] >= level / (len(chances) - tried):
            break
        rejected[place] = True
    return tuple(rejected)
