"""What MLflow was told of a run need not be told again: read back from a real tracking store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import mlflow.entities
import pytest

import tidegate
from tidegate.packaging.origin import find_provenance
from tidegate.packaging.tracker import find_run
from tidegate.provenance import Data, Metric

MODEL = object()


@pytest.fixture(autouse=True)
def tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tracking store of files, and no run from elsewhere."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    yield
    mlflow.set_tracking_uri(before)


def test_the_active_run_tells_its_id_and_metrics():
    with mlflow.start_run() as run:
        mlflow.log_metrics({"auc": 0.91, "brier": 0.12})
        found = find_provenance(MODEL)
    assert found.run == run.info.run_id
    assert found.metrics == (Metric("auc", "0.91"), Metric("brier", "0.12"))


def test_of_two_metrics_with_one_name_that_of_the_call_counts():
    with mlflow.start_run():
        mlflow.log_metric("auc", 0.91)
        assert find_provenance(MODEL, tidegate.Origin(metrics={"auc": 0.92})).metrics == (
            Metric("auc", "0.92"),
        )


def test_a_run_is_found_by_the_variable_that_pipelines_set(monkeypatch):
    with mlflow.start_run() as run:
        mlflow.log_metric("auc", 0.91)
    assert find_run().name == ""
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    assert find_run().metrics == {"auc": 0.91}


def test_the_inputs_of_a_run_are_the_training_data():
    dataset = mlflow.entities.Dataset(
        name="transactions",
        digest="abc",
        source_type="s3",
        source='{"uri": "s3://lake/2026-01"}',
        profile='{"num_rows": 1000, "num_elements": 5000}',
    )
    with mlflow.start_run() as run:
        mlflow.MlflowClient().log_inputs(run.info.run_id, [mlflow.entities.DatasetInput(dataset)])
        found = find_provenance(MODEL)
    assert found.data == (Data("s3://lake/2026-01", digest="abc", rows=1000),)


def test_a_run_that_the_tracker_does_not_know_is_refused_with_a_way_out(monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with pytest.raises(tidegate.PackagingRefusedError) as refused:
        find_run()
    assert "MLflow tells nothing of the run 000" in str(refused.value)
    assert "set MLFLOW_TRACKING_URI" in str(refused.value)


def test_a_run_is_told_by_its_id_where_mlflow_is_not_installed(monkeypatch):

    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setenv("MLFLOW_RUN_ID", "17aeb745")
    assert find_run().name == "17aeb745"
