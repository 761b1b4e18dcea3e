"""The command line seals, says who did, and carries the seal into the ModelVersion."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.unit.sdk.keys import Authority, make_key
from tests.unit.serving.bundles import write_sum_bundle

from tidegate.cli import main


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_sum_bundle(tmp_path / "b")
    return tmp_path / "b"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path, "key")


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)


def refusal(result: Result) -> str:
    """The one sentence that a command ended with."""
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    return result.stderr


def test_what_a_key_sealed_verifies_with_its_public_half(bundle, key):
    assert run("sign", bundle, "--key", key).exit_code == 0
    result = run("verify", bundle, "--key", key.with_suffix(".pub"))
    assert "sealed by key sha256:" in result.stdout


def test_what_a_certificate_sealed_verifies_with_its_authority(bundle, tmp_path):
    authority = Authority(tmp_path, "root")
    private, certificate = authority.vouch("Ada")
    assert run("sign", bundle, "--key", private, "--certificate", certificate).exit_code == 0
    result = run("verify", bundle, "--certificate-authority", authority.path)
    assert "sealed by CN=Ada (key sha256:" in result.stdout


def test_a_password_comes_from_the_environment(bundle, tmp_path):
    key = make_key(tmp_path, "locked", password="open sesame")
    options = ("sign", bundle, "--key", key)
    assert "locked.pem can't be used" in refusal(run(*options))
    assert run(*options, "--password-env", "SESAME", SESAME="open sesame").exit_code == 0
    assert "no variable NOTHING" in refusal(run(*options, "--password-env", "NOTHING"))


def test_another_seal_is_replaced_only_when_that_is_asked_for(bundle, key):
    run("sign", bundle, "--key", key)
    assert "has a model.sig already" in refusal(run("sign", bundle, "--key", key))
    assert run("sign", bundle, "--key", key, "--replace").exit_code == 0


def test_an_unsound_bundle_is_not_sealed(bundle, key):
    (bundle / "golden.json").unlink()
    assert "golden.json is missing" in refusal(run("sign", bundle, "--key", key))
    assert not (bundle / "model.sig").exists()


def test_a_changed_file_is_named_though_the_seal_is_there(bundle, key):
    run("sign", bundle, "--key", key)
    (bundle / "golden.json").write_bytes(b" " + (bundle / "golden.json").read_bytes())
    assert "golden.json has" in refusal(run("verify", bundle, "--key", key.with_suffix(".pub")))


def test_a_wrong_key_and_a_missing_seal_are_one_sentence_each(bundle, key, tmp_path):
    other = make_key(tmp_path, "other").with_suffix(".pub")
    assert "has no model.sig; wanted is one by key sha256:" in refusal(run("verify", bundle, "--key", other))
    run("sign", bundle, "--key", key)
    assert "is by another key, or was changed" in refusal(run("verify", bundle, "--key", other))


def test_what_is_no_key_is_named(bundle, key):
    assert "key.pem can't be used: it is no public key" in refusal(run("verify", bundle, "--key", key))


def test_a_certificate_of_another_key_seals_nothing(bundle, key, tmp_path):
    _, certificate = Authority(tmp_path, "root").vouch("Ada")
    result = run("sign", bundle, "--key", key, "--certificate", certificate)
    assert "does not match" in refusal(result)
    assert not (bundle / "model.sig").exists()


def test_a_manifest_carries_the_seal_as_it_lies_on_disk(bundle, key):
    options = ("manifest", bundle, "--uri", "s3://models/fraud/7", "--version", "fraud-7")
    assert "signature" not in yaml.safe_load(run(*options).stdout)["spec"]
    run("sign", bundle, "--key", key)
    version = yaml.safe_load(run(*options).stdout)
    assert version["metadata"]["name"] == "fraud-7"
    assert version["spec"]["signature"] == (bundle / "model.sig").read_text()
    assert version["spec"]["provenance"]["createdAt"]


def test_a_manifest_names_the_secret_that_opens_the_store(bundle):
    options = ("manifest", bundle, "--uri", "s3://models/fraud/7", "--version", "fraud-7")
    version = yaml.safe_load(run(*options, "--secret", "models-store").stdout)
    assert version["spec"]["source"] == {"uri": "s3://models/fraud/7", "secretRef": {"name": "models-store"}}
    assert yaml.safe_load(run(*options).stdout)["spec"]["source"] == {"uri": "s3://models/fraud/7"}
