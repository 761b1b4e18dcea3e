"""The subject: a predictor process, the very one that pods run, started to be measured.

`python -m tidegate_gates.subject FOLDER PORT THREADS MEMORY` is that process.
"""

from __future__ import annotations

import http.client
import math
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from tidegate import pod
from tidegate.bundle import MANIFEST_NAME, read_manifest
from tidegate_gates.confinement import Confinement, Limits, confine
from tidegate_serving.facts import FACTS_PATH, ProcessFacts
from tidegate_serving.main import serve_bundle

HOST: Final = "127.0.0.1"
LOOK_SECONDS: Final = 0.02
_END_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A predictor that runs."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    confinement: Confinement
    model: str
    """The name that it serves its model under: the manifest's."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it answers."""
        return HOST, self.port

    @property
    def why_not_confined(self) -> str:
        """Why the limits are not in force; empty: they are."""
        return self.confinement.why_not

    def wait_until_ready(self, seconds: float) -> bool:
        """Whether it answers within this time; false as well as soon as it has ended."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up and self.process.poll() is None:
            if get(self.address, pod.READY_PATH) is not None:
                return True
            time.sleep(LOOK_SECONDS)
        return False

    def read_facts(self) -> ProcessFacts | None:
        """What it says of itself; none where it has ended."""
        content = get(self.address, FACTS_PATH) if self.process.poll() is None else None
        return msgspec.json.decode(content, type=ProcessFacts) if content else None

    def tell_end(self, limits: Limits) -> str:
        """Why it does not answer, as far as its end or its last line tell."""
        code = self.process.poll()
        if code is None:
            return "it runs, and does not answer"
        if code == -9 and self.confinement.groups:
            return f"it was ended for want of memory; its limit is {limits.memory_bytes >> 20}Mi"
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"it ended with {code}: {lines[-1][:300]}" if lines else f"it ended with {code}"


@contextmanager
def run_subject(bundle: Path, limits: Limits) -> Iterator[Subject]:
    """Serves a bundle's folder from a process of its own, under limits where the machine allows that."""
    with confine(limits) as confinement, tempfile.TemporaryDirectory(prefix="tidegate-") as folder:
        port, log = _find_port(), Path(folder) / "log"
        arguments = [str(bundle), str(port), str(max(1, math.ceil(limits.cores))), str(limits.memory_bytes)]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-m", "tidegate_gates.subject", *arguments], stdout=output, stderr=output
            )
        try:
            confinement.admit(process.pid)
            model = read_manifest((bundle / MANIFEST_NAME).read_bytes()).model
            yield Subject(process, port, log, confinement, model)
        finally:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def get(address: tuple[str, int], path: str) -> bytes | None:
    """What a predictor answers with 200; none if it does not."""
    connection = http.client.HTTPConnection(*address, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return content if answer.status == 200 else None


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    serve_bundle(Path(sys.argv[1]), int(sys.argv[2]), threads=int(sys.argv[3]), memory_bytes=int(sys.argv[4]))
