"""The process: listens, loads, serves, drains."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import uvloop

from tidegate import pod
from tidegate.bundle import MANIFEST_NAME, manifest_digest, read_manifest
from tidegate.loaded import tell_bundle
from tidegate_serving.app import Application
from tidegate_serving.errors import CannotStart
from tidegate_serving.logs import configure_logs
from tidegate_serving.predictor import Predictor
from tidegate_serving.server import Server
from tidegate_serving.settings import InvalidSettings, Settings
from tidegate_serving.start import load_model

_LOG = logging.getLogger(__name__)


def main(environment: Mapping[str, str]) -> int:
    """Runs a predictor pod; gives its exit code."""
    try:
        settings = Settings.from_environment(environment)
    except InvalidSettings as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log format is a setting too
        return 2
    return run(settings)


def serve_bundle(
    path: Path, port: int, *, host: str = "127.0.0.1", threads: int = 1, memory_bytes: int | None = None
) -> NoReturn:
    """Serves a bundle's folder from a laptop until Ctrl-C, as a pod would, then ends the process.

    The model's name is the manifest's; the revision is `local`. `memory_bytes` is what the process may hold, if
    something sees to that.

    Raises:
        FileNotFoundError: The folder holds no manifest.
        ValueError: The manifest can't be read.
    """
    content = (path / MANIFEST_NAME).read_bytes()
    with tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
        code = run(
            Settings(
                model=read_manifest(content).model,
                revision="local",
                source=path.resolve().as_uri(),
                digest=manifest_digest(content),
                host=host,
                port=port,
                threads=threads,
                memory_bytes=memory_bytes,
                drain_seconds=0,
                retry_seconds=0,
                log_format="text",
                bundle_folder=Path(folder),
                termination_log=Path(folder) / "termination-log",
            )
        )
    leave(code)


def leave(code: int) -> NoReturn:
    """Ends the process without waiting for its threads.

    Without this, a model that is still busy with a request that nobody waits for would hold the process.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run(settings: Settings) -> int:
    """Serves until a signal ends it (0) or the model can't be served (1)."""
    configure_logs(settings.log_format, model=settings.model, revision=settings.revision)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(settings))


async def _run(settings: Settings) -> int:
    application = Application(settings)
    server = Server(application, request_seconds=settings.body_seconds)
    try:
        await server.start(settings.host, settings.port)
    except OSError as error:
        _LOG.error("can't listen at %s:%d: %s", settings.host, settings.port, error.strerror or error)
        return 1
    stop, hurry = _listen_to_signals()
    loading = asyncio.create_task(_load(application, settings))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((loading, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not loading.done():
        loading.cancel()
    elif loading.result() == 0:
        await stopping
        await _drain(application, settings, hurry)
    await server.stop()
    return loading.result() if loading.done() and not loading.cancelled() else 0


async def _load(application: Application, settings: Settings) -> int:
    try:
        model = await load_model(settings)
    except CannotStart as failure:
        _LOG.error("%s: %s", failure.reason, failure.message)
        return 1
    predictor = await asyncio.to_thread(Predictor, model, name=settings.model, revision=settings.revision)
    manifest = read_manifest((settings.bundle_folder / MANIFEST_NAME).read_bytes(), settings.digest)
    application.serve(predictor, tell_bundle(manifest, model.signature, digest=settings.digest))
    return 0


def _listen_to_signals() -> tuple[asyncio.Event, asyncio.Event]:
    """Gives two events: the first signal asks to stop, the second to hurry."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    return stop, hurry


async def _drain(application: Application, settings: Settings, hurry: asyncio.Event) -> None:
    """Goes on answering until nobody sends here any more; the server then finishes what is in flight."""
    application.drain()
    _LOG.info("draining for %g s; a second signal ends it at once", settings.drain_seconds)
    leave_seconds = min(settings.drain_seconds, pod.LEAVE_SECONDS)
    await _wait(hurry, settings.drain_seconds - leave_seconds)
    application.leaving = True
    await _wait(hurry, leave_seconds)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
