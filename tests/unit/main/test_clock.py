"""The operator's clock, when the machine's is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tidegate_operator.main.clock import SteadyClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Machine:
    """A machine with a clock on the wall, which can be moved, and one that only counts."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.moved = 0.0
        self.clock = SteadyClock(
            lambda: NOON + timedelta(seconds=self.passed + self.moved), lambda: self.passed
        )

    def turn(self, seconds: int) -> float:
        """Lets time pass with a look each second; seconds since noon by the operator's clock."""
        for _ in range(seconds):
            self.passed += 1
            now = self.clock.now()
        return (now - NOON).total_seconds()


def test_it_tells_the_time_of_the_machine() -> None:
    assert Machine().turn(100) == pytest.approx(100)


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_moved_shortens_or_stretches_a_minute_by_a_tenth_at_most(minutes: int) -> None:
    machine = Machine()
    machine.turn(100)
    machine.moved = 60.0 * minutes
    assert machine.turn(60) - 100 == pytest.approx(66 if minutes > 0 else 54)


@pytest.mark.parametrize("minutes", [10, -10])
def test_it_agrees_with_the_machine_again_after_a_while(minutes: int) -> None:
    machine = Machine()
    machine.moved = 60.0 * minutes
    assert machine.turn(6001) == pytest.approx(6001 + 60 * minutes)
