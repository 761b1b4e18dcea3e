"""What answers for pods that do not exist: routers that ask for routes and count, predictors that count.

Nothing here is Envoy or a predictor. It speaks what the operator reads of them and what it is asked by them, at the
rate at which they do: each router holds two long polls for routes and clusters and asks every two seconds whether the
leader is there; `/stats` has the form of Envoy's, `/internal/snapshot` and `/internal/bundle` that of the predictor.
Requests are made up: every model gets one a second, split by its weights as the router last learnt them, none fails,
each takes under 5 ms, and an endpoint is healthy as soon as the router knows its cluster. So a figure from here leaves
out what DNS, health checks and a model's start add in a cluster.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from bench.scale.api import Api, Object
from bench.scale.predictors import Predictor, parse_predictor

from tidegate import pod
from tidegate.counts import LATENCY_BOUNDS_MS, SNAPSHOT_PATH
from tidegate.loaded import BUNDLE_PATH
from tidegate_operator.observe.scrape import ROUTER_STATS_PORT

REQUESTS_PER_SECOND = 1.0
READY_SECONDS = 2.0
REFRESH_SECONDS = 0.05
_BIN = LATENCY_BOUNDS_MS.index(5)


@dataclass(slots=True)
class Counters:
    """What a router's Envoy would have counted: requests a second by cluster, and their sum so far."""

    rates: dict[str, float] = field(default_factory=dict)
    completed: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    at: float = field(default_factory=monotonic)

    def advance(self) -> None:
        """Count on to now."""
        now = monotonic()
        for cluster, rate in self.rates.items():
            self.completed[cluster] += rate * (now - self.at)
        self.at = now


class Router:
    """A namespace's router: asks for routes as Envoy does, and counts."""

    def __init__(self, namespace: str, address: str, session: aiohttp.ClientSession, xds: str) -> None:
        self.namespace = namespace
        self._address = address
        self._session = session
        self._xds = xds
        self._clusters: set[str] = set()
        self._counters = Counters()
        self._routes_version = ""
        self.first_shares: dict[str, float] = {}
        """Model → when two of its revisions first shared its requests, by the monotonic clock."""

    async def run(self) -> None:
        """Ask for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll("clusters", self._take_clusters))
            tasks.create_task(self._poll("routes", self._take_routes))
            tasks.create_task(self._ask_whether_ready())

    def build_stats(self, pattern: str) -> Object:
        """`/stats?format=json&histogram_buckets=disjoint&filter=…`, as far as the operator asks for it."""
        self._counters.advance()
        wanted = re.compile(pattern)
        told = [
            name for name in sorted(self._clusters) if wanted.search(f"cluster.{name}.upstream_rq_completed")
        ]
        stats: list[Object] = [stat for name in told for stat in self._list_values(name)]
        stats.append({"name": "http.tidegate.rds.tidegate.version_text", "value": self._routes_version})
        return {"stats": [*stats, {"histograms": [self._build_histogram(name) for name in told]}]}

    def _list_values(self, cluster: str) -> list[Object]:
        values = {
            "membership_healthy": 1,
            "membership_total": 1,
            "upstream_rq_2xx": int(self._counters.completed[cluster]),
            "upstream_rq_completed": int(self._counters.completed[cluster]),
            "upstream_rq_total": int(self._counters.completed[cluster]),
        }
        return [{"name": f"cluster.{cluster}.{stat}", "value": value} for stat, value in values.items()]

    def _build_histogram(self, cluster: str) -> Object:
        counts = [0] * len(LATENCY_BOUNDS_MS)
        counts[_BIN] = int(self._counters.completed[cluster])
        buckets = [
            {"upper_bound": bound, "interval": 0, "cumulative": count}
            for bound, count in zip(LATENCY_BOUNDS_MS, counts, strict=True)
        ]
        return {"name": f"cluster.{cluster}.upstream_rq_time", "buckets": buckets}

    async def _poll(self, what: str, take: Any) -> None:  # noqa: ANN401 - one of two methods below
        node, version = {"id": self._address, "cluster": self.namespace}, ""
        while True:
            try:
                asked = {"node": node, "version_info": version, "resource_names": ["tidegate"]}
                async with self._session.post(f"{self._xds}/v3/discovery:{what}", json=asked) as answer:
                    if answer.status == 200:
                        told = await answer.json()
                        version = told["version_info"]
                        take(version, told["resources"])
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.5)
            await asyncio.sleep(REFRESH_SECONDS)

    async def _ask_whether_ready(self) -> None:
        while True:
            try:
                async with self._session.get(f"{self._xds}/ready") as answer:
                    await answer.read()
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(READY_SECONDS)

    def _take_clusters(self, _version: str, resources: list[Object]) -> None:
        self._clusters = {cluster["name"] for cluster in resources}

    def _take_routes(self, version: str, resources: list[Object]) -> None:
        self._routes_version = version
        self._counters.advance()
        rates: dict[str, float] = {}
        for host in resources[0]["virtual_hosts"]:
            if host["name"] != "by-path":
                shares = _read_shares(host["routes"][-1]["route"])
                rates |= {cluster: share * REQUESTS_PER_SECOND for cluster, share in shares.items()}
                if len(shares) > 1:
                    self.first_shares.setdefault(host["name"], monotonic())
        self._counters.rates = rates


def _read_shares(action: Object) -> dict[str, float]:
    """Cluster → share of a model's requests, copies included."""
    shares = {cluster["name"]: cluster["weight"] / 100 for cluster in action["weighted_clusters"]["clusters"]}
    for mirror in action.get("request_mirror_policies", ()):
        shares[mirror["cluster"]] = mirror["runtime_fraction"]["default_value"]["numerator"] / 100
    return shares


