"""Admission: how much may be in flight at once, in requests and in bytes."""

from __future__ import annotations

from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined] # re-exported without saying so

from tidegate_serving.errors import Refusal
from tidegate_serving.settings import Settings


class Admission:
    """Bounds what is read and answered at once. Used on the event loop only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.requests = 0
        self.bytes = 0

    async def read_body(self, scope: Scope, protocol: HTTPProtocol, slot: Slot) -> bytes:
        """Reads a body within the bounds.

        Raises:
            Refusal: 413 for a body that is too large in itself, 429 for one too many.
        """
        declared = scope.headers.get("content-length")
        if declared is not None:
            size = int(declared) if declared.isdecimal() else 0
            self._require_size(size)
            self._charge(size, slot)
            body: bytes = await protocol()
            return body
        parts = []
        async for part in protocol:
            self._charge(len(part), slot)
            self._require_size(slot.bytes)
            parts.append(part)
        return b"".join(parts)

    def _require_size(self, size: int) -> None:
        limit = self._settings.max_body_bytes
        if size > limit:
            raise Refusal(
                413,
                f"the body has {size} bytes, but at most {limit} are taken; send fewer rows in one request",
            )

    def _charge(self, size: int, slot: Slot) -> None:
        slot.bytes += size
        self.bytes += size
        if self.bytes > self._settings.max_in_flight_bytes:
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

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


def _overloaded(what: str) -> Refusal:
    return Refusal(429, f"overloaded: {what}; try again in a second", headers={"retry-after": "1"})
