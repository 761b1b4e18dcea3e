"""Fixtures for tests against a real Envoy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.routing.envoy_process import Model, Router, run_router


@pytest.fixture
async def router(tmp_path: Path) -> AsyncIterator[Router]:
    """An Envoy in front of revision `good`, revision `bad` that fails, and `dead` where nothing listens."""
    async with run_router(tmp_path, Model("good"), Model("bad", status=500), dead=("dead",)) as running:
        yield running
