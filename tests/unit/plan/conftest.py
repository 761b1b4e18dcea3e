"""Golden transcripts: compared word for word, written anew with `pytest --update-golden`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a transcript with the one on file."""

    def compare(name: str, transcript: str) -> None:
        path = FOLDER / f"{name}.txt"
        if request.config.getoption("--update-golden"):
            path.write_text(transcript)
        assert transcript == path.read_text()

    return compare
