"""Baseline histograms: bins at the quantiles of the sample, so that each holds about as many rows."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tidegate.baseline import Baseline, Histogram
from tidegate.packaging.answers import LABEL, PREDICTION, PROBABILITIES
from tidegate.packaging.native import Answers
from tidegate.signature import Feature, FeatureKind, Task

BINS: Final = 20
"""At most; more would need more traffic than most models see in an hour to tell a shift from chance."""


def build_baseline(
    features: tuple[Feature, ...], columns: dict[str, Any], answers: Answers, task: Task
) -> Baseline:
    """Counts every column and the prediction."""
    return Baseline(
        rows=len(next(iter(columns.values()))),
        features={feature.name: _histogram(feature, columns[feature.name]) for feature in features},
        prediction=_prediction_histogram(answers, task),
    )


def number_histogram(values: NDArray[np.float64]) -> Histogram:
    """Bins numbers, NaN as missing; fewer bins than BINS where values repeat."""
    present = values[np.isfinite(values)]
    if not len(present):
        return Histogram(counts=(0,), missing=len(values))
    edges = quantile_edges(present)
    counts = np.bincount(np.searchsorted(edges, present, side="right"), minlength=len(edges) + 1)
    return Histogram(
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
        missing=len(values) - len(present),
        lowest=float(present.min()),
        highest=float(present.max()),
    )


def quantile_edges(present: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives inner edges, ascending, such that no bin of the sample is empty.

    Few distinct values (a count, a flag) get a bin each, with edges halfway between; for the others edges are
    observed values.
    """
    distinct = np.unique(present)
    if len(distinct) <= BINS:
        # Halved before adding: the sum of two large values would overflow.
        middles = distinct[:-1] / 2 + distinct[1:] / 2
        # Next to each other, two floats have no middle; the right one is then the edge.
        return np.asarray(np.where(middles > distinct[:-1], middles, distinct[1:]))
    quantiles = np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1], method="higher")
    edges: NDArray[np.float64] = np.unique(quantiles)
    return np.asarray(edges[edges > distinct[0]])


def text_histogram(values: list[Any]) -> Histogram:
    """Counts the most frequent texts and, missing aside, leaves the rest to `unseen`."""
    counts = Counter(str(value) for value in values if value is not None)
    # By count, then by name: the same sample must give the same bytes.
    frequent = sorted(counts, key=lambda text: (-counts[text], text))[:BINS]
    return Histogram(
        values=tuple(frequent),
        counts=tuple(counts[text] for text in frequent),
        missing=sum(value is None for value in values),
    )


def _histogram(feature: Feature, column: Any) -> Histogram:  # noqa: ANN401
    match feature.kind:
        case FeatureKind.NUMBER | FeatureKind.INTEGER:
            numbers = [math.nan if value is None else value for value in column]
            return number_histogram(np.asarray(numbers, dtype=np.float64))
        case FeatureKind.BOOLEAN:
            return text_histogram([None if value is None else str(bool(value)).lower() for value in column])
        case FeatureKind.STRING | FeatureKind.CATEGORY:
            return text_histogram(list(column))


def _prediction_histogram(answers: Answers, task: Task) -> Histogram:
    match task:
        case Task.BINARY:
            return number_histogram(answers[PROBABILITIES][:, 1].astype(np.float64))
        case Task.MULTICLASS:
            return text_histogram([str(label) for label in answers[LABEL]])
        case Task.REGRESSION:
            return number_histogram(answers[PREDICTION].astype(np.float64))
