"""The data set: brought to a file of our own, and held against its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import from_url

from tidegate.gates import DataSet
from tidegate_gates.table import UnreadableTable

_PIECE: Final = 1 << 20


def fetch_data_set(data: DataSet, folder: Path, *, beside: Path) -> Path:
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
        path = _download(data.uri, folder)
    if not path.is_file():
        raise UnreadableTable(f"there is no file {data.uri}")
    if data.digest:
        with path.open("rb") as content:
            found = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        if found != data.digest:
            raise UnreadableTable(f"{data.uri} has digest {found}, but {data.digest} is wanted")
    return path


def _download(uri: str, folder: Path) -> Path:
    store, _, name = uri.rpartition("/")
    target = folder / name
    try:
        with target.open("wb") as file:
            for piece in from_url(store).get(name).stream(min_chunk_size=_PIECE):
                file.write(piece)
    except (BaseError, ValueError) as error:
        words = str(error).partition("\n")[0]
        raise UnreadableTable(f"{uri} can't be read: {words[:300]}") from error
    return target
