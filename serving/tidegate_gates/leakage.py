"""Leakage: how much of the label one feature alone tells, where 0 is as good as chance and 1 is without mistake.

What each part of the feature's values says of the label is learnt from one half of the rows and held against the
other, and both figures are averaged. So a feature with a value of its own for each row, such as an id, tells nothing,
while a rule that holds everywhere is found whatever its form (Holte, Very simple classification rules perform well on
most commonly used datasets, 1993).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from tidegate.signature import Task
from tidegate_gates.cross_counts import CrossCounts
from tidegate_gates.estimate import Floats

PRIOR_ROWS: Final = 0.1
"""So much of a row like all others is added to each part: one that was not met says then what they say."""
_ERRORS: Final = 2.0
"""Standard errors by which a figure is surely more: noise does that once in some forty times."""


@dataclass(frozen=True, slots=True)
class Power:
    """How much of the label a feature tells."""

    value: float = 0.0
    standard_error: float = 0.0

    @property
    def at_least(self) -> float:
        """What it surely tells: of few rows, a good feature may look as if it made no mistake."""
        return self.value - _ERRORS * self.standard_error


def measure_power(task: Task, counts: CrossCounts) -> Power:
    """How much of the label the feature tells."""
    measure = {
        Task.BINARY: _separate,
        Task.MULTICLASS: _avoid_mistakes,
        Task.REGRESSION: _explain_ranks,
    }[task]
    halves = counts.rows.astype(np.float64)
    learnt = [_learn(half, is_number=counts.is_number) for half in halves]
    one, other = measure(learnt[0], halves[1]), measure(learnt[1], halves[0])
    error = math.hypot(one.standard_error, other.standard_error) / 2
    return Power((one.value + other.value) / 2, error)


def _separate(learnt: Floats, held: Floats) -> Power:
    """Twice the area under the ROC curve, less one (the Gini coefficient), with ties as half.

    Its error is that of DeLong, DeLong and Clarke-Pearson (1988), by the share of the other label's rows that lie on
    the right side of each row.
    """
    _, order = np.unique(learnt[:, 1], return_inverse=True)
    negative, positive = (np.bincount(order, weights=held[:, label]) for label in (0, 1))
    if not negative.sum() or not positive.sum():
        return Power()
    below = (np.cumsum(negative) - negative / 2) / negative.sum()
    above = 1 - (np.cumsum(positive) - positive / 2) / positive.sum()
    area = float(positive @ below / positive.sum())
    spread = [
        rows @ (right - area) ** 2 / rows.sum() ** 2 for rows, right in ((positive, below), (negative, above))
    ]
    return Power(2 * area - 1, 2 * math.sqrt(sum(spread)))


def _avoid_mistakes(learnt: Floats, held: Floats) -> Power:
    """Lambda of Goodman and Kruskal (1954): of the mistakes of always naming the most frequent label, those avoided."""
    said = np.argmax(learnt, axis=1)
    rows = held.sum()
    mistakes = rows - held.sum(axis=0).max()
    if not mistakes:
        return Power()
    wrong = rows - held[np.arange(len(held)), said].sum()
    return Power(float(1 - wrong / mistakes), math.sqrt(wrong * (1 - wrong / rows)) / mistakes)


def _explain_ranks(learnt: Floats, held: Floats) -> Power:
    """Share of the variance of the label's rank (Pearson's correlation ratio).

    Of the rank, since a few very large labels would else be all the variance that there is.
    """
    ranks = np.arange(held.shape[1])
    rows = max(1.0, held.sum())
    whole = np.broadcast_to((ranks - held.sum(axis=0) @ ranks / rows) ** 2, held.shape)
    left = (ranks - (learnt @ ranks)[:, None]) ** 2
    variance = float((held * whole).sum() / rows)
    if not variance:
        return Power()
    share = float((held * left).sum() / rows) / variance
    # The delta method, for a ratio of two means.
    spread = (held * (left - share * whole) ** 2).sum() / rows / variance**2
    return Power(1 - share, math.sqrt(spread / rows))


def _learn(counts: Floats, *, is_number: bool) -> Floats:
    """Shares of the labels in each part; few rows of a number say what those of the parts beside them do."""
    usual = counts.sum(axis=0) / max(1.0, counts.sum())
    if not is_number:
        return _add(counts, usual)
    near = counts.copy()
    # The last part holds missing values, which are next to none.
    near[:-2] += counts[1:-1]
    near[1:-1] += counts[:-2]
    return _add(counts, _add(near, usual))


def _add(counts: Floats, shares: Floats) -> Floats:
    added: Floats = (counts + PRIOR_ROWS * shares) / (counts.sum(axis=1, keepdims=True) + PRIOR_ROWS)
    return added
