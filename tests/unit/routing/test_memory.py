"""A router that starts while nobody leads comes up with the last known routes, and never goes back to them."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.unit.routing.envoy_process import (
    DEADLINE_SECONDS,
    Model,
    Router,
    find_free_ports,
    serve,
    start_envoy,
)

from tidegate_operator.plan.facts import Manifest
from tidegate_operator.plan.plan import Route
from tidegate_operator.routing.bootstrap import Ports, build_bootstrap
from tidegate_operator.routing.discovery import Discovery
from tidegate_operator.routing.memory import build_memory
from tidegate_operator.routing.table import RouteTable


@pytest.fixture
async def addresses() -> AsyncIterator[dict[str, tuple[str, int]]]:
    """Where the models `old` and `new` answer with their names."""
    found, runners = {}, []
    for name in ("old", "new"):
        runner, port = await serve(Model(name).build_pod())
        runners.append(runner)
        found[name] = ("127.0.0.1", port)
    yield found
    for runner in runners:
        await runner.cleanup()


async def wait_for_answer(router: Router, wanted: str) -> None:
    """Ask until the model answers."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await _ask(router) != wanted:
            await asyncio.sleep(0.05)


async def _ask(router: Router) -> str:
    try:
        return (await router.ask())[1]
    except aiohttp.ClientError:
        return ""


@asynccontextmanager
async def run_leaderless_router(
    folder: Path, discovery: Discovery, table: RouteTable, xds_port: int
) -> AsyncIterator[Router]:
    """An Envoy with the memory of these routes and nobody to ask."""
    memory = build_memory("shop", [], discovery)
    assert memory is not None
    for name, content in memory["binaryData"].items():
        (folder / name).write_bytes(b64decode(content))
    ports = Ports(*find_free_ports(4))
    bootstrap = build_bootstrap(
        "shop", xds_address=("127.0.0.1", xds_port), ports=ports, memory_folder=str(folder)
    )
    (folder / "bootstrap.json").write_text(json.dumps(bootstrap))
    process = await start_envoy(folder / "bootstrap.json")
    try:
        async with aiohttp.ClientSession() as session:
            yield Router(table, discovery, {}, ("old", "new"), ports, session)
    finally:
        process.terminate()
        await process.wait()


async def lose_leader(router: Router, leader: web.AppRunner) -> None:
    """End the leader, and wait until the router has asked its own memory some times instead."""
    await leader.cleanup()
    asked = await router.read_stat("http.memory.downstream_rq_completed")
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await router.read_stat("http.memory.downstream_rq_completed") < asked + 4:
            await asyncio.sleep(0.05)


async def test_a_router_without_a_leader_remembers_and_then_follows_and_never_goes_back(
    tmp_path: Path, addresses: dict[str, tuple[str, int]]
) -> None:
    table, (xds_port,) = RouteTable(), find_free_ports(1)
    discovery = Discovery(table, lambda _, revision: addresses[revision])
    table.set_route("shop", "fraud", Route("old", warm=("new",)))
    async with run_leaderless_router(tmp_path, discovery, table, xds_port) as router:
        await wait_for_answer(router, "old")
        assert (await router.read_router()).routes_version == discovery.version_of_routes("shop")

        table.set_route("shop", "fraud", Route("new", warm=("old",)))
        leader = web.AppRunner(discovery.build_application(), shutdown_timeout=0.1)
        await leader.setup()
        await web.TCPSite(leader, "127.0.0.1", xds_port).start()
        await wait_for_answer(router, "new")

        await lose_leader(router, leader)
        assert await _ask(router) == "new"


def remember(models: int, **limit: int) -> Manifest | None:
    """The memory of a namespace with so many models, each with a version that is kept warm."""
    table = RouteTable()
    for index in range(models):
        name, hash_ = (
            f"model-{index}",
            f"{index * 2654435761 % 2**32:08x}",
        )  # as unlike one another as real ones
        table.set_route("shop", name, Route(f"{name}-{hash_}", warm=(f"{name}-{hash_[::-1]}",)))
    return build_memory("shop", [], Discovery(table), **limit)


def test_a_namespace_of_a_thousand_models_has_a_memory() -> None:
    assert remember(1000) is not None


def test_the_same_routes_are_remembered_in_the_same_bytes() -> None:
    assert remember(2) == remember(2)


def test_a_memory_that_is_too_large_is_not_written() -> None:
    assert remember(100, size_limit_bytes=10_000) is None
