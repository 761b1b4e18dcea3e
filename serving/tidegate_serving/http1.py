"""HTTP/1.1 on one connection: its bytes to requests, and their answers back in the same order."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Final, Protocol, cast

import httptools
import msgspec

from tidegate_serving.exchange import Exchange, Handler

HEAD_BYTES: Final = 32 << 10
"""Most bytes of a request that may come without one of its body among them: head, chunk extensions, trailers."""
_HEADERS: Final = 100
_PIPELINED: Final = 8
"""Requests of one connection that may wait for their answers before no more is read from it."""
_LINGER_SECONDS: Final = 2.0


class Host(Protocol):
    """What the connections of one server share."""

    handler: Handler
    date: bytes
    """The time of day as a header has it, with the line's end."""
    request_seconds: float

    def opened(self, connection: Connection) -> None:
        """A client has connected."""

    def closed(self, connection: Connection) -> None:
        """It is over."""


class Connection(asyncio.Protocol):
    """One client. Exchanges go on one after the other; what a client sends ahead waits, up to a bound."""

    def __init__(self, host: Host, loop: asyncio.AbstractEventLoop) -> None:
        self.deadline = math.inf
        """When the loop's time passes it, the server calls `expire`."""
        self._host = host
        self._handler = host.handler
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_count = 0
        self._reading: Exchange | None = None
        self._unanswered: deque[Exchange] = deque()
        self._begun = False
        self._fruitful = False
        self._fruitless_bytes = 0
        self._deaf = False
        self._finishing = False
        self._half_closed = False
        self._blocked = False
        self._paused = False

    @property
    def date(self) -> bytes:
        """The time of day for an answer's head."""
        return self._host.date

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._host.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever it was
        """Forgets all that was under way."""
        self._deaf = True
        self._unanswered.clear()
        self._give_up_reading()
        self._host.closed(self)

    def eof_received(self) -> bool:
        """The client sends no more, but may still read."""
        self._half_closed = True
        self._give_up_reading()
        return bool(self._unanswered)

    def pause_writing(self) -> None:
        """The client does not read its answers: no more is read from it, and not for ever."""
        self._blocked = True
        self.deadline = self._loop.time() + self._host.request_seconds
        self._regulate()

    def resume_writing(self) -> None:
        """It reads again."""
        self._blocked = False
        self.deadline = self._loop.time() + self._host.request_seconds if self._begun else math.inf
        self._regulate()

    def data_received(self, data: bytes) -> None:
        """Reads on."""
        if self._deaf:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deaf = True  # answered as the plain request that it also is, and `last`
        except httptools.HttpParserCallbackError:
            raise
        except httptools.HttpParserError as error:
            if not self._deaf:  # what comes behind a request that was refused by its head is of no interest
                self._refuse(400, f"this is not HTTP/1.1: {error}")
        if self._begun and not self._deaf:
            self._fruitless_bytes = 0 if self._fruitful else self._fruitless_bytes + len(data)
            self._fruitful = False
            if self._fruitless_bytes > HEAD_BYTES:
                self._refuse(431, f"the head has more than {HEAD_BYTES} bytes; send shorter headers")

    # httptools calls these.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if self._blocked and not self._deaf:
            # Without this, a client that sends on without reading would fill the memory: 256 KiB that came at once may
            # be ten thousand small questions with large answers.
            self._hang_up()
        if self._deaf:
            return
        self._begun = True
        self._fruitless_bytes = 0
        self._target = b""
        self._headers = {}
        self._header_count = 0
        self.deadline = self._loop.time() + self._host.request_seconds

    def on_url(self, part: bytes) -> None:
        """Some of the request's target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers are of no use to anybody."""
        if self._reading is None:
            self._headers[name.lower()] = value
            self._header_count += 1

    def on_headers_complete(self) -> None:
        """Hands the head over."""
        if self._deaf:
            return
        parser, headers = self._parser, self._headers
        if self._header_count > _HEADERS:
            self._refuse(431, f"the head has {self._header_count} headers, but at most {_HEADERS} are taken")
            return
        last = self._finishing or parser.get_http_version() != "1.1" or not parser.should_keep_alive()
        last = last or parser.should_upgrade()
        exchange = Exchange(self, parser.get_method(), self._target, headers=headers, last=last)
        self._reading = exchange
        self._unanswered.append(exchange)
        self._handler.begin(exchange)
        if b"expect" in headers and exchange.data is None and self._unanswered[0] is exchange:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        """Hands some of the body over."""
        self._fruitful = True
        exchange = self._reading
        if exchange is not None and exchange.data is None:
            self._handler.part(exchange, part)

    def on_message_complete(self) -> None:
        """Hands the whole over, or writes the refusal that waited for it."""
        exchange, self._reading = self._reading, None
        if exchange is None:
            return
        self._begun = False
        self.deadline = math.inf
        exchange.whole = True
        if exchange.data is None:
            self._handler.end(exchange)
        else:
            self.write_answers()
        if len(self._unanswered) > _PIPELINED:
            self._regulate()

    # The server and exchanges call these.

    def write_answers(self) -> None:
        """Writes what can be written: answers leave in the order of the requests."""
        unanswered = self._unanswered
        if self._transport.is_closing():
            # What lies between the end of a connection and the word of it. uvloop raises for whoever writes then.
            unanswered.clear()
        while unanswered and (data := unanswered[0].data) is not None:
            exchange = unanswered[0]
            if not exchange.whole and exchange.may_wait() and not exchange.last:
                return
            unanswered.popleft()
            self._transport.write(data)
            if exchange.last or not exchange.whole:
                self._end(exchange)
        if self._paused:
            self._regulate()
        if self._half_closed and not unanswered:
            self._transport.close()

    def finish(self) -> None:
        """Ends once what is under way is answered; at once where nothing is."""
        self._finishing = True
        if self._begun or self._unanswered:
            for exchange in self._unanswered:
                exchange.last = True
        else:
            self._deaf = True
            self._transport.close()

    def expire(self) -> None:
        """Refuses a request that takes too long; cuts off a client that does not read."""
        self.deadline = math.inf
        exchange = self._reading
        if self._deaf or self._blocked:
            self._transport.abort()
        elif exchange is not None and exchange.data is None:
            self._handler.late(exchange)
        else:
            self._refuse(408, f"no whole request came within {self._host.request_seconds:g} s")

    def _hang_up(self) -> None:
        """Answers what is under way, and nothing more."""
        self._deaf = True
        if self._unanswered:
            self._unanswered[-1].last = True
        else:
            self._transport.close()

    def _refuse(self, status: int, sentence: str) -> None:
        exchange = self._reading
        if exchange is None:
            exchange = Exchange(self, b"", b"", headers={}, last=True)
            self._unanswered.append(exchange)
        self._give_up_reading()
        self._deaf = True
        body = msgspec.json.encode({"error": sentence})
        exchange.answer(status, b"content-type: application/json\r\n", body, last=True)

    def _give_up_reading(self) -> None:
        exchange, self._reading = self._reading, None
        if exchange is not None and exchange.data is None:
            self._handler.gone(exchange)
            if exchange in self._unanswered and self._half_closed:
                self._unanswered.remove(exchange)

    def _end(self, exchange: Exchange) -> None:
        self._deaf = True
        self._reading, self._begun = None, False
        self._unanswered.clear()
        if exchange.whole or self._half_closed or self._transport.is_closing():
            self._transport.close()
            return
        # Some of the request is still coming. Closed now, the connection would be reset, and the client might never
        # read why (RFC 9112, 9.6).
        self._transport.write_eof()
        self.deadline = self._loop.time() + _LINGER_SECONDS

    def _regulate(self) -> None:
        paused = self._blocked or len(self._unanswered) > _PIPELINED
        if paused != self._paused and not self._transport.is_closing():
            (self._transport.pause_reading if paused else self._transport.resume_reading)()
        self._paused = paused
