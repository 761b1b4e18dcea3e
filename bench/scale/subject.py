"""The operator under measurement: a process of its own, as its image starts it, and what it costs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import aiohttp
from bench.scale.control_plane import OPERATOR, OPERATOR_NAMESPACE
from cluster.api_server import ApiServer, free_port

# As the image and the chart set it.
POD_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "PYTHONMALLOC": "malloc", "MALLOC_ARENA_MAX": "1"}
TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 1.0
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a while of the operator's life took."""

    seconds: float
    cpu_cores: float
    rss_mib: float
    """Largest resident memory that was seen."""
    requests: Counter[str]
    """Requests that the API server answered, by `verb resource`."""

    @property
    def requests_per_second(self) -> float:
        """To the API server."""
        return self.requests.total() / self.seconds


class Operator:
    """A running operator."""

    def __init__(self, process: asyncio.subprocess.Process, server: ApiServer, health: str) -> None:
        self._process = process
        self._server = server
        self._health = health
        self.started_at = monotonic()

    async def read_metrics(self) -> dict[str, float]:
        """Its own metrics by name and labels; empty while it does not answer."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self._health}/metrics") as answer:
                lines = (await answer.text()).splitlines()
        except aiohttp.ClientError:
            return {}
        values = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in values}

    async def measure(self, seconds: float) -> Cost:
        """What it takes during the next seconds."""
        begin, cpu, asked = monotonic(), self._read_cpu_seconds(), self._count_requests()
        largest = 0.0
        while monotonic() < begin + seconds:
            await asyncio.sleep(SAMPLE_SECONDS)
            largest = max(largest, self.read_memory_mib())
        passed = monotonic() - begin
        return Cost(
            seconds=passed,
            cpu_cores=(self._read_cpu_seconds() - cpu) / passed,
            rss_mib=largest,
            requests=self._count_requests() - asked,
        )

    def read_memory_mib(self, field: str = "VmRSS") -> float:
        """Resident memory now (VmRSS), or the most there ever was (VmHWM)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(field))
        return int(line.split()[1]) / 1024

    def _read_cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def _count_requests(self) -> Counter[str]:
        """From the API server's audit log.

        The operator's own word would leave out what its libraries ask for. A watch counts once, when it begins.
        """
        counted: Counter[str] = Counter()
        for event in self._server.read_requests(f"{OPERATOR_NAMESPACE}:{OPERATOR}"):
            if (event["stage"] == "ResponseStarted") == (event["verb"] == "watch"):
                reference = event.get("objectRef", {})
                resource, sub = reference.get("resource", event["requestURI"]), reference.get("subresource")
                counted[f"{event['verb']} {resource}/{sub}" if sub else f"{event['verb']} {resource}"] += 1
        return counted

    async def stop(self) -> None:
        """End it as Kubernetes does."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()


@asynccontextmanager
async def run_operator(
    server: ApiServer, folder: Path, *, token: str, xds_port: int
) -> AsyncIterator[Operator]:
    """Run `python -m tidegate_operator` under its own ServiceAccount's rights until the block ends."""
    health_port = free_port()
    environment = {
        **os.environ,
        "KUBECONFIG": str(server.write_kubeconfig(folder / "operator.kubeconfig", token)),
        **POD_ENVIRONMENT,
        "TIDEGATE_NAMESPACE": OPERATOR_NAMESPACE,
        "TIDEGATE_PREDICTOR_IMAGE": "predictor",
        "TIDEGATE_ROUTER_IMAGE": "router",
        "TIDEGATE_XDS_ADDRESS": f"127.0.0.1:{xds_port}",
        # Routers are imitated here, all at the address of the loopback.
        "TIDEGATE_CHECK_ROUTER_ADDRESSES": "false",
        "TIDEGATE_HEALTH_PORT": str(health_port),
        "TIDEGATE_IDENTITY": "bench",
    }
    with (folder / "operator.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tidegate_operator", env=environment, stdout=log, stderr=log
        )
    operator = Operator(process, server, f"http://127.0.0.1:{health_port}")
    try:
        yield operator
    finally:
        await operator.stop()
