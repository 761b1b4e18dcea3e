"""The rule: when a candidate that is compared with stable on the same rows passes, and when it does not.

Two mistakes are possible, and both have the same declared level. A candidate whose harm is accepted (`tolerance`) is
blocked no more often than that, however the rows fell; one whose harm must not pass (`detect`) passes no more often,
since rows that could not have shown that harm give no verdict at all.
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


@dataclass(frozen=True, slots=True)
class Harm:
    """By how much the candidate is worse than stable on the same rows; negative where it is better."""

    value: float
    standard_error: float
    rows: int

    def surely_above(self, limits: Limits) -> float:
        """The harm that there is at least, but for a chance of `level`."""
        return self.value - _NORMAL.inv_cdf(1 - limits.level) * self.standard_error

    def chance_if_accepted(self, limits: Limits) -> float:
        """The p-value: the chance of rows that look as bad as these where the harm is just the accepted one."""
        if self.standard_error == 0:
            return 0.0 if self.value > limits.tolerance else 1.0
        return _NORMAL.cdf((limits.tolerance - self.value) / self.standard_error)

    def rows_needed(self, limits: Limits) -> int:
        """As many rows like these could show a harm of `detect`."""
        both = 2 * _NORMAL.inv_cdf(1 - limits.level) * self.standard_error
        return math.ceil(self.rows * (both / (limits.detect - limits.tolerance)) ** 2)

    def could_show(self, limits: Limits) -> bool:
        """Whether these rows are enough to find a harm of `detect`, but for a chance of `level`."""
        return self.rows_needed(limits) <= self.rows


def find_harm(candidate: Estimate, stable: Estimate, *, higher_is_better: bool) -> Harm:
    """Compares two estimates of the same rows in the same order."""
    sign = -1.0 if higher_is_better else 1.0
    influence = candidate.influence - stable.influence
    spread = float(np.std(influence)) / math.sqrt(len(influence))
    return Harm(sign * (candidate.value - stable.value), spread, len(influence))


def judge(harm: Harm, limits: Limits) -> Verdict:
    """Bad: the harm is surely more than accepted. NotEnough: these rows could not have shown what must not pass."""
    if harm.chance_if_accepted(limits) < limits.level:
        return Verdict.BAD
    return Verdict.GOOD if harm.could_show(limits) else Verdict.NOT_ENOUGH


def reject_in_order(chances: Sequence[float], level: float) -> tuple[bool, ...]:
    """Which of several p-values are surprising, where the chance of any mistake shall be `level` (Holm, 1979)."""
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    rejected = [False] * len(chances)
    for tried, place in enumerate(order):
        if chances[place] >= level / (len(chances) - tried):
            break
        rejected[place] = True
    return tuple(rejected)
