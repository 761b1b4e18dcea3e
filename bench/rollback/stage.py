"""The stage: one namespace, each run a ModelDeployment of its own in it, all behind the namespace's router."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.namespace import fresh_namespace
from bench.rollback.models import MODEL, STABLE, TABLES, draw_requests, package
from demo.ground import Ground, install_operator
from demo.kubectl import Kubectl, Manifest
from demo.load import Load
from demo.rollout_view import RolloutView
from demo.store import open_store, publish, start_store
from demo.waiting import Deadline, wait_for

from tidegate.counts import SNAPSHOT_PATH
from tidegate.pod import PORT

NAMESPACE = "bench-rollback"
STABLE_SERVES = Deadline("the first version's service in every run", 300)
ANSWERED = Deadline("the first answer of every run", 60)
# Small requests: sixty predictors and their router share one node of two cores.
SERVING = {
    "resources": {"requests": {"cpu": "5m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where runs happen: kubectl for what is written, one port of the API server for all that is looked at."""

    kubectl: Kubectl
    api: str

    def deploy(self, names: Iterable[str], version: str, rollout: Manifest) -> None:
        """Points every run to a version, all in one go."""
        self.kubectl.apply(*(_build_deployment(name, version, rollout) for name in names))

    def serve_stable(self, names: Iterable[str], rollout: Manifest) -> None:
        """Brings up the version that all runs begin with."""
        self.deploy(names := tuple(names), STABLE, rollout)
        self.until(STABLE_SERVES, names, lambda view: view.ready and view.stable == STABLE)

    def withdraw(self, names: Iterable[str]) -> None:
        """Takes runs away, so that their pods make room."""
        self.kubectl.run("delete", "modeldeployments", *names, "--wait=false")

    def views(self) -> dict[str, RolloutView]:
        """One look at every run."""
        path = f"/apis/tidegate.io/v1alpha1/namespaces/{NAMESPACE}/modeldeployments"
        return {item["metadata"]["name"]: RolloutView.of(item) for item in self._get(path)["items"]}

    def until(
        self, deadline: Deadline, names: Iterable[str], happened: Callable[[RolloutView], bool]
    ) -> None:
        """Waits until it has happened in all these runs; the last word is of those in which it has not."""
        open_runs: dict[str, RolloutView] = {}

        def look() -> bool:
            views, still = self.views(), tuple(names)
            open_runs.clear()
            open_runs.update({name: views[name] for name in still if not happened(views[name])})
            return not open_runs

        wait_for(deadline, look, last_seen=lambda: {name: view.message for name, view in open_runs.items()})

    def count_requests(self, revision: str) -> int:
        """What the pods of a revision counted themselves, mirrored requests included; 0 while there is none."""
        pods = self._get(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=tidegate.io/revision={revision}")
        return sum(self._count_of_pod(pod["metadata"]["name"]) for pod in pods["items"])

    @contextmanager
    def traffic(self, names: Iterable[str], *, per_second: float) -> Iterator[dict[str, Load]]:
        """Users of every run until the block ends, by way of the router, none of whom tries again."""
        loads: dict[str, Load] = {}
        with self.kubectl.forward("deployment/tidegate-router", 10000) as port:
            for name in names:
                url = f"http://127.0.0.1:{port}/v2/models/{name}/infer"
                loads[name] = Load(url, draw_requests(), per_second=per_second)
                loads[name].__enter__()
            try:
                wait_for(ANSWERED, lambda: all(load.book.answered for load in loads.values()))
                yield loads
            finally:
                for load in loads.values():
                    load.__exit__(None, None, None)

    def _count_of_pod(self, pod: str) -> int:
        try:
            counted = self._get(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:{PORT}/proxy{SNAPSHOT_PATH}")
        except OSError:
            return 0
        return sum(counted["requests"].values())

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.api + path, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def open_stage(ground: Ground) -> Iterator[Stage]:
    """The operator, and a fresh namespace with the store and every ModelVersion in it, removed at the end."""
    install_operator(ground)
    with fresh_namespace(ground.kubectl, NAMESPACE) as kubectl:
        kubectl.apply(*_fill_store(kubectl, ground.images["TIDEGATE_STORE_IMAGE"]))
        with kubectl.serve_api() as port:
            yield Stage(kubectl, f"http://127.0.0.1:{port}")


def _fill_store(kubectl: Kubectl, image: str) -> list[Manifest]:
    keys = start_store(kubectl, image)
    with open_store(kubectl, keys) as store, tempfile.TemporaryDirectory() as folder:
        return [publish(store, package(name, Path(folder)), name=name) for name in TABLES]


def _build_deployment(name: str, version: str, rollout: Manifest) -> Mapping[str, Any]:
    return {
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name},
        "spec": {"model": MODEL, "modelVersion": version, "serving": SERVING, "rollout": rollout},
    }
