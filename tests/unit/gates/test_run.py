"""The gates of a pod: the predictor runs already beside them, and all that they know comes from their environment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.serving.bundles import write_sum_bundle

from tidegate import pod
from tidegate.bundle import MANIFEST_NAME, manifest_digest
from tidegate.gate_report import Report
from tidegate.gate_run import Variable, unpack_report
from tidegate.gates import Gate
from tidegate.verdict import Verdict
from tidegate_gates.confinement import Limits
from tidegate_gates.run import hold, main
from tidegate_gates.subject import Subject, run_subject
from tidegate_serving.settings import Settings

SERVES = {"name": "serves", "serving": {"duration": "1s"}}
CONTRACT = {"name": "contract", "contract": {}}
PREDICTS = {
    "name": "predicts",
    "performance": {"data": {"uri": "s3://lake/rows.csv", "label": "late"}, "metrics": [{"name": "rmse"}]},
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "sum"
    write_sum_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def neighbour(bundle: Path) -> Iterator[Subject]:
    """The predictor as Kubernetes would have started it."""
    with run_subject(bundle, Limits()) as subject:
        assert subject.wait_until_ready(60)
        yield subject


def environment(bundle: Path, gates: list[dict[str, Any]], **stable: str) -> dict[str, str]:
    """What the operator gives the container."""
    return {
        pod.Variable.MODEL: "sum",
        pod.Variable.REVISION: "sum-1",
        pod.Variable.SOURCE: bundle.as_uri(),
        pod.Variable.DIGEST: manifest_digest((bundle / MANIFEST_NAME).read_bytes()),
        Variable.GATES: msgspec.json.encode(gates).decode(),
        Variable.CPU: "500m",
        **stable,
    }


def run(
    neighbour: Subject, bundle: Path, gates: list[dict[str, Any]], scratch: Path, **stable: str
) -> Report:
    given = environment(bundle, gates, **stable)
    settings = replace(Settings.from_environment(given), bundle_folder=bundle, port=neighbour.port)
    settings = replace(settings, model=neighbour.model)
    return hold(msgspec.convert(gates, tuple[Gate, ...]), settings, given, scratch)


def stable_of(bundle: Path) -> dict[str, str]:
    return {
        Variable.STABLE_SOURCE: bundle.as_uri(),
        Variable.STABLE_DIGEST: manifest_digest((bundle / MANIFEST_NAME).read_bytes()),
    }


def test_the_predictor_beside_them_is_asked(neighbour: Subject, bundle: Path, tmp_path: Path):
    report = run(neighbour, bundle, [SERVES, CONTRACT], tmp_path, **stable_of(bundle))
    assert report.verdict is Verdict.GOOD, report
    assert report.stable == report.candidate


def test_a_version_in_service_that_cannot_be_read_is_no_pass(
    neighbour: Subject, bundle: Path, tmp_path: Path
):
    moved = tmp_path / "moved"
    shutil.copytree(bundle, moved)
    given = stable_of(moved)
    (moved / "model.onnx").unlink()
    report = run(neighbour, bundle, [SERVES], tmp_path, **given)
    assert [result.verdict for result in report.results] == [Verdict.NOT_ENOUGH]
    assert report.results[0].message == (
        f"the version in service can't be read to compare with: there is no model.onnx in {moved.as_uri()}"
    )


def test_rows_whose_secret_is_not_there_are_no_pass(neighbour: Subject, bundle: Path, tmp_path: Path):
    gates = [
        {
            **PREDICTS,
            "performance": PREDICTS["performance"] | {"data": {**DATA, "secretRef": {"name": "lake"}}},
        }
    ]
    report = run(neighbour, bundle, gates, tmp_path)
    assert report.verdict is Verdict.NOT_ENOUGH
    assert report.results[0].message.startswith(
        "s3://lake/rows.csv can't be read: there is no Secret lake with keys in it (data.secretRef of the gate "
        "predicts);"
    )


DATA = PREDICTS["performance"]["data"]


def test_an_environment_that_cannot_be_used_is_told_in_the_log(
    bundle: Path, capsys: pytest.CaptureFixture[str]
):
    given = environment(bundle, [])
    del given[Variable.GATES]
    assert main(given) == 2
    assert "the operator gave an environment that can't be used" in capsys.readouterr().err


def test_the_report_is_left_where_the_kubelet_reads_it(
    neighbour: Subject, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    log = tmp_path / "termination-log"
    given = environment(bundle, [CONTRACT]) | {pod.Variable.MODEL: neighbour.model}
    settings = replace(
        Settings.from_environment(given), bundle_folder=bundle, port=neighbour.port, termination_log=log
    )
    monkeypatch.setattr(Settings, "from_environment", lambda _: settings)
    assert main(given) == 0
    assert unpack_report(log.read_bytes()).verdict is Verdict.GOOD
