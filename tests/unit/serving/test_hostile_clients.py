"""Clients that mean harm, or whose network does: each gets its sentence, none a place for ever, all of them little
memory, and the log holds no traceback.
"""

import json
import re
import socket
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import repeat
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.unit.serving.conftest import Server

PREDICT = "/v1/models/fraud:predict"
MIB = 1 << 20
CHUNK = b"100000\r\n" + b" " * MIB + b"\r\n"
POD = 256 * MIB  # half of a predictor pod's default limit


@pytest.fixture(scope="module")
def patient(start_server, bundle) -> Iterator[Server]:
    """A predictor in a small pod."""
    yield from until_the_log_is_read(start_server, bundle, memory_bytes=POD)


@pytest.fixture(scope="module")
def hurried(start_server, bundle) -> Iterator[Server]:
    """A predictor with two places that waits for a body no longer than half a second."""
    yield from until_the_log_is_read(start_server, bundle, body_seconds=0.5, max_in_flight=2)


def until_the_log_is_read(start_server, bundle, **settings) -> Iterator[Server]:
    folder, digest = bundle
    server = start_server(folder.as_uri(), digest, **settings)
    server.until_status("/v2/health/ready", 200)
    yield server
    assert "Traceback" not in (server.folder / "log").read_text()


@contextmanager
def begun(server: Server, *headers: str, parts: Iterable[bytes] = ()) -> Iterator[socket.socket]:
    """A connection on which a request has begun; what is sent after an early answer is lost, as with any client."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        head = [f"POST {PREDICT} HTTP/1.1", "host: x", "content-type: application/json", *headers, "", ""]
        connection.sendall("\r\n".join(head).encode())
        with suppress(OSError):
            for part in parts:
                connection.sendall(part)
        yield connection


def answer(server: Server, *headers: str, parts: Iterable[bytes] = ()) -> tuple[int, str]:
    """Status and sentence of the answer, which is the connection's last."""
    received = b""
    with begun(server, *headers, parts=parts) as connection:
        while part := connection.recv(1 << 16):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


def memory(server: Server, what: str) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return 1024 * int(re.search(rf"{what}:\s+(\d+)", status)[1])


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        (["content-length: 1073741824"], "1073741824"),
        (["transfer-encoding: chunked"], r"\d+"),
    ],
    ids=["declared", "chunked"],
)
def test_a_body_of_a_gigabyte_is_refused_and_not_kept(patient, headers, size):
    before = memory(patient, "VmRSS")
    status, error = answer(patient, *headers, parts=repeat(CHUNK, 1024))
    assert status == 413
    assert re.fullmatch(
        rf"the body has {size} bytes, but at most \d+ are taken; send fewer rows in one request", error
    )
    assert memory(patient, "VmRSS") - before < 32 * MIB


@pytest.mark.parametrize("header", ["content-length: 100", "transfer-encoding: chunked"])
def test_a_slow_client_loses_its_place_with_a_sentence(hurried, header):
    assert answer(hurried, header, parts=[b"5\r\n{"]) == (
        408,
        "the body was not whole after 0.5 s; send fewer rows in one request, or send them faster",
    )


def test_a_client_that_trickles_is_slow_too(hurried):
    """What arrives now and then does not buy more time."""
    with begun(hurried, "content-length: 1000") as connection:
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 15:
                connection.sendall(b" ")
                time.sleep(0.1)
        assert time.monotonic() - began < 10


def test_slow_clients_do_not_keep_others_out_for_ever(hurried):
    with begun(hurried, "content-length: 9"), begun(hurried, "content-length: 9"):
        hurried.until(lambda: predict(hurried) == 200, "a place is free again, though they stay")


def predict(server: Server, body: bytes = b'{"instances": [[1.5, 2, "DE"]]}') -> int:
    headers = {"content-type": "application/json"}
    return httpx.post(server.url + PREDICT, content=body, headers=headers, timeout=120).status_code


@pytest.mark.parametrize("header", ["content-length: 100", "transfer-encoding: chunked"])
def test_a_connection_closed_in_mid_body_is_the_clients_failure_not_the_models(hurried, header):
    def invalid() -> int:
        return httpx.get(f"{hurried.url}/internal/snapshot").json()["requests"]["invalid"]

    before = invalid()
    with begun(hurried, header, parts=[b"5\r\n{"]):
        pass
    hurried.until(lambda: invalid() == before + 1, "the request is counted")
    assert httpx.get(f"{hurried.url}/internal/snapshot").json()["requests"]["failed"] == 0


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nx: " + b"a" * MIB + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: a\r\n" * 1000 + b"\r\n",
        # A length that lies: one proxy believes the one, the next the other, and one request becomes two.
        b"POST / HTTP/1.1\r\ncontent-length: 10\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /\xff HTTP/1.1\r\n\r\n",
    ],
    ids=[
        "TLS",
        "long header",
        "many headers",
        "length and chunks",
        "negative length",
        "absurd length",
        "path of no characters",
    ],
)
def test_what_is_no_http_is_refused_by_the_server(hurried, request_):
    address = urlsplit(hurried.url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=20)) as connection:
        connection.sendall(request_)
        assert connection.recv(100).split()[1] in {b"400", b"431"}


def test_nonsense_behind_a_request_that_is_refused_by_its_head_changes_nothing(patient):
    head = ["content-encoding: gzip", "transfer-encoding: chunked"]
    status, error = answer(patient, *head, parts=[b"no length of a chunk\r\n"])
    assert (status, error.split(",")[0]) == (415, "the body is compressed or holds binary tensors")
    assert "Traceback" not in (patient.folder / "log").read_text()


def test_a_client_that_asks_on_without_reading_is_hung_up_on(patient):
    """Ten thousand questions in one piece, each with an answer of thousands of bytes."""
    before = memory(patient, "VmRSS")
    questions = b"GET /openapi.json HTTP/1.1\r\n\r\n" * 10_000
    address = urlsplit(patient.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        received = 0
        with suppress(OSError):
            connection.sendall(questions)
            time.sleep(0.5)
            while part := connection.recv(1 << 16):
                received += len(part)
    assert memory(patient, "VmRSS") - before < 16 * MIB
    assert received < 8 * MIB


def hostile_bodies(size: int) -> list[bytes]:
    """Bodies whose bytes become as many Python objects as can be."""
    items = [b"[]", b"[" * 500 + b"]" * 500, b'[1.5,2,"DE"]', b'{"a":1}']
    return [b'{"instances":[' + b",".join([item] * (size // (len(item) + 1))) + b"]}" for item in items]


def test_no_body_that_is_taken_can_end_the_pod(patient):
    _, too_large = answer(patient, "content-length: 1073741824")
    largest = int(re.search(r"at most (\d+)", too_large)[1])
    assert largest > MIB
    with ThreadPoolExecutor(8) as clients:
        statuses = set(clients.map(lambda body: predict(patient, body), hostile_bodies(largest - 100) * 2))
    assert statuses <= {200, 400, 429}
    assert memory(patient, "VmHWM") < 0.9 * POD
