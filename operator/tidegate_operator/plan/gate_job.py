"""The Job that holds the gates of a candidate: its predictor under its limits, and beside it who asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tidegate import gate_run, pod
from tidegate.gates import Gate
from tidegate.quantities import parse_seconds
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.plan.facts import Manifest, Revision
from tidegate_operator.plan.gate_reads import Read
from tidegate_operator.plan.identity import label_gates, owned_by
from tidegate_operator.plan.own_gates import find_secrets, render_own

GATES_CONTAINER: Final = "gates"
PREDICTOR_CONTAINER: Final = "predictor"
# Fetching both versions and two million rows takes minutes; what takes longer hangs.
ALLOWANCE_SECONDS: Final = 900
# The predictor beside the gates has nobody to drain for.
GRACE_SECONDS: Final = 5
KEPT_SECONDS: Final = 3600
"""How long a Job whose operator is away stays: its report must be found when that comes back."""
# Of the gates alone. Two million rows of a binary classifier, the most that are read, take 1.2 GiB with a version to
# compare with and two columns of groups.
RESOURCES: Final = {
    "requests": {"cpu": "250m", "memory": "256Mi"},
    "limits": {"cpu": "1", "memory": "2Gi"},
}
SCRATCH_LIMIT: Final = "6Gi"
"""A data set of at most 4Gi, the bundle of the version in service, and what a model writes."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who is held against which gates."""

    run: str
    candidate: Revision
    stable: Revision | None
    """The revision in service; none: there is none yet."""


def build_gate_job(deployment: ModelDeployment, held: Held) -> Manifest:
    """The Job, from the very pod that serves the candidate: what is measured is what will serve."""
    labels = label_gates(deployment, held.run)
    metadata = {
        "name": held.run,
        "namespace": deployment.metadata.namespace,
        "labels": labels,
        "ownerReferences": owned_by(deployment),
    }
    # What ends a pod from outside (a drain, an eviction) says nothing about the version; another pod is made then.
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [disrupted]}]},
            "podReplacementPolicy": "Failed",
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": _render_pod(deployment, held)},
        },
    }


def _render_pod(deployment: ModelDeployment, held: Held) -> Manifest:
    served: dict[str, Any] = deepcopy(dict(_pod_of(held.candidate)))
    (predictor,) = served.pop("containers")
    gates = deployment.spec.gates
    own = tuple(gate for gate in gates if gate.is_own)
    ours = tuple(gate for gate in gates if not gate.is_own)
    # It is spread over nodes by the labels of those that serve, which this pod does not have.
    served.pop("topologySpreadConstraints", None)
    reads = list(_find_reads(ours, held.stable))
    volumes = [volume for read in (*reads, *find_secrets(own)) for volume in read.volumes]
    scratch = {"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH_LIMIT}}
    asking = [_render_gates(deployment, held, predictor, reads)] if ours else []
    return served | {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "activeDeadlineSeconds": _find_deadline(deployment),
        # Started before the gates, until they have ended, and again if it ends before them (Kubernetes 1.29).
        # What users bring comes when ours have ended: while latencies are measured, nothing else runs.
        "initContainers": [predictor | {"restartPolicy": "Always"}, *(asking if own else ())],
        "containers": render_own(deployment, own, predictor["securityContext"]) if own else asking,
        "volumes": [*served["volumes"], scratch, *volumes],
    }


def _find_deadline(deployment: ModelDeployment) -> int:
    asked = (parse_seconds(gate.serving.duration) for gate in deployment.spec.gates if gate.serving)
    start = parse_seconds(deployment.spec.serving.startup.timeout)
    return int(start + sum(asked) + ALLOWANCE_SECONDS)


def _render_gates(
    deployment: ModelDeployment, held: Held, predictor: Mapping[str, Any], reads: list[Read]
) -> dict[str, Any]:
    """The container beside the predictor; it reads the candidate's bundle where that has put it."""
    bundle = {"name": "bundle", "mountPath": pod.BUNDLE_FOLDER, "readOnly": True}
    scratch = {"name": "scratch", "mountPath": "/tmp"}  # noqa: S108 - a volume of the pod's own
    ours = [gate for gate in deployment.spec.gates if not gate.is_own]
    values = {
        gate_run.Variable.GATES: msgspec.json.encode(ours).decode(),
        gate_run.Variable.CPU: str(deployment.spec.serving.resources.limits.cpu),
    }
    if held.stable:
        known = _environment_of(held.stable)
        values |= {
            gate_run.Variable.STABLE_SOURCE: known[pod.Variable.SOURCE],
            gate_run.Variable.STABLE_DIGEST: known[pod.Variable.DIGEST],
            gate_run.Variable.STABLE_SECRET: known.get(pod.Variable.SECRET, ""),
        }
    own = [{"name": name.value, "value": value} for name, value in values.items() if value]
    return {
        "name": GATES_CONTAINER,
        "image": predictor["image"],
        "imagePullPolicy": predictor["imagePullPolicy"],
        "command": ["python3", "-m", "tidegate_gates"],
        "env": [*predictor["env"], *own],
        "resources": RESOURCES,
        "securityContext": predictor["securityContext"],
        # Without a report, its last words are what there is to tell.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [bundle, scratch, *(mount for read in reads for mount in read.mounts)],
    }


def _find_reads(gates: tuple[Gate, ...], stable: Revision | None) -> Iterator[Read]:
    if stable:
        known = _environment_of(stable)
        claim = _claim_of(known[pod.Variable.SOURCE])
        yield Read("stable", gate_run.STABLE_FOLDER, known.get(pod.Variable.SECRET, ""), claim)
    for place, gate in enumerate(gates):
        if data := gate.data:
            secret = data.secret_ref.name if data.secret_ref else ""
            yield Read(f"data-{place}", f"{gate_run.DATA_FOLDER}/{gate.name}", secret, _claim_of(data.uri))


def _claim_of(uri: str) -> str:
    return uri.removeprefix("pvc://").split("/", 1)[0] if uri.startswith("pvc://") else ""


def _pod_of(revision: Revision) -> Manifest:
    found: Manifest = revision.template["spec"]["template"]["spec"]
    return found


def _environment_of(revision: Revision) -> dict[str, str]:
    (predictor,) = _pod_of(revision)["containers"]
    return {entry["name"]: entry["value"] for entry in predictor["env"]}
