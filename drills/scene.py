"""A scene: one ModelDeployment under steady load, what a drill does to it, and what came of that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from demo.adult import read_census, requests
from demo.ground import SYSTEM_NAMESPACE
from demo.kubectl import Kubectl, Manifest
from demo.load import Load
from demo.rollout_view import RolloutView
from demo.waiting import Deadline, wait_for

from drills.witness import Witness, find_wrong_decisions

PER_SECOND: Final = 40
REPLICAS: Final = 2
STABLE, GOOD, BAD, ANOTHER = "income-1", "income-2", "income-3", "income-4"
WEIGHTS: Final = (20, 50)
LIMITS: Final = {"cpu": "1", "memory": "512Mi"}

PREDICTORS: Final = "app.kubernetes.io/component=predictor"

# The longest that each may take on a machine with two cores; what it took is in the report.
CLEARED: Final = Deadline("the end of the pods of the drill before", 180)
SERVES: Final = Deadline("the first version's service", 90)
FLOWS: Final = Deadline("an answer to the first request", 30)
IN_MID_ROLLOUT: Final = Deadline("the candidate's first share of traffic", 90)
PROMOTED: Final = Deadline("the promotion", 90)
TAKEN_BACK: Final = Deadline("the take-back", 90)
LED: Final = Deadline("the operator's lead", 60)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one drill did to users and to decisions."""

    requests: int
    lost: int
    """Requests without the answer that a healthy revision would have given; those that a bad candidate answered with
    its own failure are not among them."""
    failures: tuple[str, ...]
    """Each kind of loss with its number and times."""
    wrong_decisions: tuple[str, ...]
    recovered_seconds: float | None
    """From the fault, or its end where it lasts, until everything was as it should be; none if it never was."""
    unexpected: str = ""
    """What did not happen in time, or not as it should."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment, and what was sent and lost until then."""

    at: float
    sent: int
    lost: int


@dataclass(slots=True)
class Stage:
    """What all scenes share: the namespace with the versions, and the way in that users take."""

    kubectl: Kubectl
    host_port: int
    scenes: int = 0

    @property
    def system(self) -> Kubectl:
        """Kubectl in the operator's namespace."""
        return self.kubectl.within(SYSTEM_NAMESPACE)

    def set_scene(self) -> Scene:
        """A ModelDeployment that was never there before: no name is remembered anywhere.

        What was there before leaves first: its pods drain, after a killed API server for longer, and a small node has
        no room for both.
        """
        wait_for(
            CLEARED,
            lambda: not self.kubectl.find("pods", PREDICTORS),
            last_seen=lambda: self.kubectl.run("get", "pods"),
        )
        self.scenes += 1
        return Scene(self, f"drill-{self.scenes}")


