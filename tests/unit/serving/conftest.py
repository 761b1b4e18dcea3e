"""Real predictor processes on loopback, and what they serve."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.unit.serving.bundles import write_sum_bundle

from tidegate.pod import TerminationMessage

# The pod's folders are fixed paths; a child that is given others shows everything else as it is in a pod.
_CHILD = """
import pathlib, sys, msgspec
from tidegate_serving.main import leave, run
from tidegate_serving.settings import Settings
leave(run(msgspec.json.decode(sys.argv[1], type=Settings, dec_hook=lambda _, text: pathlib.Path(text))))
"""


@dataclass
class Server:
    """One predictor process."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Polls until a condition holds; a request that finds nobody yet is no failure."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        log = (self.folder / "log").read_text()[-2000:]
        pytest.fail(f"{what}: not within {seconds} s; the log says\n{log}")

    def until_status(self, path: str, status: int) -> None:
        self.until(lambda: httpx.get(self.url + path).status_code == status, f"{path} answers {status}")

    def exit_code(self) -> int:
        return self.process.wait(timeout=20)

    def has_last_word(self) -> bool:
        """Whether it is written; a file that is there may still be empty."""
        log = self.folder / "termination-log"
        return log.is_file() and log.stat().st_size > 0

    def last_word(self) -> TerminationMessage:
        return msgspec.json.decode((self.folder / "termination-log").read_bytes(), type=TerminationMessage)


Start = Callable[..., Server]


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts predictors: `start(source, digest, **settings)`; all are ended with the session."""
    with ExitStack() as stack:

        def start(source: str, digest: str, **settings: object) -> Server:
            folder = tmp_path_factory.mktemp("predictor")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            content = {
                "model": "fraud", "revision": "fraud-abc", "source": source, "digest": digest,
                "host": "127.0.0.1", "port": port, "drain_seconds": 0, "retry_seconds": 0,
                "bundle_folder": str(folder / "bundle"), "credentials_folder": str(folder / "credentials"),
                "claim_folder": str(folder / "claim"), "termination_log": str(folder / "termination-log"),
            }  # fmt: skip
            arguments = [sys.executable, "-c", _CHILD, msgspec.json.encode(content | settings).decode()]
            log = stack.enter_context((folder / "log").open("wb"))
            process = subprocess.Popen(arguments, stdout=log, stderr=log, env=os.environ | {"NO_PROXY": "*"})
            stack.callback(process.wait, timeout=20)
            stack.callback(process.kill)
            return Server(process, f"http://127.0.0.1:{port}", folder)

        yield start


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A good bundle: its folder and its digest."""
    folder = tmp_path_factory.mktemp("bundles") / "good"
    return folder, write_sum_bundle(folder)


@pytest.fixture(scope="session")
def server(start_server: Start, bundle: tuple[Path, str]) -> Server:
    """A predictor that is ready."""
    folder, digest = bundle
    server = start_server(folder.as_uri(), digest)
    server.until_status("/v2/health/ready", 200)
    return server
