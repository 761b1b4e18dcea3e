"""An estimate: a figure with what each row contributed to it, from which its precision follows.

The influence of a row is how much the figure would move if there were more rows like it (Hampel, The influence curve
and its role in robust estimation, 1974). Its standard deviation over the rows, divided by the root of their number, is
the standard error of the figure (van der Vaart, Asymptotic Statistics, 1998, chapter 20); for the area under the ROC
curve that is the formula of DeLong, DeLong and Clarke-Pearson (1988). Influences of two models on the same rows can be
subtracted, and then say how precise the difference is: that is why no bootstrap is needed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A figure over some rows."""

    value: float
    influence: Floats
    """One a row, in the order of the rows; their mean is 0."""
    reach: float = 1.0
    """The largest influence that a row could have, such as 1 where the figure is a share of the rows."""

    @property
    def rows(self) -> int:
        """How many rows it is of."""
        return len(self.influence)

    @property
    def standard_error(self) -> float:
        """The standard deviation of the figure over sets of as many rows."""
        return float(np.std(self.influence)) / math.sqrt(self.rows)


@dataclass(frozen=True, slots=True)
class Undefined:
    """A figure that these rows don't have."""

    reason: str
    """Why, as the end of a sentence: "all rows have the same label"."""


def average(values: Floats, *, reach: float | None = None) -> Estimate:
    """The mean of a value of each row; `reach` is the largest that there can be, by default the largest there is."""
    mean = float(np.mean(values))
    return Estimate(mean, values - mean, float(np.max(np.abs(values))) if reach is None else reach)


def ratio(numerators: Floats, denominators: Floats) -> Estimate | None:
    """The ratio of two means, by the delta method; none where the lower one is 0."""
    below = float(np.mean(denominators))
    if below == 0:
        return None
    value = float(np.mean(numerators)) / below
    return Estimate(value, (numerators - value * denominators) / below, 1 / below)
