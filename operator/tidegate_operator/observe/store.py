"""The store: the last seen body of every object that matters to us, fed by the watches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tidegate_operator.plan.identity import DEPLOYMENT_LABEL

Body = Mapping[str, Any]


class Kind(StrEnum):
    """What is watched."""

    MODEL_DEPLOYMENT = "ModelDeployment"
    MODEL_VERSION = "ModelVersion"
    DEPLOYMENT = "Deployment"
    POD = "Pod"
    SERVICE = "Service"
    POD_DISRUPTION_BUDGET = "PodDisruptionBudget"
    CONTROLLER_REVISION = "ControllerRevision"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A ModelDeployment, or with an empty name the router of a namespace."""

    namespace: str
    name: str = ""

    def __str__(self) -> str:
        """As logs show it."""
        return f"{self.namespace}/{self.name}" if self.name else f"{self.namespace} (router)"


class Store:
    """Bodies by kind, namespace and name. An older body never replaces a newer one."""

    def __init__(self) -> None:
        self._bodies: dict[Kind, dict[str, dict[str, Body]]] = {kind: defaultdict(dict) for kind in Kind}
        self._owned: dict[tuple[Kind, str, str], set[str]] = defaultdict(set)
        """Names by kind, namespace and ModelDeployment: in a namespace of a thousand models, the one that is looked
        at must not cost a walk over all."""

    def put(self, kind: Kind, body: Body) -> None:
        """Remember a body, unless a newer one of the same object is known already.

        Without this, a watch that lags behind our own status write would make us plan from the past.
        """
        bodies = self._bodies[kind][namespace_of(body)]
        known = bodies.get(name_of(body))
        if known is None or uid_of(known) != uid_of(body) or version_of(known) < version_of(body):
            if known is not None:
                self._owned[_owner_of(kind, known)].discard(name_of(body))
            bodies[name_of(body)] = trim(kind, body)
            self._owned[_owner_of(kind, body)].add(name_of(body))

    def drop(self, kind: Kind, body: Body) -> None:
        """Forget an object that was deleted; its namesake made since stays."""
        bodies = self._bodies[kind][namespace_of(body)]
        known = bodies.get(name_of(body))
        if known is not None and uid_of(known) == uid_of(body):
            del bodies[name_of(body)]
            owned = self._owned[_owner_of(kind, known)]
            owned.discard(name_of(body))
            if not owned:
                del self._owned[_owner_of(kind, known)]

    def replace(
        self, kind: Kind, bodies: Iterable[Body], *, listed_version: int, namespace: str | None = None
    ) -> list[Body]:
        """Take a list of a namespace (none: of all), read at a resource version, as what there is.

        It mends what a watch missed. What the list no longer has comes back.
        """
        listed = list(bodies)
        seen = {uid_of(body) for body in listed}
        listed_namespaces = [namespace] if namespace else list(self._bodies[kind])
        known = [body for name in listed_namespaces for body in self._bodies[kind][name].values()]
        gone = [body for body in known if uid_of(body) not in seen and version_of(body) <= listed_version]
        for body in gone:
            self.drop(kind, body)
        for body in listed:
            self.put(kind, body)
        return gone

    def find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object, or none."""
        return self._bodies[kind].get(namespace, {}).get(name)

    def select(self, kind: Kind, namespace: str, labels: Mapping[str, str] | None = None) -> list[Body]:
        """The objects of a namespace that carry all these labels, by name."""
        bodies = self._bodies[kind].get(namespace, {})
        wanted = (labels or {}).items()
        owner = (labels or {}).get(DEPLOYMENT_LABEL)
        names = bodies if owner is None else self._owned.get((kind, namespace, owner), ())
        return [bodies[name] for name in sorted(names) if wanted <= labels_of(bodies[name]).items()]

    def namespaces_of(self, kind: Kind) -> list[str]:
        """Namespaces with at least one object of a kind."""
        return sorted(namespace for namespace, bodies in self._bodies[kind].items() if bodies)


def name_of(body: Body) -> str:
    """`metadata.name`."""
    return str(body["metadata"]["name"])


def namespace_of(body: Body) -> str:
    """`metadata.namespace`."""
    return str(body["metadata"]["namespace"])


def uid_of(body: Body) -> str:
    """`metadata.uid`."""
    return str(body["metadata"].get("uid", ""))


def version_of(body: Body) -> int:
    """`metadata.resourceVersion`: Kubernetes 1.35 promises that they can be compared as numbers."""
    return int(body["metadata"].get("resourceVersion") or 0)


def _owner_of(kind: Kind, body: Body) -> tuple[Kind, str, str]:
    return kind, namespace_of(body), labels_of(body).get(DEPLOYMENT_LABEL, "")


def labels_of(body: Body) -> Mapping[str, str]:
    """`metadata.labels`."""
    labels: Mapping[str, str] = body["metadata"].get("labels") or {}
    return labels


# The parts that nobody here asks for: most of a pod, and of every object the record of who wrote which field.
_UNREAD_METADATA = ("managedFields", "selfLink")
_UNREAD_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration",)
_UNREAD: Mapping[Kind, tuple[str, ...]] = {
    Kind.POD: ("spec",),
    Kind.SERVICE: ("status",),
    Kind.POD_DISRUPTION_BUDGET: ("status",),
}
_READ_OF_A_POD = ("phase", "podIP", "startTime", "conditions", "containerStatuses")


def trim(kind: Kind, body: Body) -> Body:
    """A body with what we ask for, which of a pod is a tenth: a thousand models must fit."""
    trimmed = {key: value for key, value in body.items() if key not in _UNREAD.get(kind, ())}
    trimmed["metadata"] = _trim_metadata(body["metadata"])
    if kind is Kind.POD:
        status = body.get("status") or {}
        trimmed["status"] = {key: status[key] for key in _READ_OF_A_POD if key in status}
    return trimmed


def _trim_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    trimmed = {key: value for key, value in metadata.items() if key not in _UNREAD_METADATA}
    if annotations := metadata.get("annotations"):
        kept = {key: value for key, value in annotations.items() if key not in _UNREAD_ANNOTATIONS}
        trimmed["annotations"] = kept
    return trimmed
