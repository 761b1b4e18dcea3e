"""NetworkPolicies of a namespace: who may reach its router, predictors and gates, and whom the router may reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate import pod
from tidegate_operator.plan.facts import Manifest
from tidegate_operator.routing.bootstrap import Ports

ROUTERS = {"app.kubernetes.io/component": "router", "app.kubernetes.io/part-of": "tidegate"}
PREDICTORS = {"app.kubernetes.io/component": "predictor", "app.kubernetes.io/part-of": "tidegate"}
GATES = {"app.kubernetes.io/component": "gates", "app.kubernetes.io/part-of": "tidegate"}
OPERATORS = {"app.kubernetes.io/name": "tidegate-operator"}
DNS_PORT = 53

Peer = Mapping[str, Any]
"""An entry of a NetworkPolicy's `from` or `to`."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who else has business with routers and predictors."""

    operator_namespace: str
    xds_port: int
    metrics_from: tuple[Peer, ...]
    """Who may read /metrics; none: nobody."""


def build_policies(
    namespace: str, owners: list[dict[str, Any]], neighbours: Neighbours
) -> tuple[Manifest, ...]:
    """One policy for the routers of a namespace, one for its predictors, one for its pods that hold gates.

    The kubelet's probes and port-forwards come from a pod's own node, which no policy keeps out.
    """
    operator = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": neighbours.operator_namespace}},
        "podSelector": {"matchLabels": OPERATORS},
    }
    readers = (operator, *neighbours.metrics_from)
    ports = Ports()
    router = {
        "podSelector": {"matchLabels": ROUTERS},
        "policyTypes": ["Ingress", "Egress"],
        # Predictions are for whoever asks: users of other namespaces, an ingress, a gateway.
        "ingress": [_allow(ports.traffic), _allow(ports.stats, by="from", peers=readers)],
        # So that not even forged routes lead out of the namespace.
        "egress": [
            _allow(pod.PORT, by="to", peers=[{"podSelector": {"matchLabels": PREDICTORS}}]),
            _allow(neighbours.xds_port, by="to", peers=[operator]),
            # To anywhere: a DNS cache on the node has no pod that could be named.
            {"ports": [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]},
        ],
    }
    predictors = {
        "podSelector": {"matchLabels": PREDICTORS},
        "policyTypes": ["Ingress"],
        # Past the router, requests would meet a candidate outside of the split that it is judged by.
        "ingress": [_allow(pod.PORT, by="from", peers=[{"podSelector": {"matchLabels": ROUTERS}}, *readers])],
    }
    # Whoever could ask the predictor beside gates would be in their figures.
    gates = {"podSelector": {"matchLabels": GATES}, "policyTypes": ["Ingress"]}
    return (
        _build("tidegate-router", router, namespace=namespace, owners=owners),
        _build("tidegate-predictors", predictors, namespace=namespace, owners=owners),
        _build("tidegate-gates", gates, namespace=namespace, owners=owners),
    )


def _allow(port: int, *, by: str = "", peers: Sequence[Peer] = ()) -> dict[str, Any]:
    """A rule for a port: for anyone, unless it says by whom."""
    rule: dict[str, Any] = {"ports": [{"protocol": "TCP", "port": port}]}
    return rule | {by: list(peers)} if by else rule


def _build(
    name: str, spec: Mapping[str, Any], *, namespace: str, owners: Iterable[dict[str, Any]]
) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/part-of": "tidegate", "app.kubernetes.io/managed-by": "tidegate"},
            "ownerReferences": list(owners),
        },
        "spec": spec,
    }
