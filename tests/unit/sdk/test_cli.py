"""The command line does what the library does, and fails with its sentences."""

from __future__ import annotations

import sys
from pathlib import Path

import joblib
import pytest
import yaml
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression
from tests.unit.sdk import zoo

from tidegate import verify_bundle
from tidegate.cli import main

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A fitted pipeline and its sample, as files."""
    sample = zoo.people()
    joblib.dump(
        zoo.pipeline(LogisticRegression()).fit(sample, zoo.two_classes(sample)), tmp_path / "m.joblib"
    )
    sample.to_csv(tmp_path / "sample.csv", index=False)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def package(files: Path, *more: object) -> Result:
    return run(
        "package", files / "m.joblib", files / "sample.csv", "--name", "m", "--out", files / "b", *more
    )


def test_package_prints_the_model_version_of_a_bundle_that_verifies(files):
    result = package(files, "--uri", "s3://models/m/1")
    version = yaml.safe_load(result.stdout)
    assert result.exit_code == 0
    assert version["spec"]["source"]["uri"] == "s3://models/m/1"
    assert verify_bundle(files / "b", version["spec"]["digest"]) == ()


def test_package_refuses_in_one_sentence(files):
    result = package(files, "--name", "No Name")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "can't name a model" in result.stderr


def test_verify_prints_the_digest(files):
    digest = yaml.safe_load(package(files).stdout)["spec"]["digest"]
    assert run("verify", files / "b", "--digest", digest).stdout == f"{digest}\n"


@pytest.mark.parametrize("command", ["verify", "serve"])
def test_a_broken_bundle_is_refused_by_its_file(files, command):
    package(files)
    (files / "b" / "golden.json").unlink()
    result = run(command, files / "b")
    assert result.exit_code == 1
    assert result.stderr == "Error: golden.json is missing, but tidegate.json lists it\n"


def test_an_unknown_model_file_is_refused(files):
    (files / "m.h5").touch()
    result = run("package", files / "m.h5", files / "sample.csv", "--name", "m")
    assert "m.h5 is no model file known here" in result.stderr


def test_a_package_that_is_not_installed_is_named_with_the_command_that_mends_it(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if it were not there
    (files / "sample.parquet").touch()
    result = run("package", files / "m.joblib", files / "sample.parquet", "--name", "m")
    assert result.exit_code == 1
    assert "this command needs pyarrow, which is not installed: pip install 'pyarrow'" in result.stderr
