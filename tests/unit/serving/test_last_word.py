"""What keeps a predictor from starting though its bundle is right: named, asked for again, forgotten once mended."""

import shutil
import socket
from contextlib import closing

import msgspec
import pytest
from tests.unit.serving.bundles import write_sum_bundle

from tidegate.pod import StartFailure


@pytest.fixture
def late_bundle(tmp_path):
    """A folder that the test fills, and what it will hold."""
    write_sum_bundle(tmp_path / "made")
    return tmp_path / "late", tmp_path / "made"


def test_a_secret_that_is_not_there_is_named_and_its_arrival_is_enough(start_server, bundle, tmp_path):
    folder, digest = bundle
    settings = {"secret": "store-keys", "credentials_folder": str(tmp_path / "keys"), "retry_seconds": 30}
    server = start_server(folder.as_uri(), digest, **settings)
    server.until((server.folder / "termination-log").exists, "the missing Secret is written down")
    assert msgspec.structs.astuple(server.last_word()) == (
        StartFailure.SECRET_MISSING,
        (
            "there is no Secret store-keys with keys in it (spec.source.secretRef of the ModelVersion); create it with "
            f"the keys of {folder.as_uri()}, such as AWS_ACCESS_KEY_ID"
        ),
    )
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "AWS_ACCESS_KEY_ID").write_text("AKIATIDE")
    server.until_status("/v2/health/ready", 200)
    assert (server.folder / "termination-log").read_bytes() == b""


def test_a_store_that_never_answers_is_named_when_the_start_is_over(start_server, bundle):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        source = f"http://127.0.0.1:{silent.getsockname()[1]}/b"
        server = start_server(source, bundle[1])
        server.until_status("/v2/health/live", 200)
        server.process.terminate()
        assert server.process.wait(timeout=5) == 0
    word = server.last_word()
    assert (word.reason, word.message) == (
        StartFailure.SOURCE_UNREACHABLE,
        f"{source} has not answered yet",
    )


def test_a_store_that_never_answers_is_given_up_and_named(start_server, bundle):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        source = f"http://127.0.0.1:{silent.getsockname()[1]}/b"
        server = start_server(source, bundle[1])
        assert server.exit_code() == 1
    word = server.last_word()
    assert (word.reason, word.message) == (
        StartFailure.SOURCE_UNREACHABLE,
        f"tidegate.json can't be read from {source}: no answer for 10 s",
    )


def test_a_file_too_few_is_named_and_its_arrival_is_enough(start_server, late_bundle):
    late, made = late_bundle
    shutil.copytree(made, late)
    (late / "golden.json").unlink()
    digest = write_sum_bundle(made)
    server = start_server(late.as_uri(), digest, retry_seconds=30)
    server.until((server.folder / "termination-log").exists, "the missing file is written down")
    word = server.last_word()
    assert (word.reason, word.message) == (
        StartFailure.SOURCE_NOT_FOUND,
        f"there is no golden.json in {late.as_uri()}",
    )
    shutil.copy(made / "golden.json", late)
    server.until_status("/v2/health/ready", 200)


def test_a_file_too_many_is_never_fetched(start_server, late_bundle):
    """What the manifest doesn't list can't change an answer, so it can't make one wrong either."""
    late, made = late_bundle
    shutil.copytree(made, late)
    (late / "model.onnx.data").write_bytes(b"nobody packaged this")
    server = start_server(late.as_uri(), write_sum_bundle(made))
    server.until_status("/v2/health/ready", 200)
    listed = {"tidegate.json", "model.onnx", "signature.json", "baseline.json", "golden.json"}
    assert {file.name for file in (server.folder / "bundle").iterdir()} == listed


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("http://127.0.0.1:9/fraud", "the connection was refused"),
        ("http://nobody.invalid/fraud", "its host has no address"),
    ],
)
def test_a_store_that_is_away_is_named_with_the_cause(start_server, source, why):
    server = start_server(source, "sha256:" + "0" * 64)
    assert server.exit_code() == 1
    assert server.last_word().message == f"tidegate.json can't be read from {source}: {why}"
