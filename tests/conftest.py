"""What all suites share."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the property holds.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the golden transcripts anew; review the diff as you would a change of behaviour."""
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")
