"""A server as the processes that it consists of: pinned to one core, stopped while others are measured."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
from bench.serving.environments import programs_of
from bench.serving.model import Request, require_right
from bench.serving.servers import PROGRAMS, Server

START_SECONDS = 60


def pin(core: int) -> Callable[[], None]:
    """What a child does first: it keeps to its core, ahead of all that is not measured where that is allowed."""

    def first() -> None:
        os.sched_setaffinity(0, {core})
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))

    return first


class Running:
    """A started server."""

    def __init__(self, server: Server, bundle: Path, folder: Path, *, core: int) -> None:
        ports = free_ports(3)
        programs = programs_of(server.environment)
        names = {
            "bin": programs, "python": programs / "python", "bundle": bundle,
            "port": ports[0], "port1": ports[1], "port2": ports[2],
        }  # fmt: skip
        self.server = server
        self.url = f"http://127.0.0.1:{ports[0]}{server.path}"
        self.log = folder / f"{server.name}.log"
        self._process = subprocess.Popen(
            [part.format(**names) for part in server.command],
            cwd=_made(folder / server.name),
            env=os.environ | self._variables(names, bundle),
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            preexec_fn=pin(core),  # noqa: PLW1509 - no threads here
        )

    def _variables(self, names: Mapping[str, object], bundle: Path) -> dict[str, str]:
        own = {name: value.format(**names) for name, value in self.server.variables}
        place = {"BENCH_MODEL": str(bundle / "model.onnx"), "BENCH_PORT": str(names["port"])}
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        return {**place, **one_thread, "PYTHONPATH": str(PROGRAMS) if self.server.environment else "", **own}

    def until_right(self, request: Request) -> None:
        """Waits for the first 200, and looks whether its numbers are right."""
        end = time.monotonic() + START_SECONDS
        last = "nobody listens"
        headers = {"content-type": "application/json"}
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                answer = httpx.post(self.url, content=request.body.read_bytes(), headers=headers, timeout=10)
                if answer.status_code == 200:
                    return require_right(answer.content, request)
                last = f"{answer.status_code}: {answer.text[:300]}"
            time.sleep(0.1)
        tail = self.log.read_text(errors="replace")[-1500:]
        raise SystemExit(f"{self.server.title} gave no answer within {START_SECONDS} s ({last}):\n{tail}")

    def processes(self) -> list[int]:
        """The server's process and all that it started."""
        children: dict[int, list[int]] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(path.parent.name))
        found, ahead = [], [self._process.pid]
        while ahead:
            found.append(ahead.pop())
            ahead += children.get(found[-1], [])
        return found

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to all processes of the server."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def cpu_seconds(self) -> float:
        """CPU time of all its processes, user and system (proc(5), stat fields 14 and 15)."""
        ticks = 0
        for pid in self.processes():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """What its processes hold each for itself, and the most that one of them shares.

        Of one process that is its resident memory. PSS would be less wherever another server under comparison
        happens to use the same libraries.
        """
        own, shared = 0, [0]
        for pid in self.processes():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                kib = {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)}
                private = kib["Private_Clean"] + kib["Private_Dirty"]
                own += private
                shared.append(kib["Rss"] - private)
        return (own + max(shared)) / 1024

    def end(self) -> None:
        """Ends it, by force after ten seconds."""
        self.signal(signal.SIGCONT)
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self.signal(signal.SIGKILL)
        self._process.wait()


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
