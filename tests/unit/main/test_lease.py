"""The Lease, when the API server is away or busy, and when the process itself stood still."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import aiohttp
import pytest
from kubernetes.aio.client import V1Lease, V1LeaseSpec, V1ObjectMeta
from kubernetes.aio.client.exceptions import ApiException

from tidegate_operator.main.lease import LEASE_SECONDS, PatientLease, acquire_lease

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Leases:
    """The part of the API server that keeps Leases."""

    def __init__(self) -> None:
        self.holder: str | None = None
        self.error: Exception | None = None
        self.before_the_answer = lambda: None

    async def read_namespaced_lease(self, name: str, namespace: str) -> V1Lease:
        if self.error:
            raise self.error
        since = NOW if self.holder else None
        spec = V1LeaseSpec(
            holder_identity=self.holder,
            lease_duration_seconds=LEASE_SECONDS,
            acquire_time=since,
            renew_time=since,
        )
        self.before_the_answer()
        return V1Lease(metadata=V1ObjectMeta(name=name, namespace=namespace), spec=spec)

    async def replace_namespaced_lease(self, name: str, namespace: str, body: V1Lease) -> None:  # noqa: ARG002
        if self.error:
            raise self.error
        self.holder = body.spec.holder_identity


class World:
    """An operator `a` that has the Lease, and a clock that we turn."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.leases = Leases()
        self.lease = PatientLease("tidegate-system", "a", None, clock=lambda: self.seconds)
        self.lease.api_instance = self.leases

    async def renew(self) -> bool:
        return await self.election.try_acquire_or_renew()


@pytest.fixture
async def world() -> World:
    made = World()
    made.election = await acquire_lease(made.lease)
    return made


@pytest.mark.parametrize(
    "error",
    [ApiException(status=429), ApiException(status=503), aiohttp.ClientConnectionError(), TimeoutError()],
    ids=["busy", "failing", "away", "silent"],
)
async def test_who_leads_goes_on_while_nobody_can_be_asked(world: World, error: Exception) -> None:
    world.leases.error = error
    for _ in range(10):
        world.seconds += 5
        assert await world.renew()
        assert world.lease.certain


async def test_who_stood_still_for_longer_than_the_lease_lasts_is_not_certain_until_it_has_asked(
    world: World,
) -> None:
    world.seconds += LEASE_SECONDS + 1
    assert not world.lease.certain
    await world.renew()
    assert world.lease.certain


async def test_who_stood_still_finds_another_leading_and_ends(world: World) -> None:
    world.seconds += LEASE_SECONDS + 1
    world.leases.holder = "b"
    await world.renew()
    assert not world.lease.certain
    assert world.lease.taken.is_set()


async def test_an_answer_is_as_old_as_its_question(world: World) -> None:
    def stand_still() -> None:
        world.seconds += LEASE_SECONDS + 1

    world.leases.before_the_answer = stand_still
    await world.renew()
    assert not world.lease.certain


async def test_it_tells_for_how_long_the_api_server_has_answered(world: World) -> None:
    assert world.lease.answered_seconds == math.inf
    world.leases.error = aiohttp.ClientConnectionError()
    await world.renew()
    world.leases.error = None
    world.seconds += 7
    await world.renew()
    assert world.lease.answered_seconds == 7
