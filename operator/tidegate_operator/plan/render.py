"""Rendering: a ModelVersion and what shapes its pods, as Kubernetes objects, once for every revision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate import pod
from tidegate.history import write_history
from tidegate.quantities import parse_quantity, parse_seconds
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.api.placement import render_placement, render_pull_secrets
from tidegate_operator.plan.availability import build_budget, spread
from tidegate_operator.plan.facts import Manifest, Revision
from tidegate_operator.plan.identity import (
    HISTORY_ANNOTATION,
    PASSED_ANNOTATION,
    PROMOTED_ANNOTATION,
    label_objects,
    name_revision,
    owned_by,
    select_pods,
)

# DNS answers of a kubeadm cluster are cached for 30 s, and the router may send to an old address until then.
DRAIN_SECONDS = 35


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """What the operator itself adds to a predictor pod."""

    predictor_image: str
    pull_secrets: tuple[str, ...] = ()
    """Secrets of the namespace that its image is pulled with."""
    log_format: str = "json"
    drain_seconds: int = DRAIN_SECONDS


def build_revision(
    deployment: ModelDeployment, version: ModelVersion, *, number: int, settings: RenderSettings
) -> Revision:
    """The revision of a version that has none yet, rendered now and never again."""
    name = name_revision(deployment, version)
    template = _render_deployment(deployment, version, revision=name, settings=settings)
    return Revision(
        name=name,
        number=number,
        model_version=version.metadata.name,
        digest=version.spec.digest,
        template=template,
    )


def build_controller_revision(deployment: ModelDeployment, revision: Revision) -> Manifest:
    """The record of a revision. Its data can't be changed, not even by us: the API server refuses it.

    What goes on with it afterwards stands in annotations.
    """
    annotations = {PROMOTED_ANNOTATION: "true"} if revision.promoted else {}
    if revision.passed:
        annotations[PASSED_ANNOTATION] = revision.passed
    if revision.history:
        annotations[HISTORY_ANNOTATION] = write_history(revision.history)
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": _metadata(deployment, revision.name) | {"annotations": annotations},
        "revision": revision.number,
        "data": {
            "modelVersion": revision.model_version,
            "digest": revision.digest,
            "deployment": revision.template,
        },
    }


def build_workload(deployment: ModelDeployment, revision: Revision, *, replicas: int) -> tuple[Manifest, ...]:
    """The Deployment of a revision as it was first rendered, the headless Service that names its pods, their budget."""
    rendered = dict(revision.template)
    rendered["spec"] = {**rendered["spec"], "replicas": replicas}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(deployment, revision.name),
        "spec": {
            "clusterIP": "None",
            # Routers check readiness themselves. Were a pod in DNS only once it is ready, a router that asks a
            # moment early would be told for 30 s more that there is none.
            "publishNotReadyAddresses": True,
            "selector": select_pods(deployment.metadata.name, revision.name),
            "ports": [{"name": "http", "port": pod.PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }
    selector = select_pods(deployment.metadata.name, revision.name)
    return service, build_budget(_metadata(deployment, revision.name), selector), rendered


def _metadata(deployment: ModelDeployment, revision: str) -> dict[str, Any]:
    return {
        "name": revision,
        "namespace": deployment.metadata.namespace,
        "labels": label_objects(deployment, revision),
        "ownerReferences": owned_by(deployment),
    }


def _render_deployment(
    deployment: ModelDeployment, version: ModelVersion, *, revision: str, settings: RenderSettings
) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(deployment, revision),
        "spec": {
            "replicas": deployment.spec.serving.replicas,
            "revisionHistoryLimit": 0,  # the ControllerRevision is the history
            "selector": {"matchLabels": select_pods(deployment.metadata.name, revision)},
            # Never fewer pods than wanted: a node drain or a changed label must not cost an answer.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": label_objects(deployment, revision)},
                "spec": _render_pod(deployment, version, revision=revision, settings=settings),
            },
        },
    }


def _render_pod(
    deployment: ModelDeployment, version: ModelVersion, *, revision: str, settings: RenderSettings
) -> Manifest:
    volumes, mounts = _render_volumes(version)
    serving = deployment.spec.serving
    return {
        **render_placement(serving.node_selector, serving.tolerations),
        **render_pull_secrets(settings.pull_secrets),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "topologySpreadConstraints": spread(select_pods(deployment.metadata.name, revision)),
        "terminationGracePeriodSeconds": settings.drain_seconds + 25,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "predictor",
                "image": settings.predictor_image,
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"name": "http", "containerPort": pod.PORT, "protocol": "TCP"}],
                "env": _render_environment(deployment, version, revision=revision, settings=settings),
                "resources": serving.resources.model_dump(mode="json", by_alias=True),
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": mounts,
                **_render_probes(deployment),
            }
        ],
        "volumes": volumes,
    }


def _render_environment(
    deployment: ModelDeployment, version: ModelVersion, *, revision: str, settings: RenderSettings
) -> list[Mapping[str, str]]:
    threads = max(1, math.ceil(parse_quantity(deployment.spec.serving.resources.limits.cpu)))
    values = {
        pod.Variable.MODEL: deployment.metadata.name,
        pod.Variable.REVISION: revision,
        pod.Variable.SOURCE: version.spec.source.uri,
        pod.Variable.SECRET: version.spec.source.secret_ref.name if version.spec.source.secret_ref else "",
        pod.Variable.DIGEST: version.spec.digest,
        pod.Variable.THREADS: str(threads),
        pod.Variable.DRAIN: str(settings.drain_seconds),
        pod.Variable.LOG_FORMAT: settings.log_format,
    }
    return [{"name": name.value, "value": value} for name, value in values.items() if value]


def _render_probes(deployment: ModelDeployment) -> dict[str, Any]:
    timeout = parse_seconds(deployment.spec.serving.startup.timeout)
    ready = {"httpGet": {"path": pod.READY_PATH, "port": "http"}}
    live = {"httpGet": {"path": pod.LIVE_PATH, "port": "http"}}
    return {
        # Liveness starts only when the model answers: loading a large one must not be taken for a hang.
        "startupProbe": {**ready, "periodSeconds": 1, "failureThreshold": max(1, math.ceil(timeout))},
        "readinessProbe": {**ready, "periodSeconds": 2, "failureThreshold": 2, "timeoutSeconds": 2},
        "livenessProbe": {**live, "periodSeconds": 10, "failureThreshold": 6, "timeoutSeconds": 5},
    }


def _render_volumes(version: ModelVersion) -> tuple[list[Manifest], list[Manifest]]:
    volumes: list[Manifest] = [{"name": "bundle", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]
    mounts: list[Manifest] = [
        {"name": "bundle", "mountPath": pod.BUNDLE_FOLDER},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
    ]
    source = version.spec.source
    if source.secret_ref:
        # Optional, so that a Secret that isn't there is told by the predictor in a sentence. Else the kubelet would
        # hold the pod back and say so only in an event, which we have no right to read.
        secret = {"secretName": source.secret_ref.name, "optional": True}
        volumes.append({"name": "credentials", "secret": secret})
        mounts.append({"name": "credentials", "mountPath": pod.CREDENTIALS_FOLDER, "readOnly": True})
    if source.uri.startswith("pvc://"):
        claim = source.uri.removeprefix("pvc://").split("/", 1)[0]
        volumes.append({"name": "claim", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}})
        mounts.append({"name": "claim", "mountPath": pod.CLAIM_FOLDER, "readOnly": True})
    return volumes, mounts
