"""Training data: what identifies it, how many rows it has and from when they are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.provenance import Data

if TYPE_CHECKING:
    import pandas as pd


def describe_data(where: Data | str | Path, time_column: str = "") -> Data:
    """What is known of training data: of a file here its digest and rows, and the times in `time_column`.

    Anything else than an existing file is taken as the URI of data that lies elsewhere.

    Raises:
        PackagingRefusedError: The file has no such column, or one that holds no times.
    """
    if isinstance(where, Data):
        return where
    path = Path(where)
    if not path.is_file():
        return Data(uri=str(where))
    with path.open("rb") as content:
        digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
    if path.suffix not in {".csv", ".parquet"}:
        return Data(uri=path.as_posix(), digest=digest)
    rows, begin, end = _read_extent(path, time_column)
    return Data(uri=path.as_posix(), digest=digest, rows=rows, begin=begin, end=end)


def _read_extent(path: Path, time_column: str) -> tuple[int, str, str]:
    from tidegate.packaging.table_file import read_frames  # noqa: PLC0415 - as pandas, below

    rows, ends = 0, list[str]()
    for part in read_frames(path):
        rows += len(part)
        if time_column and len(part):
            ends += _read_times(part, time_column, path.name)
    return rows, min(ends, default=""), max(ends, default="")


def _read_times(part: pd.DataFrame, column: str, file: str) -> tuple[str, str]:
    import pandas as pd  # noqa: PLC0415 - only those who have such a file need it

    if column not in part:
        raise PackagingRefusedError(f"{file} has no column {column!r}; it has {', '.join(map(str, part))}")
    try:
        times = pd.to_datetime(part[column], utc=True)
    except (ValueError, TypeError) as error:
        raise PackagingRefusedError(f"column {column!r} of {file} holds no times: {error}") from error
    return times.min().strftime("%Y-%m-%dT%H:%M:%SZ"), times.max().strftime("%Y-%m-%dT%H:%M:%SZ")
