"""What changed between two versions is told by both, and nothing else is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression

import tidegate
from tidegate.cli import main
from tidegate.comparison import ABSENT, Change, Version, compare_versions, read_spec
from tidegate.provenance import Data, Git, Metric, Package, Provenance

OLD = Provenance(
    git=Git("https://git.example.com/fraud.git", "a" * 40),
    run="17aeb745",
    data=(Data("s3://lake/2026-01", rows=1000, begin="2026-01-01T00:00:00Z", end="2026-01-31T00:00:00Z"),),
    packages=(Package("numpy", "2.2.0"), Package("xgboost", "3.0.0")),
    metrics=(Metric("auc", "0.91"), Metric("brier", "0.12")),
)
NEW = msgspec.structs.replace(
    OLD,
    git=Git("https://git.example.com/fraud.git", "b" * 40, dirty=True),
    data=(Data("s3://lake/2026-02", rows=1200),),
    packages=(Package("numpy", "2.3.0"), Package("xgboost", "3.0.0"), Package("shap", "0.50")),
    metrics=(Metric("auc", "0.93"),),
)


def version(name: str, provenance: Provenance) -> Version:
    return Version(name, f"sha256:{name}", provenance, created_at=f"of {name}")


def test_everything_that_changed_is_told_and_nothing_that_did_not():
    assert compare_versions(version("fraud-7", OLD), version("fraud-8", NEW)) == (
        Change("code", "commit", "a" * 40, "b" * 40 + " and changes that are in no commit"),
        Change("origin", "built at", "of fraud-7", "of fraud-8"),
        Change(
            "data", "s3://lake/2026-01", "1,000 rows, 2026-01-01T00:00:00Z to 2026-01-31T00:00:00Z", ABSENT
        ),
        Change("data", "s3://lake/2026-02", ABSENT, "1,200 rows"),
        Change("metrics", "auc", "0.91", "0.93"),
        Change("metrics", "brier", "0.12", ABSENT),
        Change("packages", "numpy", "2.2.0", "2.3.0"),
        Change("packages", "shap", ABSENT, "0.50"),
    )


def test_the_same_bytes_are_the_same_version_whatever_is_told_of_them():
    assert compare_versions(version("fraud-7", OLD), Version("copy", "sha256:fraud-7", NEW)) == ()


def spec(digest: str, provenance: Provenance) -> dict:
    told = msgspec.to_builtins(provenance) | {"builder": "tidegate 9", "builtBy": "Ada", "createdAt": "today"}
    return {
        "model": "fraud",
        "source": {"uri": "s3://m"},
        "digest": digest,
        "provenance": told | {"newer": 1},
    }


def test_a_model_version_tells_what_its_bundle_does_but_for_features_and_files():
    read = read_spec("fraud-7", spec("sha256:1", OLD))
    assert (read.built_by, read.created_at, read.signature, read.files) == ("Ada", "today", None, None)
    assert compare_versions(read, Version("b", "sha256:2", OLD, "Ada", "today")) == ()


def test_a_model_version_without_provenance_is_read():
    assert read_spec("fraud-1", {"model": "fraud", "digest": "sha256:1"}).provenance.packages == ()


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """Two bundles, of which the second takes one more feature."""
    rows = pd.DataFrame({"amount": [0.0, 1.0, 2.0, 3.0] * 10, "age": [30.0, 40.0] * 20})
    for name, columns in (("one", ["amount"]), ("two", ["amount", "age"])):
        model = LogisticRegression().fit(rows[columns], [0, 0, 1, 1] * 10)
        origin = tidegate.Origin(metrics={"auc": len(columns) / 2})
        tidegate.package(model, rows[columns], name="fraud", folder=tmp_path / name, origin=origin)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)])


def test_bundles_tell_features_and_files_as_well(bundles):
    result = run(bundles / "one", bundles / "two")
    assert result.exit_code == 0, result.output
    assert "\nfeatures\n  age: – → number, never missing\n" in result.stdout
    assert "\nmetrics\n  auc: 0.5 → 1\n" in result.stdout
    assert "  model.onnx: " in result.stdout


def test_json_has_a_change_an_object(bundles):
    changes = json.loads(run(bundles / "one", bundles / "two", "--output=json").stdout)
    assert {"group": "metrics", "subject": "auc", "before": "0.5", "after": "1"} in changes


def test_nothing_changed_is_said(bundles):
    assert run(bundles / "one", bundles / "one").stdout.endswith("nothing changed that they tell\n")


def put_kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A kubectl that does what a script says, and no other."""
    folder.mkdir()
    (folder / "kubectl").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_a_name_is_asked_of_the_users_own_kubectl(bundles, tmp_path, monkeypatch):
    body = json.dumps({"spec": spec("sha256:1", OLD)})
    put_kubectl(tmp_path / "bin", monkeypatch, f"echo \"$@\" > {tmp_path}/asked; cat <<'.'\n{body}\n.")
    result = run("fraud-7", bundles / "one", "-n", "shop", "--context", "prod")
    assert result.exit_code == 0, result.output
    asked = (tmp_path / "asked").read_text()
    assert asked == "get modelversion fraud-7 --output=json --namespace=shop --context=prod\n"
    assert "  auc: 0.91 → 0.5" in result.stdout


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "echo 'modelversions.tidegate.io \"fraud-7\" not found' >&2; exit 1",
            'kubectl: modelversions.tidegate.io "fr',
        ),
        ("echo '{}'", "what kubectl answers is no ModelVersion: 'spec'"),
        ("echo nonsense", "what kubectl answers is no ModelVersion: "),
    ],
)
def test_what_kubectl_does_not_know_is_told_in_its_words(tmp_path, monkeypatch, script, sentence):
    put_kubectl(tmp_path / "bin", monkeypatch, script)
    result = run("fraud-7", "fraud-8")
    assert (result.exit_code, sentence in result.stderr) == (1, True)


def test_without_kubectl_a_name_is_no_bundle(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no kubectl to ask" in run("fraud-7", "fraud-8").stderr
