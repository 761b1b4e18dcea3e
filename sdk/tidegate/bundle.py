"""The bundle: an immutable folder of files, listed with their hashes in `tidegate.json`.

A bundle's digest is the SHA-256 of `tidegate.json`; since that file lists the SHA-256 of every other one, the
digest fixes every byte that a predictor loads.
"""

from __future__ import annotations

from typing import Literal

import msgspec

MANIFEST_NAME = "tidegate.json"
MODEL_NAME = "model.onnx"
SIGNATURE_NAME = "signature.json"
BASELINE_NAME = "baseline.json"
GOLDEN_NAME = "golden.json"

# A manifest lists a handful of files. Without a bound, a hostile one of a gigabyte would be parsed before its
# digest could be compared.
MANIFEST_MAX_BYTES = 1 << 20


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a bundle: what its bytes must be."""

    sha256: str
    """64 lower-case hexadecimal digits."""
    size: int
    """In bytes."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `tidegate.json` says."""

    model: str
    """The model's name; a ModelDeployment serves only versions of one model."""
    files: dict[str, File]
    """By file name. Names are plain: no folders, so nothing can be written outside the bundle."""
    created_by: str
    """The program that wrote it, such as `tidegate 0.1.0`."""
    format: Literal["tidegate.io/bundle/v1alpha1"] = "tidegate.io/bundle/v1alpha1"
