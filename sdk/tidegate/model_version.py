"""A bundle that was written, and the ModelVersion that tells a cluster of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from tidegate.builder import find_builder
from tidegate.bundle import (
    MANIFEST_NAME,
    PROVENANCE_NAME,
    SEAL_MAX_BYTES,
    SEAL_NAME,
    manifest_digest,
    read_manifest,
)
from tidegate.provenance import Provenance
from tidegate.version import CREATED_BY

API_VERSION: Final = "tidegate.io/v1alpha1"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk."""

    path: Path
    digest: str
    model: str
    created_at: datetime
    """In UTC."""
    built_by: str = ""
    """The person or pipeline that packaged it."""
    provenance: Provenance = field(default_factory=Provenance)

    def model_version(self, *, uri: str, name: str, secret: str = "") -> str:
        """Gives the ModelVersion to apply, as YAML, with the bundle's seal if it has one.

        Args:
            uri: Where the bundle's files will lie: s3, gs, az, http(s), file or pvc.
            name: Of the ModelVersion, such as `fraud-7`.
            secret: Name of the Secret with the store's keys. Empty: the store is read anonymously.
        """
        origin: dict[str, Any] = msgspec.to_builtins(self.provenance)
        origin["builder"] = CREATED_BY
        if self.built_by:
            origin["builtBy"] = self.built_by
        origin["createdAt"] = self.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        source: dict[str, Any] = {"uri": uri} | ({"secretRef": {"name": secret}} if secret else {})
        spec: dict[str, Any] = {"model": self.model, "source": source, "digest": self.digest}
        seal = read_seal(self.path)
        if seal is not None:
            spec["signature"] = seal
        spec["provenance"] = origin
        return _yaml(
            {"apiVersion": API_VERSION, "kind": "ModelVersion", "metadata": {"name": name}, "spec": spec}
        )


def read_seal(bundle: Path) -> str | None:
    """Gives the text of a bundle's `model.sig`; none: nobody sealed it.

    Raises:
        ValueError: It is larger than a ModelVersion may carry, or no text.
    """
    path = bundle / SEAL_NAME
    if not path.is_file():
        return None
    with path.open("rb") as file:
        content = file.read(SEAL_MAX_BYTES + 1)
    if len(content) > SEAL_MAX_BYTES:
        raise ValueError(f"{SEAL_NAME} has more than {SEAL_MAX_BYTES} bytes, and no more are read")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{SEAL_NAME} is no text in UTF-8") from error


def read_bundle(path: Path) -> Bundle:
    """Gives a sound bundle that lies on disk, as built by whoever asks, now.

    Neither a time nor a person is part of a bundle, so that both are those of the ModelVersion to be written.

    Raises:
        ValueError: Its manifest or provenance can't be read; one sentence.
    """
    content = (path / MANIFEST_NAME).read_bytes()
    manifest = read_manifest(content)
    try:
        provenance = (
            msgspec.json.decode((path / PROVENANCE_NAME).read_bytes(), type=Provenance)
            if PROVENANCE_NAME in manifest.files
            else Provenance()
        )
    except msgspec.MsgspecError as error:
        raise ValueError(f"{PROVENANCE_NAME} can't be read: {error}") from error
    return Bundle(
        path=path,
        digest=manifest_digest(content),
        model=manifest.model,
        created_at=datetime.now(UTC),
        built_by=find_builder(),
        provenance=provenance,
    )


_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
# YAML 1.1 reads these as something else than the text they are.
_READ_OTHERWISE: Final = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def write_text(value: str) -> str:
    """Writes a text as YAML reads it: bare where it is a plain word, else as a JSON string, which is one of YAML's."""
    plain = _PLAIN.fullmatch(value) and value.lower() not in _READ_OTHERWISE
    return value if plain else json.dumps(value)


def _yaml(content: dict[str, Any], indent: str = "") -> str:
    """Writes nested mappings and lists; a YAML library for twenty lines would be the SDK's heaviest dependency."""
    return "".join(f"{indent}{key}:{_yaml_value(value, indent)}" for key, value in content.items())


def _yaml_value(value: Any, indent: str) -> str:  # noqa: ANN401 - what JSON holds
    if isinstance(value, dict):
        return "\n" + _yaml(value, indent + "  ")
    if isinstance(value, list | tuple):
        # An item's mapping is indented by two, and its first key stands behind the dash.
        items = (_yaml(item, indent + "  ").removeprefix(indent + "  ") for item in value)
        return "\n" + "".join(f"{indent}- {item}" for item in items)
    # JSON's numbers and booleans are YAML's.
    return f" {write_text(value) if isinstance(value, str) else json.dumps(value)}\n"
