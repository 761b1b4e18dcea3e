"""Availability: what keeps pods of one kind from going all at once, as Kubernetes is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate_operator.plan.facts import Manifest


def build_budget(metadata: Mapping[str, Any], selector: Mapping[str, str]) -> Manifest:
    """The PodDisruptionBudget of a set of pods: one at a time is evicted.

    A budget of what may be missing, not of what must be there: a single pod then stands in no drain's way, and
    neither do pods that are not ready anyway.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": dict(metadata),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": dict(selector)},
        },
    }


def spread(selector: Mapping[str, str]) -> list[Manifest]:
    """The topologySpreadConstraints of a set of pods: on different nodes, as far as there are such."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(selector)},
        }
    ]
