"""The schedule: which key is due when. Values and times in, keys out; it neither waits nor runs anything."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 120.0


class Schedule(Generic[Key]):
    """Each key is due once, never taken twice at the same time, and after failures later and later."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._due: dict[Key, float] = {}
        self._running: set[Key] = set()
        self._failures: dict[Key, int] = {}

    def add(self, key: Key, at: float) -> None:
        """Make a key due at a time, or sooner if it already is."""
        self._due[key] = min(at, self._due.get(key, at))

    def take(self, now: float) -> Key | None:
        """The key that has been due longest and is not under way; it is under way from now on."""
        ready = [(at, key) for key, at in self._due.items() if at <= now and key not in self._running]
        if not ready:
            return None
        _, key = min(ready, key=lambda item: item[0])
        del self._due[key]
        self._running.add(key)
        return key

    def finish(self, key: Key, *, again_at: float | None = None) -> None:
        """A key went well; with a time it is due again then."""
        self._running.discard(key)
        self._failures.pop(key, None)
        if again_at is not None:
            self.add(key, again_at)

    def fail(self, key: Key, now: float) -> float:
        """A key failed and is due again after the delay that is returned: doubled each time, cut by chance.

        What became due meanwhile waits as well: without this, an object whose events never rest would be tried
        without a pause.
        """
        self._running.discard(key)
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        longest: float = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 16))
        delay = longest * (0.5 + 0.5 * self._jitter())
        self._due[key] = now + delay
        return delay

    def seconds_to_next(self, now: float) -> float | None:
        """How long nothing will be due; none while nothing is scheduled that could be taken."""
        times = [at for key, at in self._due.items() if key not in self._running]
        return max(0.0, min(times) - now) if times else None

    def depth(self, now: float) -> int:
        """Keys that are due and wait."""
        return sum(at <= now for at in self._due.values())
