"""The baseline: how each feature and the prediction were distributed in the data of the version."""

from __future__ import annotations

import msgspec


class Histogram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts of one column's values; adding two histograms of the same bins is exact."""

    edges: tuple[float, ...] = ()
    """For numbers: inner bin edges at the reference quantiles, ascending; there is one bin more than
    edges, and bin i holds edges[i-1] ≤ value < edges[i]."""
    values: tuple[str, ...] = ()
    """For booleans, strings and categories: bin i counts values[i]; what is not listed counts as unseen."""
    counts: tuple[int, ...] = ()
    """One a bin, over the sample."""
    missing: int = 0
    lowest: float | None = None
    """Smallest and largest value of the sample; outside of them a value counts as out of range."""
    highest: float | None = None


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The distributions that a version was built on."""

    rows: int
    features: dict[str, Histogram]
    prediction: Histogram
    """Of the positive class's probability (binary), the label (multiclass), or the value (regression)."""
