"""What keeps a predictor from starting though its bundle is right: named, asked for again, forgotten once mended."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from tests.unit.serving.bundles import write_sum_bundle

from tidegate.bundle import MANIFEST_NAME
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
    server.until(server.has_last_word, "the missing Secret is written down")
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
        f"tidegate.json can't be read from {source}: no answer",
    )


def test_a_store_that_never_answers_is_given_up_and_named(start_server, bundle):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        source = f"http://127.0.0.1:{silent.getsockname()[1]}/b"
        server = start_server(source, bundle[1])
        assert server.exit_code() == 1
    word = server.last_word()
    assert (word.reason, word.message) == (
        StartFailure.SOURCE_UNREACHABLE,
        f"tidegate.json can't be read from {source}: no answer",
    )


@contextmanager
def serve_slowly(folder: Path) -> Iterator[tuple[int, threading.Event]]:
    """A store that has the manifest at once and the rest in hours; its port, and whether the rest was asked for."""

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            manifest = (folder / MANIFEST_NAME).read_bytes()
            self.send_response(200)
            if self.path.endswith(MANIFEST_NAME):
                self.send_header("Content-Length", str(len(manifest)))
                self.end_headers()
                self.wfile.write(manifest)
            else:
                asked.set()
                over.wait()

        def log_message(self, *_args: object) -> None:
            """Keeps quiet."""

    asked, over = threading.Event(), threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_store_that_is_slow_is_not_called_silent(start_server, bundle):
    with serve_slowly(bundle[0]) as (port, asked):
        source = f"http://127.0.0.1:{port}/b"
        server = start_server(source, bundle[1])
        server.until(asked.is_set, "it has the manifest")
        server.process.terminate()
        assert server.process.wait(timeout=5) == 0
    word = server.last_word()
    assert (word.reason, word.message) == (
        StartFailure.START_TIMEOUT,
        f"the bundle was still being fetched from {source}; raise spec.serving.startup.timeout",
    )


def test_a_file_too_few_is_named_and_its_arrival_is_enough(start_server, late_bundle):
    late, made = late_bundle
    shutil.copytree(made, late)
    (late / "golden.json").unlink()
    digest = write_sum_bundle(made)
    server = start_server(late.as_uri(), digest, retry_seconds=30)
    server.until(server.has_last_word, "the missing file is written down")
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
