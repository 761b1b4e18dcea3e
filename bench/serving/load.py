"""The load: wrk, and what it saw."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.serving.processes import Running, pin

SCRIPT = Path(__file__).parent / "programs/post.lua"
WARM_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Setting:
    """How the servers are asked."""

    connections: int
    rows: int

    def __str__(self) -> str:
        return f"{self.connections} connection{'s' * (self.connections > 1)}, {self.rows} row{'s' * (self.rows > 1)}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One round against one server."""

    requests_per_second: float
    requests_per_cpu_second: float
    p50_ms: float
    p99_ms: float


def require_wrk() -> str:
    """Gives wrk's version; installs it where that is allowed.

    Raises:
        SystemExit: It is not there, with the command that mends it.
    """
    if not shutil.which("wrk") and shutil.which("apt-get") and os.geteuid() == 0:
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "wrk"]):
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if not shutil.which("wrk"):
        raise SystemExit(
            "bench-serving needs wrk: `sudo apt-get install wrk`, or your system's package of it."
        )
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return (said.stdout + said.stderr).split()[1]


def measure(running: Running, body: Path, setting: Setting, *, seconds: int, core: int) -> Sample:
    """Wakes a server, warms it, loads it, and puts it to sleep again."""
    running.signal(signal.SIGCONT)
    try:
        connections = setting.connections
        _wrk(running.url, body, connections=connections, seconds=WARM_SECONDS, core=core)
        before = running.cpu_seconds()
        answers, per_second, p50, p99 = _wrk(
            running.url, body, connections=connections, seconds=seconds, core=core
        )
        used = running.cpu_seconds() - before
    finally:
        running.signal(signal.SIGSTOP)
    return Sample(per_second, answers / used, p50, p99)


def _wrk(url: str, body: Path, *, connections: int, seconds: int, core: int) -> tuple[float, ...]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), url]
    done = subprocess.run(
        command,
        env=os.environ | {"BENCH_BODY": str(body)},
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=pin(core),
    )
    found = re.search(r"^result (\S+) (\S+) (\S+) (\S+) (\d+)$", done.stdout, re.MULTILINE)
    if found is None or found[5] != "0":
        raise SystemExit(f"{url} did not answer every request with 200:\n{done.stdout}{done.stderr}")
    return tuple(float(number) for number in found.groups()[:4])
