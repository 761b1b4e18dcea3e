"""The health server: whether the operator lives, whether it is ready, and its metrics."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from tidegate_operator.main.metrics import Metrics


def build_health(
    metrics: Metrics, *, is_ready: Callable[[], bool], queue_depth: Callable[[], int]
) -> web.Application:
    """/healthz, /readyz, /metrics. Only who leads is ready: the Service that routers ask must find the leader."""

    async def answer_ok(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def answer_ready(_request: web.Request) -> web.Response:
        return (
            web.Response(text="leads\n")
            if is_ready()
            else web.Response(status=503, text="waits for the Lease\n")
        )

    async def answer_metrics(_request: web.Request) -> web.Response:
        metrics.queue_depth.set(queue_depth())
        return web.Response(
            body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    application = web.Application()
    application.router.add_get("/healthz", answer_ok)
    application.router.add_get("/readyz", answer_ready)
    application.router.add_get("/metrics", answer_metrics)
    return application


async def serve(application: web.Application, port: int) -> web.AppRunner:
    """Start serving on all addresses of the pod; the caller cleans the runner up."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, port=port).start()
    return runner
