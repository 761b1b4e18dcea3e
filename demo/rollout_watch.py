"""Watching a rollout: looks once a second, tells what changed, and stops at what was awaited."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from demo.kubectl import Kubectl
from demo.narrator import Narrator
from demo.rollout_view import RolloutView, tell_evidence, tell_move
from demo.waiting import Deadline, DeadlineError, wait_for

# Between moves, often enough that nobody wonders whether it still runs.
TELL_SECONDS: Final = 5.0


class RolloutWatch:
    """Looks at one ModelDeployment and tells the narrator."""

    def __init__(self, kubectl: Kubectl, name: str, narrator: Narrator) -> None:
        self.revisions: dict[str, str] = {}
        """Names of all revisions seen, by ModelVersion."""
        self._kubectl = kubectl
        self._name = name
        self._narrator = narrator
        self._before: RolloutView | None = None
        self._told_at = 0.0
        self._told_message = ""

    def until(
        self, deadline: Deadline, happened: Callable[[RolloutView], bool], *, fails_on: str | None = None
    ) -> RolloutView:
        """Tells all that happens until it has happened.

        Raises:
            DeadlineError: It did not in time, or the version `fails_on` was taken back.
        """

        def look() -> RolloutView | None:
            view = self._look()
            if fails_on and (why := view.rejected.get(fails_on)):
                raise DeadlineError(f"{deadline.name} will not happen, {fails_on} was taken back: {why}")
            return view if happened(view) else None

        return wait_for(deadline, look, last_seen=lambda: self._before and self._before.message)

    def _look(self) -> RolloutView:
        view = RolloutView.of(self._kubectl.get("modeldeployment", self._name) or {"metadata": {}})
        self.revisions.update(view.revisions)
        moved = list(tell_move(self._before, view))
        if told := moved or self._news(view):
            self._narrator.say(*told, passing=not moved)
            self._told_at, self._told_message = time.monotonic(), view.message
        self._before = view
        return view

    def _news(self, view: RolloutView) -> list[str]:
        """What to say though nothing moved: the evidence every few seconds; without any, a new message."""
        if view.weight or view.mirror:
            due = time.monotonic() - self._told_at >= TELL_SECONDS
            return list(tell_evidence(view)) if due else []
        return [view.message] if view.message != self._told_message else []
