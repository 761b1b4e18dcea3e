"""Admission: how much may be in flight at once, in requests and in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tidegate_serving.errors import Refusal
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


class Slot:
    """One request's share: the bytes of its body that are charged."""

    __slots__ = ("bytes", "declared")

    def __init__(self, declared: int | None) -> None:
        self.bytes = 0
        self.declared = declared
        """The length that the head says; none for chunks."""


class Admission:
    """Bounds what is read and answered at once. Used on the event loop only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.bounds = fit_bounds(settings, None)
        self.requests = 0
        self.bytes = 0

    def enter(self, declared: int | None) -> Slot:
        """Takes a place for one request, to be left by `leave` whatever happens.

        Raises:
            Refusal: 429, all places or bytes are taken; 413, the body is too large in itself.
        """
        if self.requests >= self._settings.max_in_flight:
            raise _overloaded(f"{self.requests} requests are in flight")
        slot = Slot(declared)
        if declared is not None:
            self._require_size(declared)
            self._require_room(declared)
            self._charge(declared, slot)
        self.requests += 1
        return slot

    def take(self, size: int, slot: Slot) -> None:
        """Charges some of a body as it comes, unless its length was declared and is charged already.

        Raises:
            Refusal: 413 or 429, as for `enter`.
        """
        if slot.declared is None:
            self._require_size(slot.bytes + size)
            self._require_room(size)
            self._charge(size, slot)

    def leave(self, slot: Slot) -> None:
        """Gives the place and its bytes back."""
        self.requests -= 1
        self.bytes -= slot.bytes

    def _charge(self, size: int, slot: Slot) -> None:
        slot.bytes += size
        self.bytes += size

    def _require_size(self, size: int) -> None:
        limit = self.bounds.one
        if size > limit:
            raise Refusal(
                413,
                f"the body has {size} bytes, but at most {limit} are taken; send fewer rows in one request",
            )

    def _require_room(self, size: int) -> None:
        held = self.bytes + size
        if held > self.bounds.together:
            raise _overloaded(f"the requests in flight hold {held} bytes")


def _overloaded(what: str) -> Refusal:
    return Refusal(429, f"overloaded: {what}; try again in a second", headers={"retry-after": "1"})
