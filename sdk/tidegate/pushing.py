"""Pushing: a bundle's files to its store, the manifest last, and never over what lies there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions
from obstore.store import LocalStore

from tidegate.bundle import (
    MANIFEST_MAX_BYTES,
    MANIFEST_NAME,
    SEAL_NAME,
    manifest_digest,
    read_manifest,
    verify_bundle,
)
from tidegate.model_version import Bundle
from tidegate.stores import AZURE_ACCOUNT, KEYS, AccountUnknown, Store, first_line, open_cloud, say_why

if TYPE_CHECKING:
    from obstore.store import RetryConfig

# A part of S3 has at least 5 MiB. What is no larger is created in one request, only where there is nothing.
_PART_BYTES: Final = 8 << 20
_PARTS_AT_ONCE: Final = 4
_RETRY: Final[RetryConfig] = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}

Progress = Callable[[str, int, int], None]
"""Told a file's name, how many of its bytes are under way, and how many it has."""


class PushRefusedError(ValueError):
    """This bundle can't lie there; the message says why."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A bundle that lies in its store, whole."""

    uri: str
    digest: str
    sent: tuple[str, ...]
    """Names of the files that had not been there; empty: there was nothing to do."""


def push(bundle: Bundle | Path | str, uri: str, *, progress: Progress | None = None) -> Pushed:
    """Brings a bundle to its store; after a cut, doing it again sends what is missing.

    The manifest comes last, so that a folder that has one is whole. Nothing that lies there is overwritten.

    Args:
        bundle: The bundle, or its folder.
        uri: Its own folder: s3://bucket/folder, gs://…, az://… or file:///…. Keys are read from the environment, under
            the names that a ModelVersion's Secret has for them.
        progress: Called while files are sent.

    Raises:
        PushRefusedError: The bundle is broken, something else lies there, or the store can't be used; one sentence.
    """
    folder = bundle.path if isinstance(bundle, Bundle) else Path(bundle)
    problems = verify_bundle(folder)
    if problems:
        raise PushRefusedError(problems[0])
    content = (folder / MANIFEST_NAME).read_bytes()
    target = _Target(_open(uri), uri, progress or (lambda *_: None))
    digest = manifest_digest(content)
    there = target.read_digest()
    if there not in {None, digest}:
        raise PushRefusedError(
            f"{uri} holds another bundle, {there}, and bundles never change; give a folder of its own to {digest}"
        )
    names = [] if there else list(read_manifest(content).files)
    # Two seals of one bundle are never the same text. The one that lies there stays: what counts is the
    # ModelVersion's.
    if (folder / SEAL_NAME).is_file() and not (there and target.has(SEAL_NAME)):
        names.append(SEAL_NAME)
    sent = [name for name in names if target.bring(folder / name)]
    target.require_unchanged()
    if there is None and target.bring(folder / MANIFEST_NAME):
        sent.append(MANIFEST_NAME)
    return Pushed(uri, digest, tuple(sent))


def _open(uri: str) -> Store:
    scheme = urlsplit(uri).scheme
    try:
        if scheme == "file":
            return LocalStore(prefix=Path(unquote(urlsplit(uri).path)), mkdir=True)
        if scheme in KEYS:
            keys = {name: os.environ[name] for name in KEYS[scheme] if os.environ.get(name)}
            return open_cloud(scheme, uri, keys, _RETRY)
    except AccountUnknown as error:
        raise PushRefusedError(f"{uri} can't be used: {error}; set {AZURE_ACCOUNT}") from error
    except (exceptions.BaseError, ValueError, OSError) as error:
        raise PushRefusedError(f"{uri} can't be used: {first_line(error)}") from error
    raise PushRefusedError(
        f"{uri} can't be pushed to; give a URI that begins with s3://, gs://, az:// or file:///"
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """The folder that a bundle is brought to."""

    store: Store
    uri: str
    progress: Progress
    sent_tags: dict[str, str | None] = field(default_factory=dict)
    """E-tags of files sent in parts, which stores can't create conditionally."""

    def read_digest(self) -> str | None:
        """Gives the digest of the bundle that lies there; none: no whole one does."""
        with self._translated(MANIFEST_NAME):
            try:
                found = obstore.get(self.store, MANIFEST_NAME)
            except FileNotFoundError:
                return None
            if found.meta["size"] > MANIFEST_MAX_BYTES:
                raise PushRefusedError(
                    f"{self.uri} holds a {MANIFEST_NAME} that is none of ours: it is too large"
                )
            return manifest_digest(bytes(found.bytes()))

    def has(self, name: str) -> bool:
        """Whether any file of this name lies there."""
        with self._translated(name):
            try:
                obstore.head(self.store, name)
            except FileNotFoundError:
                return False
            return True

    def bring(self, path: Path) -> bool:
        """Sends a file unless it lies there already; gives whether it was sent."""
        with self._translated(path.name):
            if self._is_there(path):
                return False
            size = path.stat().st_size
            if size > _PART_BYTES:
                sent = obstore.put(
                    self.store, path.name, self._parts(path, size),
                    chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE,
                )  # fmt: skip
                self.sent_tags[path.name] = sent["e_tag"]
                return True
            try:
                obstore.put(self.store, path.name, path.read_bytes(), mode="create")
            except exceptions.AlreadyExistsError:  # somebody else was faster: well, if it is the same file
                return not self._is_there(path)
            self.progress(path.name, size, size)
            return True

    def _is_there(self, path: Path) -> bool:
        """Whether the file lies there, byte for byte; stores show files whole or not at all, so no other is a rest."""
        try:
            found = obstore.get(self.store, path.name)
        except FileNotFoundError:
            return False
        with path.open("rb") as file:
            wanted = hashlib.file_digest(file, "sha256").digest()
        same = found.meta["size"] == path.stat().st_size
        if same:
            hasher = hashlib.sha256()
            for chunk in found.stream(min_chunk_size=_PART_BYTES):
                hasher.update(chunk)
            same = hasher.digest() == wanted
        if not same:
            raise PushRefusedError(
                f"{self.uri} holds another {path.name}, and nothing there is overwritten; give another folder"
            )
        return True

    def require_unchanged(self) -> None:
        """Without this, another push into the same folder could replace a large file before the manifest is there."""
        for name, tag in self.sent_tags.items():
            with self._translated(name):
                if obstore.head(self.store, name)["e_tag"] != tag:
                    raise PushRefusedError(
                        f"{name} at {self.uri} was replaced meanwhile; somebody else pushes there, give another folder"
                    )

    def _parts(self, path: Path, size: int) -> Iterator[bytes]:
        with path.open("rb") as file:
            while part := file.read(_PART_BYTES):
                self.progress(path.name, file.tell(), size)
                yield part

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """The library's errors end here."""
        try:
            yield
        except PushRefusedError:
            raise
        except FileNotFoundError as error:
            raise PushRefusedError(
                f"{name} can't be written to {self.uri}: there is no such bucket"
            ) from error
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            names = ", ".join(KEYS.get(urlsplit(self.uri).scheme, ())[:2])
            raise PushRefusedError(
                f"{name} at {self.uri} is denied; mend the keys in the environment ({names})"
            ) from error
        except (exceptions.BaseError, OSError) as error:
            raise PushRefusedError(f"{name} can't be brought to {self.uri}: {say_why(error)}") from error
