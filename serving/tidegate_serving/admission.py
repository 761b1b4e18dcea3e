"""Admission: how much may be in flight at once, in requests and in bytes, and for how long."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, Final

from granian.rsgi import HTTPProtocol, ProtocolClosed, Scope  # type: ignore[attr-defined] # re-exported silently

from tidegate_serving.errors import ClientGone, Refusal
from tidegate_serving.settings import Settings

JSON_GROWTH: Final = 48
"""Bytes that a byte of a body may become while it is answered. Measured: 45 for lists in lists, 26 for nothing but
`[],`, 20 for rows of three values, their columns and answers included."""


@dataclass(frozen=True, slots=True)
class ByteBounds:
    """How large bodies may be."""

    one: int
    together: int
    """Of all requests in flight."""


def fit_bounds(settings: Settings, room: int | None) -> ByteBounds:
    """Gives the bounds that fit into the memory left beside the loaded model (None: there is no limit).

    Half of it is for the bodies that are being answered, one a thread, an eighth for those that wait as bytes.
    Without this, a single body of 16 MiB would end a pod of the default limit.
    """
    one, together = settings.max_body_bytes, settings.max_in_flight_bytes
    if room is not None:
        one = min(one, room // 2 // JSON_GROWTH // settings.threads)
        together = min(together, room // 8)
    return ByteBounds(one, together)


class Admission:
    """Bounds what is read and answered at once. Used on the event loop only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.bounds = fit_bounds(settings, None)
        self.requests = 0
        self.bytes = 0

    async def read_body(self, scope: Scope, protocol: HTTPProtocol, slot: Slot) -> bytes:
        """Reads a body within the bounds.

        Raises:
            Refusal: 413 for a body that is too large in itself, 429 for one too many, 408 for one that takes too long.
            ClientGone: The connection ended before the body did.
        """
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._settings.body_seconds, slot.give_up)
        try:
            return await self._read(scope, protocol, slot)
        except asyncio.CancelledError:
            if not slot.late:
                raise
            raise self._too_slow() from None
        except ProtocolClosed as error:
            raise ClientGone from error
        finally:
            timer.cancel()
            slot.reading = None

    async def _read(self, scope: Scope, protocol: HTTPProtocol, slot: Slot) -> bytes:
        headers = scope.headers
        declared = headers.get("content-length")
        # With both headers the length is a lie that HTTP allows: the chunks are what counts (RFC 9112, 6.3).
        if declared is not None and "transfer-encoding" not in headers:
            size = int(declared) if declared.isdecimal() else 0
            self._require_size(size)
            self._charge(size, slot)
            slot.reading = protocol()
            body: bytes = await slot.reading
            return body
        parts = []
        chunks = aiter(protocol)
        with contextlib.suppress(StopAsyncIteration):
            while True:
                slot.reading = anext(chunks)
                part: bytes = await slot.reading
                self._charge(len(part), slot)
                self._require_size(slot.bytes)
                parts.append(part)
        return b"".join(parts)

    def _too_slow(self) -> Refusal:
        return Refusal(
            408,
            f"the body was not whole after {self._settings.body_seconds:g} s; send fewer rows in one request, or "
            "send them faster",
            headers={"connection": "close"},
        )

    def _require_size(self, size: int) -> None:
        limit = self.bounds.one
        if size > limit:
            raise Refusal(
                413,
                f"the body has {size} bytes, but at most {limit} are taken; send fewer rows in one request",
            )

    def _charge(self, size: int, slot: Slot) -> None:
        slot.bytes += size
        self.bytes += size
        if self.bytes > self.bounds.together:
            raise _overloaded(f"the requests in flight hold {self.bytes} bytes")

    def enter(self) -> Slot:
        """Takes a place for one request, to be left by `leave` whatever happens.

        Raises:
            Refusal: 429, all places are taken.
        """
        if self.requests >= self._settings.max_in_flight:
            raise _overloaded(f"{self.requests} requests are in flight")
        self.requests += 1
        return Slot()

    def leave(self, slot: Slot) -> None:
        """Gives the place and its bytes back."""
        self.requests -= 1
        self.bytes -= slot.bytes


class Slot:
    """One request's share."""

    __slots__ = ("bytes", "late", "reading")

    def __init__(self) -> None:
        self.bytes = 0
        self.late = False
        self.reading: Any = None
        """What is being waited for; it behaves as a future, also where Granian runs requests without tasks."""

    def give_up(self) -> None:
        """Ends the reading. The request itself goes on, since it has to tell the client."""
        if self.reading is not None:
            self.late = True
            self.reading.cancel()


def _overloaded(what: str) -> Refusal:
    return Refusal(429, f"overloaded: {what}; try again in a second", headers={"retry-after": "1"})
