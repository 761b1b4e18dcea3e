"""Who uses a ModelVersion: the ModelDeployments that it is something to, and what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tidegate_operator.api.version_status import Place, User


@dataclass(frozen=True, slots=True)
class Role:
    """A revision that has a place in a ModelDeployment."""

    revision: str
    model_version: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A version that a ModelDeployment tried and took back."""

    model_version: str
    digest: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class DeploymentFact:
    """As much of a ModelDeployment as matters to the versions that it names."""

    name: str
    uid: str
    wanted: str
    """`spec.modelVersion`."""
    stable: Role | None = None
    candidate: Role | None = None
    warm: Role | None = None
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A ControllerRevision, as much of it as matters to the version that it is of."""

    revision: str
    owner_uid: str
    """Of its ModelDeployment: a namesake made later has no part in it."""
    digest: str
    promoted: bool
    """Whether it has been stable."""


_ORDER: Final = {place: rank for rank, place in enumerate(Place)}


def find_users(
    version: str, deployments: Iterable[DeploymentFact], records: Iterable[Record]
) -> tuple[User, ...]:
    """Those that use it, once each by their strongest place, and the strongest places first."""
    kept = {record.owner_uid: record.revision for record in _find_history(records)}
    found = [user for fact in deployments if (user := _find_user(version, fact, kept.get(fact.uid)))]
    return tuple(sorted(found, key=lambda user: (_ORDER[user.place], user.name)))


def _find_history(records: Iterable[Record]) -> list[Record]:
    """What a ModelDeployment can go back to without a rollout, in an order in which the first by name comes last."""
    served = [record for record in records if record.promoted]
    return sorted(served, key=lambda record: record.revision, reverse=True)


def _find_user(version: str, fact: DeploymentFact, kept: str | None) -> User | None:
    places = ((Place.SERVING, fact.stable), (Place.CANDIDATE, fact.candidate), (Place.WARM, fact.warm))
    for place, role in places:
        if role and role.model_version == version:
            return User(name=fact.name, place=place, revision=role.revision)
    if fact.wanted == version:
        return User(name=fact.name, place=Place.WANTED)
    return User(name=fact.name, place=Place.HISTORY, revision=kept) if kept else None
