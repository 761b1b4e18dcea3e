"""What is read out of vegeta's record of an attack."""

from __future__ import annotations

from collections import Counter

import pytest
from bench.router.attack import parse

BEGIN = 1_700_000_000_000_000_000


def row(number: int, *, late_ms: float = 0, status: int = 200, latency_ms: float = 1) -> str:
    """A request of an attack at 10 a second, the fields that are not read left empty."""
    sent = BEGIN + number * 10**8 + int(late_ms * 1e6)
    return f"{sent},{status},{int(latency_ms * 1e6)},,,,,,{number},,,"


def test_the_first_second_warms_up_and_is_left_out():
    text = "\n".join(row(number, latency_ms=100 if number < 10 else 2) for number in range(15))
    assert parse(text, per_second=10).latency_ms == [2.0] * 5


def test_a_request_that_was_sent_late_says_by_how_much():
    text = "\n".join(row(number, late_ms=30 if number == 12 else 0) for number in range(15))
    assert parse(text, per_second=10).late_ms == pytest.approx([0, 0, 0, 0, 30])


def test_a_failure_in_the_warm_up_counts_too():
    text = "\n".join(row(number, status=503 if number == 3 else 200) for number in range(15))
    assert parse(text, per_second=10).failed == Counter({"503": 1})


def test_answers_in_another_order_are_read_alike():
    rows = [row(number, latency_ms=number) for number in range(15)]
    assert parse("\n".join(rows[::-1]), per_second=10) == parse("\n".join(rows), per_second=10)
