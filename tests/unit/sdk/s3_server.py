"""A real S3 server on this machine: versitygw over a folder, with one bucket."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster import programs

STORE = programs.folder_of(Path(__file__).parents[3] / "images/store/versitygw") / "versitygw"
BUCKET = "models"


@dataclass(frozen=True)
class Server:
    """One that answers, and where its bucket's files lie."""

    bucket: Path
    environment: Mapping[str, str]
    """With which `tidegate push` gets in."""


@contextmanager
def run_server(folder: Path) -> Iterator[Server]:
    """Runs it until the block ends; skips the test where it was never built."""
    if not STORE.is_file():
        pytest.skip("versitygw is not built here; `make test` builds it")
    bucket = folder / "store" / BUCKET
    bucket.mkdir(parents=True)
    (folder / "meta").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keys = {"ROOT_ACCESS_KEY": "key", "ROOT_SECRET_KEY": "a secret of a test"}
    command = [STORE, "--port", f"127.0.0.1:{port}", "posix", "--sidecar", folder / "meta", bucket.parent]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **keys}, stdout=log, stderr=log)
    try:
        wait_until_open(port)
        yield Server(
            bucket,
            {
                "AWS_ACCESS_KEY_ID": keys["ROOT_ACCESS_KEY"],
                "AWS_SECRET_ACCESS_KEY": keys["ROOT_SECRET_KEY"],
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            },
        )
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_open(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("the store doesn't listen")
