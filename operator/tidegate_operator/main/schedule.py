"""The schedule: which key is due when. Values and times in, keys out; it neither waits nor runs anything."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 120.0


class Schedule(Generic[Key]):
    """Each key is due once, never taken twice at the same time, and after failures later and later."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        self._jitter = jitter
        self._due: dict[Key, float] = {}
        # Times in order. An entry that the dictionary above does not confirm is out of date and passed over.
        self._order: list[tuple[float, int, Key]] = []
        self._arrival = count()
        self._running: set[Key] = set()
        self._failures: dict[Key, int] = {}

    def add(self, key: Key, at: float) -> None:
        """Make a key due at a time, or sooner if it already is."""
        if at < self._due.get(key, float("inf")):
            self._put(key, at)

    def take(self, now: float) -> Key | None:
        """The key that has been due longest and is not under way; it is under way from now on."""
        first = self._find_first()
        if first is None or first[0] > now:
            return None
        heappop(self._order)
        _, _, key = first
        del self._due[key]
        self._running.add(key)
        return key

    def finish(self, key: Key, *, again_at: float | None = None) -> None:
        """A key went well; with a time it is due again then."""
        self._failures.pop(key, None)
        if again_at is not None:
            self.add(key, again_at)
        self._release(key)

    def fail(self, key: Key, now: float) -> float:
        """A key failed and is due again after the delay that is returned: doubled each time, cut by chance.

        What became due meanwhile waits as well: without this, an object whose events never rest would be tried
        without a pause.
        """
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        longest: float = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 16))
        delay = longest * (0.5 + 0.5 * self._jitter())
        self._due[key] = now + delay
        self._release(key)
        return delay

    def seconds_to_next(self, now: float) -> float | None:
        """How long nothing will be due; none while nothing is scheduled that could be taken."""
        first = self._find_first()
        return None if first is None else max(0.0, first[0] - now)

    def depth(self, now: float) -> int:
        """Keys that are due and wait."""
        return sum(at <= now for at in self._due.values())

    def _put(self, key: Key, at: float) -> None:
        self._due[key] = at
        if key not in self._running:
            heappush(self._order, (at, next(self._arrival), key))

    def _release(self, key: Key) -> None:
        """A key is under way no longer; what became due meanwhile takes its place in the order."""
        self._running.discard(key)
        if (at := self._due.get(key)) is not None:
            self._put(key, at)

    def _find_first(self) -> tuple[float, int, Key] | None:
        """The first entry of those that could be taken."""
        while self._order:
            at, _, key = self._order[0]
            if key not in self._running and self._due.get(key) == at:
                return self._order[0]
            heappop(self._order)
        return None
