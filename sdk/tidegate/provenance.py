"""Provenance: where a model came from, in the words of both the bundle and its ModelVersion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tidegate.expectations import Expectation


class Git(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """The code that trained the model."""

    repository: str
    """URL of the repository, without credentials."""
    commit: str
    """The commit's full hash."""
    dirty: bool = False
    """Whether tracked files had changes that are in no commit: the commit alone then does not give the code."""


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """Data that the model was trained on."""

    uri: str
    """Where it lies, such as s3://lake/transactions/2026-01."""
    digest: str = ""
    """What identifies its bytes, such as sha256:… or a table's snapshot."""
    rows: int | None = None
    begin: str = ""
    """Time of its first row (RFC 3339)."""
    end: str = ""
    """Time of its last row (RFC 3339)."""


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A library that the model was made with."""

    name: str
    version: str


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure of the evaluation."""

    name: str
    value: str
    """A decimal number, as text: a resource has no floats."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What only the one who trained a model can tell; the rest of its provenance is found."""

    data: Sequence[Data | str | Path] = ()
    """What it was trained on: URIs, files here, or `Data` with more about them. Empty: what its MLflow run logged as
    its inputs."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of its evaluation, by name, beside those of its MLflow run; of two with one name, these."""
    expectations: Sequence[Expectation | Mapping[str, Any]] = ()
    """What its answers must do when a row changes, such as {"feature": "income", "by": "10%", "answer": "NotLower"};
    they go into the bundle, and the behaviour gate holds them. Empty: nothing is declared."""


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """Where a model came from.

    It holds no time and no person: the same model from the same place is then the same bundle, whoever packages it
    and whenever.
    """

    git: Git | None = None
    run: str = ""
    """The training run, as the experiment tracker names it."""
    data: tuple[Data, ...] = ()
    packages: tuple[Package, ...] = ()
    """Sorted by name; the interpreter is among them as `python`."""
    metrics: tuple[Metric, ...] = ()
    """Sorted by name."""
