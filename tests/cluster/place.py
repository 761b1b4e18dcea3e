"""A place: the namespace of one story, and the few things that a user does in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from demo.adult import read_census, requests
from demo.kubectl import Kubectl, Manifest
from demo.load import Load
from demo.rollout_view import RolloutView
from demo.waiting import Deadline, wait_for
from tests.cluster.library import MODEL, Library

ANSWERED = Deadline("the first answer", 30)
FIRST_SERVES = Deadline("the first version's service", 90)
CANDIDATE_MIRRORS = Deadline("the candidate's mirror step", 60)
CANDIDATE_ANSWERS = Deadline("the candidate's first share of traffic", 90)
PROMOTED = Deadline("the promotion", 120)
TAKEN_BACK = Deadline("the take-back", 90)
REPLACED = Deadline("the candidate's replacement", 60)
RETURNED = Deadline("the return to the former version", 30)
REFUSED = Deadline("the refusal of the version", 90)
PAUSED = Deadline("the pause", 30)
NAMED = Deadline("the sentence that names the cause", 90)
MENDED = Deadline("the candidate's start after its cause was mended", 120)
GONE = Deadline("the removal of everything that belonged to it", 90)

# Short holds and a wide tolerance: a story needs a hundred requests, not an hour. That the evidence is sound is
# shown in tests/unit/evidence.
QUICK = {
    "steps": [{"mirror": 100, "hold": "1s"}, {"weight": 20, "hold": "1s"}, {"weight": 50, "hold": "1s"}],
    "analysis": {"minRequestsPerStep": 30, "checks": [{"type": "ErrorRate", "tolerance": "5%"}]},
}
NO_MIRROR = {**QUICK, "steps": [{"weight": 50, "hold": "1s"}]}
LONG_CANARY = {**QUICK, "steps": [{"weight": 50, "hold": "1h"}]}
SMALL = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}


@dataclass(frozen=True, slots=True)
class Place:
    """What a user has: kubectl in a namespace, and the ModelVersions of the library."""

    kubectl: Kubectl
    library: Library

    def register(self, *names: str, **spec: Any) -> None:
        """Applies ModelVersions, with fields of the spec replaced."""
        for name in names:
            version = self.library.versions[name]
            self.kubectl.apply({**version, "spec": {**version["spec"], **spec}})

    def deploy(self, version: str, rollout: Manifest = QUICK, *, name: str = MODEL, **spec: Any) -> None:
        """Applies the ModelDeployment that names the version."""
        self.kubectl.apply(
            {
                "apiVersion": "tidegate.io/v1alpha1",
                "kind": "ModelDeployment",
                "metadata": {"name": name},
                "spec": {
                    "model": MODEL,
                    "modelVersion": version,
                    "serving": {"resources": SMALL},
                    "rollout": rollout,
                    **spec,
                },
            }
        )

    def serve(self, version: str, rollout: Manifest = QUICK) -> None:
        """Deploys the first version and waits until it serves."""
        self.deploy(version, rollout)
        self.until(FIRST_SERVES, lambda view: view.ready and view.stable == version)

    def view(self, name: str = MODEL) -> RolloutView:
        """One look at the ModelDeployment."""
        return RolloutView.of(self.object(name))

    def object(self, name: str = MODEL) -> dict[str, Any]:
        """The ModelDeployment as the API server has it."""
        return self.kubectl.get("modeldeployment", name) or {"metadata": {}}

    def conditions(self) -> dict[str, str]:
        """The status of each condition, by its type."""
        return {c["type"]: c["status"] for c in self.object().get("status", {}).get("conditions", [])}

    def until(
        self, deadline: Deadline, happened: Callable[[RolloutView], bool], *, name: str = MODEL
    ) -> RolloutView:
        """Waits for a look at which it has happened; says what was seen last when it has not."""
        seen: list[RolloutView] = []

        def look() -> RolloutView | None:
            seen[:] = [self.view(name)]
            return seen[0] if happened(seen[0]) else None

        return wait_for(deadline, look, last_seen=lambda: seen)

    @contextmanager
    def traffic(self, per_second: float = 40, *, name: str = MODEL) -> Iterator[Load]:
        """Users: held-out rows by way of the Service that bears the model's name, until the block ends."""
        bodies = list(requests(read_census().held_out[:5000]))
        with self.kubectl.forward(f"service/{name}", "http") as port:
            url = f"http://127.0.0.1:{port}/v2/models/{name}/infer"
            with Load(url, bodies, per_second=per_second) as load:
                wait_for(
                    Deadline("the first answer", 30),
                    lambda: bool(load.book.answered),
                    last_seen=lambda: load.book.failed,
                )
                yield load

    def annotate(self, key: str, value: str) -> None:
        """Sets an annotation of the ModelDeployment."""
        patch = json.dumps({"metadata": {"annotations": {key: value}}})
        self.kubectl.run("patch", "modeldeployment", MODEL, "--type=merge", f"--patch={patch}")

    def within(self, namespace: str) -> Place:
        """The same user in another namespace."""
        return replace(self, kubectl=self.kubectl.within(namespace))
