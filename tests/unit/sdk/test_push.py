"""A bundle is brought to a real S3 server whole or not at all, after a cut too, and never over another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import obstore
import pytest
from click.testing import CliRunner
from tests.unit.sdk.keys import make_key
from tests.unit.sdk.s3_server import run_server

import tidegate
from tidegate.bundle import SEAL_NAME, write_bundle
from tidegate.pushing import PushRefusedError
from tidegate.sealing.seal import SealingKey, seal_bundle
from tidegate.stores import S3_KEYS, open_cloud

FILES = {"a.bin": b"a" * 100, "b.bin": b"b" * (9 << 20), "c.bin": b"c" * (40 << 20)}


@dataclass
class Place:
    """A folder of the server's bucket, empty at first."""

    bucket: Path
    uri: str = "s3://models/fraud/7"

    @property
    def there(self) -> list[str]:
        return sorted(path.name for path in (self.bucket / "fraud/7").glob("[!.]*"))

    def at(self, name: str) -> Path:
        return self.bucket / "fraud/7" / name


@pytest.fixture
def server(tmp_path, monkeypatch) -> Iterator[Place]:
    with run_server(tmp_path) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield Place(found.bucket)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "b"
    write_bundle(folder, FILES, model="fraud", created_by="a hand")
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "other"
    write_bundle(folder, {"a.bin": b"another"}, model="fraud", created_by="a hand")
    return folder


def refusal(bundle: Path, uri: str) -> str:
    with pytest.raises(PushRefusedError) as refused:
        tidegate.push(bundle, uri)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_every_file_is_brought_and_the_manifest_last(server, bundle):
    pushed = tidegate.push(bundle, server.uri)
    assert pushed.sent == (*FILES, "tidegate.json")
    assert tidegate.verify_bundle(server.at(""), pushed.digest) == ()


def test_what_is_there_is_not_brought_again(server, bundle):
    tidegate.push(bundle, server.uri)
    assert tidegate.push(bundle, server.uri).sent == ()


def test_a_seal_made_later_is_brought_later(server, other, tmp_path):
    bundle = shutil.copytree(other, tmp_path / "sealed")
    tidegate.push(bundle, server.uri)
    seal_bundle(bundle, SealingKey(make_key(tmp_path, "key")))
    assert tidegate.push(bundle, server.uri).sent == ("model.sig",)


def test_the_seal_that_lies_there_stays(server, other, tmp_path):
    """No two seals of one bundle are the same text, and which of them counts, its ModelVersion says."""
    bundle = shutil.copytree(other, tmp_path / "sealed")
    (bundle / SEAL_NAME).write_text("one")
    tidegate.push(bundle, server.uri)
    (bundle / SEAL_NAME).write_text("another")
    assert tidegate.push(bundle, server.uri).sent == ()


def test_another_bundle_is_not_overwritten(server, bundle, other):
    digest = tidegate.push(bundle, server.uri).digest
    assert f"holds another bundle, {digest}" in refusal(other, server.uri)
    assert tidegate.verify_bundle(server.at(""), digest) == ()


def test_a_file_of_another_bundle_is_not_overwritten(server, bundle, other):
    tidegate.push(bundle, server.uri)
    server.at("tidegate.json").unlink()
    assert "holds another a.bin" in refusal(other, server.uri)


def test_a_push_that_was_killed_goes_on_where_it_was(server, bundle):
    # Killed by itself in the middle of the largest file, as by a machine that loses its power.
    program = """
import os, signal, sys, tidegate
def die(name, sent, size):
    if name == "c.bin" and sent >= size // 2:
        os.kill(os.getpid(), signal.SIGKILL)
tidegate.push(sys.argv[1], sys.argv[2], progress=die)
"""
    killed = subprocess.run([sys.executable, "-c", program, bundle, server.uri], check=False)
    assert killed.returncode == -9
    assert "tidegate.json" not in server.there
    pushed = tidegate.push(bundle, server.uri)
    assert pushed.sent == ("c.bin", "tidegate.json")
    assert tidegate.verify_bundle(server.at(""), pushed.digest) == ()


def test_of_two_who_push_at_once_one_wins_and_the_other_is_told(server, other, tmp_path):
    rival = tmp_path / "rival"
    write_bundle(rival, {"b.bin": b"rival"}, model="fraud", created_by="a hand")

    def push_rival(name: str, *_: int) -> None:
        if name == "a.bin":  # nobody's manifest was there when the first one looked
            tidegate.push(rival, server.uri)

    with pytest.raises(PushRefusedError, match=r"holds another tidegate\.json"):
        tidegate.push(other, server.uri, progress=push_rival)
    assert server.at("tidegate.json").read_bytes() == (rival / "tidegate.json").read_bytes()


def test_a_large_file_that_was_replaced_meanwhile_gets_no_manifest(server, bundle):
    def replace(name: str, sent: int, size: int) -> None:
        if name == "c.bin":
            keys = {key: os.environ[key] for key in S3_KEYS if key in os.environ}
            rival = threading.Thread(
                target=lambda: obstore.put(open_cloud("s3", server.uri, keys), "b.bin", b"x")
            )
            rival.start()
            rival.join(20)

    with pytest.raises(PushRefusedError, match=r"b\.bin .* was replaced meanwhile"):
        tidegate.push(bundle, server.uri, progress=replace)
    assert "tidegate.json" not in server.there


def test_wrong_keys_are_denied_in_one_sentence(server, other, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert "is denied; mend the keys in the environment (AWS_ACCESS_KEY_ID" in refusal(other, server.uri)


def test_a_bucket_that_is_not_there_is_said(server, other):
    assert "there is no such bucket" in refusal(other, "s3://nowhere/fraud/7")


def test_a_server_that_is_not_there_is_said(server, other, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "the connection was refused" in refusal(other, server.uri)


def test_a_folder_is_a_store_too(other, tmp_path):
    uri = (tmp_path / "store/fraud/7").as_uri()
    assert tidegate.push(other, uri).sent == ("a.bin", "tidegate.json")
    assert tidegate.push(other, uri).sent == ()


@pytest.mark.parametrize("uri", ["https://example.com/fraud/7", "models/fraud", "az://models/fraud/7"])
def test_where_nothing_can_be_pushed_is_said(other, uri):
    assert f"{uri} can't be" in refusal(other, uri)


def test_a_broken_bundle_is_not_pushed(other, tmp_path):
    bundle = shutil.copytree(other, tmp_path / "broken")
    (bundle / "a.bin").unlink()
    assert "a.bin is missing" in refusal(bundle, (tmp_path / "store").as_uri())


def test_the_command_says_when_there_was_nothing_to_do(tmp_path):
    from tests.unit.serving.bundles import write_sum_bundle  # noqa: PLC0415

    from tidegate.cli import main  # noqa: PLC0415

    write_sum_bundle(tmp_path / "b")
    words = ["push", str(tmp_path / "b"), (tmp_path / "store").as_uri()]
    assert "tidegate.json sent" in CliRunner().invoke(main, words).stdout
    again = CliRunner().invoke(main, words)
    assert (again.exit_code, "it was there already" in again.stdout) == (0, True)
