"""The bins: from tensors and predictions to counts on the baseline's histograms; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.baseline import Baseline, Histogram
from tidegate.columns import Feeds
from tidegate.signature import Feature, Signature


@dataclass(slots=True)
class Tally:
    """Counts of one column; the only thing here that changes."""

    bins: NDArray[np.int64]
    missing: int = 0
    unseen: int = 0
    out_of_range: int = 0

    def add(self, other: Tally) -> None:
        """Adds the counts of other rows."""
        self.bins += other.bins
        self.missing += other.missing
        self.unseen += other.unseen
        self.out_of_range += other.out_of_range


class ColumnBins:
    """Bins the values of one column as they stand in its tensor."""

    def __init__(
        self,
        histogram: Histogram,
        *,
        dtype: type[np.floating] = np.float64,
        missing: float | str | None = None,
    ) -> None:
        self.listed = bool(histogram.values)
        self.size = len(histogram.values) if self.listed else len(histogram.edges) + 1
        # Edges are rounded as the tensor's values are. Without this, a price of 0.7 would lie below the edge 0.7 in
        # float32, and every one of them in the wrong bin.
        self._edges = np.array(histogram.edges, dtype=dtype)
        self._lowest = dtype(-math.inf if histogram.lowest is None else histogram.lowest)
        self._highest = dtype(math.inf if histogram.highest is None else histogram.highest)
        self._place = {_text(value): place for place, value in enumerate(histogram.values)}
        self._booleans = self.listed and self._place.keys() <= {"true", "false"}
        self._missing = missing

    def empty(self) -> Tally:
        """Gives a tally of no rows."""
        return Tally(np.zeros(self.size, dtype=np.int64))

    def count(self, values: NDArray[Any]) -> Tally:
        """Counts one value a row."""
        return self._count_listed(values) if self.listed else self._count_numbers(values)

    def _count_numbers(self, values: NDArray[Any]) -> Tally:
        if values.dtype.kind not in "fiu":
            return self._count_listed(values)
        absent = np.isnan(values) if self._missing is None else values == self._missing
        missing = int(np.count_nonzero(absent))
        if missing:
            values = values[~absent]
        places = np.searchsorted(self._edges, values, side="right")
        outside = np.count_nonzero(values < self._lowest) + np.count_nonzero(values > self._highest)
        return Tally(np.bincount(places, minlength=self.size), missing=missing, out_of_range=int(outside))

    def _count_listed(self, values: NDArray[Any]) -> Tally:
        tally = self.empty()
        if self._booleans and values.dtype.kind == "f":
            # In a matrix of numbers, a boolean stands as 1.0 or 0.0.
            present = values.astype(np.bool_).astype(np.object_)
            present[np.isnan(values)] = None
            values = present
        for value, times in Counter(values.tolist()).items():
            place = self._place.get(_text(value))
            if value is None or value != value or (self._missing is not None and value == self._missing):  # noqa: PLR0124 - NaN
                tally.missing += times
            elif place is None:
                tally.unseen += times
            else:
                tally.bins[place] += times
        return tally


class BundleBins:
    """Bins whole requests: every feature, and the prediction."""

    def __init__(self, signature: Signature, baseline: Baseline) -> None:
        datatypes = {tensor.name: tensor.datatype for tensor in signature.inputs}
        self._features = tuple(
            (feature, _feature_bins(feature, datatypes[feature.tensor], baseline.features[feature.name]))
            for feature in signature.features
            if feature.name in baseline.features
        )
        self._prediction = ColumnBins(baseline.prediction)

    def empty(self) -> Counted:
        """Gives counts of no rows."""
        return Counted({f.name: bins.empty() for f, bins in self._features}, self._prediction.empty())

    def count(self, feeds: Feeds, prediction: NDArray[Any]) -> Counted:
        """Counts the rows of these tensors and of the predictions that they got."""
        features = {}
        for feature, bins in self._features:
            tensor = feeds[feature.tensor]
            features[feature.name] = bins.count(tensor[:, feature.column] if tensor.ndim > 1 else tensor)
        return Counted(features, self._prediction.count(prediction))


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of some rows: by feature, and of the prediction."""

    features: dict[str, Tally]
    prediction: Tally

    def add(self, other: Counted) -> None:
        """Adds the counts of other rows."""
        for name, tally in self.features.items():
            tally.add(other.features[name])
        self.prediction.add(other.prediction)


def joined(batches: Iterable[Feeds]) -> Feeds:
    """Gives the feeds of several requests as those of one."""
    batches = list(batches)
    return {name: np.concatenate([feeds[name] for feeds in batches]) for name in batches[0]}


def _feature_bins(feature: Feature, datatype: str, histogram: Histogram) -> ColumnBins:
    dtype = np.float32 if datatype == "FP32" else np.float64
    return ColumnBins(histogram, dtype=dtype, missing=feature.missing)


def _text(value: object) -> str:
    """Spells a value as the baseline does: booleans as `true` and `false`, labels as they print."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
