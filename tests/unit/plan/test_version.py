"""The status of a version: bounded, the same at a second look, and with times that tell when something changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.unit.observe.version_world import SPEC, TOLD

from tidegate.loaded import LoadedBundle
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.api.version_status import USERS_SHOWN, ModelVersionStatus
from tidegate_operator.plan.facts import PodFact
from tidegate_operator.plan.release_policy import NotSigned, NotWanted, SignedBy
from tidegate_operator.plan.users import DeploymentFact, Role
from tidegate_operator.plan.version import ASK_AGAIN_SECONDS, VersionSnapshot, plan_version

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
VERSION = ModelVersion.model_validate({"metadata": {"name": "v1", "generation": 1}, "spec": SPEC})
NEW = VersionSnapshot(VERSION, NotWanted())
READY = {"p": PodFact("p", ready=True)}
SERVING = DeploymentFact("fraud", "u1", "v1", stable=Role("fraud-r1", "v1"))


def say(snapshot: VersionSnapshot) -> dict[str, tuple[str, str]]:
    """The conditions."""
    return {one.type: (one.status, one.reason) for one in plan_version(snapshot, NOW).status.conditions}


def after(snapshot: VersionSnapshot, status: ModelVersionStatus) -> VersionSnapshot:
    """The same, with this status written."""
    return replace(snapshot, version=snapshot.version.model_copy(update={"status": status}))


def test_of_a_new_version_it_is_said_that_nobody_has_loaded_it():
    plan = plan_version(NEW, NOW)
    assert (plan.status.observed_generation, plan.status.users, plan.status.used_by) == (1, 0, ())
    assert say(NEW) == {"Verified": ("Unknown", "NotLoaded"), "Signed": ("Unknown", "NotChecked")}


@pytest.mark.parametrize(
    ("vouching", "said"),
    [
        (SignedBy("key ml-team"), ("True", "Trusted")),
        (NotSigned("shop", "key ml-team", "there is none"), ("False", "NotSigned")),
    ],
)
def test_whose_signature_it_bears_is_said(vouching, said):
    assert say(replace(NEW, vouching=vouching))["Signed"] == said


def test_users_are_listed_up_to_a_bound_and_counted_beyond():
    facts = tuple(replace(SERVING, name=f"fraud-{number:03}", uid=str(number)) for number in range(1000))
    status = plan_version(replace(NEW, deployments=facts), NOW).status
    assert [user.name for user in status.used_by] == [fact.name for fact in facts[:USERS_SHOWN]]
    assert status.users == 1000


def test_a_second_look_says_the_same_at_a_later_time():
    busy = replace(NEW, predictors=READY, deployments=(SERVING,))
    first = plan_version(busy, NOW).status
    assert plan_version(after(busy, first), NOW + timedelta(days=1)).status == first


def test_a_condition_has_the_time_at_which_its_status_changed():
    first = plan_version(NEW, NOW).status
    later = plan_version(after(replace(NEW, predictors=READY), first), NOW + timedelta(hours=1)).status
    times = {one.type: one.last_transition_time for one in later.conditions}
    assert times == {"Verified": "2026-01-31T13:00:00Z", "Signed": "2026-01-31T12:00:00Z"}


def test_what_a_predictor_told_is_written_apart():
    plan = plan_version(replace(NEW, asked=True, loaded=msgspec.convert(TOLD, LoadedBundle)), NOW)
    assert plan.bundle is not None
    assert (plan.bundle.size, plan.bundle.format) == (5_000, "tidegate.io/bundle/v1alpha1")
    assert plan.bundle.model_dump(mode="json", by_alias=True, exclude_defaults=True) == {
        key: value for key, value in TOLD.items() if key != "digest"
    }
    assert (plan.status.signature, plan.look_again_seconds) == (None, None)


def test_who_was_asked_in_vain_is_asked_again_soon():
    assert plan_version(replace(NEW, asked=True), NOW).look_again_seconds == ASK_AGAIN_SECONDS
    assert plan_version(NEW, NOW).look_again_seconds is None
