"""Whether a gate tells what users will have: p99 in the gate, and of the same load in service afterwards.

The bundle of 5 MB, 200 rows a request, 15 requests a second on four connections, each for 20 s: first the gate in the
candidate's own pod, then, when it serves all traffic, the same requests by way of the namespace's router. Each round
has a revision of its own.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.bundle import MODEL, build_bundle
from bench.namespace import fresh_namespace
from demo.entrance import open_entrance
from demo.ground import Ground, install_operator
from demo.kubectl import Kubectl, Manifest
from demo.rollout_view import RolloutView
from demo.store import open_store, publish, start_store
from demo.waiting import Deadline, wait_for

from tidegate.contents import read_contents
from tidegate_gates.load import Outcome, Plan, ask_once, send
from tidegate_gates.rows import build_requests

NAMESPACE: Final = "bench-gates"
VERSION: Final = "forest"
CONNECTIONS, PER_SECOND, ROWS, SECONDS = 4, 15, 200, 20
SERVES: Final = Deadline("the version's way through its gate into service", 180)
ANSWERS: Final = Deadline("an answer by way of the router", 60)


@dataclass(frozen=True, slots=True)
class Pair:
    """One round, in milliseconds."""

    gate_p99: float
    service_p99: float
    gate_p50: float
    service_p50: float

    @property
    def ratio(self) -> float:
        """Of the two p99: 1 where the gate told the truth."""
        return self.service_p99 / self.gate_p99


def measure(ground: Ground, rounds: int) -> list[Pair]:
    """So many rounds, one after the other."""
    install_operator(ground)
    with (
        fresh_namespace(ground.kubectl, NAMESPACE) as kubectl,
        tempfile.TemporaryDirectory() as folder,
    ):
        bundle = build_bundle(Path(folder) / VERSION)
        keys = start_store(kubectl, ground.images["TIDEGATE_STORE_IMAGE"])
        with open_store(kubectl, keys) as store:
            kubectl.apply(publish(store, bundle, name=VERSION))
        contents = read_contents(bundle.path)
        requests = build_requests(MODEL, contents.signature, contents.golden, rows=ROWS)
        address = "127.0.0.1", open_entrance(ground, kubectl)
        return [_measure_one(kubectl, number, address, requests) for number in range(rounds)]


def _measure_one(kubectl: Kubectl, number: int, address: tuple[str, int], requests: Sequence[bytes]) -> Pair:
    kubectl.apply(_build_deployment(number))

    def is_through() -> bool:
        body = kubectl.get("modeldeployment", MODEL) or {"metadata": {}}
        return RolloutView.of(body).ready

    wait_for(SERVES, is_through, last_seen=lambda: kubectl.run("get", "modeldeployments", "--output=wide"))
    gate = _read_latencies(kubectl)
    wait_for(ANSWERS, lambda: _is_answered(address, requests[0]))
    served = asyncio.run(send(address, requests, Plan(CONNECTIONS, SECONDS, PER_SECOND)))
    pair = Pair(gate["p99"], served.quantile(0.99), gate["p50"], served.quantile(0.5))
    _require_whole(served)
    print(
        f"    round {number + 1}: gate {pair.gate_p99:.1f} ms, service {pair.service_p99:.1f} ms", flush=True
    )
    return pair


def _is_answered(address: tuple[str, int], request: bytes) -> bool:
    try:
        asyncio.run(ask_once(address, request))
    except OSError:
        return False
    return True


def _require_whole(served: Outcome) -> None:
    if served.failed:
        raise RuntimeError(f"{served.failed} requests failed: {served.failure}")


def _read_latencies(kubectl: Kubectl) -> dict[str, float]:
    """Milliseconds by quantile, as the report has them."""
    deployment = kubectl.get("modeldeployment", MODEL)
    assert deployment
    report = kubectl.get("gatereport", deployment["status"]["gates"]["run"])
    assert report
    (result,) = report["spec"]["results"]
    found: dict[str, float] = {}
    for finding in result["findings"]:
        if told := re.match(r"(p50|p99) .*?([0-9.e+]+) ms", finding["message"]):
            found[told[1]] = float(told[2])
    return found


def _build_deployment(number: int) -> Manifest:
    serving: dict[str, Any] = {
        "concurrency": CONNECTIONS,
        "requestsPerSecond": PER_SECOND,
        "rowsPerRequest": ROWS,
        "duration": f"{SECONDS}s",
    }
    # Another request for CPU makes another revision, which has to show everything anew.
    asked = {"cpu": f"{50 + number}m", "memory": "128Mi"}
    return {
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": MODEL},
        "spec": {
            "modelVersion": VERSION,
            "serving": {"resources": {"requests": asked}},
            "gates": [{"name": "serves-well", "serving": serving}],
            "rollout": {"strategy": "Immediate", "keepWarm": "0s"},
        },
    }
