"""Whether a gate tells what users will have: p99 in the gate, and of the same load in service afterwards.

The bundle of 5 MB, requests of 200 rows and of 1,000, on four connections for 20 s: first the gate in the candidate's
own pod, then, when it serves all traffic, the same requests by way of the namespace's router. Each round has a revision
of its own. In service there are two figures: that of the predictor, as the router counts it and checks of latency read
it, which is what a gate speaks about; and the user's, with the way there and back. Two sizes, since the way is much of
a short answer and little of a long one.
"""

from __future__ import annotations

import asyncio
import json
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
from tidegate_operator.observe.scrape import ROUTER_STATS_PORT
from tidegate_operator.routing.router import ROUTER_SELECTOR

NAMESPACE: Final = "bench-gates"
VERSION: Final = "forest"
CONNECTIONS, SECONDS = 4, 20
SERVES: Final = Deadline("the version's way through its gate into service", 180)
ANSWERS: Final = Deadline("an answer by way of the router", 60)


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked."""

    rows: int
    """Of each request."""
    per_second: int

    def __str__(self) -> str:
        """As the table calls it."""
        return f"{self.rows:,} rows"


LOADS: Final = (Load(200, 15), Load(1000, 10))


@dataclass(frozen=True, slots=True)
class Pair:
    """One round, in milliseconds."""

    gate_p99: float
    service_p99: float
    """Of the predictor, as its router counts it, in whole milliseconds and what lies between them by their counts."""
    user_p99: float
    gate_p50: float
    user_p50: float

    @property
    def ratio(self) -> float:
        """Of the two p99 of the predictor: 1 where the gate told the truth."""
        return self.service_p99 / self.gate_p99

    def __str__(self) -> str:
        """For who waits."""
        return (
            f"p99 {self.gate_p99:.1f} ms in the gate, {self.service_p99:.1f} ms in service, "
            f"{self.user_p99:.1f} ms for its users"
        )


def measure(ground: Ground, rounds: int) -> dict[Load, list[Pair]]:
    """So many rounds of each load, one after the other."""
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
        address = "127.0.0.1", open_entrance(ground, kubectl)
        pairs: dict[Load, list[Pair]] = {load: [] for load in LOADS}
        for number, load in enumerate(LOADS * rounds):
            requests = build_requests(MODEL, contents.signature, contents.golden, rows=load.rows)
            kubectl.apply(_build_deployment(number, load))
            pairs[load].append(_measure_one(kubectl, load, address, requests))
            print(f"    {number + 1}: {load}, {pairs[load][-1]}", flush=True)
        return pairs


def _measure_one(kubectl: Kubectl, load: Load, address: tuple[str, int], requests: Sequence[bytes]) -> Pair:
    def is_through() -> bool:
        body = kubectl.get("modeldeployment", MODEL) or {"metadata": {}}
        return RolloutView.of(body).ready

    wait_for(SERVES, is_through, last_seen=lambda: kubectl.run("get", "modeldeployments", "--output=wide"))
    gate = _read_latencies(kubectl)
    wait_for(ANSWERS, lambda: _is_answered(address, requests[0]))
    served = asyncio.run(send(address, requests, Plan(CONNECTIONS, SECONDS, load.per_second)))
    _require_whole(served)
    return Pair(gate["p99"], _read_router(kubectl), served.quantile(0.99), gate["p50"], served.quantile(0.5))


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


def _read_router(kubectl: Kubectl) -> float:
    """p99 of the revision in service since it began, as Envoy has it (the time that an upstream took)."""
    deployment = kubectl.get("modeldeployment", MODEL)
    assert deployment
    (router,) = kubectl.find("pods", ",".join(f"{key}={value}" for key, value in ROUTER_SELECTOR.items()))
    pod = f"/api/v1/namespaces/{NAMESPACE}/pods/{router['metadata']['name']}:{ROUTER_STATS_PORT}"
    told = json.loads(kubectl.run("get", "--raw", f"{pod}/proxy/stats?format=json&filter=upstream_rq_time$"))
    (histograms,) = (one["histograms"] for one in told["stats"] if "histograms" in one)
    place = histograms["supported_quantiles"].index(99)
    name = f"cluster.{deployment['status']['stable']['revision']}.upstream_rq_time"
    (found,) = (one for one in histograms["computed_quantiles"] if one["name"] == name)
    return float(found["values"][place]["cumulative"])


def _build_deployment(number: int, load: Load) -> Manifest:
    serving: dict[str, Any] = {
        "concurrency": CONNECTIONS,
        "requestsPerSecond": load.per_second,
        "rowsPerRequest": load.rows,
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
