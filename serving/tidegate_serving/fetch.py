"""Fetching: from a source to a local folder in which every byte is what the digest says."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import obstore
from obstore import exceptions
from obstore.store import LocalStore

from tidegate.bundle import (
    MANIFEST_MAX_BYTES,
    MANIFEST_NAME,
    File,
    Manifest,
    WrongDigest,
    hash_problem,
    link_problem,
    read_manifest,
    size_problem,
)
from tidegate.pod import StartFailure
from tidegate.stores import NO_ANSWER, Store, say_why
from tidegate_serving.errors import CannotStart
from tidegate_serving.settings import Settings
from tidegate_serving.stores import open_store

_CHUNK_BYTES: Final = 1 << 20


class Interrupted(asyncio.CancelledError):
    """Whoever fetched was told to end; `failure` is what it had waited for."""

    def __init__(self, failure: CannotStart) -> None:
        super().__init__(failure.message)
        self.failure = failure


async def fetch_bundle(settings: Settings) -> Manifest:
    """Fetches the manifest, compares it with the digest, then fetches each file it lists.

    Nothing but the manifest is fetched from a source whose manifest is not the one that was tested.

    Raises:
        CannotStart: The source can't be read, or what lies there is not what was tested.
        Interrupted: The task was cancelled meanwhile.
    """
    store = open_store(settings)
    manifest_bytes = await _read_manifest(store, settings)
    manifest = _parse_manifest(manifest_bytes, settings)
    settings.bundle_folder.mkdir(parents=True, exist_ok=True)
    for name in manifest.files:
        await _fetch_file(store, name, manifest, settings)
    (settings.bundle_folder / MANIFEST_NAME).write_bytes(manifest_bytes)
    return manifest


async def _read_manifest(store: Store, settings: Settings) -> bytes:
    content = bytearray()
    async for chunk in _stream(store, MANIFEST_NAME, settings):
        content += chunk
        if len(content) > MANIFEST_MAX_BYTES:  # enough to see that it is too large
            break
    return bytes(content)


def _parse_manifest(content: bytes, settings: Settings) -> Manifest:
    try:
        return read_manifest(content, settings.digest)
    except WrongDigest as error:
        raise _refused(StartFailure.DIGEST_MISMATCH, str(error), settings) from error
    except ValueError as error:
        raise _refused(StartFailure.BUNDLE_INVALID, str(error), settings) from error


async def _fetch_file(store: Store, name: str, manifest: Manifest, settings: Settings) -> None:
    wanted = manifest.files[name]
    hasher, size = hashlib.sha256(), 0
    with (settings.bundle_folder / name).open("wb") as file:
        async for chunk in _stream(store, name, settings, wanted=wanted):
            size += len(chunk)
            if size > wanted.size:  # more than the store itself had said
                break
            hasher.update(chunk)
            file.write(chunk)
    problem = size_problem(name, size, wanted) or hash_problem(name, hasher.hexdigest(), wanted)
    if problem is not None:
        raise _refused(StartFailure.DIGEST_MISMATCH, problem, settings)


def _refused(reason: StartFailure, sentence: str, settings: Settings) -> CannotStart:
    return CannotStart(reason, f"{sentence} (in {settings.source})")


def _require_no_link(store: Store, name: str, settings: Settings) -> None:
    if isinstance(store, LocalStore) and store.prefix is not None:
        problem = link_problem(Path(store.prefix) / name)
        if problem is not None:
            raise _refused(StartFailure.BUNDLE_INVALID, problem, settings)


async def _stream(
    store: Store, name: str, settings: Settings, *, wanted: File | None = None
) -> AsyncIterator[bytes]:
    """Reads a file of the source in chunks; the library's errors end here."""
    _require_no_link(store, name, settings)
    waited_for = _silent(settings) if name == MANIFEST_NAME else _slow(settings)
    try:
        result = await obstore.get_async(store, name)
        if wanted is not None and (problem := size_problem(name, result.meta["size"], wanted)):
            raise _refused(StartFailure.DIGEST_MISMATCH, problem, settings)
        async for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
            yield bytes(chunk)
    except asyncio.CancelledError as error:
        raise Interrupted(waited_for) from error
    except FileNotFoundError as error:
        raise CannotStart(
            StartFailure.SOURCE_NOT_FOUND, f"there is no {name} in {settings.source}"
        ) from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise _denied(name, settings) from error
    except (exceptions.BaseError, OSError) as error:
        raise _unreachable(name, settings, say_why(error)) from error


def _denied(name: str, settings: Settings) -> CannotStart:
    remedy = (
        f"mend the keys in Secret {settings.secret}"
        if settings.secret
        else f"name a Secret with the store's keys in {settings.named_in}"
    )
    return CannotStart(
        StartFailure.SOURCE_DENIED, f"reading {name} from {settings.source} is denied; {remedy}"
    )


def _unreachable(name: str, settings: Settings, why: str) -> CannotStart:
    return CannotStart(StartFailure.SOURCE_UNREACHABLE, f"{name} can't be read from {settings.source}: {why}")


def _silent(settings: Settings) -> CannotStart:
    # In the words of a timeout: whether that or the kubelet comes first depends on how busy the node is.
    return _unreachable(MANIFEST_NAME, settings, NO_ANSWER)


def _slow(settings: Settings) -> CannotStart:
    return CannotStart(
        StartFailure.START_TIMEOUT,
        f"the bundle was still being fetched from {settings.source}; raise spec.serving.startup.timeout",
    )
