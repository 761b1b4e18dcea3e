"""The history of revisions: when each of them served or was tried, and how that ended.

It is brought up to what is so at every look, not only when something happens: a record that could not be written, or
that is older than histories, is mended by the next look. What an ending was like is told by the course that decided it;
where that is lost, as after a crash, it is worked out from status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from msgspec import structs

from tidegate.history import STAYS_KEPT, Place, Stay
from tidegate_operator.api.status import RevisionStatus
from tidegate_operator.plan.course import Course, Ended, Ending, say_time
from tidegate_operator.plan.facts import Revision
from tidegate_operator.plan.plan import Route

WORDS_KEPT: Final = 300
"""Characters of a sentence: an annotation is bounded, and status has the whole one."""


def bring_up(
    revisions: Mapping[str, Revision], course: Course, route: Route | None, now: datetime
) -> dict[str, Revision]:
    """The revisions with the histories that they have after this look."""
    shown = {
        role.revision: _show(role, place, route)
        for role, place in ((course.candidate, Place.CANDIDATE), (course.stable, Place.STABLE))
        if role
    }
    return {
        name: replace(revision, history=_tell(revision, shown.get(name), course, say_time(now)))
        for name, revision in revisions.items()
    }


def _show(role: RevisionStatus, place: Place, route: Route | None) -> Stay:
    """The stay that a revision is in, as far as this look tells.

    A first version answers all requests before it is stable: there is nobody else.
    """
    alone = place is Place.STABLE or (route is not None and route.stable == role.revision)
    given = route.weight if route and route.candidate == role.revision else 0
    return Stay(place, role.since, share=100 if alone else given)


def _tell(revision: Revision, present: Stay | None, course: Course, now: str) -> tuple[Stay, ...]:
    stays = revision.history
    for ending in course.endings:
        if ending.revision == revision.name:
            stays = _end(stays, ending, now)
    stays = tuple(
        _close(stay, _deduce(stay, revision, course), now)
        if stay.end is None and (present is None or stay.key != present.key)
        else stay
        for stay in stays
    )
    return (_go_on(stays, present) if present else stays)[-STAYS_KEPT:]


def _end(stays: tuple[Stay, ...], ending: Ending, now: str) -> tuple[Stay, ...]:
    """Ends the stay that it is about, which may have begun in this very look; one that has ended stays as it is."""
    begun = Stay(ending.place, ending.since, share=100 if ending.place is Place.STABLE else 0)
    if all(stay.key != begun.key for stay in stays):
        stays = (*stays, begun)
    return tuple(
        _close(stay, ending, now) if stay.key == begun.key and stay.end is None else stay for stay in stays
    )


def _close(stay: Stay, ending: Ending, now: str) -> Stay:
    """Another leader's clock may be behind the one by which it began: no stay ends before that."""
    return structs.replace(
        stay,
        end=max(stay.begin, ending.at or now),
        requests=ending.requests,
        ended=ending.reason,
        why=_clip(ending.why),
    )


def _go_on(stays: tuple[Stay, ...], present: Stay) -> tuple[Stay, ...]:
    """The stay that is under way, begun if it is new; its share only grows."""
    if all(stay.key != present.key for stay in stays):
        return (*stays, present)
    return tuple(
        structs.replace(stay, share=max(stay.share, present.share))
        if stay.key == present.key and stay.end is None
        else stay
        for stay in stays
    )


def _deduce(stay: Stay, revision: Revision, course: Course) -> Ending:
    """How a stay must have ended whose end was not recorded when it was decided."""
    name, stable = revision.name, course.stable
    told = Ending(name, stay.place, stay.begin, reason=Ended.UNSEEN, why="how it ended was not seen")
    if stay.place is Place.STABLE and stable and stable.revision != name:
        why = f"{stable.model_version} took its place"
        return replace(told, reason=Ended.REPLACED, why=why, at=stable.since)
    if stay.place is Place.CANDIDATE and stable and stable.revision == name:
        return replace(told, reason=Ended.PROMOTED, why="it serves all requests", at=stable.since)
    for entry in reversed(course.rejected):
        if stay.place is Place.CANDIDATE and entry.revision == name and entry.at >= stay.begin:
            return replace(told, reason=entry.reason, why=entry.message, at=entry.at)
    return told


def _clip(words: str) -> str:
    """A sentence of bounded length; half a surrogate pair, which a pod may have written, is no text."""
    whole = words.encode(errors="replace").decode()
    return whole if len(whole) <= WORDS_KEPT else whole[: WORDS_KEPT - 1] + "…"
