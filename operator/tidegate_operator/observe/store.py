"""The store: the last seen body of every object that matters to us, fed by the watches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Body = Mapping[str, Any]


class Kind(StrEnum):
    """What is watched."""

    MODEL_DEPLOYMENT = "ModelDeployment"
    MODEL_VERSION = "ModelVersion"
    DEPLOYMENT = "Deployment"
    POD = "Pod"
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

    def put(self, kind: Kind, body: Body) -> None:
        """Remember a body, unless a newer one of the same object is known already.

        Without this, a watch that lags behind our own status write would make us plan from the past.
        """
        bodies = self._bodies[kind][namespace_of(body)]
        known = bodies.get(name_of(body))
        if known is None or uid_of(known) != uid_of(body) or version_of(known) <= version_of(body):
            bodies[name_of(body)] = _trim(body)

    def drop(self, kind: Kind, body: Body) -> None:
        """Forget an object that was deleted; its namesake made since stays."""
        bodies = self._bodies[kind][namespace_of(body)]
        known = bodies.get(name_of(body))
        if known is not None and uid_of(known) == uid_of(body):
            del bodies[name_of(body)]

    def replace(
        self, kind: Kind, bodies: Iterable[Body], *, listed_version: int, namespace: str | None = None
    ) -> None:
        """Take a list of a namespace (none: of all), read at a resource version, as what there is.

        It mends what a watch missed.
        """
        listed = list(bodies)
        seen = {uid_of(body) for body in listed}
        listed_namespaces = [namespace] if namespace else list(self._bodies[kind])
        for known in [body for name in listed_namespaces for body in self._bodies[kind][name].values()]:
            if uid_of(known) not in seen and version_of(known) <= listed_version:
                self.drop(kind, known)
        for body in listed:
            self.put(kind, body)

    def find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object, or none."""
        return self._bodies[kind].get(namespace, {}).get(name)

    def select(self, kind: Kind, namespace: str, labels: Mapping[str, str] | None = None) -> list[Body]:
        """The objects of a namespace that carry all these labels, by name."""
        bodies = self._bodies[kind].get(namespace, {})
        wanted = (labels or {}).items()
        return [bodies[name] for name in sorted(bodies) if wanted <= labels_of(bodies[name]).items()]

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


def labels_of(body: Body) -> Mapping[str, str]:
    """`metadata.labels`."""
    labels: Mapping[str, str] = body["metadata"].get("labels") or {}
    return labels


def _trim(body: Body) -> Body:
    """Without the record of who wrote which field: half of a body's bytes, and nothing we ask for."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": metadata}
