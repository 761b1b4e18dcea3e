"""Requests a second of one row through the predictor and through FastAPI with ONNX Runtime, in the same run.

    python bench/predictor.py [--rounds 5] [--seconds 4]

One model (200 trees, 30 numbers), one body, 16 connections over loopback, one request at a time on each. The server
under load has one core to itself and the load generator the other. Rounds alternate between the servers, so that a
slower minute of the machine meets all. FastAPI runs with one worker, twice: `tuned` with an async endpoint on uvloop
and httptools (`uvicorn[standard]`), `plain` as `pip install fastapi uvicorn` and a `def` endpoint give it. Both do
less than ours: no ids, no counts, no bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier

from tidegate import package

FEATURES, TREES, CONNECTIONS = 30, 200, 16

OURS = "import sys; from pathlib import Path; from tidegate_serving.main import serve_bundle; "
OURS += "serve_bundle(Path(sys.argv[1]), int(sys.argv[2]))"
THEIRS = """
import sys, numpy, onnxruntime, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1] + "/model.onnx", options)
name = session.get_inputs()[0].name
dtype = numpy.float32 if session.get_inputs()[0].type == "tensor(float)" else numpy.float64
class Rows(BaseModel):
    instances: list[list[float | None]]
app = FastAPI()
@app.post("/v1/models/bench:predict")
async def predict(rows: Rows):
    label, shares = session.run(None, {name: numpy.array(rows.instances, dtype=dtype)})
    return {"predictions": [{"label": a, "probabilities": b} for a, b in zip(label.tolist(), shares.tolist())]}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", loop=LOOP, http=HTTP)
"""
SERVERS = {
    "tidegate": OURS,
    "tuned": THEIRS.replace("LOOP", "'uvloop'").replace("HTTP", "'httptools'"),
    "plain": THEIRS.replace("async def", "def").replace("LOOP", "'asyncio'").replace("HTTP", "'h11'"),
}


def main() -> None:
    """Prints both medians, their spread, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:-1] or cores)
    with tempfile.TemporaryDirectory() as folder:
        body = build_bundle(Path(folder) / "bundle")
        results: dict[str, list[Rate]] = {name: [] for name in SERVERS}
        for _ in range(arguments.rounds):
            for name, program in SERVERS.items():
                rate = measure(
                    program, Path(folder) / "bundle", body, core=cores[-1], seconds=arguments.seconds
                )
                results[name].append(rate)
                print(f"{name:9} {rate.wall:7.0f} requests/s  {rate.cpu:7.0f} requests/CPU s", flush=True)
    report(results)


class Rate(NamedTuple):
    """Answers by the wall's second and by the second of CPU that the server used.

    On a machine that does nothing else the two agree; on a busy one the first says how busy it was.
    """

    wall: float
    cpu: float


def report(results: dict[str, list[Rate]]) -> None:
    """Prints medians and ratios; the ratio's spread is over the rounds, each against its neighbour."""
    for unit, place in (("requests/s", 0), ("requests/CPU s", 1)):
        for name, rates in results.items():
            print(f"{name:9} {spread([rate[place] for rate in rates], 0)} {unit}")
        for name in ("tuned", "plain"):
            pairs = zip(results["tidegate"], results[name], strict=True)
            print(
                f"over {name} {spread([ours[place] / theirs[place] for ours, theirs in pairs], 2)} of {unit}"
            )


def spread(values: list[float], digits: int) -> str:
    """Gives the median with the smallest and the largest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def cpu_seconds(pid: int) -> float:
    """Gives the CPU time of a process, all its threads together, user and system (proc(5), stat fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def build_bundle(folder: Path) -> bytes:
    """Packages the model; gives the body of a request for one row."""
    rng = np.random.default_rng(7)
    names = [f"f{place}" for place in range(FEATURES)]
    frame = pd.DataFrame(rng.normal(size=(2000, FEATURES)), columns=names)
    target = (frame.sum(axis=1) + rng.normal(size=2000) > 0).astype(int)
    model = GradientBoostingClassifier(n_estimators=TREES, max_depth=4, random_state=7).fit(frame, target)
    package(model, frame, name="bench", folder=folder)
    return json.dumps({"instances": [frame.iloc[0].tolist()]}).encode()


def measure(program: str, folder: Path, body: bytes, *, core: int, seconds: float) -> Rate:
    """Starts a server on its core, loads it, ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 - no threads here
    )
    try:
        require_answer(port, body)
        asyncio.run(load(port, body, 1.0))  # warm
        used = cpu_seconds(process.pid)
        answers, took = asyncio.run(load(port, body, seconds))
        return Rate(answers / took, answers / (cpu_seconds(process.pid) - used))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def require_answer(port: int, body: bytes) -> None:
    """Waits until the server answers this very body with 200."""
    deadline = time.monotonic() + 30
    status = 0
    while time.monotonic() < deadline:
        try:
            answer = httpx.post(
                f"http://127.0.0.1:{port}/v1/models/bench:predict",
                content=body,
                headers={"content-type": "application/json"},
            )
            status = answer.status_code
            if status == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"no 200 within 30 s, the last status was {status}")


class Client(asyncio.Protocol):
    """One connection: sends the same request again as soon as the answer is whole."""

    def __init__(self, request: bytes) -> None:
        self.request, self.answers, self.buffer, self.going = request, 0, b"", True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Counts an answer once its body is there; any status but 200 ends the run."""
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"not a 200: {self.buffer[:200]!r}")
        start = head.lower().index(b"content-length:") + 15
        if len(rest) >= int(head[start:].partition(b"\r\n")[0]):
            self.buffer = b""
            self.answers += 1
            if self.going:
                self.transport.write(self.request)


async def load(port: int, body: bytes, seconds: float) -> tuple[int, float]:
    """Asks on all connections for a while; gives the answers, and the seconds that it took."""
    head = "POST /v1/models/bench:predict HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(CONNECTIONS):
        _, client = await loop.create_connection(lambda: Client(request), "127.0.0.1", port)
        clients.append(client)
    before, began = sum(client.answers for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    answers, took = sum(client.answers for client in clients) - before, time.perf_counter() - began
    for client in clients:
        client.going = False
        client.transport.close()
    return answers, took


if __name__ == "__main__":
    main()
