"""The timeline of a ModelDeployment: which version served or was tried when, how that ended, and who built it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tidegate.history import HISTORY_ANNOTATION, PROMOTED_ANNOTATION, Place, Stay, read_history

Body = Mapping[str, Any]
"""An object as the API server tells it."""

_NO_HISTORY: Final = "its record is older than histories"


@dataclass(frozen=True, slots=True)
class Record:
    """A ControllerRevision, as far as a timeline needs it."""

    revision: str
    version: str
    promoted: bool
    stays: tuple[Stay, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One stay of one version; what is empty is not known."""

    version: str
    revision: str
    place: Place
    begin: str
    end: str | None
    """None: it goes on."""
    share: int | None
    """The highest percentage of users' requests that it was given; none: not known."""
    requests: int | None = None
    """What it answered while it was compared; none: nothing was counted."""
    ended: str = ""
    why: str = ""
    commit: str = ""
    built_by: str = ""


def build_timeline(
    deployment: Body, records: Iterable[Record], versions: Iterable[Body]
) -> tuple[Entry, ...]:
    """Gives all that is known, the newest first.

    Histories count before status; status fills what they lack: an operator that is older than histories, or that could
    not write them, still tells who has which place and who was taken back.
    """
    origins = {version["metadata"]["name"]: version for version in versions}
    entries = [
        _with_origin(entry, origins.get(entry.version))
        for record in records
        for entry in _tell(record, deployment.get("status") or {})
    ]
    # Of stays that begin in the same second the one that goes on longer came later.
    return tuple(
        sorted(entries, key=lambda entry: (entry.begin, entry.end or "~", entry.place), reverse=True)
    )


def read_record(body: Body) -> Record:
    """Reads a ControllerRevision that the operator wrote."""
    metadata = body["metadata"]
    annotations = metadata.get("annotations") or {}
    return Record(
        revision=str(metadata["name"]),
        version=str((body.get("data") or {}).get("modelVersion", "")),
        promoted=annotations.get(PROMOTED_ANNOTATION) == "true",
        stays=read_history(annotations.get(HISTORY_ANNOTATION)),
    )


def find_former(entries: Iterable[Entry], version: str) -> tuple[str, ...]:
    """The version that was stable last, other than this one; empty: there is none.

    Several where nobody knows which of them was the last: their records are older than histories, and so they served
    before all whose times are known.
    """
    served = [entry for entry in entries if entry.place is Place.STABLE and entry.version != version]
    last = next((entry.version for entry in served if entry.begin), None)
    return (last,) if last else tuple(sorted({entry.version for entry in served}))


def _tell(record: Record, status: Body) -> Iterator[Entry]:
    told = [_show_stay(record, stay) for stay in record.stays]
    more = [*_of_places(record, status), *_of_rejections(record, status)]
    yield from told
    yield from more
    if not told and not more:
        place = Place.STABLE if record.promoted else Place.CANDIDATE
        yield Entry(record.version, record.revision, place, "", "", share=None, why=_NO_HISTORY)


def _show_stay(record: Record, stay: Stay) -> Entry:
    return Entry(
        version=record.version,
        revision=record.revision,
        place=stay.place,
        begin=stay.begin,
        end=stay.end,
        share=stay.share,
        requests=stay.requests,
        ended=stay.ended,
        why=stay.why,
    )


def _of_places(record: Record, status: Body) -> Iterator[Entry]:
    """The place that status says it has, if its record tells of no stay under way."""
    if any(stay.end is None for stay in record.stays):
        return
    for place in Place:
        role = status.get(place) or {}
        if role.get("revision") == record.revision:
            desired = (status.get("traffic") or {}).get("desired") or {}
            share = 100 if place is Place.STABLE else desired.get("candidateWeight", 0)
            yield Entry(record.version, record.revision, place, role.get("since", ""), None, share=share)


def _of_rejections(record: Record, status: Body) -> Iterator[Entry]:
    """That it was taken back, if no stay of its record ended then."""
    for entry in status.get("rejected") or ():
        at = entry.get("at", "")
        if entry.get("revision") == record.revision and all(stay.end != at for stay in record.stays):
            reason, message = entry.get("reason", ""), entry.get("message", "")
            yield Entry(
                record.version,
                record.revision,
                Place.CANDIDATE,
                "",
                at,
                share=None,
                ended=reason,
                why=message,
            )


def _with_origin(entry: Entry, version: Body | None) -> Entry:
    origin = ((version or {}).get("spec") or {}).get("provenance") or {}
    commit = (origin.get("git") or {}).get("commit", "")
    return replace(entry, commit=commit, built_by=origin.get("builtBy", ""))
