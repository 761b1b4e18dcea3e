"""A predictor becomes ready only with what was tested; otherwise it says why, in one sentence, and ends."""

import http.server
import shutil
import socket
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.unit.serving.bundles import GOLDEN, write_sum_bundle
from tests.unit.serving.conftest import Server

from tidegate.pod import StartFailure
from tidegate_serving.main import main


class Store(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; with a key, only to who signs with it, as an S3 server does."""

    key = ""

    def do_GET(self):
        if self.key and f"Credential={self.key}/" not in self.headers.get("authorization", ""):
            self.send_error(403)
        else:
            super().do_GET()

    def log_message(self, *_):
        """Keeps the test's output readable."""


class SigningStore(Store):
    key = "AKIATIDE"


@pytest.fixture
def serve_folder():
    """Serves a folder over HTTP: `serve_folder(folder, handler, port)` gives the server's address."""
    servers = []

    def serve(folder: Path, handler=Store, port: int = 0) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), partial(handler, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def own_bundle(tmp_path):
    """A bundle that the test may spoil."""
    folder = tmp_path / "own"
    return folder, write_sum_bundle(folder)


def require_refused(server: Server, reason: StartFailure, sentence: str) -> None:
    assert server.exit_code() == 1
    word = server.last_word()
    assert (word.reason, sentence in word.message) == (reason, True), word


def test_a_bundle_is_fetched_over_http(start_server, bundle, serve_folder):
    folder, digest = bundle
    server = start_server(serve_folder(folder.parent) + f"/{folder.name}", digest)
    server.until_status("/v2/health/ready", 200)


def test_a_bundle_is_fetched_from_a_mounted_claim(start_server, bundle):
    folder, digest = bundle
    source = f"pvc://models/{folder.name}"
    server = start_server(source, digest, claim_folder=str(folder.parent))
    server.until_status("/v2/health/ready", 200)


def test_a_path_can_not_lead_out_of_the_claim(start_server, bundle):
    folder, digest = bundle
    server = start_server(f"pvc://models/../{folder.name}", digest, claim_folder=str(folder.parent / "claim"))
    require_refused(server, StartFailure.SOURCE_UNSUPPORTED, "out of the claim")


def s3_settings(tmp_path: Path, endpoint: str, key: str) -> dict[str, str]:
    values = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "hidden-word", "AWS_ENDPOINT_URL": endpoint}
    for name, value in values.items():
        (tmp_path / name).write_text(value + "\n")
    return {"credentials_folder": str(tmp_path)}


def test_s3_is_asked_with_the_secrets_keys_at_the_secrets_endpoint(
    start_server, bundle, serve_folder, tmp_path
):
    folder, digest = bundle
    endpoint = serve_folder(folder.parent.parent, SigningStore)
    settings = s3_settings(tmp_path, endpoint, "AKIATIDE")
    server = start_server(f"s3://{folder.parent.name}/{folder.name}", digest, **settings)
    server.until_status("/v2/health/ready", 200)


def test_wrong_keys_are_denied_and_never_shown(start_server, bundle, serve_folder, tmp_path):
    folder, digest = bundle
    endpoint = serve_folder(folder.parent.parent, SigningStore)
    settings = s3_settings(tmp_path, endpoint, "AKIAWRONG")
    server = start_server(f"s3://{folder.parent.name}/{folder.name}", digest, **settings)
    require_refused(server, StartFailure.SOURCE_DENIED, "denied")
    assert "hidden-word" not in (server.folder / "log").read_text() + server.last_word().message


def test_another_manifest_than_declared_is_refused_before_anything_else_is_fetched(start_server, bundle):
    folder, _ = bundle
    server = start_server(folder.as_uri(), "sha256:" + "0" * 64)
    require_refused(server, StartFailure.DIGEST_MISMATCH, "sha256:0000")
    assert not (server.folder / "bundle").exists()


def test_a_changed_file_is_named(start_server, own_bundle):
    folder, digest = own_bundle
    content = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    require_refused(start_server(folder.as_uri(), digest), StartFailure.DIGEST_MISMATCH, "model.onnx")


def test_a_file_that_grew_is_not_read_to_its_end(start_server, own_bundle):
    folder, digest = own_bundle
    with (folder / "baseline.json").open("ab") as file:
        file.write(b" ")
    require_refused(start_server(folder.as_uri(), digest), StartFailure.DIGEST_MISMATCH, "412 bytes, but")


def test_a_manifest_without_end_is_not_read_to_its_end(start_server, own_bundle):
    folder, digest = own_bundle
    (folder / "tidegate.json").write_bytes(b" " * (2 << 20))
    require_refused(
        start_server(folder.as_uri(), digest), StartFailure.BUNDLE_INVALID, "more than 1048576 bytes"
    )


def test_a_golden_row_that_is_answered_otherwise_is_named_with_both_numbers(start_server, tmp_path):
    golden = msgspec.structs.replace(GOLDEN, outputs={"prediction": ((4.5,), (7.1,))})
    digest = write_sum_bundle(tmp_path / "b", golden=golden)
    server = start_server((tmp_path / "b").as_uri(), digest)
    require_refused(server, StartFailure.GOLDEN_MISMATCH, "golden row 1: prediction is 7 here, but was 7.1")


def test_a_file_that_is_no_model_is_refused(start_server, tmp_path):
    digest = write_sum_bundle(tmp_path / "b", model=b"not a graph")
    server = start_server((tmp_path / "b").as_uri(), digest)
    require_refused(server, StartFailure.MODEL_INVALID, "model.onnx")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("file:///nowhere/at/all", StartFailure.SOURCE_NOT_FOUND),
        ("ftp://models/fraud", StartFailure.SOURCE_UNSUPPORTED),
        ("http://127.0.0.1:9/fraud", StartFailure.SOURCE_UNREACHABLE),
    ],
)
def test_a_source_that_is_not_there_is_named(start_server, source, reason):
    require_refused(start_server(source, "sha256:" + "0" * 64), reason, source)


def test_a_store_that_is_away_is_asked_again_while_the_process_is_alive_but_not_ready(
    start_server, bundle, serve_folder, tmp_path
):
    folder, digest = bundle
    address = serve_folder(tmp_path)
    server = start_server(f"{address}/late", digest, retry_seconds=30)
    server.until((server.folder / "termination-log").exists, "the first failure is written down")
    assert server.last_word().reason is StartFailure.SOURCE_NOT_FOUND
    assert httpx.get(server.url + "/v2/health/live").status_code == 200
    assert httpx.get(server.url + "/v2/health/ready").status_code == 503
    assert httpx.post(server.url + "/v2/models/fraud/infer").status_code == 503
    shutil.copytree(folder, tmp_path / "late")
    server.until_status("/v2/health/ready", 200)


def test_a_store_that_answers_nothing_does_not_hold_back_the_end(start_server, bundle):
    """A signal ends a predictor that still waits for its bundle."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        server = start_server(f"http://127.0.0.1:{silent.getsockname()[1]}/b", bundle[1])
        server.until_status("/v2/health/live", 200)
        server.process.terminate()
        assert server.process.wait(timeout=5) == 0


def test_an_environment_without_a_source_is_refused_with_the_variables_name(capsys):
    environment = {"TIDEGATE_MODEL": "fraud", "TIDEGATE_REVISION": "r"}
    assert main(environment) == 2
    assert "TIDEGATE_SOURCE is not set" in capsys.readouterr().err
