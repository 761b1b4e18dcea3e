"""Too large and too many are refused at once, and the probes go on being answered."""

import asyncio
import socket
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
from tests.unit.serving.conftest import Server

INFER = "/v2/models/fraud/infer"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def small(start_server, bundle) -> Server:
    """A predictor with tight bounds."""
    folder, digest = bundle
    server = start_server(
        folder.as_uri(), digest, max_body_bytes=1000, max_in_flight=2, max_in_flight_bytes=1500
    )
    server.until_status("/v2/health/ready", 200)
    return server


def half_sent(server: Server, size: int) -> socket.socket:
    """A request whose head promises more than is sent."""
    address = urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port))
    head = f"POST {INFER} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n{{"
    connection.sendall(head.encode())
    return connection


def overloaded(server: Server, body: bytes = b"{}") -> bool:
    answer = httpx.post(server.url + INFER, content=body, headers=JSON)
    return answer.status_code == 429 and answer.headers["retry-after"] == "1"


def test_a_declared_body_over_the_bound_gets_413_and_why(small):
    answer = httpx.post(small.url + INFER, content=b" " * 1001, headers=JSON)
    assert answer.status_code == 413
    assert "1001 bytes, but at most 1000" in answer.json()["error"]


def test_a_body_of_unknown_length_is_cut_off_at_the_bound(small):
    answer = httpx.post(small.url + INFER, content=iter([b" " * 600] * 2), headers=JSON)
    assert answer.status_code == 413


def test_one_request_more_than_there_are_places_gets_429_while_probes_are_answered(small):
    with closing(half_sent(small, 10)), closing(half_sent(small, 10)):
        small.until(lambda: overloaded(small), "both places are taken")
        assert httpx.get(small.url + "/v2/health/ready").status_code == 200


def test_places_come_back_when_clients_go_away(small):
    with closing(half_sent(small, 10)), closing(half_sent(small, 10)):
        small.until(lambda: overloaded(small), "both places are taken")
    small.until(lambda: not overloaded(small), "the places are free again")


def test_many_bytes_in_flight_are_as_bad_as_many_requests(small):
    with closing(half_sent(small, 900)):
        small.until(lambda: overloaded(small, b" " * 700), "the bytes are taken")


async def test_a_large_batch_does_not_hold_up_the_probes(server):
    content = {"instances": [[1.5, 2, "DE"]] * 200_000}
    async with httpx.AsyncClient(timeout=30) as client:
        batch = asyncio.create_task(client.post(f"{server.url}/v1/models/fraud:predict", json=content))
        slowest = 0.0
        while not batch.done():
            probe = await client.get(f"{server.url}/v2/health/live")
            slowest = max(slowest, probe.elapsed.total_seconds())
        assert (await batch).status_code == 200
    assert slowest < 1.0  # a kubelet's probe gives up after one second
