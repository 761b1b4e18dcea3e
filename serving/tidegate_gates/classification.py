"""Figures of classifiers: how often, how surely and how honestly they are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate_gates.estimate import Estimate, Floats, Undefined, average, ratio

Classes = NDArray[np.int64]
"""Index of the right class of each row; of a binary model 1 is the positive one."""

_Split = Callable[[NDArray[np.bool_], NDArray[np.bool_]], tuple[NDArray[Any], NDArray[Any]]]
"""From whether each row is of a class and whether it is said to be: what a ratio has above and below its line."""

SMALLEST_PROBABILITY = 1e-15
"""What stands for 0 under a logarithm: without it, one row would make the loss of all others infinite."""
CALIBRATION_BINS = 10
"""Of equally many rows each: with bins of equal width, most hold next to no rows where one class is rare."""


def accuracy(labels: Classes, said: Classes) -> Estimate:
    """Share of the rows whose class is right."""
    return average((labels == said).astype(float), reach=1.0)


def log_loss(labels: Classes, shares: Floats) -> Estimate:
    """Mean of −log of the probability given to the right class (natural logarithm)."""
    right = np.take_along_axis(shares, labels[:, None], axis=1)[:, 0]
    return average(-np.log(np.clip(right, SMALLEST_PROBABILITY, 1.0)))


def brier(labels: Classes, shares: Floats) -> Estimate:
    """Mean squared distance of the probabilities from the truth; of two classes, of the positive one alone."""
    distances = shares - np.eye(shares.shape[1])[labels]
    counted = distances[:, 1:] if shares.shape[1] == 2 else distances
    return average(np.sum(counted**2, axis=1), reach=float(counted.shape[1]))


def calibration_error(right: Floats, confidence: Floats) -> Estimate:
    """Mean distance between how sure the model was and how often it was right, in bins of equally many rows.

    Expected calibration error with equal-mass bins (Nixon et al., Measuring Calibration in Deep Learning, 2019).
    """
    order = np.argsort(confidence, kind="stable")
    bins = np.empty(len(order), dtype=np.int64)
    bins[order] = np.arange(len(order)) * CALIBRATION_BINS // len(order)
    gaps = right - confidence
    signs = np.sign(np.bincount(bins, weights=gaps, minlength=CALIBRATION_BINS))
    return average(signs[bins] * gaps, reach=1.0)


def area_under_curve(labels: Classes, scores: Floats) -> Estimate | Undefined:
    """Chance that a positive row scores higher than a negative one, ties as half (the area under the ROC curve).

    By ranks, as Sun and Xu (2014) compute DeLong's components in n·log n.
    """
    positive = labels == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return Undefined("all rows have the same label")
    among_all, among_own = _mid_ranks(scores), np.empty(len(scores))
    among_own[positive] = _mid_ranks(scores[positive])
    among_own[~positive] = _mid_ranks(scores[~positive])
    # Of the rows of the other label, how many lie below each row.
    below = among_all - among_own
    components = np.where(positive, below / negatives, 1.0 - below / positives)
    value = float(np.mean(components[positive]))
    weights = np.where(positive, len(labels) / positives, len(labels) / negatives)
    return Estimate(value, (components - value) * weights, float(weights.max()))


def precision(labels: Classes, said: Classes, classes: int) -> Estimate | Undefined:
    """Of the rows that were called positive, the share that is; of several classes, the mean over them."""
    return _over_classes(labels, said, classes, lambda is_one, says_one: (is_one & says_one, says_one))


def recall(labels: Classes, said: Classes, classes: int) -> Estimate | Undefined:
    """Of the positive rows, the share that was called so; of several classes, the mean over them."""
    return _over_classes(labels, said, classes, lambda is_one, says_one: (is_one & says_one, is_one))


def f1(labels: Classes, said: Classes, classes: int) -> Estimate | Undefined:
    """Harmonic mean of precision and recall; of several classes, the mean over them."""
    return _over_classes(
        labels,
        said,
        classes,
        lambda is_one, says_one: (2.0 * (is_one & says_one), is_one.astype(float) + says_one),
    )


def _over_classes(labels: Classes, said: Classes, classes: int, split: _Split) -> Estimate | Undefined:
    """A ratio for the positive class, or its mean over all classes that there are rows of."""
    wanted = [1] if classes == 2 else sorted(set(labels.tolist()))
    found = []
    for each in wanted:
        above, below = split(labels == each, said == each)
        one = ratio(np.asarray(above, dtype=float), np.asarray(below, dtype=float))
        # Of several classes, one that is never said is found never: that is 0, and no reason to say nothing.
        found.append(one if one or len(wanted) == 1 else Estimate(0.0, np.zeros(len(labels))))
    estimates = [one for one in found if one]
    if not estimates:
        return Undefined("no row is positive, or is called so")
    value = float(np.mean([one.value for one in estimates]))
    influence = np.mean([one.influence for one in estimates], axis=0)
    return Estimate(value, influence, max(one.reach for one in estimates) / len(estimates))


def _mid_ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: Floats = last - (counts - 1) / 2
    return middle[inverse]
