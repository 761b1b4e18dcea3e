"""The Lease between two operators, by way of HTTP: one leads, the other waits, and it changes hands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from tests.unit.main.lease_server import LeaseServer
from tests.unit.routing.envoy_process import serve

from tidegate_operator.main.lease import RETRY_SECONDS, PatientLease, acquire_lease, hold_lease

AWAY = -1
BROKEN = 503


@pytest.fixture
def server() -> LeaseServer:
    """Who keeps the Lease."""
    return LeaseServer()


@pytest.fixture
async def client(server: LeaseServer) -> AsyncIterator[ApiClient]:
    """A client of that server."""
    runner, port = await serve(server.build_application())
    async with ApiClient(Configuration(host=f"http://127.0.0.1:{port}")) as client:
        yield client
    await runner.cleanup()


async def lead(client: ApiClient, identity: str) -> tuple[LeaderElection, PatientLease]:
    """An operator that leads."""
    lease = PatientLease("system", identity, client)
    async with asyncio.timeout(30):
        return await acquire_lease(lease), lease


async def tries(client: ApiClient, identity: str) -> bool:
    """Whether an operator that does not lead gets the Lease now."""
    try:
        async with asyncio.timeout(RETRY_SECONDS * 0.9):
            await acquire_lease(PatientLease("system", identity, client))
    except TimeoutError:
        return False
    return True


async def test_who_asks_first_leads_and_the_second_waits(server: LeaseServer, client: ApiClient) -> None:
    await lead(client, "a")
    assert not await tries(client, "b")
    assert server.holder == "a"


@pytest.mark.parametrize("failure", [AWAY, BROKEN])
async def test_who_has_just_made_it_keeps_it_though_the_api_server_goes_away_before_the_first_renewal(
    server: LeaseServer, client: ApiClient, failure: int
) -> None:
    election, lease = await lead(client, "a")
    server.failing_with = failure
    assert await election.try_acquire_or_renew()
    assert lease.certain


@pytest.mark.parametrize("failure", [AWAY, BROKEN])
async def test_nobody_begins_to_lead_while_the_api_server_does_not_answer(
    server: LeaseServer, client: ApiClient, failure: int
) -> None:
    server.failing_with = failure
    assert not await tries(client, "a")


async def test_who_sees_another_lead_ends_at_once(server: LeaseServer, client: ApiClient) -> None:
    election, lease = await lead(client, "a")
    server.give_to("b")
    async with asyncio.timeout(1):
        await hold_lease(election, lease)
    assert lease.taken.is_set()


async def test_it_is_let_go_at_the_end_so_that_the_next_need_not_wait(
    server: LeaseServer, client: ApiClient
) -> None:
    _, lease = await lead(client, "a")
    await lease.release()
    assert await tries(client, "b")
    assert server.holder == "b"


async def test_a_lease_that_another_holds_is_not_let_go(server: LeaseServer, client: ApiClient) -> None:
    election, lease = await lead(client, "a")
    server.give_to("b")
    await hold_lease(election, lease)
    await lease.release()
    assert server.holder == "b"


async def test_an_end_while_the_api_server_is_away_is_an_end_all_the_same(
    server: LeaseServer, client: ApiClient
) -> None:
    _, lease = await lead(client, "a")
    server.failing_with = AWAY
    await lease.release()
    assert server.holder == "a"


async def test_a_container_that_restarts_in_its_pod_leads_again_at_once(
    server: LeaseServer, client: ApiClient
) -> None:
    await lead(client, "a")
    assert await tries(client, "a")
    assert server.holder == "a"
