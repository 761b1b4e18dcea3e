"""The operator's clock: goes on steadily when the machine's is moved, and catches up with it slowly."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

CATCH_UP = 0.1
"""Of each second that passes: after a jump of ten minutes, a minute takes 54 to 66 s for an hour and a half."""


class SteadyClock:
    """The time of day, by which holds and timeouts in status are measured.

    Without this, a machine whose clock is set forward by ten minutes would take back a candidate that has just
    begun to start, and set back would hold every step ten minutes longer.
    """

    def __init__(
        self,
        read_wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        read_monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_wall = read_wall
        self._read_monotonic = read_monotonic
        self._now = read_wall()
        self._read_at = read_monotonic()

    def now(self) -> datetime:
        """The time in UTC; it never goes back."""
        read_at = self._read_monotonic()
        passed, self._read_at = read_at - self._read_at, read_at
        behind = (self._read_wall() - self._now).total_seconds() - passed
        caught_up = max(-passed * CATCH_UP, min(passed * CATCH_UP, behind))
        self._now += timedelta(seconds=passed + caught_up)
        return self._now
