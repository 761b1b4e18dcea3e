"""Likeness: whether an object as stored holds all that we want of it, so that it need not be applied."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidegate_operator.plan.facts import Manifest

APPLIED_ANNOTATION = "tidegate.io/applied"
"""The digest of the whole manifest that we applied last. An object holds what we want also while it still has a field
that we wanted once and want no longer; this tells."""


def digest_manifest(manifest: Manifest) -> str:
    """The same for manifests that mean the same."""
    content = msgspec.json.encode(manifest, order="deterministic")
    return hashlib.sha256(content).hexdigest()[:16]


def mark(manifest: Manifest, digest: str) -> Manifest:
    """The manifest as it is applied: with its digest."""
    metadata = manifest["metadata"]
    annotations = {**(metadata.get("annotations") or {}), APPLIED_ANNOTATION: digest}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def holds(found: Any, wanted: Any) -> bool:  # noqa: ANN401 - any part of a document
    """Whether all that is wanted stands in what was found; what the API server and others added is no matter."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            holds(found[key], value) if key in found else _is_empty(value) for key, value in wanted.items()
        )
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return (
            isinstance(found, Sequence)
            and len(found) == len(wanted)
            and all(holds(*pair) for pair in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)


def _is_empty(value: Any) -> bool:  # noqa: ANN401 - as above
    """Whether the API server leaves it out when it stores it."""
    return value is None or value in ("", {}, [], ())
