"""Bad candidates: how long users, or only the mirror, go on meeting one that fails forty times as often as stable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.rollback.stage import Stage
from demo.kubectl import Manifest
from demo.load import NO_REVISION, Load
from demo.rollout_view import RolloutView
from demo.waiting import Deadline, wait_for

SILENT_SECONDS = 4.0
"""A candidate that was rejected, and heard of no more for so long, has had its last request."""
TAKEN_BACK = Deadline("the take-back in every run", 900)
ALL_SILENT = Deadline("the end of the candidates' requests", 60)


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to roll out, under one load."""

    candidate: str
    rollout: Manifest
    per_second: float
    at_once: int
    """Runs beside one another."""
    mirrors: bool = False
    """Whether users never hear of the candidate, so that what its pods count is looked at instead."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    seconds: float
    """From the candidate's first request to its last. For a mirror rounded up to the looks, one each half second."""
    user_failures: int
    """Requests that the candidate failed before users' eyes."""
    unanswered: int
    """Requests that no predictor answered."""
    reason: str


@dataclass(slots=True)
class Contact:
    """When a candidate was asked: from the last moment known to be before, to the last known to be of it."""

    since: datetime
    last: datetime
    requests: int = 0

    def note(self, requests: int) -> None:
        """One look at what was counted so far."""
        if requests > self.requests:
            self.requests, self.last = requests, datetime.now(UTC)
        elif not self.requests:
            self.since = self.last = datetime.now(UTC)


def play(stage: Stage, setting: Setting, names: Sequence[str]) -> list[Result]:
    """Plays a setting in every run, a few at a time."""
    results: list[Result] = []
    for begin in range(0, len(names), setting.at_once):
        some = names[begin : begin + setting.at_once]
        results += _play_some(stage, setting, some)
        print(
            f"  {setting.candidate}: {', '.join(f'{r.seconds:.1f} s' for r in results[begin:])}", flush=True
        )
    return results


def _play_some(stage: Stage, setting: Setting, names: Sequence[str]) -> list[Result]:
    version = setting.candidate
    stage.serve_stable(names, setting.rollout)
    now = datetime.now(UTC)
    mirrored = {name: Contact(now, now) for name in names} if setting.mirrors else {}
    revisions: dict[str, str] = {}

    def look() -> Mapping[str, RolloutView]:
        views = stage.views()
        revisions.update(
            {name: views[name].revisions[version] for name in names if version in views[name].revisions}
        )
        for name, contact in mirrored.items():
            contact.note(stage.count_requests(revisions[name]) if name in revisions else 0)
        return views

    def all_taken_back() -> bool:
        views = look()
        return all(version in views[name].rejected for name in names)

    def all_silent() -> bool:
        look()
        now = datetime.now(UTC)
        last = [last for _, last in _find_contacts(loads, mirrored, revisions).values()]
        return all((now - moment).total_seconds() > SILENT_SECONDS for moment in last)

    with stage.traffic(names, per_second=setting.per_second) as loads:
        stage.deploy(names, version, setting.rollout)
        wait_for(TAKEN_BACK, all_taken_back, last_seen=lambda: {n: stage.views()[n].message for n in names})
        wait_for(ALL_SILENT, all_silent)
    contacts = _find_contacts(loads, mirrored, revisions)
    views = stage.views()
    return [_sum_up(loads[n], contacts[n], revisions[n], reason=views[n].rejected[version]) for n in names]


def _find_contacts(
    loads: Mapping[str, Load], mirrored: Mapping[str, Contact], revisions: Mapping[str, str]
) -> dict[str, tuple[datetime, datetime]]:
    """When each candidate was first and last heard of: by users, or where it is mirrored by us."""
    if mirrored:
        return {name: (contact.since, contact.last) for name, contact in mirrored.items()}
    return {name: load.book.seen_between[revisions[name]] for name, load in loads.items()}


def _sum_up(load: Load, contact: tuple[datetime, datetime], revision: str, *, reason: str) -> Result:
    first, last = contact
    return Result(
        seconds=round((last - first).total_seconds(), 2),
        user_failures=load.book.failures(of=[revision]),
        unanswered=load.book.failures(of=[NO_REVISION]),
        reason=reason,
    )
