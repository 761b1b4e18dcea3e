"""A rollback goes where its user means, and says beforehand what will undo it."""

from __future__ import annotations

import pytest
from tests.unit.sdk.versions import model_version

from tidegate.history import Place, Stay
from tidegate.rollback import (
    NoFormerVersion,
    choose_former,
    find_hindrances,
    find_manager,
    foretell,
    refuse_version,
)
from tidegate.timeline import Record, build_timeline

T1, T2 = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
SERVED = Record(
    "r7", "fraud-7", promoted=True, stays=(Stay(Place.STABLE, T1, 100, end=T2, ended="Replaced"),)
)
SERVES = Record("r8", "fraud-8", promoted=True, stays=(Stay(Place.STABLE, T2, 100),))
REJECTED = {"modelVersion": "fraud-9", "reason": "ErrorRate"}


def deployment(wanted="fraud-8", stable="fraud-8", *, labels=None, annotations=None, paused=False):
    return {
        "metadata": {"name": "fraud", "labels": labels, "annotations": annotations},
        "spec": {"modelVersion": wanted, "paused": paused},
        "status": {"version": stable, "rejected": [REJECTED]} if stable else None,
    }


def choose(body, *records):
    return choose_former(body, build_timeline({}, records, ()))


def test_at_rest_it_goes_to_the_version_that_was_stable_before():
    assert choose(deployment(), SERVED, SERVES) == "fraud-7"


def test_while_another_version_is_tried_it_goes_to_the_one_in_service():
    assert choose(deployment(wanted="fraud-9"), SERVED, SERVES) == "fraud-8"


def test_where_nothing_served_before_it_asks_for_a_name():
    with pytest.raises(
        NoFormerVersion, match=r"no version of fraud served before fraud-8, .* name one with --to"
    ):
        choose(deployment(), SERVES)


def test_where_nobody_knows_which_was_the_last_it_asks_for_a_choice():
    old = [Record(f"r{n}", f"fraud-{n}", promoted=True, stays=()) for n in (5, 6)]
    with pytest.raises(NoFormerVersion, match="choose with --to: fraud-5, fraud-6"):
        choose(deployment(), SERVES, *old)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (None, "there is no ModelVersion fraud-3; a rollback needs one that is still there"),
        (model_version("fraud-3"), None),
        ({"spec": {"model": "churn"}}, "fraud-3 is a version of model churn, and fraud serves fraud"),
    ],
)
def test_only_a_version_of_the_same_model_that_is_there_is_taken(version, sentence):
    assert refuse_version(deployment(), "fraud-3", version) == sentence


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("fraud-8", "is in service and stays so"),
        ("fraud-7", "has served before: it gets all requests as soon as its pods are ready"),
        ("fraud-3", "has not served here yet: it goes through spec.rollout"),
    ],
)
def test_it_says_how_the_version_will_get_its_traffic(version, words):
    assert words in foretell(deployment(), version, [SERVED, SERVES])


@pytest.mark.parametrize(
    ("marks", "manager"),
    [
        ({}, None),
        (
            {
                "annotations": {
                    "argocd.argoproj.io/tracking-id": "shop:tidegate.io/ModelDeployment:bank/fraud"
                }
            },
            "shop",
        ),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "shop"}}, "Flux's Kustomization shop"),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "shop"}}, "Flux's HelmRelease shop"),
        ({"labels": {"app.kubernetes.io/instance": "shop"}}, "Argo CD, if its application shop has"),
    ],
)
def test_who_writes_it_from_git_is_known_by_the_marks(marks, manager):
    found = find_manager(deployment(**marks))
    assert found is None if manager is None else manager in found


def hindrances(version, **how):
    return list(find_hindrances(deployment(**how), version))


def test_gitops_is_told_with_what_to_change_in_git():
    (sentence,) = hindrances("fraud-7", labels={"kustomize.toolkit.fluxcd.io/name": "shop"})
    assert sentence == (
        "Flux's Kustomization shop will set spec.modelVersion back to what git says: write fraud-7 there as well, in "
        "the manifest of ModelDeployment fraud"
    )


def test_what_keeps_a_version_from_serving_is_told():
    paused, rejected = hindrances("fraud-9", paused=True)
    assert paused == "spec.paused is true: nothing moves before it is false"
    assert rejected.endswith(
        "kubectl annotate modeldeployment fraud --overwrite tidegate.io/retry=<a new value>"
    )


def test_nothing_hinders_a_version_that_is_in_service():
    assert hindrances("fraud-8", wanted="fraud-9", paused=True) == []


def test_a_deployment_without_status_is_taken_as_it_is():
    body = deployment(stable=None)
    assert foretell(body, "fraud-3", []).startswith("fraud-3 has not served here yet")
    assert list(find_hindrances(body, "fraud-3")) == []
