"""Figures of regressions: how far answers lie from what came."""

from __future__ import annotations

import math

import numpy as np

from tidegate_gates.estimate import Estimate, Floats, Undefined, average


def root_mean_squared_error(labels: Floats, answers: Floats) -> Estimate:
    """Root of the mean squared error, in the label's unit."""
    squared = average((answers - labels) ** 2)
    root = math.sqrt(squared.value)
    # The derivative of a root at 0 is infinite; without any error there is no spread either.
    slope = 1 / (2 * root) if root else 0.0
    return Estimate(root, squared.influence * slope, squared.reach * slope)


def mean_absolute_error(labels: Floats, answers: Floats) -> Estimate:
    """Mean of the distances, in the label's unit."""
    return average(np.abs(answers - labels))


def share_explained(labels: Floats, answers: Floats) -> Estimate | Undefined:
    """R²: by how much the squared error is less than that of the mean label, as a share."""
    squared, spread = average((answers - labels) ** 2), average((labels - labels.mean()) ** 2)
    if spread.value == 0:
        return Undefined("all rows have the same label")
    left = squared.value / spread.value
    influence = (left * spread.influence - squared.influence) / spread.value
    return Estimate(1 - left, influence, (left * spread.reach + squared.reach) / spread.value)


def quantile_loss(labels: Floats, answers: Floats, quantile: float) -> Estimate:
    """Mean pinball loss of an answer that is meant as this quantile (Koenker and Bassett, 1978)."""
    above = labels - answers
    return average(np.maximum(quantile * above, (quantile - 1) * above))
