"""Whatever bytes come over a connection: an answer below 500, or the connection's end."""

import re
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import strategies as st
from tests.unit.serving.fuzz.budget import fuzz
from tests.unit.serving.fuzz.rows import bodies, scraps, spoiled

LINES = (
    b"content-length: 5", b"content-length: 0", b"content-length: 70", b"content-length: 99999999999",
    b"content-length: -1", b"content-length: 5, 5", b"content-length: 0x5", b"transfer-encoding: chunked",
    b"transfer-encoding: gzip, chunked", b"transfer-encoding: identity", b"Transfer-Encoding : chunked",
    b"expect: 100-continue", b"expect: \xff", b"connection: close", b"connection: keep-alive", b"connection: upgrade",
    b"upgrade: websocket", b"upgrade: h2c", b"http2-settings: AAMAAABkAAQAAP__",
    b"content-type: application/json", b"content-type: \xff\xfe", b"content-type: text/csv;", b"content-encoding: gzip",
    b"host: x", b"host: a b", b": no name", b"no colon", b" folded", b"x: " + b"y" * 9000, b"cookie: \x00",
    b"inference-header-content-length: 3", b"accept: */*", b"te: trailers", b"trailer: x",
)  # fmt: skip
PATHS = (
    b"/v1/models/fraud:predict", b"/v2/models/fraud/infer", b"/v2/models/%66raud/infer", b"/v2/health/live", b"/",
    b"*", b"", b"http://x/v2", b"x:443", b"/%", b"/%ff%00", b"/v2/models/fraud/infer?a=b#c", b"/" + b"a/" * 5000,
    b"/\xc3\xa4", b"/../..", b"/v2/models/" + b"x" * 70 + b"/infer", b"//v2/models/fraud/infer",
    b"/v2/models/fraud/infer/", b"/openapi.json", b"/metrics", b"/internal/snapshot",
)  # fmt: skip
METHODS = (b"POST", b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"PUT", b"POSTT", b"post", b"PRI")
VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.1 ", b"")


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def whole(body: bytes) -> bytes:
    """A request that is right."""
    head = b"POST /v1/models/fraud:predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


@st.composite
def odd_requests(draw: st.DrawFn) -> bytes:
    """Heads put together from what parsers stumble over."""
    first = b" ".join(draw(st.sampled_from(words)) for words in (METHODS, PATHS, VERSIONS))
    lines = draw(st.lists(st.sampled_from(LINES), max_size=6))
    end = draw(st.sampled_from([b"\r\n", b"\r\n", b"\n", b"\r"]))
    body = draw(st.just(b"") | bodies | bodies.map(chunked) | scraps)
    return end.join([first, *lines, b"", b""]) + body


pieces = odd_requests() | bodies.map(whole) | spoiled(bodies.map(whole)) | spoiled(odd_requests())
conversations = st.lists(pieces, min_size=1, max_size=3)


@pytest.mark.timeout(0)
def test_whatever_comes_over_a_connection_is_answered_below_500_or_ends_it(asked, tried):
    address = urlsplit(asked.url)

    def check(parts):
        with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
            received = converse(connection, parts)
        statuses = re.findall(rb"HTTP/1\.[01] (\d{3})", received)
        assert [status for status in statuses if not status < b"500"] == [], received
        assert b"Traceback" not in received

    tried["bytes on a connection"] += fuzz(check, conversations, share=0.15)
    assert httpx.get(f"{asked.url}/v2/health/live", timeout=20).status_code == 200


def converse(connection: socket.socket, parts: list[bytes]) -> bytes:
    """Sends all parts, ends the sending side, and gives what comes back until the server ends the other."""
    received = b""
    with suppress(OSError):
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(1 << 16):
            received += part
    return received
