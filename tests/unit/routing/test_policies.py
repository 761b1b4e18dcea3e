"""Who reaches which port of routers and predictors, read from the policies as a network plugin reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tidegate_operator.main.settings import PROMETHEUS
from tidegate_operator.plan.identity import DEPLOYMENT_LABEL
from tidegate_operator.routing.policies import Neighbours, build_policies
from tidegate_operator.routing.router import ROUTER_LABELS

PREDICT, STATS, REQUESTS, XDS, DNS = 8080, 9902, 10000, 18000, 53
SYSTEM = "tidegate-system"


@dataclass(frozen=True)
class Pod:
    """A pod that might talk to another."""

    namespace: str
    labels: dict[str, str]


PREDICTOR_LABELS = {
    "app.kubernetes.io/component": "predictor",
    "app.kubernetes.io/part-of": "tidegate",
    DEPLOYMENT_LABEL: "fraud",
}
ROUTER, PREDICTOR = Pod("shop", ROUTER_LABELS), Pod("shop", PREDICTOR_LABELS)
OTHER_ROUTER, OTHER_PREDICTOR = Pod("bank", ROUTER_LABELS), Pod("bank", PREDICTOR_LABELS)
OPERATOR = Pod(SYSTEM, {"app.kubernetes.io/name": "tidegate-operator"})
IMPOSTOR = Pod("bank", {"app.kubernetes.io/name": "tidegate-operator"})
PROMETHEUS_POD = Pod("monitoring", {"app.kubernetes.io/name": "prometheus"})
SHOP_APP, INGRESS = Pod("shop", {"app": "checkout"}), Pod("ingress-nginx", {"app": "nginx"})


def may(caller: Pod, called: Pod, port: int, *, metrics_from: tuple[Any, ...] = (PROMETHEUS,)) -> bool:
    """Whether the policies of namespace shop let a pod call another: both ends must agree."""
    policies = build_policies("shop", [], Neighbours(SYSTEM, XDS, metrics_from))
    return _agrees(policies, "ingress", at=called, other=caller, port=port) and _agrees(
        policies, "egress", at=caller, other=called, port=port
    )


def _agrees(policies: Any, direction: str, *, at: Pod, other: Pod, port: int) -> bool:
    chosen = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == at.namespace
        and _matches(policy["spec"]["podSelector"], at.labels)
        and direction.title() in policy["spec"]["policyTypes"]
    ]
    return not chosen or any(
        _lets(rule, direction, other=other, port=port) for spec in chosen for rule in spec[direction]
    )


def _lets(rule: Any, direction: str, *, other: Pod, port: int) -> bool:
    peers = rule.get({"ingress": "from", "egress": "to"}[direction])
    return any(each["port"] == port for each in rule["ports"]) and (
        peers is None or any(_is_peer(peer, other) for peer in peers)
    )


def _is_peer(peer: Any, pod: Pod) -> bool:
    names = {"kubernetes.io/metadata.name": pod.namespace}
    same = (
        pod.namespace == "shop"
        if "namespaceSelector" not in peer
        else _matches(peer["namespaceSelector"], names)
    )
    return same and _matches(peer.get("podSelector", {}), pod.labels)


def _matches(selector: Any, labels: dict[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items()


@pytest.mark.parametrize("caller", [SHOP_APP, INGRESS, OTHER_ROUTER, OPERATOR, PROMETHEUS_POD])
def test_everybody_may_predict_by_way_of_the_router(caller):
    assert may(caller, ROUTER, REQUESTS)


@pytest.mark.parametrize("caller", [ROUTER, OPERATOR, PROMETHEUS_POD])
def test_predictors_answer_their_router_the_operator_and_prometheus(caller):
    assert may(caller, PREDICTOR, PREDICT)


@pytest.mark.parametrize("caller", [SHOP_APP, INGRESS, OTHER_ROUTER, OTHER_PREDICTOR, PREDICTOR, IMPOSTOR])
def test_nobody_else_goes_past_the_router(caller):
    assert not may(caller, PREDICTOR, PREDICT)


def test_what_a_router_counts_is_for_the_operator_and_prometheus():
    assert may(OPERATOR, ROUTER, STATS)
    assert may(PROMETHEUS_POD, ROUTER, STATS)
    assert not any(may(caller, ROUTER, STATS) for caller in (SHOP_APP, INGRESS, OTHER_ROUTER, IMPOSTOR))


def test_a_router_asks_the_operator_and_dns_and_leads_nowhere_else():
    assert may(ROUTER, OPERATOR, XDS)
    assert may(ROUTER, Pod("kube-system", {"k8s-app": "kube-dns"}), DNS)
    assert not may(ROUTER, OTHER_PREDICTOR, PREDICT)
    assert not may(ROUTER, IMPOSTOR, XDS)
    assert not may(ROUTER, INGRESS, 443)


def test_a_predictor_fetches_its_bundle_from_wherever_that_lies():
    assert may(PREDICTOR, Pod("minio", {}), 443)


def test_without_a_reader_of_metrics_only_the_operator_reads_them():
    assert not may(PROMETHEUS_POD, ROUTER, STATS, metrics_from=())
    assert may(OPERATOR, ROUTER, STATS, metrics_from=())
