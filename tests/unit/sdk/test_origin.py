"""The origin of a model is read where it stands already: in git, in the environment, in the tracker, in the data."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

import tidegate
from tidegate.builder import find_builder
from tidegate.bundle import PROVENANCE_NAME
from tidegate.git import find_git, without_credentials
from tidegate.packaging.origin import find_packages, find_provenance
from tidegate.packaging.training_data import describe_data
from tidegate.provenance import Data

MODEL = LogisticRegression()


def git(folder: Path, *words: str) -> str:
    """Asks git as a person with a name would."""
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, in which the notebook runs, and no pipeline around it."""
    folder = tmp_path / "fraud"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.com")
    (folder / "train.py").write_text("fit()\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=first")
    monkeypatch.chdir(folder)
    for variable in ("GITHUB_RUN_ID", "CI_JOB_URL", "MLFLOW_RUN_ID"):
        monkeypatch.delenv(variable, raising=False)
    return folder


def test_the_commit_is_told_and_a_clean_tree_is_not_dirty(repository):
    git(repository, "remote", "add", "origin", "https://git.example.com/fraud.git")
    found = find_git(repository)
    assert found.repository == "https://git.example.com/fraud.git"
    assert found.commit == git(repository, "rev-parse", "HEAD")
    assert not found.dirty


def test_a_changed_file_makes_the_tree_dirty_and_a_new_one_does_not(repository):
    (repository / "bundle.txt").write_text("new")
    assert not find_git(repository).dirty
    (repository / "train.py").write_text("fit(better=True)\n")
    assert find_git(repository).dirty


def test_a_repository_without_a_remote_is_told_by_its_folder(repository):
    assert find_git(repository).repository == "fraud"


def test_no_repository_and_one_without_a_commit_are_no_origin(tmp_path):
    assert find_git(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert find_git(tmp_path) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ci:s3cret@git.example.com/fraud.git", "https://git.example.com/fraud.git"),
        ("https://token@git.example.com:8443/fraud.git", "https://git.example.com:8443/fraud.git"),
        ("https://git.example.com/fraud.git", "https://git.example.com/fraud.git"),
        ("git@git.example.com:ml/fraud.git", "git@git.example.com:ml/fraud.git"),
        ("ssh://git@git.example.com/fraud.git", "ssh://git@git.example.com/fraud.git"),
    ],
)
def test_no_credential_of_a_remote_is_told(url, shown):
    assert without_credentials(url) == shown


def test_the_libraries_are_those_of_every_step_and_what_they_require():
    found = {package.name for package in find_packages(make_pipeline(StandardScaler(), XGBClassifier()))}
    assert {"python", "scikit-learn", "scipy", "xgboost", "numpy", "tidegate", "onnx"} <= found
    assert found.isdisjoint({"lightgbm", "pytest", "ruff", "kopf"})


def test_libraries_that_the_model_is_not_made_with_are_not_told():
    assert "xgboost" not in {package.name for package in find_packages(MODEL)}


def test_a_person_builds_and_in_a_pipeline_its_run_does(repository, monkeypatch):
    assert find_builder() == "Ada <ada@example.com>"
    monkeypatch.setenv("CI_JOB_URL", "https://gitlab.example.com/ml/fraud/-/jobs/7")
    monkeypatch.setenv("GITLAB_USER_LOGIN", "ada")
    assert find_builder() == "ada, https://gitlab.example.com/ml/fraud/-/jobs/7"


def test_a_file_of_training_data_is_told_by_digest_rows_and_times(tmp_path):
    path = tmp_path / "train.csv"
    frame = pd.DataFrame({"at": ["2026-01-31T12:00:00Z", "2026-01-01T00:00:00Z"], "amount": [1, 2]})
    frame.to_csv(path, index=False)
    assert describe_data(path, "at") == Data(
        uri=path.as_posix(),
        digest="sha256:" + hashlib.sha256(path.read_bytes()).hexdigest(),
        rows=2,
        begin="2026-01-01T00:00:00Z",
        end="2026-01-31T12:00:00Z",
    )


def test_data_elsewhere_is_told_by_its_uri():
    assert describe_data("s3://lake/2026-01") == Data("s3://lake/2026-01")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("when", "train.csv has no column 'when'; it has at, amount"),
        ("at", "column 'at' of train.csv holds no times"),
    ],
)
def test_a_time_column_that_is_none_is_refused(tmp_path, column, message):
    path = tmp_path / "train.csv"
    pd.DataFrame({"at": ["today, more or less"], "amount": [1]}).to_csv(path, index=False)
    with pytest.raises(tidegate.PackagingRefusedError, match=message):
        describe_data(path, column)


def test_a_metric_that_is_no_number_is_refused(repository):
    with pytest.raises(tidegate.PackagingRefusedError, match="the metric 'auc' is nan; give a finite number"):
        find_provenance(MODEL, tidegate.Origin(metrics={"auc": float("nan")}))


def test_bundle_and_model_version_tell_the_same_and_only_the_latter_tells_when_and_who(repository, tmp_path):
    rows = pd.DataFrame({"amount": [0.0, 1.0, 2.0, 3.0] * 10})
    bundle = tidegate.package(
        LogisticRegression().fit(rows, [0, 0, 1, 1] * 10),
        rows,
        name="fraud",
        folder=tmp_path / "b",
        origin=tidegate.Origin(data=["s3://lake/2026-01"], metrics={"auc": 0.91}),
    )
    kept = json.loads((bundle.path / PROVENANCE_NAME).read_bytes())
    told = yaml.safe_load(bundle.model_version(uri="s3://m/1", name="fraud-1"))["spec"]["provenance"]
    assert told["builtBy"] == "Ada <ada@example.com>"
    assert {"builder", "builtBy", "createdAt"} == told.keys() - kept.keys()
    assert kept == {key: told[key] for key in kept}
    assert kept["data"] == [{"uri": "s3://lake/2026-01"}]
    assert kept["metrics"] == [{"name": "auc", "value": "0.91"}]
    assert kept["git"] == {"repository": "fraud", "commit": git(repository, "rev-parse", "HEAD")}
