"""An API server without room: priority and fairness answers the operator 429, whatever it asks.

Its requests share one priority level without a seat, where one request at a time is served all the same. That one is
ours: a write that waits for a webhook which never answers.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from cluster.kind import NODE
from demo.ground import SYSTEM_NAMESPACE
from demo.kubectl import Kubectl, Manifest, ProgramFailedError, run

_NAME: Final = "tidegate-drills-no-room"
_OCCUPANT: Final = "tidegate-drills-occupant"
_OPERATOR: Final = "tidegate-operator"
_LONGEST_WEBHOOK_SECONDS: Final = 30


def address_of_this_machine() -> str:
    """Where the node reaches what listens here."""
    gateway = "--format={{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}"
    return run("docker", "inspect", gateway, NODE).strip()


@contextmanager
def no_room_for_operator(kubectl: Kubectl, our_address: str) -> Iterator[None]:
    """Every request of the operator is answered 429 while the block runs."""
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server((our_address, 0)))
        manifests = _build(kubectl.namespace, f"https://{our_address}:{silent.getsockname()[1]}/")
        stack.callback(_remove, kubectl, manifests)
        kubectl.apply(*manifests)
        ended = threading.Event()
        stack.callback(ended.set)
        threading.Thread(target=_occupy, args=(kubectl, ended), name="occupant", daemon=True).start()
        yield


def _occupy(kubectl: Kubectl, ended: threading.Event) -> None:
    """Takes the only place, again and again: a write is let go when its webhook has been waited for."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _NAME, "labels": {_NAME: "true"}}}
    while not ended.is_set():
        with suppress(ProgramFailedError):
            kubectl.run(
                *("create", f"--as={_OCCUPANT}", "--dry-run=server", "--filename=-"), stdin=json.dumps(config)
            )
        ended.wait(0.05)


def _remove(kubectl: Kubectl, manifests: tuple[Manifest, ...]) -> None:
    for manifest in reversed(manifests):
        kubectl.run("delete", manifest["kind"], _NAME, "--ignore-not-found", "--wait=false")


def _build(namespace: str, url: str) -> tuple[Manifest, ...]:
    flow, rbac = "flowcontrol.apiserver.k8s.io/v1", "rbac.authorization.k8s.io"
    occupant = {"kind": "User", "name": _OCCUPANT, "apiGroup": rbac}
    role = {"apiGroup": rbac, "kind": "Role", "name": _NAME}
    metadata = {"name": _NAME}
    return (
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": {**metadata, "namespace": namespace},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {**metadata, "namespace": namespace},
            "roleRef": role,
            "subjects": [occupant],
        },
        {
            "apiVersion": flow,
            "kind": "PriorityLevelConfiguration",
            "metadata": metadata,
            "spec": _build_level(),
        },
        {"apiVersion": flow, "kind": "FlowSchema", "metadata": metadata, "spec": _build_schema()},
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": metadata,
            "webhooks": [_build_webhook(url)],
        },
    )


def _build_level() -> Manifest:
    seats = {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0}
    return {"type": "Limited", "limited": {**seats, "limitResponse": {"type": "Reject"}}}


def _build_schema() -> Manifest:
    everything = ("verbs", "apiGroups", "resources", "namespaces")
    account = {"namespace": SYSTEM_NAMESPACE, "name": _OPERATOR}
    subjects = [
        {"kind": "ServiceAccount", "serviceAccount": account},
        {"kind": "User", "user": {"name": _OCCUPANT}},
    ]
    rule = {
        "subjects": subjects,
        "resourceRules": [{**{key: ["*"] for key in everything}, "clusterScope": True}],
    }
    return {
        "priorityLevelConfiguration": {"name": _NAME},
        "matchingPrecedence": 2,  # 1 is kept for what is never refused
        "rules": [rule],
    }


def _build_webhook(url: str) -> Manifest:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}
    return {
        "name": "never.tidegate.io",
        "clientConfig": {"url": url},
        "rules": [rule],
        "objectSelector": {"matchLabels": {_NAME: "true"}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "timeoutSeconds": _LONGEST_WEBHOOK_SECONDS,
    }
