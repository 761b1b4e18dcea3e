"""Waiting: for something by its name, with a deadline, and the last thing seen when it did not happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

POLL_SECONDS: Final = 0.5


class DeadlineError(RuntimeError):
    """Something did not happen in time; the message says what, after how long, and what was seen last."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something awaited, in words that complete "… did not happen", and how long it may take."""

    name: str
    seconds: float


# All limits stand here, for a machine with two cores on which everything runs at once. They catch what hangs;
# the figures that we hold ourselves to are measured in docs/benchmarks.md.
NAMESPACE_GONE: Final = Deadline("the removal of the old namespace", 120)
OPERATOR_READY: Final = Deadline("the start of the operator", 180)
STORE_READY: Final = Deadline("the start of the model store", 120)
FIRST_VERSION_SERVES: Final = Deadline("the first version's service", 180)
PROMOTED: Final = Deadline("the promotion", 300)
TAKEN_BACK: Final = Deadline("the take-back", 180)
BLOCKED: Final = Deadline("the verdict of the gates", 180)
TRAFFIC_FLOWS: Final = Deadline("an answer to the first requests", 60)


def wait_for(
    deadline: Deadline, probe: Callable[[], T | None], *, last_seen: Callable[[], object] = lambda: "nothing"
) -> T:
    """Gives the probe's first answer that is true.

    Raises:
        DeadlineError: There was none in time; `last_seen` is asked for the last word.
    """
    end = time.monotonic() + deadline.seconds
    while time.monotonic() < end:
        if found := probe():
            return found
        time.sleep(POLL_SECONDS)
    raise DeadlineError(
        f"{deadline.name} did not happen within {deadline.seconds:.0f} s; last seen: {last_seen()}"
    )
