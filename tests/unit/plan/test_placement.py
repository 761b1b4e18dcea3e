"""Placement: the pods of a model, those that hold its gates included, run where the spec lets them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.plan.world import SETTINGS

from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.api.placement import Placement, Toleration
from tidegate_operator.plan.gate_job import Held, build_gate_job
from tidegate_operator.plan.identity import name_revision
from tidegate_operator.plan.render import build_revision
from tidegate_operator.routing.router import Owner, RouterSettings, build_router

SELECTOR = {"pool": "models"}
TOLERATIONS = [{"key": "dedicated", "operator": "Equal", "value": "models", "effect": "NoSchedule"}]
PULLED_WITH = replace(SETTINGS, pull_secrets=("registry", "mirror"))
NAMED = [{"name": "registry"}, {"name": "mirror"}]
VERSION = ModelVersion.model_validate(
    {
        "metadata": {"name": "fraud-1"},
        "spec": {"model": "fraud", "digest": "sha256:" + "1" * 64, "source": {"uri": "s3://models/fraud/1"}},
    }
)


def deployed(**serving: Any) -> ModelDeployment:
    spec = {"modelVersion": "fraud-1", "gates": [{"name": "serves", "serving": {}}], "serving": serving}
    return ModelDeployment.model_validate({"metadata": {"name": "fraud", "uid": "u"}, "spec": spec})


def pods_of(deployment: ModelDeployment) -> list[dict[str, Any]]:
    """The pod that serves, and the one that holds gates."""
    revision = build_revision(deployment, VERSION, number=1, settings=PULLED_WITH)
    job = build_gate_job(deployment, Held("fraud-g1", revision, None))
    return [made["spec"]["template"]["spec"] for made in (revision.template, job)]


@pytest.mark.parametrize("place", [0, 1], ids=["serving", "gates"])
def test_pods_run_on_the_nodes_that_the_spec_names(place: int):
    pod = pods_of(deployed(nodeSelector=SELECTOR, tolerations=TOLERATIONS))[place]
    assert (pod["nodeSelector"], pod["tolerations"]) == (SELECTOR, TOLERATIONS)
    assert pod["imagePullSecrets"] == NAMED


@pytest.mark.parametrize("place", [0, 1], ids=["serving", "gates"])
def test_where_nothing_is_asked_for_nothing_is_written(place: int):
    assert not {"nodeSelector", "tolerations"} & pods_of(deployed())[place].keys()


def test_other_nodes_are_another_revision():
    names = {
        name_revision(deployed(**serving), VERSION)
        for serving in (
            {},
            {"nodeSelector": SELECTOR},
            {"tolerations": TOLERATIONS},
            {"nodeSelector": SELECTOR, "tolerations": TOLERATIONS},
        )
    }
    assert len(names) == 4


def test_a_revision_keeps_the_name_that_it_had_before_there_was_a_choice_of_nodes():
    assert name_revision(deployed(), VERSION) == "fraud-aef7b564"


def test_a_router_runs_where_the_installation_says():
    placement = Placement(node_selector=SELECTOR, tolerations=(Toleration(operator="Exists"),))
    settings = RouterSettings("router", "xds", 18000, placement=placement, pull_secrets=("registry",))
    (*_, deployment) = build_router("shop", [Owner("fraud", "u")], settings)
    pod = deployment["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == SELECTOR
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
