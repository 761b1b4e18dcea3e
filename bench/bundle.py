"""The bundle of 5 MB that several benchmarks take."""

from __future__ import annotations

from pathlib import Path

from demo.adult import read_census
from demo.models import forest

import tidegate

MODEL = "income"


def build_bundle(folder: Path) -> tidegate.Bundle:
    """A random forest of 200 trees, 5 MB as ONNX."""
    model = forest(read_census())
    bundle = tidegate.package(model.pipeline, model.sample, name=MODEL, folder=folder)
    size = sum(file.stat().st_size for file in bundle.path.iterdir())
    print(f"a bundle of {size / 1e6:.1f} MB")
    return bundle
