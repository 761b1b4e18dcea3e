"""`tidegate diff` on bundles and files; on a cluster it is tried in tests/api."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner
from tests.unit.sdk.versions import bundle, model_version, provenance

from tidegate.cli import main


def run(*arguments, **how):
    return CliRunner().invoke(main, ["diff", *(str(argument) for argument in arguments)], **how)


@pytest.fixture
def files(tmp_path):
    """Two bundles, and a ModelVersion in both ways of writing it."""
    bundle(tmp_path / "one", origin=provenance(metrics=[{"name": "auc", "value": "0.91"}]))
    bundle(
        tmp_path / "two", model=b"larger model", origin=provenance(metrics=[{"name": "auc", "value": "0.93"}])
    )
    (tmp_path / "fraud.json").write_text(json.dumps(model_version(builtBy="ana")))
    (tmp_path / "fraud.yaml").write_text(
        yaml.safe_dump_all([{"kind": "Secret"}, model_version(builtBy="ci 41")])
    )
    return tmp_path


def test_two_bundles_are_told_apart_group_by_group(files):
    result = run(files / "one", files / "two")
    assert result.exit_code == 0
    _, after_metrics = result.stdout.split("\nmetrics\n")
    assert after_metrics.startswith("  ~ auc  0.91 → 0.93 (+0.02)\n\nfiles\n  ~ model.onnx ")


def test_two_files_are_told_apart_whatever_they_are_written_in(files):
    result = run(files / "fraud.json", files / "fraud.yaml")
    assert (
        "\nbuilt\n  ~ by  ana → ci 41\n\nnot compared: features and signature; a bundle or a loaded"
        in result.stdout
    )


def test_nothing_differs_is_said_and_is_no_failure(files):
    result = run(files / "fraud.json", files / "fraud.json")
    assert result.exit_code == 0
    assert "nothing differs: both are sha256:abababababab\n" in result.stdout


def test_json_tells_each_change_with_both_values(files):
    document = json.loads(run(files / "one", files / "two", "--output", "json").stdout)
    assert {
        "group": "metrics",
        "what": "auc",
        "before": "0.91",
        "after": "0.93",
        "said": "0.91 → 0.93 (+0.02)",
    } in document["changes"]


def test_what_others_wrote_does_not_move_the_cursor(files):
    (files / "bad.json").write_text(json.dumps(model_version(builtBy="\x1b[2Jana")))
    assert "\x1b" not in run(files / "fraud.json", files / "bad.json").stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "Expecting property name"),
        ("[]", "a file with one ModelVersion is needed, and this has 0"),
        ('{"kind": "ModelVersion"}', "can't be read: it has no 'spec'"),
        ('{"kind": "ModelVersion", "spec": []}', "can't be read: "),
        ('{"kind": "ModelVersion", "spec": {"provenance": 1}}', "can't be read: "),
    ],
)
def test_a_file_that_is_no_model_version_is_named(files, content, sentence):
    (files / "bad.json").write_text(content)
    result = run(files / "fraud.json", files / "bad.json")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert sentence in result.stderr


def test_a_folder_that_is_not_there_is_named(files):
    result = run(files / "one", files / "three")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "three is neither a file nor a folder with a tidegate.json" in result.stderr


def test_a_broken_bundle_is_named_by_its_file(files):
    (files / "two" / "model.onnx").unlink()
    assert "model.onnx is missing, but tidegate.json lists it" in run(files / "one", files / "two").stderr


def test_without_kubectl_it_says_what_to_install(files):
    result = run(files / "one", "fraud-7", env={"PATH": str(files)})
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "kubectl, which is not on the PATH: install it" in result.stderr


def test_what_is_no_name_never_reaches_kubectl(files):
    result = run(files / "one", "Fraud_7")
    assert "'Fraud_7' is no name of an object in a cluster, such as fraud-7" in result.stderr
