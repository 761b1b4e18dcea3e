"""Every version can come back, however many came after it, and answers as it did when it served first."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from demo.adult import Census, read_census
from demo.load import ask, is_answered
from demo.models import logistic
from demo.store import publish
from demo.waiting import TRAFFIC_FLOWS, Deadline, wait_for
from tests.cluster.library import MODEL
from tests.cluster.place import Place

import tidegate
from tidegate.cli import main
from tidegate.contents import read_contents
from tidegate_gates.rows import build_body

VERSIONS: Final = tuple(f"v{number}" for number in range(1, 11))
SERVES = Deadline("the version's service", 60)
# Nothing of a former version is kept warm: as if years lay between.
AT_ONCE: Final = {"strategy": "Immediate", "keepWarm": "0s"}


@pytest.fixture
def golden(place: Place) -> dict[str, bytes]:
    """Registers ten versions; for each a request with its golden rows."""
    census, asked = read_census(), {}
    with tempfile.TemporaryDirectory() as folder, place.library.bucket() as store:
        for number, name in enumerate(VERSIONS):
            some = Census(census.train.sample(frac=0.2, random_state=number), census.held_out)
            model = logistic(some)
            bundle = tidegate.package(model.pipeline, model.sample, name=MODEL, folder=Path(folder) / name)
            place.kubectl.apply(publish(store, bundle, name=name))
            contents = read_contents(bundle.path)
            asked[name] = build_body(contents.signature, contents.golden.features, contents.golden.rows)
    return asked


@pytest.fixture
def kubectl_on_path(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tidegate rollback` uses the kubectl of whoever calls it."""
    folder = str(Path(place.kubectl.program).parent)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def answer_of(place: Place, body: bytes) -> list[Any]:
    """What the version in service answers; JSON has every bit of a number."""
    with place.kubectl.forward(f"service/{MODEL}", "http") as port:
        url = f"http://127.0.0.1:{port}/v2/models/{MODEL}/infer"
        wait_for(TRAFFIC_FLOWS, lambda: is_answered(url, body))
        outputs: list[Any] = json.loads(ask(url, body))["outputs"]
    return outputs


@pytest.mark.usefixtures("kubectl_on_path")
def test_ten_versions_come_back_one_after_the_other(place: Place, golden: dict[str, bytes]) -> None:
    first: dict[str, list[Any]] = {}
    for version in VERSIONS:
        place.deploy(version, AT_ONCE)
        until_serves(place, version)
        first[version] = answer_of(place, golden[version])
    assert len({json.dumps(outputs) for outputs in first.values()}) == len(VERSIONS)
    for version in reversed(VERSIONS[:-1]):
        done = CliRunner().invoke(main, ["rollback", MODEL, "--to", version, "-n", place.kubectl.namespace])
        assert done.exit_code == 0, done.output
        until_serves(place, version)
        assert answer_of(place, golden[version]) == first[version]


def until_serves(place: Place, version: str) -> None:
    place.until(SERVES, lambda view: view.ready and view.stable == version)
