"""One predictor that takes every kind of feature, and a count of what it was sent."""

from collections import Counter
from collections.abc import Iterator

import pytest
from bench.report import print_table, versions_of, write_report
from tests.unit.serving.conftest import Server, Start
from tests.unit.serving.fuzz.budget import MINUTES
from tests.unit.serving.fuzz.every_kind import write_every_kind

from tidegate_serving.model import Model
from tidegate_serving.predictor import Predictor


@pytest.fixture(scope="session")
def tried() -> Iterator[Counter[str]]:
    """Inputs tried, by target; written down when there was time for a figure."""
    tried: Counter[str] = Counter()
    yield tried
    if MINUTES:
        figures = {"minutes": MINUTES, "inputs": dict(tried), "inputs_in_all": tried.total()}
        print_table("Inputs tried", ["target", "inputs"], [[name, f"{n:,}"] for name, n in tried.items()])
        write_report("fuzz", figures, samples={}, versions=versions_of("schemathesis", "hypothesis"))


@pytest.fixture(scope="session")
def asked(start_server: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A predictor process; what it was asked must leave no traceback in its log."""
    folder = tmp_path_factory.mktemp("fuzz") / "bundle"
    digest = write_every_kind(folder)
    server = start_server(folder.as_uri(), digest, body_seconds=5, max_body_bytes=1 << 20)
    server.until_status("/v2/health/ready", 200)
    yield server
    assert server.process.poll() is None
    assert "Traceback" not in (server.folder / "log").read_text()


@pytest.fixture(scope="session")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """The same model in this process."""
    folder = tmp_path_factory.mktemp("fuzz") / "bundle"
    write_every_kind(folder)
    return Predictor(Model(folder, threads=1), name="fraud", revision="r")
