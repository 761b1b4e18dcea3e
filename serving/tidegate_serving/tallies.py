"""The tallies: plain counters of what this process has seen, cheap for single rows."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tidegate.columns import Feeds
from tidegate.counts import LATENCY_BOUNDS_MS, ColumnCounts, Snapshot
from tidegate_serving.bins import BundleBins, Counted, Tally, joined

Outcome = Literal["ok", "invalid", "overloaded", "failed"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("ok", "invalid", "overloaded", "failed")

_PENDING_ROWS: Final = 512
"""Rows are binned in chunks: a call into numpy costs as much for one row as for hundreds. A chunk this large holds
the event loop for about a millisecond."""


class RequestTallies:
    """Counts requests by outcome, and how long they took; there from the first moment of the process."""

    def __init__(self) -> None:
        self.process = uuid.uuid4().hex
        self.requests: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
        self.latency = [0] * (len(LATENCY_BOUNDS_MS) + 1)
        self.latency_sum_seconds = 0.0
        self.not_finite = 0

    def record(self, outcome: Outcome, seconds: float) -> None:
        """Counts one request."""
        self.requests[outcome] += 1
        self.latency[bisect_left(LATENCY_BOUNDS_MS, seconds * 1000)] += 1
        self.latency_sum_seconds += seconds


class RowTallies:
    """Counts rows on the bins of one bundle. Used by one thread only; other threads count, and hand over."""

    def __init__(self, bins: BundleBins) -> None:
        self._bins = bins
        self._counted = bins.empty()
        self._pending: list[tuple[Feeds, NDArray[Any]]] = []
        self._pending_rows = 0
        self.rows = 0

    def note(self, feeds: Feeds, prediction: NDArray[Any]) -> None:
        """Keeps a few rows to be binned with others."""
        self._pending.append((feeds, prediction))
        self._pending_rows += len(prediction)
        self.rows += len(prediction)
        if self._pending_rows >= _PENDING_ROWS:
            self._flush()

    def add(self, counted: Counted, rows: int) -> None:
        """Adds a large batch that was counted elsewhere."""
        self._counted.add(counted)
        self.rows += rows

    def counted(self) -> Counted:
        """Gives the counts up to now."""
        self._flush()
        return self._counted

    def _flush(self) -> None:
        if self._pending:
            feeds = joined(feeds for feeds, _ in self._pending)
            prediction = np.concatenate([prediction for _, prediction in self._pending])
            self._pending, self._pending_rows = [], 0
            self._counted.add(self._bins.count(feeds, prediction))


def take_snapshot(
    requests: RequestTallies, rows: RowTallies | None, *, revision: str, digest: str
) -> Snapshot:
    """Gives all counters as one value; without a loaded model those of the rows are empty."""
    counted = rows.counted() if rows else None
    return Snapshot(
        revision=revision,
        digest=digest,
        process=requests.process,
        requests={str(outcome): count for outcome, count in requests.requests.items()},
        rows=rows.rows if rows else 0,
        not_finite=requests.not_finite,
        latency=tuple(requests.latency),
        features={name: _column_counts(tally) for name, tally in counted.features.items()} if counted else {},
        prediction=_column_counts(counted.prediction) if counted else None,
    )


def _column_counts(tally: Tally) -> ColumnCounts:
    return ColumnCounts(
        bins=tuple(tally.bins.tolist()),
        missing=tally.missing,
        unseen=tally.unseen,
        out_of_range=tally.out_of_range,
    )
