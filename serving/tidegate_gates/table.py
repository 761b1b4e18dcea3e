"""The table: an evaluation set on disk, Parquet or CSV, read a part at a time."""

from __future__ import annotations

import tempfile
import uuid
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
        self._database = _connect()
        described = self._run(f"DESCRIBE SELECT * FROM {self._source}").fetchall()  # noqa: S608 - ours
        self.types = {str(row[0]): str(row[1]) for row in described}
        """What the file says of each column, in DuckDB's words; of a CSV file, VARCHAR of all."""
        self.columns = tuple(self.types)
        """Names, in the file's order."""

    @property
    def name(self) -> str:
        """The file's name."""
        return self._path.name

    @property
    def is_typed(self) -> bool:
        """Whether the file itself knows what its columns hold."""
        return self._path.suffix == ".parquet"

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Gives all rows of an answer, which are few, to a statement whose FROM names `data`.

        Raises:
            UnreadableTable: The file can't be read.
        """
        # Materialised, the whole file would be copied before the first row is looked at.
        source = f"WITH data AS NOT MATERIALIZED (SELECT * FROM {self._source})"  # noqa: S608 - ours
        found = self._run(f"{source} {statement}")
        try:
            return found.fetchall()
        except duckdb.Error as error:
            raise self._unreadable(error) from error

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
        try:
            return self._database.cursor().execute(statement, [str(self._path)])
        except duckdb.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: duckdb.Error) -> UnreadableTable:
        # Of DuckDB's advice over many lines one says what is wrong: the first, behind the kind of error, unless there
        # is one that names a column.
        lines = str(error).splitlines()
        named = (line for line in lines if line.startswith("Error when converting"))
        words = next(named, lines[0].partition(": ")[2] or lines[0])
        return UnreadableTable(f"{self._path.name} can't be read: {words[:300]}")


def _connect() -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": "1",
        "memory_limit": _MEMORY,
        # What does not fit goes there, and is removed with the connection; by default it would be the folder that
        # somebody is in.
        "temp_directory": str(Path(tempfile.gettempdir()) / f"tidegate-{uuid.uuid4().hex}"),
        # What is not in the wheel would be fetched from the network.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    database = duckdb.connect(config=settings)
    # Times without a zone mean the same on every machine.
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database


def _select(name: str, kind: Type) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"CAST({quoted} AS {kind}) AS {quoted}" if kind else quoted
