"""The counts snapshot: what one predictor process has seen since it started, as plain counters.

Everything here only ever grows, so adding snapshots over pods is exact, and a value that shrinks means a
restart.
"""

from __future__ import annotations

import msgspec

SNAPSHOT_PATH = "/internal/snapshot"

# Upper bounds of the latency bins in milliseconds; one more bin holds what is slower. Envoy is given the same
# bounds, so that router and predictor can be read side by side.
LATENCY_BOUNDS_MS = (
    1,
    2,
    3,
    5,
    7.5,
    10,
    15,
    20,
    30,
    50,
    75,
    100,
    150,
    200,
    300,
    500,
    750,
    1000,
    1500,
    2000,
    3000,
    5000,
    10000,
    30000,
)


class ColumnCounts(msgspec.Struct, frozen=True):
    """How often each baseline bin of one column was met."""

    bins: tuple[int, ...]
    missing: int
    unseen: int
    out_of_range: int


class Snapshot(msgspec.Struct, frozen=True):
    """What one predictor process has counted."""

    revision: str
    digest: str
    process: str
    """An id that is new with every start of the process."""
    requests: dict[str, int]
    """By outcome: `ok`, `invalid` (4xx), `overloaded` (429, 503), `failed` (5xx)."""
    rows: int
    not_finite: int
    """Rows for which the model answered NaN or infinity; the request then fails."""
    latency: tuple[int, ...]
    """Requests by LATENCY_BOUNDS_MS; one bin more than there are bounds."""
    features: dict[str, ColumnCounts]
    prediction: ColumnCounts | None
