"""The xDS server: routers ask for routes and clusters, and are answered the moment these change."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from tidegate_operator.routing.clusters import CLUSTER_TYPE, FindAddress, build_cluster, find_headless_service
from tidegate_operator.routing.routes import ROUTES_TYPE, XDS_READY_PATH, build_routes
from tidegate_operator.routing.table import RouteTable

logger = logging.getLogger(__name__)

# A router that already knows everything waits this long for news; shorter than its request timeout (15 s).
HOLD_SECONDS = 10.0

# A router asks sooner than the news of its address is here. Less than its health check waits (1 s).
NEWS_SECONDS = 0.8
# The same stranger is spoken of once in this while.
SILENCE_SECONDS = 60.0
STRANGERS_REMEMBERED = 1000

Resources = list[dict[str, Any]]
IsRouter = Callable[[str, str], bool]
"""Namespace and address → whether a router of that namespace has that address."""


def believe_everybody(_namespace: str, _address: str) -> bool:
    """For networks in which a caller's address is not its own: a mesh, or NAT between pods."""
    return True


@dataclass(frozen=True, slots=True)
class Answer:
    """A DiscoveryResponse as it goes out."""

    version: str
    """The hash of its content: equal after a change of leader."""
    body: bytes


class Discovery:
    """REST xDS v3 over a route table; the node's cluster in a request is the namespace."""

    def __init__(
        self,
        table: RouteTable,
        find_address: FindAddress = find_headless_service,
        *,
        is_router: IsRouter = believe_everybody,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        self._table = table
        self._find_address = find_address
        self._is_router = is_router
        self._hold_seconds = hold_seconds
        self._given: dict[tuple[str, str], tuple[Hashable, Answer]] = {}
        self._strangers: dict[tuple[str, str], float] = {}

    def build_application(self, is_certain: Callable[[], bool] = lambda: True) -> web.Application:
        """The web application that routers ask; while it is not certain who leads, they keep what they have."""

        @web.middleware
        async def refuse_in_doubt(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await handler(request)
            # Asked last: an answer may have been held for long.
            return response if is_certain() else web.Response(status=503, text="another operator may lead\n")

        application = web.Application(middlewares=[refuse_in_doubt])
        application.router.add_post("/v3/discovery:clusters", self._answer_clusters)
        application.router.add_post("/v3/discovery:routes", self._answer_routes)
        application.router.add_get(f"{XDS_READY_PATH}/{{namespace}}", self._answer_ready)
        return application

    def list_clusters(self, namespace: str) -> Resources:
        """All Envoy clusters of a namespace."""
        return [
            build_cluster(revision, self._find_address(namespace, revision))
            for revision in self._table.revisions_of(namespace)
        ]

    def list_routes(self, namespace: str) -> Resources:
        """The one RouteConfiguration of a namespace."""
        return [build_routes(namespace, self._table.routes_of(namespace))]

    def answer_clusters(self, namespace: str) -> Answer:
        """What routers are answered about clusters."""
        revisions = self._table.revisions_of(namespace)
        return self._recall((namespace, CLUSTER_TYPE), revisions, self.list_clusters)

    def answer_routes(self, namespace: str) -> Answer:
        """What routers are answered about routes."""
        changes = self._table.changes_of(namespace)
        return self._recall((namespace, ROUTES_TYPE), changes, self.list_routes)

    def version_of_routes(self, namespace: str) -> str:
        """What a router says that it goes by once it has learnt all that is decided."""
        return self.answer_routes(namespace).version

    def _recall(
        self, asked: tuple[str, str], made_from: Hashable, list_resources: Callable[[str], Resources]
    ) -> Answer:
        """The answer as it was last given, unless what it is made from has changed.

        Without this, every router would have everything of its namespace rendered twice in ten seconds.
        """
        namespace, type_url = asked
        known = self._given.get(asked)
        if known is None or known[0] != made_from:
            known = self._given[asked] = (made_from, build_answer(type_url, list_resources(namespace)))
        return known[1]

    async def _answer_clusters(self, request: web.Request) -> web.Response:
        return await self._answer(request, self.answer_clusters)

    async def _answer_routes(self, request: web.Request) -> web.Response:
        return await self._answer(request, self.answer_routes)

    async def _answer_ready(self, request: web.Request) -> web.Response:
        """A router that is not known goes on with what it remembers, as if there were no leader."""
        if await self._is_known(request.match_info["namespace"], request.remote or ""):
            return web.Response(text="ready\n")
        return web.Response(status=503, text="no router of this namespace has your address\n")

    async def _is_known(self, namespace: str, address: str) -> bool:
        until = monotonic() + NEWS_SECONDS
        while not self._is_router(namespace, address):
            if monotonic() > until:
                self._tell_of_stranger(namespace, address)
                return False
            await asyncio.sleep(0.1)
        return True

    def _tell_of_stranger(self, namespace: str, address: str) -> None:
        now, stranger = monotonic(), (namespace, address)
        if now - self._strangers.get(stranger, -SILENCE_SECONDS) < SILENCE_SECONDS:
            return
        if len(self._strangers) >= STRANGERS_REMEMBERED:
            self._strangers.clear()
        self._strangers[stranger] = now
        logger.warning(
            "%s asks for the routes of namespace %s, none of whose routers has that address, and gets no answer; "
            "in a mesh, or where NAT changes addresses, set checkRouterAddresses to false",
            address,
            namespace,
        )

    async def _answer(self, request: web.Request, find_answer: Callable[[str], Answer]) -> web.Response:
        asked = await request.json()
        namespace = asked.get("node", {}).get("cluster", "")
        if not await self._is_known(namespace, request.remote or ""):
            return web.Response(status=403, text="no router of this namespace has your address\n")
        if error := asked.get("error_detail"):
            logger.error(
                "a router of namespace %s refused its configuration: %s", namespace, error.get("message")
            )
        if self._table.is_withheld(namespace):
            # Envoy keeps what it has; an empty answer would take its routes away.
            return web.Response(status=503, text=f"the routes of namespace {namespace} can't be read\n")
        known = asked.get("version_info", "")
        answer = find_answer(namespace)
        if answer.version == known:
            await self._table.wait_for_change(namespace, self._hold_seconds)
            answer = find_answer(namespace)
        if answer.version == known:
            return web.Response(status=304)
        return web.Response(body=answer.body, content_type="application/json")


def build_answer(type_url: str, resources: Resources) -> Answer:
    """The DiscoveryResponse that carries these resources."""
    content = msgspec.json.encode(resources, order="deterministic")
    version = hashlib.sha256(content).hexdigest()[:16]
    response = {"version_info": version, "type_url": type_url, "resources": msgspec.Raw(content)}
    return Answer(version, msgspec.json.encode(response))
