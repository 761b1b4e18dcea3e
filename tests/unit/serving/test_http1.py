"""One connection: what is read as a request, and how answers leave; played without a network."""

import asyncio
import math
from dataclasses import dataclass, field

import pytest

from tidegate_serving.exchange import Exchange
from tidegate_serving.http1 import HEAD_BYTES, Connection

LARGE = 1 << 20


@dataclass
class Wire:
    """A transport that writes down what is done with it; as uvloop's, it takes nothing more once it is closed."""

    sent: bytes = b""
    ended: str = ""
    reading: bool = True
    breaks_at_writing: bool = False

    def require_open(self) -> None:
        if self.is_closing():
            raise RuntimeError("the handler is closed")

    def write(self, data: bytes) -> None:
        self.require_open()
        self.sent += data
        if self.breaks_at_writing:
            self.ended = "aborted"

    def write_eof(self) -> None:
        self.require_open()
        self.ended = "half"

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return self.ended in ("closed", "aborted")

    def pause_reading(self) -> None:
        self.require_open()
        self.reading = False

    def resume_reading(self) -> None:
        self.require_open()
        self.reading = True


@dataclass
class Play:
    """A handler that answers when the test says so, and the host around it."""

    date: bytes = b"now\r\n"
    request_seconds: float = 20.0
    refuse: str = ""
    whole: list[Exchange] = field(default_factory=list)
    body: bytes = b""
    told: list[str] = field(default_factory=list)

    @property
    def handler(self) -> "Play":
        return self

    def opened(self, _: Connection) -> None:
        self.told.append("opened")

    def closed(self, _: Connection) -> None:
        self.told.append("closed")

    def begin(self, exchange: Exchange) -> None:
        if self.refuse:
            exchange.answer(429, b"", self.refuse.encode())

    def part(self, _: Exchange, part: bytes) -> None:
        self.body += part

    def end(self, exchange: Exchange) -> None:
        self.whole.append(exchange)

    def late(self, exchange: Exchange) -> None:
        exchange.answer(408, b"", b"late", last=True)

    def gone(self, _: Exchange) -> None:
        self.told.append("gone")


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
async def client(play):
    """A connection with its wire at `client.wire`."""
    connection = Connection(play, asyncio.get_running_loop())
    connection.wire = Wire()
    connection.connection_made(connection.wire)
    return connection


def request(target: str = "/a", body: bytes = b"", *, headers: str = "", size: int | None = None) -> bytes:
    length = len(body) if size is None else size
    return f"POST {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{headers}\r\n".encode() + body


def statuses(wire: Wire) -> list[int]:
    return [int(part[:3]) for part in wire.sent.split(b"HTTP/1.1 ")[1:]]


async def test_a_request_may_come_byte_by_byte(play, client):
    for byte in request("/some/path?x=1", b"hello"):
        client.data_received(bytes([byte]))
    (exchange,) = play.whole
    assert (exchange.method, exchange.target, play.body) == (b"POST", b"/some/path?x=1", b"hello")
    exchange.answer(200, b"x: y\r\n", b"hi")
    assert client.wire.sent == b"HTTP/1.1 200 OK\r\ndate: now\r\nx: y\r\ncontent-length: 2\r\n\r\nhi"
    assert not client.wire.ended


async def test_answers_leave_in_the_order_of_the_requests(play, client):
    client.data_received(request("/1") + request("/2"))
    first, second = play.whole
    second.answer(404, b"", b"")
    assert client.wire.sent == b""
    first.answer(200, b"", b"")
    assert statuses(client.wire) == [200, 404]


async def test_no_more_is_read_from_a_client_that_is_far_ahead(play, client):
    client.data_received(request() * 9)
    assert not client.wire.reading
    play.whole[0].answer(200, b"", b"")
    assert client.wire.reading


async def test_a_head_request_gets_the_length_and_no_body(play, client):
    client.data_received(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n")
    play.whole[0].answer(200, b"", b"four")
    assert client.wire.sent.endswith(b"content-length: 4\r\n\r\n")


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
     b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"],
    ids=["HTTP/1.0", "close", "upgrade"],
)  # fmt: skip
async def test_who_asks_for_one_answer_gets_one_and_the_end(play, client, head):
    client.data_received(head)
    play.whole[0].answer(200, b"", b"")
    assert b"connection: close\r\n" in client.wire.sent
    assert client.wire.ended == "closed"


async def test_a_refusal_before_a_small_body_waits_for_it_and_the_connection_lives_on(play, client):
    play.refuse = "no"
    client.data_received(request(size=5))
    assert client.wire.sent == b""
    client.data_received(b"12345" + request())
    assert statuses(client.wire) == [429, 429]
    assert (play.body, client.wire.ended) == (b"", "")


