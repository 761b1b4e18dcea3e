"""The load generator: rows sent at a fixed rate, whatever the answers do, and every one accounted for."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

import aiohttp

from tidegate.pod import REVISION_HEADER

ANSWER_TIMEOUT_SECONDS: Final = 10.0
# Open loop: a slow server does not slow the rate, so requests in flight need a bound. One that finds no place
# was never sent, and is counted as lost all the same: a user would have waited in vain.
MOST_IN_FLIGHT: Final = 500
NO_REVISION: Final = ""
"""Who answered when no predictor did: the router, or nobody."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one request."""

    revision: str
    """From the answer's header; NO_REVISION when no predictor answered."""
    failure: str = ""
    """Status and what the server said, or the client's error; empty for 2xx."""
    milliseconds: float = 0.0


@dataclass(slots=True)
class Book:
    """All that was sent and what came of it; `sent` equals the sum of the answers once the load has ended."""

    sent: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    """2xx answers by revision."""
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Other ends by revision and failure."""
    latency_ms: list[float] = field(default_factory=list)
    """Of 2xx answers."""
    failed_between: dict[tuple[str, str], tuple[datetime, datetime]] = field(default_factory=dict)
    """The first and the last time of each failure, to be found again in the operator's log."""
    seen_between: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """The first and the last time that each revision was heard of, whatever it answered."""

    def note(self, answer: Answer) -> None:
        """Adds the end of one request."""
        now = datetime.now(UTC)
        self.seen_between[answer.revision] = (self.seen_between.get(answer.revision, (now, now))[0], now)
        if answer.failure:
            key = (answer.revision, answer.failure)
            self.failed[key] += 1
            self.failed_between[key] = (self.failed_between.get(key, (now, now))[0], now)
        else:
            self.answered[answer.revision] += 1
            self.latency_ms.append(answer.milliseconds)

    def failures(self, *, of: Iterable[str] | None = None) -> int:
        """Requests without a 2xx answer: all of them, or those that the given revisions answered."""
        wanted = None if of is None else set(of)
        return sum(n for (revision, _), n in self.failed.items() if wanted is None or revision in wanted)

    def tell_failures(self) -> Iterator[str]:
        """One line a kind of failure, the most frequent first."""
        for (revision, failure), count in self.failed.most_common(5):
            first, last = self.failed_between[revision, failure]
            yield f"{count} × {failure} from {revision or 'the router'}, {first:%H:%M:%S} to {last:%H:%M:%S} UTC"

    def quantile_ms(self, share: float) -> float:
        """The latency that `share` of the 2xx answers kept; 0 when there are none."""
        ordered = sorted(self.latency_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Load:
    """Sends the bodies, over and over, while the `with` block runs; leaving it waits for the last answers.

    There is no retry: what fails once has failed. It runs in a thread with an event loop of its own, so that
    the story beside it may wait for kubectl.
    """

    def __init__(self, url: str, bodies: Iterable[bytes], *, per_second: float) -> None:
        self.book = Book()
        self._url = url
        self._bodies = itertools.cycle(bodies)
        self._interval_seconds = 1 / per_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load", daemon=True)

    def __enter__(self) -> Self:
        """Starts sending."""
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stops sending and waits for the answers that are still out, at most the answer timeout."""
        self._stop.set()
        self._thread.join(ANSWER_TIMEOUT_SECONDS + 5)

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_SECONDS)
        connector = aiohttp.TCPConnector(limit=MOST_IN_FLIGHT)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            await self._send_at_rate(session)

    async def _send_at_rate(self, session: aiohttp.ClientSession) -> None:
        due = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            out: set[asyncio.Task[None]] = set()
            for body in self._bodies:
                if self._stop.is_set():
                    return
                self.book.sent += 1
                if len(out) < MOST_IN_FLIGHT:
                    task = tasks.create_task(self._send(session, body))
                    out.add(task)
                    task.add_done_callback(out.discard)
                else:
                    self.book.note(Answer(NO_REVISION, f"{MOST_IN_FLIGHT} requests were already waiting"))
                due += self._interval_seconds
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _send(self, session: aiohttp.ClientSession, body: bytes) -> None:
        started = time.monotonic()
        try:
            async with session.post(self._url, data=body, headers=_JSON) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.book.note(Answer(NO_REVISION, f"{type(error).__name__}: {error}"))
            return
        revision = response.headers.get(REVISION_HEADER, NO_REVISION)
        failure = "" if response.ok else f"{response.status}: {_read_error(text)}"
        self.book.note(Answer(revision, failure, (time.monotonic() - started) * 1000))


def _read_error(text: str) -> str:
    """The sentence of a predictor's or router's error, without the ids that would make each one unique."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text[:200]


_JSON: Final = {"Content-Type": "application/json"}


def ask(url: str, body: bytes) -> str:
    """Sends one request by itself; raises OSError for anything but a 2xx answer."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_SECONDS) as answer:
        text: str = answer.read().decode()
    return text


def is_answered(url: str, body: bytes) -> bool:
    """Whether a request gets its answer yet: on a new way in, the first ones may find nobody."""
    try:
        ask(url, body)
    except OSError:
        return False
    return True
