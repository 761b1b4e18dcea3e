"""The data set: brought to a file of our own, and held against its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from tidegate.gates import DataSet, Sample
from tidegate_gates.table import UnreadableTable
from tidegate_serving.memory import shown

_PIECE: Final = 1 << 20
MOST_BYTES: Final = 4 << 30
"""What two million rows of a hundred columns take as text, four times over; more would fill the disk of a node."""


def fetch_data_set(data: DataSet | Sample, folder: Path, *, beside: Path) -> Path:
    """Gives the file of a data set: as it lies, if it lies here, or else a copy in `folder`.

    Keys of a store are those that its own tools read, such as AWS_ACCESS_KEY_ID in the environment.

    Args:
        data: Which.
        folder: Where copies go.
        beside: What a path without a scheme is relative to.

    Raises:
        UnreadableTable: It is not there, can't be read, or is another one than its digest says.
    """
    scheme = urlsplit(data.uri).scheme
    if scheme in {"", "file"}:
        path = beside / (unquote(urlsplit(data.uri).path) if scheme else data.uri)
    else:
        store, _, name = data.uri.rpartition("/")
        path = folder / name
        try:
            opened = from_url(store)
        except (BaseError, ValueError) as error:
            raise _unreadable(data.uri, error) from error
        download(opened, name, path, uri=data.uri)
    if not path.is_file():
        raise UnreadableTable(f"there is no file {data.uri}")
    require_digest(path, data)
    return path


def require_digest(path: Path, data: DataSet | Sample) -> None:
    """Compares a file with what the gate says of it.

    Raises:
        UnreadableTable: It is another one.
    """
    if not data.digest:
        return
    with path.open("rb") as content:
        found = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
    if found != data.digest:
        raise UnreadableTable(f"{data.uri} has digest {found}, but {data.digest} is wanted")


def download(store: ObjectStore, name: str, target: Path, *, uri: str) -> None:
    """Copies a file of a store.

    Raises:
        UnreadableTable: It can't be read, or has more than `MOST_BYTES`.
    """
    try:
        found = store.get(name)
        if found.meta["size"] > MOST_BYTES:
            has = f"{shown(found.meta['size'])}, and no more than {shown(MOST_BYTES)} are fetched"
            raise UnreadableTable(f"{uri} has {has}; give a sample of its rows")
        with target.open("wb") as file:
            for piece in found.stream(min_chunk_size=_PIECE):
                file.write(piece)
    except FileNotFoundError as error:
        raise UnreadableTable(f"there is no file {uri}") from error
    except (BaseError, ValueError, OSError) as error:
        raise _unreadable(uri, error) from error


def _unreadable(uri: str, error: Exception) -> UnreadableTable:
    words = str(error).partition("\n")[0]
    return UnreadableTable(f"{uri} can't be read: {words[:300]}")
