"""What is known of a version of a model, from its bundle or from its ModelVersion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tidegate.bundle import (
    MANIFEST_NAME,
    PROVENANCE_NAME,
    SIGNATURE_NAME,
    File,
    Manifest,
    manifest_digest,
    read_manifest,
    verify_bundle,
)
from tidegate.loaded import LoadedBundle, tell_bundle
from tidegate.provenance import Provenance
from tidegate.signature import Signature

T = TypeVar("T")

# What a ModelVersion's provenance says beside that of its bundle.
_OF_THE_BUILD: Final = ("builder", "builtBy", "createdAt")


@dataclass(frozen=True, slots=True)
class Build:
    """Who made a bundle, and when; empty: not told."""

    program: str = ""
    """Such as tidegate 0.1.0."""
    by: str = ""
    """The person or pipeline."""
    at: str = ""
    """RFC 3339."""


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version of a model. What is none can't be told from where it was read."""

    name: str
    """As the user named it: a ModelVersion, a file or a folder."""
    model: str
    digest: str
    provenance: Provenance
    source: str | None = None
    """URI of the bundle's folder; only a ModelVersion tells."""
    build: Build | None = None
    """Only a ModelVersion tells: a bundle holds neither person nor time."""
    loaded: LoadedBundle | None = None
    """What a predictor tells of it; a ModelVersion has that in its status once one has loaded it."""
    signature: Signature | None = None
    """All of it, the graph's inputs included; only a bundle tells."""
    files: Mapping[str, File] | None = None
    """Only a bundle tells."""


def parse_model_version(name: str, body: Mapping[str, Any]) -> KnownVersion:
    """Reads a ModelVersion as kubectl prints it.

    Raises:
        ValueError: It is none; one sentence on what is wrong with it.
    """
    if body.get("kind") != "ModelVersion":
        raise ValueError(f"{name} is no ModelVersion, but of kind {body.get('kind')}")
    try:
        spec = body["spec"]
        told = dict(spec.get("provenance") or {})
        program, by, at = (str(told.pop(key, None) or "") for key in _OF_THE_BUILD)
        return KnownVersion(
            name=name,
            model=str(spec["model"]),
            digest=str(spec["digest"]),
            provenance=msgspec.convert(told, Provenance),
            source=str(spec["source"]["uri"]),
            build=Build(program, by, at),
            loaded=_recall_loaded(spec["digest"], body.get("status") or {}),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        words = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"ModelVersion {name} can't be read: {words}") from error


def _recall_loaded(digest: str, status: Mapping[str, Any]) -> LoadedBundle | None:
    """None: no predictor has loaded it yet, or the status was not written down."""
    return msgspec.convert({"digest": digest, **status}, LoadedBundle) if status.get("signature") else None


def read_bundle(name: str, folder: Path) -> KnownVersion:
    """Reads a bundle whose files are what its manifest says.

    Raises:
        ValueError: They are not, or one of them can't be read; one sentence each.
    """
    if problems := verify_bundle(folder):
        raise ValueError("\n".join(problems))
    content = (folder / MANIFEST_NAME).read_bytes()
    manifest, digest = read_manifest(content), manifest_digest(content)
    signature = _read(folder, SIGNATURE_NAME, Signature, manifest)
    return KnownVersion(
        name=name,
        model=manifest.model,
        digest=digest,
        provenance=_read(folder, PROVENANCE_NAME, Provenance, manifest) or Provenance(),
        loaded=tell_bundle(manifest, signature, digest=digest) if signature else None,
        signature=signature,
        files=manifest.files,
    )


def _read(folder: Path, name: str, kind: type[T], manifest: Manifest) -> T | None:
    if name not in manifest.files:
        return None
    try:
        return msgspec.json.decode((folder / name).read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{name} can't be read: {error}") from error
