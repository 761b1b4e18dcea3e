"""What a data scientist imports and runs: bundles, and the contracts that server and operator share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidegate.bundle import verify_bundle
from tidegate.expectations import Expectation
from tidegate.model_version import Bundle
from tidegate.provenance import Data, Origin
from tidegate.version import VERSION as __version__  # noqa: N811 - the name that Python has for it

if TYPE_CHECKING:
    from tidegate.packaging.package import package
    from tidegate.packaging.refusal import PackagingRefusedError
    from tidegate.pushing import push

__all__ = [
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


def __getattr__(name: str) -> Any:  # noqa: ANN401 - Python's protocol
    # Converters and onnxruntime take a second to import, which only those who package should pay.
    if name == "package":
        from tidegate.packaging.package import package  # noqa: PLC0415

        return package
    if name == "push":
        from tidegate.pushing import push  # noqa: PLC0415

        return push
    if name == "PackagingRefusedError":
        from tidegate.packaging.refusal import PackagingRefusedError  # noqa: PLC0415

        return PackagingRefusedError
    raise AttributeError(f"module 'tidegate' has no attribute {name!r}")
