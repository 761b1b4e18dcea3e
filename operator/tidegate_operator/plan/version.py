"""The status of a ModelVersion, from what is known of it at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from tidegate.loaded import LoadedBundle
from tidegate_operator.api.conditions import Condition, carry_transitions
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.api.version_status import (
    USERS_SHOWN,
    BundleStatus,
    ModelVersionStatus,
    VersionCondition,
)
from tidegate_operator.plan.course import say_time
from tidegate_operator.plan.facts import PodFact
from tidegate_operator.plan.release_policy import Vouching, say_signed
from tidegate_operator.plan.users import DeploymentFact, Record, find_users
from tidegate_operator.plan.verification import Evidence, Verified, verify

ASK_AGAIN_SECONDS: Final = 10.0
"""Walls between pods take a moment to be opened for a new one."""


@dataclass(frozen=True, slots=True)
class VersionSnapshot:
    """All that is known of one ModelVersion at one moment."""

    version: ModelVersion
    """With the status that was written last, but for the lists in its signature."""
    vouching: Vouching
    """What the release policies say of it."""
    deployments: tuple[DeploymentFact, ...] = ()
    """Those that name it or have a record of it, and are there to stay."""
    records: tuple[Record, ...] = ()
    """Those of it, whosever they are."""
    predictors: Mapping[str, PodFact] = field(default_factory=dict)
    """By pod: those that were to load it. A ready one has."""
    asked: bool = False
    """Whether a predictor was just asked what its bundle holds."""
    loaded: LoadedBundle | None = None
    """What it told; none: nothing."""


@dataclass(frozen=True, slots=True)
class VersionPlan:
    """What is to be so."""

    status: ModelVersionStatus
    """But for what a predictor tells of the bundle, which is written apart, and once."""
    bundle: BundleStatus | None
    """None: it is written already, or nobody has told it."""
    look_again_seconds: float | None
    """When a predictor should be asked once more."""


def plan_version(snapshot: VersionSnapshot, now: datetime) -> VersionPlan:
    """What the status should say. Never raises for anything that a user can write."""
    version = snapshot.version
    users = find_users(version.metadata.name, snapshot.deployments, snapshot.records)
    status = ModelVersionStatus(
        observed_generation=version.metadata.generation,
        used_by=users[:USERS_SHOWN],
        users=len(users),
        conditions=_find_conditions(snapshot, now),
    )
    loaded = snapshot.loaded
    bundle = BundleStatus.model_validate(msgspec.to_builtins(loaded)) if loaded else None
    return VersionPlan(status, bundle, ASK_AGAIN_SECONDS if snapshot.asked and not loaded else None)


def _find_conditions(snapshot: VersionSnapshot, now: datetime) -> tuple[Condition, ...]:
    version = snapshot.version
    before = {condition.type: condition for condition in version.status.conditions}
    evidence = Evidence(
        version.metadata.name,
        version.spec.digest,
        predictors=tuple(snapshot.predictors.values()),
        records=snapshot.records,
        deployments=snapshot.deployments,
    )
    said = before.get(VersionCondition.VERIFIED)
    verified = verify(evidence, Verified(said.status, said.reason, said.message) if said else None)
    signed = say_signed(snapshot.vouching)
    conditions = tuple(
        Condition(
            type=kind,
            status=words.status,
            reason=words.reason,
            message=words.message,
            observed_generation=version.metadata.generation,
            last_transition_time=say_time(now),
        )
        for kind, words in ((VersionCondition.VERIFIED, verified), (VersionCondition.SIGNED, signed))
    )
    return carry_transitions(version.status.conditions, conditions)
