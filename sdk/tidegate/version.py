"""The version of this distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final


def _installed_version() -> str:
    try:
        return version("tidegate")
    except PackageNotFoundError:  # a checkout on the path that was never installed
        return "0+unknown"


VERSION: Final = _installed_version()
CREATED_BY: Final = f"tidegate {VERSION}"
