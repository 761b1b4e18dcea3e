"""The load: requests over HTTP to one predictor, so many at a time, at a rate or as fast as they are answered."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import httptools
import numpy as np

ANSWER_SECONDS: Final = 30.0
"""As long as the router waits for an answer; what takes longer has failed."""
_PAUSE_SECONDS: Final = 0.1
_LATE: Final = 0.0015
"""A timer of the event loop comes a millisecond late. That is ours, and no latency of the predictor's."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked."""

    concurrency: int
    """Requests under way at the same time, each on a connection of its own."""
    seconds: float
    per_second: float = 0.0
    """Requests that begin in a second, whatever the answers do; 0: each connection asks again as soon as it may."""


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    milliseconds: list[float] = field(default_factory=list)
    """Of answered requests. With a rate, from when each was due: one that waited for a place was slow for its user."""
    failed: int = 0
    failure: str = ""
    """What the first failure was."""
    seconds: float = 0.0

    def quantile(self, share: float) -> float:
        """The latency that `share` of the answers kept, in milliseconds."""
        return float(np.quantile(self.milliseconds, share)) if self.milliseconds else 0.0

    @property
    def per_second(self) -> float:
        """Answers in a second."""
        return len(self.milliseconds) / self.seconds if self.seconds else 0.0


async def send(address: tuple[str, int], requests: Sequence[bytes], plan: Plan) -> Outcome:
    """Sends whole HTTP requests, over and over, and waits for the last answers."""
    outcome, begun = Outcome(), time.perf_counter()
    due = _schedule(begun, plan)
    bodies = itertools.cycle(requests)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(plan.concurrency):
            tasks.create_task(_ask_in_turn(address, bodies, due, outcome))
    outcome.seconds = time.perf_counter() - begun
    return outcome


async def ask_once(address: tuple[str, int], request: bytes) -> float:
    """Milliseconds until one request on a new connection is answered; OSError where it is not, or not with 2xx."""
    outcome = Outcome()
    await _ask_in_turn(address, iter([request]), iter([time.perf_counter()]), outcome)
    if outcome.failed:
        raise OSError(outcome.failure)
    return outcome.milliseconds[0]


def _schedule(begun: float, plan: Plan) -> Iterator[float]:
    """When each request is due; with no rate, at once."""
    end = begun + plan.seconds
    for number in itertools.count():
        at = begun + number / plan.per_second if plan.per_second else time.perf_counter()
        if at >= end:
            return
        yield at


async def _ask_in_turn(
    address: tuple[str, int], requests: Iterator[bytes], due: Iterator[float], outcome: Outcome
) -> None:
    connection: _Connection | None = None
    for at in due:
        now = time.perf_counter()
        if now < at:
            await asyncio.sleep(at - now)
        began = time.perf_counter()
        # Whoever slept until it was due began late by the timer alone.
        began = at if began - at > _LATE else began
        try:
            if connection is None:
                connection = await _connect(address)
            async with asyncio.timeout(ANSWER_SECONDS):
                status = await connection.ask(next(requests))
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            connection = None
            _note_failure(outcome, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
            # A predictor that is gone refuses at once, some ten thousand times a second.
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        if status >= 300:
            _note_failure(outcome, f"HTTP {status}")
        else:
            outcome.milliseconds.append((time.perf_counter() - began) * 1000)
    if connection:
        connection.close()


def _note_failure(outcome: Outcome, what: str) -> None:
    outcome.failed += 1
    outcome.failure = outcome.failure or what


async def _connect(address: tuple[str, int]) -> _Connection:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(ANSWER_SECONDS):
        _, connection = await loop.create_connection(_Connection, *address)
    return connection


class _Connection(asyncio.Protocol):
    """A connection that is asked one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[int] | None = None

    async def ask(self, request: bytes) -> int:
        """The status of its answer."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection was closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Ends it."""
        if self._transport:
            self._transport.close()

    # The event loop calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Some of an answer."""
        self._parser.feed_data(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """Whoever waits, waits in vain."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the connection was closed before the answer"))

    # The parser calls this.

    def on_message_complete(self) -> None:
        """A whole answer."""
        status = self._parser.get_status_code()
        self._parser = httptools.HttpResponseParser(self)
        if self._answer and not self._answer.done():
            self._answer.set_result(status)