@pytest.mark.parametrize("headers", ["", "transfer-encoding: chunked\r\n"], ids=["declared", "chunked"])
async def test_a_refusal_before_a_large_body_comes_at_once_and_the_body_is_not_read(play, client, headers):
    play.refuse = "no"
    head = (
        request(size=LARGE)
        if not headers
        else request(headers=headers).replace(b"content-length: 0\r\n", b"")
    )
    client.data_received(head)
    client.data_received(b"x" * 1000)
    assert statuses(client.wire) == [429]
    # Closed at once, the connection would be reset, and the answer lost.
    assert (client.wire.ended, client.deadline < math.inf) == ("half", True)
    client.expire()
    assert client.wire.ended == "aborted"


async def test_who_asks_before_sending_a_body_is_told_to_go_on(play, client):
    client.data_received(request(size=LARGE, headers="expect: 100-continue\r\n"))
    assert client.wire.sent == b"HTTP/1.1 100 Continue\r\n\r\n"


async def test_who_asks_before_sending_a_body_is_refused_without_it(play, client):
    play.refuse = "no"
    client.data_received(request(size=5, headers="expect: 100-continue\r\n"))
    assert statuses(client.wire) == [429]


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([b"\x16\x03\x01\x02\x00\x01"], 400),
        ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], 400),
        ([request(headers="transfer-encoding: chunked\r\n")], 400),
        ([request(headers="content-length: 3\r\n")], 400),
        ([b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 101 + b"\r\n"], 431),
        ([b"GET / HTTP/1.1\r\nx: "] + [b"y" * 1000] * (HEAD_BYTES // 1000 + 1), 431),
        ([b"GET /"] + [b"y" * 1000] * (HEAD_BYTES // 1000 + 1), 431),
        ([b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n"] + [b"x: " + b"y" * 997] * 40, 431),
        ([b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;"] + [b"y" * 1000] * 40, 431),
    ],
    ids=["TLS", "HTTP/2", "length and chunks", "two lengths", "many headers", "long header", "long target",
         "long trailers", "long extension"],
)  # fmt: skip
async def test_what_is_no_request_is_refused_in_words_and_not_kept(client, parts, status):
    for part in parts:
        client.data_received(part)
    assert statuses(client.wire) == [status]
    assert b'{"error":"' in client.wire.sent
    assert client.wire.ended == "half"


async def test_what_follows_a_good_request_and_is_none_is_refused_after_its_answer(play, client):
    client.data_received(request() + b"nonsense\r\n\r\n")
    assert client.wire.sent == b""
    play.whole[0].answer(200, b"", b"")
    assert statuses(client.wire) == [200, 400]


async def test_an_idle_client_may_stay_and_a_slow_one_may_not(play, client):
    assert client.deadline == math.inf
    client.data_received(request(size=10))
    assert client.deadline < math.inf
    client.expire()
    assert statuses(client.wire) == [408]


async def test_a_head_that_takes_too_long_is_refused(client):
    client.data_received(b"POST / HT")
    client.expire()
    assert statuses(client.wire) == [408]


async def test_a_client_that_does_not_read_is_not_read_from_and_then_cut_off(client):
    client.pause_writing()
    assert not client.wire.reading
    assert client.deadline < math.inf
    client.expire()
    assert client.wire.ended == "aborted"


async def test_a_client_that_reads_again_is_read_from_again(client):
    client.pause_writing()
    client.resume_writing()
    assert (client.wire.reading, client.deadline) == (True, math.inf)


async def test_a_client_that_has_sent_all_it_will_is_still_answered(play, client):
    client.data_received(request())
    assert client.eof_received()
    play.whole[0].answer(200, b"", b"")
    assert (statuses(client.wire), client.wire.ended) == ([200], "closed")


@pytest.mark.parametrize("how", ["eof_received", "connection_lost"])
async def test_a_client_that_leaves_in_mid_request_is_reported_once(play, client, how):
    client.data_received(request(size=10, body=b"12"))
    if how == "eof_received":
        assert not client.eof_received()
    client.connection_lost(None)
    assert play.told == ["opened", "gone", "closed"]


async def test_an_answer_for_a_client_that_left_goes_nowhere(play, client):
    client.data_received(request())
    client.connection_lost(None)
    play.whole[0].answer(200, b"", b"")
    assert (client.wire.sent, play.told) == (b"", ["opened", "closed"])


async def test_a_connection_that_breaks_before_anybody_is_told_takes_no_more(play, client):
    """Raised to whoever answers, it would keep all others of this turn of the loop from their answers."""
    client.data_received(request("/1") + request("/2") + request(size=LARGE))
    client.wire.breaks_at_writing = True
    for exchange in play.whole:
        exchange.answer(200, b"", b"")
    client.expire()
    assert statuses(client.wire) == [200]


async def test_a_server_that_stops_closes_idle_connections_and_finishes_the_others(play, client):
    client.data_received(request())
    client.finish()
    assert not client.wire.ended
    play.whole[0].answer(200, b"", b"")
    assert b"connection: close\r\n" in client.wire.sent
    assert client.wire.ended == "closed"
    client.finish()


async def test_a_request_that_has_begun_when_the_server_stops_is_its_connections_last(play, client):
    client.data_received(request()[:10])
    client.finish()
    client.data_received(request()[10:])
    play.whole[0].answer(200, b"", b"")
    assert client.wire.ended == "closed"
