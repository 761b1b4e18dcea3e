"""Routers and predictors as real HTTP servers on the loopback, which count what they are told to."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any

from aiohttp import web
from tests.unit.routing.envoy_process import serve

from tidegate.counts import LATENCY_BOUNDS_MS, SNAPSHOT_PATH


class Pod:
    """A pod that answers by HTTP, hangs, or talks nonsense."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = ""
        self.hangs = False
        self.babbles = False
        self.asked = 0
        self._let_go = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Begin to answer."""
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        self._runner, port = await serve(application)
        self.address = f"127.0.0.1:{port}"

    async def stop(self) -> None:
        """Answer no more."""
        self._let_go.set()
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.hangs:
            await self._let_go.wait()
        if self.babbles:
            return web.Response(text="<html>")
        return web.json_response(self.tell(request))

    def tell(self, request: web.Request) -> Any:
        """What it counted."""
        raise NotImplementedError


class Router(Pod):
    """A router: requests by revision since it started."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.completed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.healthy: Counter[str] = Counter()
        self.routes_version = "newest"

    def tell(self, request: web.Request) -> Any:
        """As Envoy's `/stats`."""
        wanted = re.compile(request.query["filter"])
        values: dict[str, int | str] = {
            f"cluster.{revision}.{stat}": value
            for stat, counts in (
                ("upstream_rq_completed", self.completed),
                ("upstream_rq_5xx", self.failed),
                ("membership_healthy", self.healthy),
            )
            for revision, value in counts.items()
        }
        values["http.tidegate.rds.tidegate.version_text"] = self.routes_version
        return {"stats": [{"name": n, "value": v} for n, v in values.items() if wanted.search(n)]}


class Predictor(Pod):
    """A predictor of one revision."""

    def __init__(self, name: str, revision: str) -> None:
        super().__init__(name)
        self.revision = revision
        self.not_finite = 0

    def tell(self, request: web.Request) -> Any:
        """As the predictor's snapshot."""
        assert request.path == SNAPSHOT_PATH
        return {
            "revision": self.revision,
            "digest": "sha256:1",
            "process": self.name,
            "requests": {},
            "rows": 0,
            "not_finite": self.not_finite,
            "latency": [0] * (len(LATENCY_BOUNDS_MS) + 1),
            "features": {},
            "prediction": None,
        }
