"""`import tidegate` is light, and offers exactly what it says."""

from __future__ import annotations

import subprocess
import sys

import tidegate

HEAVY = (
    "cryptography",
    "model_signing",
    "obstore",
    "onnxruntime",
    "onnx",
    "skl2onnx",
    "sklearn",
    "pandas",
    "scipy",
    "kopf",
    "xgboost",
    "lightgbm",
)


def loaded_after(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_importing_tidegate_loads_nothing_heavy():
    assert loaded_after("import tidegate, tidegate.cli, tidegate.columns").isdisjoint(HEAVY)


def test_everything_offered_exists_and_nothing_else_is_public():
    assert sorted(tidegate.__all__) == [
        "Bundle",
        "Data",
        "Expectation",
        "Origin",
        "PackagingRefusedError",
        "__version__",
        "package",
        "push",
        "verify_bundle",
    ]
    assert all(hasattr(tidegate, name) for name in tidegate.__all__)


def test_a_name_that_is_not_offered_is_an_attribute_error():
    assert not hasattr(tidegate, "packages")
