"""Tables in files: rows of a .csv or .parquet a part at a time, and a fair sample of them."""

from __future__ import annotations

import hashlib
import importlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tidegate.packaging.fair_rows import MOST_ROWS, Trait, draw
from tidegate.packaging.frame_rows import FrameRows, join_frames, rows_at_once


@dataclass(frozen=True, slots=True)
class TableSample:
    """Rows of a table, with the types that the whole of it would have in pandas."""

    frame: pd.DataFrame
    of: int
    """How many rows the table has."""


def read_fair_sample(path: Path, most: int = MOST_ROWS) -> TableSample:
    """Reads a .csv or .parquet; of more than `most` rows a fair sample, a part at a time.

    Raises:
        ValueError: It can't be read; pandas and pyarrow say why.
    """
    return _sample_csv(path, most) if path.suffix == ".csv" else _sample_parquet(path, most)


def read_frames(path: Path) -> Iterator[pd.DataFrame]:
    """Gives all rows of a .csv or .parquet, a part at a time, each with the types that it has by itself."""
    if path.suffix == ".csv":
        width = pd.read_csv(path, nrows=1).shape[1]
        with pd.read_csv(path, chunksize=rows_at_once(width)) as parts:
            yield from parts
    else:
        for batch in _read_batches(path):
            yield batch.to_pandas()


def _sample_csv(path: Path, most: int) -> TableSample:
    drawn, rows = draw(map(FrameRows, read_frames(path)), most)
    if not rows:
        return TableSample(pd.read_csv(path), 0)
    return TableSample(join_frames([part.frame for part in drawn]), rows)


@dataclass(frozen=True, slots=True)
class _BatchRows:
    """Rows of a Parquet file, as Arrow has them."""

    batch: Any

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def traits(self) -> Iterator[tuple[Trait, NDArray[np.bool_]]]:
        """Gaps make floats of integers; each part may list categories of its own; all other types are the file's."""
        compute, types = (importlib.import_module(f"pyarrow.{name}") for name in ("compute", "types"))
        for place, column in enumerate(self.batch.columns):
            gaps = compute.is_null(column, nan_is_null=True).to_numpy(zero_copy_only=False)
            if gaps.any():
                yield (place, None), gaps
            if types.is_dictionary(column.type):
                listed = hashlib.sha256(repr(column.dictionary.to_pylist()).encode()).digest()
                yield (place, listed), np.ones(len(column), dtype=np.bool_)

    def take(self, places: NDArray[np.intp]) -> _BatchRows:
        return _BatchRows(self.batch.take(importlib.import_module("pyarrow").array(places)))


def _sample_parquet(path: Path, most: int) -> TableSample:
    arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    rows = parquet.read_metadata(path).num_rows
    if rows <= most:
        return TableSample(pd.read_parquet(path), rows)
    drawn, _ = draw(map(_BatchRows, _read_batches(path)), most)
    table = arrow.Table.from_batches([part.batch for part in drawn]).unify_dictionaries()
    # Which Arrow type becomes which dtype is for pandas to say, and it says so for files only.
    small = io.BytesIO()
    parquet.write_table(table, small, compression="none")
    small.seek(0)
    return TableSample(pd.read_parquet(small), rows)


def _read_batches(path: Path) -> Iterator[Any]:
    # By name: pyarrow has no types, and not everybody has pyarrow.
    parquet = importlib.import_module("pyarrow.parquet")
    # A group of rows may well be the whole file: with a buffer, its columns are read as they are needed.
    with parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**16) as file:
        yield from file.iter_batches(rows_at_once(len(file.schema_arrow)))
