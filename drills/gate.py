"""The gate: holds every transition of a ModelDeployment between the operator's memory and the API server.

A ValidatingAdmissionPolicy refuses each write of a status that changes the place, unless an annotation names that
very place. The operator has then decided, routers have heard of it, and nothing of it is stored: the worst moment to
die, met exactly, and nothing in the product knows of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from demo.kubectl import Kubectl, Manifest, ProgramFailedError
from demo.waiting import Deadline, wait_for

from drills.transitions import Place

_NAME: Final = "tidegate-drills-gate"
_OPENED: Final = "drills.tidegate.io/open-for"
_HELD: Final = "held at the gate: "
_IN_FORCE: Final = Deadline("the gate's effect", 60)


@contextmanager
def gate(kubectl: Kubectl) -> Iterator[None]:
    """The gate stands before all ModelDeployments of a namespace while the block runs."""
    kubectl.apply(*_build_policy(kubectl.namespace))
    try:
        yield
    finally:
        remove_gate(kubectl)


def remove_gate(kubectl: Kubectl) -> None:
    """Takes the gate away, one included that an interrupted run has left."""
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        kubectl.run("delete", kind, _NAME, "--ignore-not-found")


def wait_until_in_force(kubectl: Kubectl) -> None:
    """Returns once the API server refuses: it takes a new policy up a moment after it was written."""
    anyone = {"metadata": {"name": "drill-gate"}, "spec": {"modelVersion": "none", "paused": True}}
    kubectl.apply({"apiVersion": "tidegate.io/v1alpha1", "kind": "ModelDeployment", **anyone})
    other = {"status": {"traffic": {"desired": {"candidateWeight": 99, "mirror": 0}}}}
    command = (
        "patch",
        "modeldeployment",
        "drill-gate",
        "--subresource=status",
        "--type=merge",
        "--dry-run=server",
    )

    def refuses() -> bool:
        try:
            kubectl.run(*command, f"--patch={json.dumps(other)}")
        except ProgramFailedError as error:
            return _HELD in str(error)
        return False

    wait_for(_IN_FORCE, refuses)
    kubectl.run("delete", "modeldeployment", "drill-gate")


def open_gate(kubectl: Kubectl, name: str, place: Place) -> None:
    """Lets the transition to this place through, and no other."""
    kubectl.run("annotate", "modeldeployment", name, "--overwrite", f"{_OPENED}={place}")


def find_held(log: str, name: str) -> str:
    """The place that the operator last tried to store for a ModelDeployment and could not; empty if it never did."""
    held = [line for line in log.splitlines() if _HELD in line and f"/{name}/status" in line]
    return held[-1].partition(_HELD)[2].partition("#")[0] if held else ""


def _build_policy(namespace: str) -> tuple[Manifest, Manifest]:
    api = "admissionregistration.k8s.io/v1"
    rule = {
        "apiGroups": ["tidegate.io"],
        "apiVersions": ["*"],
        "resources": ["modeldeployments/status"],
        "operations": ["UPDATE"],
    }
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "variables": [
            {"name": "place", "expression": _write_place("object")},
            {"name": "before", "expression": _write_place("oldObject")},
            {"name": "open", "expression": _write_annotation()},
        ],
        "validations": [
            {
                "expression": "variables.place == variables.before || variables.place == variables.open",
                "messageExpression": f"{_quote(_HELD)} + variables.place + '#'",
            }
        ],
    }
    binding = {
        "policyName": _NAME,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
    }
    return (
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": _NAME}, "spec": spec},
        {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": _NAME},
            "spec": binding,
        },
    )


def _write_place(subject: str) -> str:
    """CEL for `str(Place)`."""
    status = f"{subject}.status"

    def role(name: str) -> str:
        return f"(has({status}) && has({status}.{name}) ? {status}.{name}.modelVersion : '')"

    def share(name: str) -> str:
        desired = f"{status}.traffic.desired"
        there = f"has({status}) && has({status}.traffic) && has({desired}) && has({desired}.{name})"
        return f"({there} ? string({desired}.{name}) : '0')"

    parts: list[Any] = [
        role("stable"),
        role("candidate"),
        share("candidateWeight"),
        share("mirror"),
        role("warm"),
    ]
    return " + '|' + ".join(parts)


def _write_annotation() -> str:
    annotations = "object.metadata.annotations"
    return f"has({annotations}) && {_quote(_OPENED)} in {annotations} ? {annotations}[{_quote(_OPENED)}] : ''"


def _quote(text: str) -> str:
    return "'" + text + "'"
