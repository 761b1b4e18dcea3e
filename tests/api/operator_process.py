"""The operator as a process of its own, which reaches the API server as a ServiceAccount and as nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from cluster.api_server import ApiServer, free_port

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 40
END_SECONDS = 20

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Operator:
    """A running operator."""

    process: subprocess.Popen[bytes]
    log: Path
    xds_port: int
    health_port: int

    def until(self, what: str, look: Callable[[], Found]) -> Found:
        """Waits until a look finds something; tells what the operator said if it never does."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := look()):
            said = self.log.read_text()[-3000:]
            assert self.process.poll() is None, f"the operator ended:\n{said}"
            assert time.monotonic() < deadline, f"not seen in {WAIT_SECONDS} s: {what}\n{said}"
            time.sleep(0.1)
        return found


@contextmanager
def run_operator(
    server: ApiServer, folder: Path, *, token: str, namespace: str, watched: Sequence[str] = ()
) -> Iterator[Operator]:
    """The operator of this checkout with the settings that the chart would give it."""
    log, xds_port, health_port = folder / "operator.log", free_port(), free_port()
    settings = {
        "KUBECONFIG": str(server.write_kubeconfig(folder / "kubeconfig", token)),
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("sdk", "operator")),
        "TIDEGATE_PREDICTOR_IMAGE": "predictor",
        "TIDEGATE_ROUTER_IMAGE": "router",
        "TIDEGATE_NAMESPACE": namespace,
        "TIDEGATE_WATCH_NAMESPACES": ",".join(watched),
        "TIDEGATE_XDS_ADDRESS": f"127.0.0.1:{xds_port}",
        "TIDEGATE_HEALTH_PORT": str(health_port),
        "TIDEGATE_LOG_FORMAT": "text",
        # Who asks for routes here is no pod, and has the loopback's address.
        "TIDEGATE_CHECK_ROUTER_ADDRESSES": "false",
    }
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "tidegate_operator"]
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=stream, stderr=stream)
        try:
            yield Operator(process, log, xds_port, health_port)
        finally:
            process.terminate()
            end(process, log)


def end(process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits for its end; one that goes on after SIGTERM is a failure of its own, and no reason for others."""
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        pytest.fail(f"it was still running {END_SECONDS} s after SIGTERM:\n{log.read_text()[-3000:]}")
