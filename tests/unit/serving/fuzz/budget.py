"""How long the fuzzers go on: a moment among the unit tests, FUZZ_MINUTES in all under `make fuzz`."""

import os
import time
from collections.abc import Callable
from itertools import count

import hypothesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

MINUTES = float(os.environ.get("FUZZ_MINUTES") or 0)
EXAMPLES = 1000 if MINUTES else 200
LONG = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def seconds(share: float) -> float:
    """What a fuzzer gets of the whole time."""
    return MINUTES * 60 * share


def fuzz(check: Callable[[object], None], inputs: SearchStrategy, *, share: float) -> int:
    """Tries inputs until its share of the time is over; gives how many. A finding is raised with the shortest input."""
    tried, last = 0, None

    def once(value: object) -> None:
        nonlocal tried, last
        tried, last = tried + 1, value
        check(value)

    end = time.monotonic() + seconds(share)
    for seed in count(time.time_ns() if MINUTES else 0):
        try:
            hypothesis.seed(seed)(LONG(given(inputs)(once)))()
        except BaseException as finding:
            # The shortest is tried last, once more.
            finding.add_note(f"after {tried} inputs, the shortest that shows it:\n{last!r}")
            raise
        if time.monotonic() >= end:
            return tried
    raise AssertionError
