"""The queue: runs one piece of work for each key that is due, a bounded number at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from tidegate_operator.main.schedule import Schedule
from tidegate_operator.observe.store import Key

logger = logging.getLogger(__name__)

WORKERS = 8
"""Work mostly waits for pods and the API server; more would only crowd a starting API server."""

Work = Callable[[Key], Awaitable[float | None]]
"""Does what a key needs; the seconds after which to look again, or none. Raises to be tried again later."""


class Queue:
    """Keys that are due, worked off one by one each, several beside one another."""

    def __init__(self, work: Work, *, workers: int = WORKERS, clock: Callable[[], float] = monotonic) -> None:
        self._work = work
        self._workers = workers
        self._clock = clock
        self._schedule: Schedule[Key] = Schedule()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, key: Key, *, after_seconds: float = 0.0) -> None:
        """Look at a key, now or later; sooner wins."""
        self._schedule.add(key, self._clock() + after_seconds)
        self._changed.set()

    @property
    def depth(self) -> int:
        """Keys that are due and wait."""
        return self._schedule.depth(self._clock())

    async def run(self) -> None:
        """Work for ever; when cancelled, what is under way is cancelled too."""
        try:
            while True:
                self._changed.clear()
                self._start_what_is_due()
                await self._wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start_what_is_due(self) -> None:
        while len(self._tasks) < self._workers:
            key = self._schedule.take(self._clock())
            if key is None:
                return
            task = asyncio.create_task(self._run_one(key), name=str(key))
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()

    async def _wait(self) -> None:
        full = len(self._tasks) >= self._workers
        timeout = None if full else self._schedule.seconds_to_next(self._clock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._changed.wait()

    async def _run_one(self, key: Key) -> None:
        try:
            look_again_seconds = await self._work(key)
        except Exception as error:
            delay = self._schedule.fail(key, self._clock())
            # A sentence for what is expected to happen (the API server is away); the traceback for debugging.
            logger.warning("looking again in %.1f s: %s", delay, error or repr(error), extra=describe(key))
            logger.debug("traceback", exc_info=error, extra=describe(key))
        else:
            again = None if look_again_seconds is None else self._clock() + look_again_seconds
            self._schedule.finish(key, again_at=again)


def describe(key: Key) -> dict[str, str]:
    """What every log line about a key carries."""
    return {"namespace": key.namespace, "resource": key.name or "tidegate-router"}
