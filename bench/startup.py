"""From a predictor container's start to its pod being ready, for a bundle of 5 MB: `make bench-startup`.

One pod after the other is deleted; what is measured is the one that the Deployment makes in its place, with the default
resources, the image on the node, the bundle fetched from a store in the cluster. The start is the container runtime's
(in nanoseconds; pod status has whole seconds), the end is when the API server tells watchers that the pod is Ready.

    python -m bench.startup [--pods 10]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.bundle import MODEL, build_bundle
from bench.namespace import fresh_namespace
from bench.report import describe_spread, print_table, write_report
from cluster.kind import NODE
from demo.ground import hold_ground, install_operator
from demo.kubectl import Kubectl, Manifest, run
from demo.store import open_store, publish, start_store
from demo.waiting import FIRST_VERSION_SERVES, Deadline, wait_for

NAMESPACE = "bench-startup"
WANTED_SECONDS = 3.0
NEXT_READY = Deadline("the readiness of the next pod", 120)
SELECTOR = "app.kubernetes.io/component=predictor"


@dataclass(frozen=True, slots=True)
class Start:
    """One pod's start, in seconds since its container's."""

    loaded: float
    """The model was loaded and had answered its golden rows, as the predictor's log has it."""
    ready: float
    """The API server told so."""


class ReadyPods:
    """When each pod of the namespace was Ready for the first time, from a watch."""

    def __init__(self, port: int) -> None:
        self.since: dict[str, datetime] = {}
        self.objects: dict[str, Manifest] = {}
        path = f"/api/v1/namespaces/{NAMESPACE}/pods?watch=1&labelSelector={SELECTOR}"
        self._url = f"http://127.0.0.1:{port}{path}"
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        with urllib.request.urlopen(self._url) as events:
            for line in events:
                pod = json.loads(line)["object"]
                conditions = pod.get("status", {}).get("conditions", ())
                if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
                    self.objects[pod["metadata"]["name"]] = pod
                    self.since.setdefault(pod["metadata"]["name"], datetime.now(UTC))


def measure(kubectl: Kubectl, pods: int) -> list[Start]:
    """Has one pod after the other replaced."""
    starts = []
    with kubectl.serve_api() as port:
        watched = ReadyPods(port)
        wait_for(FIRST_VERSION_SERVES, lambda: watched.since)
        for _ in range(pods):
            known = set(watched.since)
            kubectl.run("delete", "pods", f"--selector={SELECTOR}", "--wait=false")
            (name,) = wait_for(NEXT_READY, lambda known=known: set(watched.since) - known)
            starts.append(_read_start(kubectl, watched, name))
            print(
                f"{name}  loaded after {starts[-1].loaded:.2f} s, ready after {starts[-1].ready:.2f} s",
                flush=True,
            )
    return starts


def _read_start(kubectl: Kubectl, watched: ReadyPods, name: str) -> Start:
    (container,) = watched.objects[name]["status"]["containerStatuses"]
    started = _read_container_start(container["containerID"].removeprefix("containerd://"))
    lines = [json.loads(line) for line in kubectl.run("logs", name).splitlines() if line.startswith("{")]
    loaded = next(
        datetime.fromisoformat(line["time"]) for line in lines if line["message"].startswith("ready:")
    )
    return Start(
        loaded=round((loaded - started).total_seconds(), 3),
        ready=round((watched.since[name] - started).total_seconds(), 3),
    )


def _read_container_start(container: str) -> datetime:
    """From what containerd keeps of it: the node has no crictl."""
    status = f"/var/lib/containerd/io.containerd.grpc.v1.cri/containers/{container}/status"
    started = json.loads(run("docker", "exec", NODE, "cat", status))["StartedAt"]
    return datetime.fromtimestamp(started / 1e9, UTC)


def serve(kubectl: Kubectl, store_image: str) -> None:
    """Has the model served in kubectl's namespace."""
    keys = start_store(kubectl, store_image)
    with open_store(kubectl, keys) as store, tempfile.TemporaryDirectory() as folder:
        bundle = build_bundle(Path(folder) / "bundle")
        kubectl.apply(publish(store, bundle, name="income-1"), _build_deployment())


def _build_deployment() -> dict[str, Any]:
    return {
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": MODEL},
        "spec": {"modelVersion": "income-1"},
    }


def main() -> None:
    """Measures, reports, and fails where it takes longer than wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pods", type=int, default=10)
    arguments = parser.parse_args()
    begin = time.monotonic()
    with hold_ground() as ground, fresh_namespace(ground.kubectl, NAMESPACE) as kubectl:
        install_operator(ground)
        serve(kubectl, ground.images["TIDEGATE_STORE_IMAGE"])
        starts = measure(kubectl, arguments.pods)
    rows = [
        [
            "model loaded, golden rows answered",
            describe_spread([start.loaded for start in starts], " s", digits=2),
        ],
        ["pod ready", describe_spread([start.ready for start in starts], " s", digits=2)],
    ]
    print_table(
        f"{len(starts)} pods, a bundle of 5 MB; since the container's start", ["what", "median (range)"], rows
    )
    figures = {"pod_start_to_ready_seconds": [start.ready for start in starts]}
    samples = {"starts": [asdict(start) for start in starts], "took_seconds": round(time.monotonic() - begin)}
    write_report("startup", figures, samples=samples)
    median = statistics.median(start.ready for start in starts)
    if median > WANTED_SECONDS:
        sys.exit(f"worse than wanted: a pod was ready after {median:.2f} s, wanted {WANTED_SECONDS:g} s")


if __name__ == "__main__":
    main()
