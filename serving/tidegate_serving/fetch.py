"""Fetching: from a source to a local folder in which every byte is what the digest says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions
from obstore.store import HTTPStore, LocalStore, S3Store

from tidegate.bundle import MANIFEST_MAX_BYTES, MANIFEST_NAME, Manifest, manifest_digest, read_manifest
from tidegate.pod import StartFailure
from tidegate_serving.errors import CannotStart
from tidegate_serving.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

Store = S3Store | HTTPStore | LocalStore

_CHUNK_BYTES: Final = 1 << 20
_SILENCE_SECONDS: Final = 10
# `timeout` bounds one file as a whole, `read_timeout` the silence in between.
_CLIENT: Final[ClientConfig] = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=3),
    "read_timeout": timedelta(seconds=_SILENCE_SECONDS),
    "timeout": timedelta(minutes=10),
}
# Trying again is up to start.py, which says what it waits for; the library would wait in silence for minutes.
_RETRY: Final[RetryConfig] = {"max_retries": 0}
_S3_KEYS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
)


async def fetch_bundle(settings: Settings) -> Manifest:
    """Fetches the manifest, compares it with the digest, then fetches each file it lists.

    Nothing but the manifest is fetched from a source whose manifest is not the one that was tested.

    Raises:
        CannotStart: The source can't be read, or what lies there is not what was tested.
    """
    store = open_store(settings)
    manifest_bytes = await _read_manifest(store, settings)
    manifest = _parse_manifest(manifest_bytes)
    settings.bundle_folder.mkdir(parents=True, exist_ok=True)
    for name in manifest.files:
        await _fetch_file(store, name, manifest, settings)
    (settings.bundle_folder / MANIFEST_NAME).write_bytes(manifest_bytes)
    return manifest


def open_store(settings: Settings) -> Store:
    """Opens the source's folder for reading; touches no network.

    Raises:
        CannotStart: Its scheme is not one of ours, its address makes no sense, or its Secret is not there.
    """
    if settings.secret and not any(settings.credentials_folder.glob("[!.]*")):
        raise CannotStart(
            StartFailure.SECRET_MISSING,
            f"there is no Secret {settings.secret} with keys in it (spec.source.secretRef of the ModelVersion); "
            f"create it with the keys of {settings.source}, such as AWS_ACCESS_KEY_ID",
        )
    uri = urlsplit(settings.source)
    try:
        match uri.scheme:
            case "file":
                return _open_folder(Path(unquote(uri.path)))
            case "pvc":
                return _open_folder(_within(settings.claim_folder, unquote(uri.path).lstrip("/")))
            case "http" | "https":
                return HTTPStore.from_url(settings.source, client_options=_CLIENT, retry_config=_RETRY)
            case "s3":
                return _open_s3(settings)
    except FileNotFoundError as error:
        raise CannotStart(
            StartFailure.SOURCE_NOT_FOUND, f"the folder of {settings.source} does not exist"
        ) from error
    except (exceptions.BaseError, ValueError) as error:
        raise CannotStart(
            StartFailure.SOURCE_UNSUPPORTED,
            f"the source {settings.source} can't be used: {_first_line(error)}",
        ) from error
    raise CannotStart(
        StartFailure.SOURCE_UNSUPPORTED,
        f"the source {settings.source} has the scheme '{uri.scheme}', but one of s3, http, https, pvc and file "
        "is needed",
    )


def _open_s3(settings: Settings) -> S3Store:
    config: dict[str, Any] = {"AWS_REGION": "us-east-1"}
    for key in _S3_KEYS:
        file = settings.credentials_folder / key
        if file.is_file():
            config[key] = file.read_text().strip()
    if "AWS_ACCESS_KEY_ID" not in config:
        # Without it, the library asks the cloud's metadata address and hangs where there is none.
        config["AWS_SKIP_SIGNATURE"] = "true"
    return S3Store.from_url(
        settings.source, config=cast("S3Config", config), client_options=_CLIENT, retry_config=_RETRY
    )


def _open_folder(folder: Path) -> LocalStore:
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    return LocalStore(prefix=folder)


def _within(folder: Path, path: str) -> Path:
    """Gives the path inside a folder; `..` must not lead out of the claim."""
    inside = (folder / path).resolve()
    if not inside.is_relative_to(folder.resolve()):
        raise ValueError("its path leads out of the claim")
    return inside


async def _read_manifest(store: Store, settings: Settings) -> bytes:
    content = bytearray()
    async for chunk in _stream(store, MANIFEST_NAME, settings):
        content += chunk
        if len(content) > MANIFEST_MAX_BYTES:
            raise CannotStart(
                StartFailure.BUNDLE_INVALID,
                f"{MANIFEST_NAME} in {settings.source} is larger than {MANIFEST_MAX_BYTES} bytes",
            )
    found = manifest_digest(bytes(content))
    if found != settings.digest:
        raise CannotStart(
            StartFailure.DIGEST_MISMATCH,
            f"{MANIFEST_NAME} in {settings.source} has the digest {found}, but {settings.digest} was declared",
        )
    return bytes(content)


def _parse_manifest(content: bytes) -> Manifest:
    try:
        return read_manifest(content)
    except ValueError as error:
        raise CannotStart(StartFailure.BUNDLE_INVALID, str(error)) from error


async def _fetch_file(store: Store, name: str, manifest: Manifest, settings: Settings) -> None:
    wanted = manifest.files[name]
    hasher, size = hashlib.sha256(), 0
    with (settings.bundle_folder / name).open("wb") as file:
        async for chunk in _stream(store, name, settings):
            size += len(chunk)
            if size > wanted.size:
                break
            hasher.update(chunk)
            file.write(chunk)
    if size != wanted.size:
        much = f"more than {wanted.size}" if size > wanted.size else str(size)
        raise CannotStart(
            StartFailure.DIGEST_MISMATCH,
            f"{name} in {settings.source} has {much} bytes, but the manifest lists {wanted.size}",
        )
    if hasher.hexdigest() != wanted.sha256:
        raise CannotStart(
            StartFailure.DIGEST_MISMATCH,
            f"{name} in {settings.source} has the SHA-256 {hasher.hexdigest()}, but the manifest lists "
            f"{wanted.sha256}",
        )


async def _stream(store: Store, name: str, settings: Settings) -> AsyncIterator[bytes]:
    """Reads a file of the source in chunks; the library's errors end here."""
    try:
        result = await obstore.get_async(store, name)
        async for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
            yield bytes(chunk)
    except FileNotFoundError as error:
        raise CannotStart(
            StartFailure.SOURCE_NOT_FOUND, f"there is no {name} in {settings.source}"
        ) from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise _denied(name, settings) from error
    except (exceptions.BaseError, OSError) as error:
        raise _unreachable(name, settings, error) from error


