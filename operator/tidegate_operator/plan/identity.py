"""The identity of a revision: what makes two sets of pods different, and what everything is called."""

from __future__ import annotations

import hashlib
import json

import msgspec

from tidegate import history
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.api.placement import render_placement

# What the CLI reads, too.
DEPLOYMENT_LABEL = history.DEPLOYMENT_LABEL
PROMOTED_ANNOTATION = history.PROMOTED_ANNOTATION
RETRY_ANNOTATION = history.RETRY_ANNOTATION
HISTORY_ANNOTATION = history.HISTORY_ANNOTATION
REVISION_LABEL = "tidegate.io/revision"
GATES_LABEL = "tidegate.io/gates"
"""On a pod that holds gates: the run. It has no label of a revision, since no Service of one may find it."""
PASSED_ANNOTATION = "tidegate.io/gates-passed"
"""On the record of a revision: the run of gates that it passed last."""


def name_revision(deployment: ModelDeployment, version: ModelVersion) -> str:
    """`<deployment>-<hash>`: the same bundle and place, limits and choice of nodes are the same revision.

    Left out are replicas and the start-up timeout, which change no answer, and all that the operator adds
    itself (the predictor's image, say): with those in, an operator upgrade would start a rollout for every model.
    """
    source, serving = version.spec.source, deployment.spec.serving
    facts = {
        "digest": version.spec.digest,
        "uri": source.uri,
        "secret": source.secret_ref.name if source.secret_ref else None,
        "resources": serving.resources.model_dump(mode="json", by_alias=True),
        # Nothing where nothing is asked for: a release before these fields gave the same names.
        **render_placement(serving.node_selector, serving.tolerations),
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{deployment.metadata.name}-{digest[:8]}"


def label_objects(deployment: ModelDeployment, revision: str | None = None) -> dict[str, str]:
    """The labels of everything that belongs to a ModelDeployment, or to one of its revisions."""
    labels = {
        "app.kubernetes.io/name": "tidegate-predictor",
        "app.kubernetes.io/instance": deployment.metadata.name,
        "app.kubernetes.io/component": "predictor",
        "app.kubernetes.io/part-of": "tidegate",
        "app.kubernetes.io/managed-by": "tidegate",
        DEPLOYMENT_LABEL: deployment.metadata.name,
    }
    return labels | {REVISION_LABEL: revision} if revision else labels


def name_gate_run(deployment: ModelDeployment, revision: str, stable: str) -> str:
    """The same gates, held for the same revision against the same version in service, are the same run.

    A new token in the retry annotation makes another one of it.
    """
    retry = deployment.metadata.annotations.get(RETRY_ANNOTATION) or deployment.status.last_handled_retry
    facts = {
        # Without defaults: an upgrade that brings new settings asks nobody again.
        "gates": msgspec.to_builtins(deployment.spec.gates),
        "revision": revision,
        "stable": stable,
        "retry": retry or "",
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{deployment.metadata.name}-g{digest[:8]}"


def label_gates(deployment: ModelDeployment, run: str) -> dict[str, str]:
    """The labels of what holds the gates of a candidate."""
    labels = label_objects(deployment) | {GATES_LABEL: run}
    return labels | {"app.kubernetes.io/name": "tidegate-gates", "app.kubernetes.io/component": "gates"}


def select_pods(deployment_name: str, revision: str | None = None) -> dict[str, str]:
    """The labels that pick the predictor pods of a ModelDeployment, or of one of its revisions."""
    selector = {DEPLOYMENT_LABEL: deployment_name}
    return selector | {REVISION_LABEL: revision} if revision else selector


def owned_by(deployment: ModelDeployment) -> list[dict[str, object]]:
    """Owner references instead of finalizers: an operator that is gone blocks no deletion."""
    return [
        {
            "apiVersion": "tidegate.io/v1alpha1",
            "kind": "ModelDeployment",
            "name": deployment.metadata.name,
            "uid": deployment.metadata.uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]
