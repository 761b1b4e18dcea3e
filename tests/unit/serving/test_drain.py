"""A predictor that is told to go answers until nobody asks any more, and loses no request."""

import asyncio
import signal
import time

import httpx
import pytest
from tests.unit.serving.conftest import Server

BODY = {"instances": [[1.5, 2, "DE"]]}


async def load(server: Server, seconds: float) -> list[int]:
    """One client that asks again and again, as a router that does not know yet; gives the statuses."""
    end = time.monotonic() + seconds
    statuses = []
    # Nothing here is encrypted, and to load the authorities takes a client longer than the drain.
    async with httpx.AsyncClient(timeout=10, verify=False) as client:
        while time.monotonic() < end:
            answer = await client.post(f"{server.url}/v1/models/fraud:predict", json=BODY)
            statuses.append(answer.status_code)
    return statuses


@pytest.fixture
def draining_for(start_server, bundle):
    """A predictor that drains for so many seconds."""

    def start(seconds: float) -> Server:
        folder, digest = bundle
        server = start_server(folder.as_uri(), digest, drain_seconds=seconds)
        server.until_status("/v2/health/ready", 200)
        return server

    return start


async def test_no_request_is_lost_while_a_router_does_not_know_yet(draining_for):
    server = draining_for(3.0)
    clients = [asyncio.create_task(load(server, 2.5)) for _ in range(8)]
    await asyncio.sleep(0.5)  # all of them keep a connection by now
    server.process.terminate()
    answers = await asyncio.gather(*clients)  # a lost request would raise here
    assert {status for statuses in answers for status in statuses} == {200}
    assert min(len(statuses) for statuses in answers) > 10
    assert server.exit_code() == 0


async def test_a_request_in_flight_at_the_end_is_answered(draining_for):
    server = draining_for(0)
    rows = {"instances": BODY["instances"] * 300_000}
    async with httpx.AsyncClient(timeout=30) as client:
        large = asyncio.create_task(client.post(f"{server.url}/v1/models/fraud:predict", json=rows))
        while True:
            metrics = (await client.get(server.url + "/metrics")).text
            if "tidegate_predictor_in_flight 1.0" in metrics:
                break
        server.process.terminate()
        assert (await large).status_code == 200
    assert server.exit_code() == 0


def test_while_draining_it_stays_ready_and_asks_clients_to_leave(draining_for):
    server = draining_for(20)
    server.process.terminate()
    server.until(
        lambda: httpx.get(server.url + "/v2/health/ready").headers.get("connection") == "close", "it drains"
    )
    assert httpx.get(server.url + "/v2/health/ready").status_code == 200
    server.process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert server.exit_code() == 0
    assert time.monotonic() - began < 5  # a second signal ends it sooner


def test_routers_are_told_to_leave_before_the_end_and_only_the_revision_itself_is_routable(draining_for):
    server = draining_for(8.0)
    routable = f"{server.url}/internal/routable/fraud-abc"
    assert httpx.get(routable).status_code == 200
    assert httpx.get(routable + "x").status_code == 404
    server.process.terminate()
    server.until_status("/internal/routable/fraud-abc", 503)
    assert httpx.get(f"{server.url}/v2/health/ready").status_code == 200
