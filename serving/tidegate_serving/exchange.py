"""The exchange: one request, and the way to answer it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, Protocol

_REST_BYTES: Final = 64 << 10
"""A refused request with so little still to come is read to its end, and its connection lives on."""
_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\ndate: ".encode() for status in HTTPStatus
}


class Handler(Protocol):
    """Who answers. Nothing more comes about an exchange once it is answered."""

    def begin(self, exchange: Exchange) -> None:
        """The head is there."""

    def part(self, exchange: Exchange, part: bytes) -> None:
        """Some of the body is there."""

    def end(self, exchange: Exchange) -> None:
        """The request is whole."""

    def late(self, exchange: Exchange) -> None:
        """The request takes too long, and is to be refused now."""

    def gone(self, exchange: Exchange) -> None:
        """The request will never be whole, and nobody waits for an answer."""


class Writer(Protocol):
    """The connection that an exchange is one of."""

    @property
    def date(self) -> bytes:
        """The time of day for an answer's head, with the line's end."""

    def write_answers(self) -> None:
        """Writes what can be written: answers leave in the order of the requests."""


class Exchange:
    """One request, and the way to answer it."""

    __slots__ = ("_connection", "context", "data", "headers", "last", "method", "target", "whole")

    def __init__(
        self, connection: Writer, method: bytes, target: bytes, *, headers: dict[bytes, bytes], last: bool
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        """By name in lower case; of a header that was sent twice, the last."""
        self.context: Any = None
        """The handler's own."""
        self.last = last
        """Whether the connection ends with this answer."""
        self.whole = False
        self.data: bytes | None = None
        """The answer, once there is one."""
        self._connection = connection

    def header(self, name: bytes) -> str:
        """Gives a header's value, empty where it was not sent."""
        return self.headers.get(name, b"").decode("latin-1")

    def answer(self, status: int, head: bytes, body: bytes, *, last: bool = False) -> None:
        """Answers. `head` are lines of headers; length, date and connection are added. `last`: and hangs up."""
        self.last = self.last or last
        self.data = b"%b%b%bcontent-length: %d\r\n%b\r\n%b" % (
            _STATUS_LINES[status],
            self._connection.date,
            head,
            len(body),
            b"connection: close\r\n" if self.last else b"",
            b"" if self.method == b"HEAD" else body,
        )
        self._connection.write_answers()

    def may_wait(self) -> bool:
        """Whether the answer waits for the rest of the request: so much longer it can't be."""
        length = self.headers.get(b"content-length", b"")
        return length.isdigit() and int(length) <= _REST_BYTES and b"expect" not in self.headers
