"""Routes are told to the routers of their namespace, known by their addresses, and to nobody else."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.unit.routing.envoy_process import serve

from tidegate_operator.observe.observer import has_router
from tidegate_operator.observe.store import Kind, Store
from tidegate_operator.plan.plan import Route
from tidegate_operator.routing.discovery import Discovery
from tidegate_operator.routing.router import ROUTER_LABELS
from tidegate_operator.routing.table import RouteTable

ME = "127.0.0.1"


class World:
    """A leader with routes of two namespaces, and a caller on the loopback."""

    def __init__(self, port: int, store: Store, session: aiohttp.ClientSession) -> None:
        self.store = store
        self._address = f"http://{ME}:{port}"
        self._session = session

    def put_pod(self, namespace: str, address: str = ME, labels: dict[str, str] = ROUTER_LABELS) -> None:
        metadata = {"name": "x", "namespace": namespace, "uid": namespace, "labels": labels}
        self.store.put(
            Kind.POD, {"metadata": metadata, "status": {"podIPs": [{"ip": address}, {"ip": "fd00::1"}]}}
        )

    async def ask(self, namespace: str) -> tuple[int, str]:
        question = json.dumps({"node": {"cluster": namespace}})
        async with self._session.post(f"{self._address}/v3/discovery:routes", data=question) as answer:
            return answer.status, await answer.text()

    async def ask_whether_ready(self, namespace: str) -> int:
        async with self._session.get(f"{self._address}/ready/{namespace}") as answer:
            return answer.status


@pytest.fixture
async def world() -> AsyncIterator[World]:
    store, table = Store(), RouteTable()
    for namespace in ("shop", "bank"):
        table.set_route(namespace, "fraud", Route(f"fraud-of-{namespace}"))
    discovery = Discovery(table, is_router=lambda namespace, address: has_router(store, namespace, address))
    runner, port = await serve(discovery.build_application())
    async with aiohttp.ClientSession() as session:
        yield World(port, store, session)
    await runner.cleanup()


async def test_a_router_is_told_the_routes_of_its_own_namespace_alone(world: World) -> None:
    world.put_pod("shop")
    status, routes = await world.ask("shop")
    assert (status, "fraud-of-shop" in routes, "fraud-of-bank" in routes) == (200, True, False)
    assert await world.ask("bank") == (403, "no router of this namespace has your address\n")


async def test_a_pod_that_is_no_router_is_told_nothing(world: World) -> None:
    world.put_pod("shop", labels=ROUTER_LABELS | {"app.kubernetes.io/component": "predictor"})
    assert (await world.ask("shop"))[0] == 403


async def test_a_router_that_is_not_known_yet_lives_by_its_memory(world: World) -> None:
    """To its health check there is no leader; it asks again a second later."""
    assert await world.ask_whether_ready("shop") == 503
    world.put_pod("shop")
    assert await world.ask_whether_ready("shop") == 200


async def test_either_address_of_a_pod_will_do(world: World) -> None:
    world.put_pod("shop", "10.1.1.1")
    assert has_router(world.store, "shop", "fd00::1")
    assert not has_router(world.store, "shop", ME)


async def test_a_stranger_is_spoken_of_once_and_the_mesh_user_told_what_to_do(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await world.ask("shop")
    (sentence,) = caplog.messages
    assert sentence == (
        "127.0.0.1 asks for the routes of namespace shop, none of whose routers has that address, and gets no answer; "
        "in a mesh, or where NAT changes addresses, set checkRouterAddresses to false"
    )
