"""The version of this distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

try:
    VERSION: Final = version("tidegate")
except PackageNotFoundError:  # a checkout on the path that was never installed
    VERSION = "0+unknown"

CREATED_BY: Final = f"tidegate {VERSION}"