@dataclass(slots=True)
class Scene:
    """Serves, is sent requests and is watched while the `with` block runs."""

    stage: Stage
    name: str
    replicas: int = REPLICAS
    millicores: int = 50
    """What each pod asks for; with another number, a version becomes another revision."""
    load: Load = field(init=False)
    witness: Witness = field(init=False)
    _fault_at: float = 0.0
    _recovered_at: float = 0.0
    _watching: ExitStack = field(default_factory=ExitStack)
    _sending: ExitStack = field(default_factory=ExitStack)

    @property
    def kubectl(self) -> Kubectl:
        """Kubectl in the scene's namespace."""
        return self.stage.kubectl

    @property
    def view(self) -> RolloutView:
        """What is so now."""
        return self.witness.view

    def __enter__(self) -> Self:
        """Begins to watch."""
        self.witness = self._watching.enter_context(Witness(self.kubectl, self.name))
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """The load ends, then the watching, then the ModelDeployment."""
        self.stop_sending()
        self._watching.close()
        self.kubectl.run("delete", "modeldeployment", self.name, "--wait=false", "--ignore-not-found")

    def serve(self) -> None:
        """Brings the first version to service."""
        self.deploy(STABLE)
        self.until(SERVES, lambda view: view.ready and view.stable == STABLE)

    def send(self) -> None:
        """The load begins, once the first request was answered."""
        bodies = list(requests(read_census().held_out[:5000]))
        url = f"http://127.0.0.1:{self.stage.host_port}/v2/models/{self.name}/infer"
        with Load(url, bodies[:1], per_second=4) as first:
            wait_for(FLOWS, lambda: bool(first.book.answered), last_seen=lambda: first.book.failed)
        self.load = self._sending.enter_context(Load(url, bodies, per_second=PER_SECOND))

    def stop_sending(self) -> None:
        """The load ends with its last answer."""
        self._sending.close()

    def count_answers(self, version: str) -> int:
        """Answers of a version, good ones and others."""
        revision = self.witness.revisions[version]
        book = self.load.book
        return book.answered[revision] + book.failures(of=[revision])

    def deploy(
        self, version: str, *, weight_hold: str = "1s", mirror: bool = True, **rollout: object
    ) -> None:
        """Names a version; a long `weight_hold` keeps its candidate at the first weight."""
        steps = [{"mirror": 100, "hold": "1s"}] if mirror else []
        steps += [{"weight": weight, "hold": weight_hold} for weight in WEIGHTS]
        checks = [{"type": "ErrorRate", "tolerance": "2%"}]
        asked = {"cpu": f"{self.millicores}m", "memory": "128Mi"}
        serving = {"replicas": self.replicas, "resources": {"requests": asked, "limits": LIMITS}}
        analysis = {"minRequestsPerStep": 30, "checks": checks}
        self.kubectl.apply(
            {
                "apiVersion": "tidegate.io/v1alpha1",
                "kind": "ModelDeployment",
                "metadata": {"name": self.name},
                "spec": {
                    "model": "income",
                    "modelVersion": version,
                    "serving": serving,
                    "rollout": {"steps": steps, "analysis": analysis, **rollout},
                },
            }
        )

    def begin_canary(self, version: str = GOOD, *, mirror: bool = True) -> None:
        """Brings a candidate to its first weight and keeps it there."""
        self.deploy(version, weight_hold="1h", mirror=mirror)
        self.until(IN_MID_ROLLOUT, lambda view: view.candidate == version and view.weight == WEIGHTS[0])

    def retry(self, token: str) -> None:
        """Asks for another trial of a version that was taken back."""
        annotation = f"tidegate.io/retry={token}"
        self.kubectl.run("annotate", "modeldeployment", self.name, "--overwrite", annotation)

    def finish_canary(self, version: str = GOOD) -> None:
        """Lets the candidate go on, and waits until it is promoted."""
        self.deploy(version)
        self.until(PROMOTED, lambda view: view.ready and view.stable == version)

    @contextmanager
    def fault(self) -> Iterator[None]:
        """What is broken while the block runs; recovery is measured from its end."""
        self._recovered_at = 0.0
        try:
            yield
        finally:
            self._fault_at = time.monotonic()

    def recovered(self) -> None:
        """All is as it should be, now."""
        self._recovered_at = time.monotonic()

    def pods(self, version: str = "") -> list[Manifest]:
        """The scene's predictor pods that are not on their way out; those of one version, or all."""
        labels = f"tidegate.io/deployment={self.name}"
        if version:
            labels += f",tidegate.io/revision={self.witness.revisions[version]}"
        return [
            pod for pod in self.kubectl.find("pods", labels) if "deletionTimestamp" not in pod["metadata"]
        ]

    def routers(self) -> list[Manifest]:
        """The namespace's router pods that are not on their way out."""
        pods = self.kubectl.find("pods", "app.kubernetes.io/component=router")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def operators(self) -> list[Manifest]:
        """The operator's pods that are not on their way out."""
        pods = self.stage.system.find("pods", "app.kubernetes.io/name=tidegate-operator")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def until(self, deadline: Deadline, happened: Callable[[RolloutView], bool]) -> RolloutView:
        """Waits until a state was seen that is so."""
        return wait_for(
            deadline,
            lambda: self.view if happened(self.view) else None,
            last_seen=lambda: self.view,
        )

    def until_all_ready(self, what: Callable[[], list[Manifest]], count: int) -> None:
        """Waits until so many pods are ready, and no other is left."""
        wait_for(
            Deadline(f"{count} ready pods", 90),
            lambda: [is_ready(pod) for pod in what()] == [True] * count,
            last_seen=lambda: [(pod["metadata"]["name"], is_ready(pod)) for pod in what()],
        )

    def until_pods_ready(self) -> None:
        """Waits until as many predictor pods are ready as are wanted now, and no other is left."""

        def look() -> tuple[int, list[bool]]:
            found = self.kubectl.find("deployments", f"tidegate.io/deployment={self.name}")
            wanted = sum(deployment["spec"]["replicas"] for deployment in found)
            return wanted, [is_ready(pod) for pod in self.pods()]

        def are_ready() -> bool:
            wanted, ready = look()
            return ready == [True] * wanted

        wait_for(Deadline("the readiness of all pods", 90), are_ready, last_seen=look)

    def until_led(self) -> None:
        """Waits until an operator leads: only the leader is ready."""
        wait_for(LED, lambda: any(map(is_ready, self.operators())), last_seen=self.operators)

    def pause(self, seconds: float) -> None:
        """Lets the load go on for a while: how long something is away is part of the drill."""
        time.sleep(seconds)

    @property
    def sends(self) -> bool:
        """Whether requests are sent."""
        return hasattr(self, "load")

    def mark(self) -> Mark:
        """Where an outcome begins to be counted."""
        return Mark(time.monotonic(), *self._count())

    def outcome(self, since: Mark, *, unexpected: str = "") -> Outcome:
        """What came of it from a mark on."""
        sent, lost = self._count()
        wrong = find_wrong_decisions(
            self.witness.since(since.at), good={GOOD, ANOTHER}, bad={BAD}, weights=WEIGHTS
        )
        return Outcome(
            requests=sent - since.sent,
            lost=lost - since.lost,
            failures=tuple(self.load.book.tell_failures()) if lost > since.lost else (),
            wrong_decisions=tuple(wrong),
            recovered_seconds=round(self._recovered_at - self._fault_at, 1) if self._recovered_at else None,
            unexpected=unexpected,
        )

    @property
    def lost(self) -> int:
        """Requests lost so far."""
        return self._count()[1]

    def _count(self) -> tuple[int, int]:
        """Requests sent, and lost."""
        if not self.sends:
            return 0, 0
        book = self.load.book
        own = [revision for name, revision in self.witness.revisions.items() if name == BAD]
        return book.sent, book.failures() - book.failures(of=own)


def is_ready(pod: Manifest) -> bool:
    """Whether Kubernetes holds a pod ready."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def uid_of(pod: Manifest) -> str:
    """What the node knows a pod by."""
    return str(pod["metadata"]["uid"])
