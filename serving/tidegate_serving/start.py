"""The start: fetch, verify, load, golden rows; trying again where that can help."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import msgspec

from tidegate.pod import StartFailure, TerminationMessage
from tidegate_serving.errors import CannotStart
from tidegate_serving.fetch import Interrupted, fetch_bundle
from tidegate_serving.golden_rows import require_golden
from tidegate_serving.model import Model
from tidegate_serving.settings import Settings

_LOG = logging.getLogger(__name__)


async def load_model(settings: Settings) -> Model:
    """Gives a model that has answered its golden rows.

    A source that is away is asked again for `retry_seconds`; each failure goes to the termination log at once, so
    that the reason is there even if the pod is killed while waiting.

    Raises:
        CannotStart: The last failure.
    """
    give_up = time.monotonic() + settings.retry_seconds
    wait_seconds = 0.5
    while True:
        try:
            return await _load_once(settings)
        except CannotStart as failure:
            write_termination(settings.termination_log, failure)
            if failure.reason.terminal or time.monotonic() + wait_seconds > give_up:
                raise
            _LOG.warning("%s; trying again in %.1f s", failure.message, wait_seconds)
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(wait_seconds * 2, 8.0)


async def _load_once(settings: Settings) -> Model:
    began = time.monotonic()
    try:
        await fetch_bundle(settings)
    except Interrupted as end:
        _say_unless_said(end.failure, settings.termination_log)
        raise
    except OSError as error:
        raise CannotStart(
            StartFailure.SOURCE_UNREACHABLE,
            f"the bundle can't be kept in {settings.bundle_folder}: {error.strerror or error}",
        ) from error
    # What an earlier try left is over; a crash in a month must not be told as today's missing Secret.
    _write(settings.termination_log, b"")
    fetched = time.monotonic()
    model = await _load_in_thread(settings)
    _LOG.info(
        "ready: revision %s, fetched in %.2f s, loaded and %d golden rows answered in %.2f s",
        settings.revision,
        fetched - began,
        len(model.golden.rows),
        time.monotonic() - fetched,
    )
    return model


async def _load_in_thread(settings: Settings) -> Model:
    try:
        return await asyncio.to_thread(_load_and_ask, settings)
    except asyncio.CancelledError:
        late = (
            "the bundle was fetched, but the model was not loaded in time; raise spec.serving.startup.timeout"
        )
        write_termination(settings.termination_log, CannotStart(StartFailure.START_TIMEOUT, late))
        raise


def _say_unless_said(failure: CannotStart, termination_log: Path) -> None:
    """Whoever is told to end leaves what it waited for as the reason, unless an earlier try had learned more."""
    if not (termination_log.is_file() and termination_log.stat().st_size):
        write_termination(termination_log, failure)


def _load_and_ask(settings: Settings) -> Model:
    try:
        model = Model(settings.bundle_folder, threads=settings.threads, memory_bytes=settings.memory_bytes)
        require_golden(model)
    except CannotStart:
        raise
    except Exception as error:
        # A bundle made to fail in a way that nobody thought of ends with a sentence too; the log has the rest.
        _LOG.exception("the bundle can't be loaded")
        raise CannotStart(
            StartFailure.BUNDLE_INVALID,
            f"the bundle can't be loaded: {type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}",
        ) from error
    return model


def write_termination(path: Path, failure: CannotStart) -> None:
    """Leaves the reason where the kubelet reads it; elsewhere there is no such file, and no harm."""
    _write(
        path, msgspec.json.encode(TerminationMessage(reason=failure.reason, message=failure.message[:1000]))
    )


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError:
        _LOG.debug("no termination log at %s", path)