class Pods:
    """All pods there are: follows them by a watch, and answers for each by its address."""

    def __init__(self, api: Api, xds: str) -> None:
        self._api = api
        self._xds = xds
        self._predictors: dict[str, Predictor] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=15)
        )
        self.routers: dict[str, Router] = {}
        """By address."""

    async def run(self) -> None:
        """Answer until cancelled."""
        runners = [
            await _serve({"/stats": self._answer_stats}, ROUTER_STATS_PORT),
            await _serve({SNAPSHOT_PATH: self._answer_snapshot, BUNDLE_PATH: self._answer_bundle}, pod.PORT),
        ]
        try:
            while True:
                async for event, body in self._api.watch(
                    "/api/v1/pods", "app.kubernetes.io/part-of=tidegate"
                ):
                    self._take(event, body)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await self._session.close()
            for runner in runners:
                await runner.cleanup()

    def when_shared(self, namespace: str, model: str) -> float | None:
        """When the last router of a namespace learnt that two revisions of a model share its requests."""
        routers = [router for router in self.routers.values() if router.namespace == namespace]
        times = [router.first_shares.get(model) for router in routers]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None

    def _take(self, event: str, body: Object) -> None:
        address, labels = body["status"].get("podIP"), body["metadata"].get("labels", {})
        if not address:
            return
        if event == "DELETED":
            self._predictors.pop(address, None)
            self.routers.pop(address, None)
            if task := self._tasks.pop(address, None):
                task.cancel()
        elif labels.get("app.kubernetes.io/component") == "router":
            if address not in self.routers:
                router = Router(body["metadata"]["namespace"], address, self._session, self._xds)
                self.routers[address] = router
                self._tasks[address] = asyncio.create_task(router.run())
        elif predictor := parse_predictor(address, body):
            self._predictors[address] = predictor

    async def _answer_stats(self, request: web.Request) -> web.Response:
        router = self.routers.get(_address_of(request))
        if router is None:
            raise web.HTTPNotFound
        return web.json_response(router.build_stats(request.query.get("filter", "")))

    async def _answer_snapshot(self, request: web.Request) -> web.Response:
        return web.json_response(self._find_predictor(request).build_snapshot())

    async def _answer_bundle(self, request: web.Request) -> web.Response:
        told = msgspec.json.encode(self._find_predictor(request).tell_bundle())
        return web.Response(body=told, content_type="application/json")

    def _find_predictor(self, request: web.Request) -> Predictor:
        predictor = self._predictors.get(_address_of(request))
        if predictor is None:
            raise web.HTTPNotFound
        return predictor


def _address_of(request: web.Request) -> str:
    """The address that was asked: that of a pod."""
    assert request.transport
    address: str = request.transport.get_extra_info("sockname")[0]
    return address


async def _serve(answers: Mapping[str, Handler], port: int) -> web.AppRunner:
    """Listen at a port of every loopback address, and of no other."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    listener.bind(("0.0.0.0", port))
    application = web.Application()
    for path, answer in answers.items():
        application.router.add_get(path, answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner
