"""The router of a namespace as Kubernetes objects: Envoy, its bootstrap, and the Services in front of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate_operator.api.placement import ANYWHERE, Placement, render_placement, render_pull_secrets
from tidegate_operator.plan.availability import build_budget, spread
from tidegate_operator.plan.facts import Manifest
from tidegate_operator.routing.bootstrap import Ports, build_bootstrap
from tidegate_operator.routing.memory import MEMORY_FOLDER, MEMORY_NAME
from tidegate_operator.routing.policies import Neighbours, build_policies
from tidegate_operator.routing.routes import READY_PATH

ROUTER_NAME = "tidegate-router"
ROUTER_SELECTOR = {"app.kubernetes.io/name": ROUTER_NAME, "app.kubernetes.io/part-of": "tidegate"}
ROUTER_LABELS = {
    **ROUTER_SELECTOR,
    "app.kubernetes.io/component": "router",
    "app.kubernetes.io/managed-by": "tidegate",
}
DRAIN_SECONDS = 10
"""A router that ends closes its clients' connections one by one (images/router/drain) and goes on answering for so
long: every node has stopped sending to it by then."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A ModelDeployment, as owner references name it."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """What the operator's installation says about routers."""

    image: str
    xds_host: str
    xds_port: int
    replicas: int = 1
    neighbours: Neighbours | None = None
    """Whom NetworkPolicies let through; none where these are somebody else's to write."""
    placement: Placement = ANYWHERE
    pull_secrets: tuple[str, ...] = ()
    """Secrets of each namespace that the image is pulled with."""


def build_entrance(namespace: str, owner: Owner) -> Manifest:
    """The Service that users call, `http://<name>.<namespace>.svc`, in front of the namespace's router."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": owner.name,
            "namespace": namespace,
            "labels": {
                **ROUTER_LABELS,
                "app.kubernetes.io/instance": owner.name,
                "tidegate.io/deployment": owner.name,
            },
            "ownerReferences": [_refer_to(owner) | {"controller": True}],
        },
        "spec": {
            "selector": ROUTER_SELECTOR,
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def build_router(namespace: str, owners: Sequence[Owner], settings: RouterSettings) -> tuple[Manifest, ...]:
    """The router of a namespace; all its ModelDeployments own it, so it goes with the last of them."""
    ports = Ports()
    bootstrap = json.dumps(
        build_bootstrap(namespace, xds_address=(settings.xds_host, settings.xds_port), ports=ports), indent=1
    )
    references = refer_to_all(owners)
    metadata = {
        "name": ROUTER_NAME,
        "namespace": namespace,
        "labels": ROUTER_LABELS,
        "ownerReferences": references,
    }
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"bootstrap.json": bootstrap},
    }
    deployment = _build_deployment(metadata, bootstrap, settings=settings, ports=ports)
    # The policies first: no pod of ours is reached by others, not even for a moment.
    policies = build_policies(namespace, references, settings.neighbours) if settings.neighbours else ()
    return *policies, config, build_budget(metadata, ROUTER_SELECTOR), deployment


def _build_deployment(
    metadata: dict[str, Any], bootstrap: str, *, settings: RouterSettings, ports: Ports
) -> Manifest:
    # Envoy reads its bootstrap once: without the hash in the template, a changed one would not be read.
    annotations = {"tidegate.io/bootstrap": hashlib.sha256(bootstrap.encode()).hexdigest()[:16]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": settings.replicas,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": ROUTER_SELECTOR},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": ROUTER_LABELS, "annotations": annotations},
                "spec": _build_pod(settings, ports),
            },
        },
    }


def _build_pod(settings: RouterSettings, ports: Ports) -> Manifest:
    return {
        **render_placement(settings.placement.node_selector, settings.placement.tolerations),
        **render_pull_secrets(settings.pull_secrets),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "topologySpreadConstraints": spread(ROUTER_SELECTOR),
        "terminationGracePeriodSeconds": DRAIN_SECONDS + 20,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_build_container(settings, ports)],
        "volumes": [
            {"name": "bootstrap", "configMap": {"name": ROUTER_NAME}},
            {"name": "routes", "configMap": {"name": MEMORY_NAME, "optional": True}},
        ],
    }


def _build_container(settings: RouterSettings, ports: Ports) -> Manifest:
    ready = {"httpGet": {"path": READY_PATH, "port": "http"}}
    return {
        "name": "envoy",
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["envoy"],
        "args": [
            "--config-path",
            "/etc/tidegate/bootstrap.json",
            "--service-node",
            "$(POD_NAME)",
            "--concurrency",
            "2",
            "--log-level",
            "warning",
            "--disable-hot-restart",
        ],
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [
            {"name": "http", "containerPort": ports.traffic, "protocol": "TCP"},
            {"name": "stats", "containerPort": ports.stats, "protocol": "TCP"},
        ],
        "readinessProbe": {**ready, "periodSeconds": 2, "failureThreshold": 2},
        "livenessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"exec": {"command": ["drain", str(ports.admin), str(DRAIN_SECONDS)]}}},
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "bootstrap", "mountPath": "/etc/tidegate", "readOnly": True},
            {"name": "routes", "mountPath": MEMORY_FOLDER, "readOnly": True},
        ],
    }


def refer_to_all(owners: Iterable[Owner]) -> list[dict[str, Any]]:
    """Owner references of what all ModelDeployments of a namespace share."""
    return [_refer_to(owner) for owner in sorted(owners, key=lambda owner: owner.name)]


def _refer_to(owner: Owner) -> dict[str, Any]:
    return {
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "ModelDeployment",
        "name": owner.name,
        "uid": owner.uid,
        "controller": False,
        "blockOwnerDeletion": False,
    }
