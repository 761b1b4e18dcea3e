"""The part of an API server that keeps a Lease: a real HTTP server, which can be away or answer with an error."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler


class LeaseServer:
    """Keeps one Lease, as the API server does: a write needs the version that it was read at."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.failing_with = 0
        """The HTTP status that every request is answered with; 0 means none, -1 that connections are closed."""
        self._version = 0

    @property
    def holder(self) -> str | None:
        """Who holds it."""
        return self.lease["spec"].get("holderIdentity") if self.lease else None

    def give_to(self, holder: str) -> None:
        """Someone else takes it."""
        assert self.lease
        self._store({**self.lease, "spec": {**self.lease["spec"], "holderIdentity": holder}})

    def build_application(self) -> web.Application:
        """The web application."""
        path = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        application = web.Application(middlewares=[self._fail])
        application.router.add_get(path + "/{name}", self._read)
        application.router.add_post(path, self._create)
        application.router.add_put(path + "/{name}", self._replace)
        return application

    @web.middleware
    async def _fail(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.failing_with < 0:
            assert request.transport
            request.transport.abort()
        if self.failing_with:
            return _refuse(abs(self.failing_with), "not now")
        response: web.StreamResponse = await handler(request)
        return response

    async def _read(self, _request: web.Request) -> web.Response:
        return web.json_response(self.lease) if self.lease else _refuse(404, "not found")

    async def _create(self, request: web.Request) -> web.Response:
        if self.lease:
            return _refuse(409, "it exists")
        return self._store(await request.json())

    async def _replace(self, request: web.Request) -> web.Response:
        sent = await request.json()
        if self.lease is None or sent["metadata"].get("resourceVersion") != str(self._version):
            return _refuse(409, "it was changed meanwhile")
        return self._store(sent)

    def _store(self, lease: dict[str, Any]) -> web.Response:
        self._version += 1
        metadata = {**lease["metadata"], "resourceVersion": str(self._version)}
        self.lease = {**lease, "metadata": metadata}
        return web.json_response(self.lease)


def _refuse(code: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "code": code, "message": message}, status=code)
