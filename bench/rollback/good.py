"""Good candidates: whether one that is as good as stable is ever taken back, or promoted before it was seen."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.rollback.stage import Stage
from demo.kubectl import Manifest
from demo.rollout_view import RolloutView

GOOD = "risk-good"
LEAST_REQUESTS = 50
"""spec.rollout.analysis.minRequestsPerStep, its default: who was promoted on fewer in all was promoted unseen."""
LOOK_SECONDS = 2.0


@dataclass(slots=True)
class Fate:
    """What became of one candidate."""

    taken_back: str = ""
    """The reason, if it was."""
    promoted_after_seconds: float | None = None
    requests: dict[str, int] = field(default_factory=dict)
    """What it was judged by, by step; mirrored requests included."""
    last_word: str = ""

    @property
    def promoted_unseen(self) -> bool:
        """Whether it was promoted on less than a single step asks for."""
        return self.promoted_after_seconds is not None and sum(self.requests.values()) < LEAST_REQUESTS

    def note(self, view: RolloutView, seconds: float) -> None:
        """One look, so many seconds after the candidate was applied."""
        self.last_word = view.message
        if reason := view.rejected.get(GOOD):
            self.taken_back = reason
        elif view.stable == GOOD:
            self.promoted_after_seconds = self.promoted_after_seconds or round(seconds, 1)
        elif view.weight or view.mirror:
            step = f"mirror {view.mirror}" if view.mirror else f"weight {view.weight}"
            self.requests[step] = view.requests


def watch(
    stage: Stage, runs: Mapping[int, Sequence[str]], rollout: Manifest, *, minutes: float
) -> dict[int, list[Fate]]:
    """Rolls out as-good candidates under every load (requests a minute) at once, and watches for some minutes."""
    everyone = [name for names in runs.values() for name in names]
    stage.serve_stable(everyone, rollout)
    fates = {name: Fate() for name in everyone}
    with ExitStack() as stack:
        for per_minute, names in runs.items():
            if per_minute:
                stack.enter_context(stage.traffic(names, per_second=per_minute / 60))
        stage.deploy(everyone, GOOD, rollout)
        begin = time.monotonic()
        while (seconds := time.monotonic() - begin) < 60 * minutes:
            for name, view in stage.views().items():
                if name in fates:
                    fates[name].note(view, seconds)
            time.sleep(LOOK_SECONDS)
    return {per_minute: [fates[name] for name in names] for per_minute, names in runs.items()}