def _denied(name: str, settings: Settings) -> CannotStart:
    remedy = (
        f"mend the keys in Secret {settings.secret}"
        if settings.secret
        else "name a Secret with the store's keys in spec.source.secretRef of the ModelVersion"
    )
    return CannotStart(
        StartFailure.SOURCE_DENIED, f"reading {name} from {settings.source} is denied; {remedy}"
    )


def _unreachable(name: str, settings: Settings, error: Exception) -> CannotStart:
    return CannotStart(
        StartFailure.SOURCE_UNREACHABLE, f"{name} can't be read from {settings.source}: {_say_why(error)}"
    )


# The library's own sentence is "error sending request" for all of them; only its debug print tells them apart.
_CAUSES: Final = {
    "kind: Timeout": f"no answer for {_SILENCE_SECONDS} s",
    "dns error": "its host has no address",
    "ConnectionRefused": "the connection was refused",
}


def _say_why(error: Exception) -> str:
    """The cause without the time it took: what differs at each try would keep the status from resting."""
    text = str(error)
    known = next((words for mark, words in _CAUSES.items() if mark in text), None)
    return known or re.sub(r"^.* in [0-9.]+[mµn]?s - ", "", _first_line(error))


def _first_line(error: Exception) -> str:
    """The library appends its whole debug print to a message; the first line says what is wrong."""
    return str(error).strip().split("\n", 1)[0][:300]
