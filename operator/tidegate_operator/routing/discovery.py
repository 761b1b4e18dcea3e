"""The xDS server: routers ask for routes and clusters, and are answered the moment these change."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from tidegate_operator.routing.clusters import CLUSTER_TYPE, FindAddress, build_cluster, find_headless_service
from tidegate_operator.routing.routes import ROUTES_TYPE, build_routes
from tidegate_operator.routing.table import RouteTable

logger = logging.getLogger(__name__)

# A router that already knows everything waits this long for news; shorter than its request timeout (15 s).
HOLD_SECONDS = 10.0

Resources = list[dict[str, Any]]


class Discovery:
    """REST xDS v3 over a route table; the node's cluster in a request is the namespace."""

    def __init__(
        self,
        table: RouteTable,
        find_address: FindAddress = find_headless_service,
        *,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        self._table = table
        self._find_address = find_address
        self._hold_seconds = hold_seconds

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
        application.router.add_get("/ready", self._answer_ready)
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

    async def _answer_clusters(self, request: web.Request) -> web.Response:
        return await self._answer(request, CLUSTER_TYPE, self.list_clusters)

    async def _answer_routes(self, request: web.Request) -> web.Response:
        return await self._answer(request, ROUTES_TYPE, self.list_routes)

    async def _answer_ready(self, _request: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _answer(
        self, request: web.Request, type_url: str, list_resources: Callable[[str], Resources]
    ) -> web.Response:
        asked = await request.json()
        namespace = asked.get("node", {}).get("cluster", "")
        if error := asked.get("error_detail"):
            logger.error(
                "a router of namespace %s refused its configuration: %s", namespace, error.get("message")
            )
        if self._table.is_withheld(namespace):
            # Envoy keeps what it has; an empty answer would take its routes away.
            return web.Response(status=503, text=f"the routes of namespace {namespace} can't be read\n")
        known = asked.get("version_info", "")
        response = build_response(type_url, list_resources(namespace))
        if response["version_info"] == known:
            await self._table.wait_for_change(namespace, self._hold_seconds)
            response = build_response(type_url, list_resources(namespace))
        if response["version_info"] == known:
            return web.Response(status=304)
        return web.json_response(response)


def build_response(type_url: str, resources: Resources) -> dict[str, Any]:
    """A DiscoveryResponse whose version is the hash of its content: equal after a change of leader."""
    content = json.dumps(resources, sort_keys=True)
    version = hashlib.sha256(content.encode()).hexdigest()[:16]
    return {"version_info": version, "type_url": type_url, "resources": resources}
