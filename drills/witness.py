"""The witness: sees every state that a ModelDeployment passes through, and names what must never be."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from demo.kubectl import Kubectl
from demo.rollout_view import RolloutView

# An API server that is away refuses at once; without a rest, it would be asked a hundred times a second.
_REST_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """One state, and when it was seen (`time.monotonic`)."""

    at: float
    view: RolloutView
    status: Mapping[str, Any]

    @property
    def ready_pods(self) -> int:
        """Pods that are ready, of all revisions."""
        return int(self.status.get("replicas") or 0)


class Witness:
    """Watches one ModelDeployment while the `with` block runs, across API servers that go and come."""

    def __init__(self, kubectl: Kubectl, name: str) -> None:
        self.sights: list[Sight] = []
        self._command = [
            kubectl.program,
            f"--kubeconfig={kubectl.kubeconfig}",
            f"--namespace={kubectl.namespace}",
            *(
                "get",
                "modeldeployments",
                f"--field-selector=metadata.name={name}",
                "--output=json",
                "--watch",
            ),
        ]
        self._process: subprocess.Popen[str] | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)

    def __enter__(self) -> Self:
        """Begins to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends."""
        self._ended.set()
        if self._process:
            self._process.terminate()
        self._thread.join(5)

    @property
    def view(self) -> RolloutView:
        """The last state."""
        return self.sights[-1].view if self.sights else RolloutView.of({"metadata": {}})

    @property
    def status(self) -> Mapping[str, Any]:
        """The last state as the API server has it."""
        return self.sights[-1].status if self.sights else {}

    @property
    def revisions(self) -> dict[str, str]:
        """The revisions of all ModelVersions that were seen."""
        return {name: revision for sight in self.sights for name, revision in sight.view.revisions.items()}

    def excuse(self, excused: Callable[[Sight], bool]) -> None:
        """Forgets what somebody else wrote."""
        self.sights = [sight for sight in self.sights if not excused(sight)]

    def since(self, moment: float) -> list[Sight]:
        """What was seen from a moment on, and what was so at that moment."""
        later = [sight for sight in self.sights if sight.at >= moment]
        before = [sight for sight in self.sights if sight.at < moment]
        return before[-1:] + later

    def _watch(self) -> None:
        while not self._ended.is_set():
            with subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as process:
                self._process = process
                assert process.stdout
                for body in _read_objects(process.stdout):
                    self.sights.append(Sight(time.monotonic(), RolloutView.of(body), body.get("status", {})))
            self._ended.wait(_REST_SECONDS)


def find_wrong_decisions(
    sights: Iterable[Sight], *, good: Iterable[str], bad: Iterable[str], weights: Iterable[int]
) -> list[str]:
    """What a sequence of states shows that no fault excuses, each once; `weights` are those that the steps allow."""
    allowed, good, bad = {0, *weights}, set(good), set(bad)
    found: dict[str, None] = {}
    for sight in sights:
        view = sight.view
        wrong = {
            f"{view.stable} was promoted, which fails": view.stable in bad,
            f"weight {view.weight} % is above its step": view.weight not in allowed,
            f"{view.candidate} was tried again after it was taken back": view.candidate in view.rejected,
            f"no pod of {view.stable} was left": bool(view.stable) and sight.ready_pods == 0,
            **{f"{name} was taken back, {why}": name in good for name, why in view.rejected.items()},
        }
        found |= dict.fromkeys(words for words, holds in wrong.items() if holds)
    return list(found)


def _read_objects(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The objects that `kubectl get --watch --output=json` writes one after another, each over many lines."""
    text = ""
    for line in lines:
        text += line
        # kubectl indents by four: only an object's last line is a brace at its very beginning.
        if line.startswith("}"):
            yield json.loads(text)
            text = ""
