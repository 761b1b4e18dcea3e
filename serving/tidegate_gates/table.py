"""The table: an evaluation set on disk, Parquet or CSV, read a part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import duckdb

ROWS_AT_ONCE: Final = 10_000
"""A part of this many rows takes some ten megabytes; a larger one would be no faster."""
# The reader's own; what the gates keep of each row comes on top.
_MEMORY: Final = "128MB"


class Type(StrEnum):
    """What the values of a column are read as."""

    NUMBER = "DOUBLE"
    INTEGER = "BIGINT"
    BOOLEAN = "BOOLEAN"
    TEXT = "VARCHAR"
    AS_IT_IS = ""
    """As the file has it; in a CSV file, text."""


class UnreadableTable(Exception):  # noqa: N818 - what it is
    """An evaluation set that can't be used; the message is one sentence that names the file."""


class Table:
    """One file."""

    def __init__(self, path: Path) -> None:
        """Looks at the file's columns.

        Raises:
            UnreadableTable: It is no Parquet or CSV file.
        """
        self._path = path
        self._source = "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, all_varchar = true)"
        if path.suffix not in {".parquet", ".csv"}:
            raise UnreadableTable(f"{path.name} is neither a .parquet nor a .csv file")
        if not path.is_file():
            raise UnreadableTable(f"there is no file {path}")
        described = self._run(f"DESCRIBE SELECT * FROM {self._source}").fetchall()  # noqa: S608 - ours
        self.columns = tuple(str(row[0]) for row in described)
        """Names, in the file's order."""

    def read(self, types: Mapping[str, Type]) -> Iterator[dict[str, Sequence[Any]]]:
        """Gives some columns, a part of the rows at a time; a missing value is None.

        Raises:
            UnreadableTable: A column is not there, or holds something else than its type.
        """
        for name in types:
            if name not in self.columns:
                raise UnreadableTable(
                    f"{self._path.name} has no column '{name}'; it has {', '.join(self.columns[:50])}"
                )
        wanted = ", ".join(_select(name, kind) for name, kind in types.items())
        found = self._run(f"SELECT {wanted} FROM {self._source}")  # noqa: S608 - names are quoted
        while rows := self._fetch(found):
            yield dict(zip(types, zip(*rows, strict=True), strict=True))

    def _fetch(self, found: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
        try:
            return found.fetchmany(ROWS_AT_ONCE)
        except duckdb.Error as error:
            raise self._unreadable(error) from error

    def _run(self, statement: str) -> duckdb.DuckDBPyConnection:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": "1",
            "memory_limit": _MEMORY,
            # What is not in the wheel would be fetched from the network.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        try:
            return duckdb.connect(config=settings).execute(statement, [str(self._path)])
        except duckdb.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: duckdb.Error) -> UnreadableTable:
        # Of DuckDB's advice over many lines one says what is wrong: the first, behind the kind of error, unless there
        # is one that names a column.
        lines = str(error).splitlines()
        named = (line for line in lines if line.startswith("Error when converting"))
        words = next(named, lines[0].partition(": ")[2] or lines[0])
        return UnreadableTable(f"{self._path.name} can't be read: {words[:300]}")


def _select(name: str, kind: Type) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"CAST({quoted} AS {kind}) AS {quoted}" if kind else quoted
