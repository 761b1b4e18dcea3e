"""A quota that is full is named, tried again, and costs stable nothing; with room in it the rollout goes on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from demo.kubectl import Manifest
from tests.cluster.causes import GOOD, deploy
from tests.cluster.library import MODEL
from tests.cluster.place import FIRST_SERVES, MENDED, NAMED, Place
from tests.cluster.witness import witness

# What is full with one version in service and its router, the reason, the phases, and the sentence.
FULL: dict[str, tuple[str, list[str], str]] = {
    "pods": (
        "NotAllowed",
        ["Serving", "Starting", "Failed"],
        (
            "income-2 starts: not ready 20s after its start (spec.serving.startup.timeout): pods can't be created: "
            "exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2; "
            "it goes on by itself when that is mended"
        ),
    ),
    "count/deployments.apps": (
        "NotApplied",
        ["Serving", "Starting"],
        (
            'the API server refuses Deployment …: deployments.apps "…" is forbidden: exceeded quota: small, requested: '
            "count/deployments.apps=1, used: count/deployments.apps=2, limited: count/deployments.apps=2; "
            "it is tried again, later and later, and goes on when that is mended"
        ),
    ),
}


def quota(resource: str) -> Manifest:
    spec: dict[str, Any] = {"hard": {resource: "2"}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": spec}


@pytest.mark.parametrize("resource", FULL)
def test_a_full_quota_is_named_and_room_in_it_is_enough(place: Place, resource: str) -> None:
    reason, phases, sentence = FULL[resource]
    place.register("income-1", GOOD)
    deploy(place, MODEL, "income-1")
    place.until(FIRST_SERVES, lambda view: view.ready)
    place.kubectl.apply(quota(resource))
    with witness(place.kubectl) as seen, place.traffic() as load:
        deploy(place, MODEL, GOOD)
        seen.until(NAMED, MODEL, reason)
        said = re.sub(rf"\b{MODEL}-[0-9a-f]{{8}}\b", "…", seen.message_of(MODEL))
        lasted = list(dict.fromkeys(phase for phase, _ in seen.phases_of(MODEL)))
        place.kubectl.run("delete", "resourcequota", "small")
        place.until(MENDED, lambda view: bool(view.mirror or view.weight or view.ready))
    assert said == sentence
    assert lasted == phases
    assert load.book.failures() == 0, list(load.book.tell_failures())
