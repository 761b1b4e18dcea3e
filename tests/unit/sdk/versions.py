"""Versions of a model, as bundles and as ModelVersions; a test tells only what it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tidegate.bundle import write_bundle
from tidegate.comparing.known_version import KnownVersion
from tidegate.provenance import Provenance
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor

DIGEST = "sha256:" + "ab" * 32


def provenance(**parts: Any) -> Provenance:
    return msgspec.convert(parts, Provenance)


def known(name: str = "fraud-7", **parts: Any) -> KnownVersion:
    return KnownVersion(
        **{"name": name, "model": "fraud", "digest": DIGEST, "provenance": provenance()} | parts
    )


def feature(name: str, column: int = 0, **parts: Any) -> Feature:
    whole = {"kind": FeatureKind.NUMBER, "tensor": "x", "column": column, "nullable": False} | parts
    return Feature(name=name, **whole)


def signature(*features: Feature, **parts: Any) -> Signature:
    whole = {
        "task": Task.BINARY,
        "inputs": (Tensor("x", "FP32", len(features)),),
        "outputs": (Tensor("label", "INT64", 0),),
        "classes": ("no", "yes"),
    }
    return Signature(features=features, **whole | parts)


def bundle(folder: Path, *, model: bytes = b"model", origin: Provenance | None = None) -> Path:
    files = {
        "model.onnx": model,
        "signature.json": msgspec.json.encode(signature(feature("age"))),
        "provenance.json": msgspec.json.encode(origin or Provenance()),
    }
    write_bundle(folder, files, model="fraud", created_by="tidegate 1")
    return folder


def model_version(name: str = "fraud-7", **origin: Any) -> dict[str, Any]:
    spec = {
        "model": "fraud",
        "source": {"uri": "s3://models/fraud/7"},
        "digest": DIGEST,
        "provenance": origin,
    }
    return {
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "ModelVersion",
        "metadata": {"name": name},
        "spec": spec,
    }
