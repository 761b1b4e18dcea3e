"""The store: the last seen body of every object that matters to us, fed by the watches."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

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
    JOB = "Job"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What is looked at: a ModelDeployment, a ModelVersion, or with an empty name the router of a namespace."""

    namespace: str
    name: str = ""
    kind: Kind = Kind.MODEL_DEPLOYMENT

    def __str__(self) -> str:
        """As logs show it."""
        if not self.name:
            return f"{self.namespace} (router)"
        what = "" if self.kind is Kind.MODEL_DEPLOYMENT else f"{self.kind} "
        return f"{what}{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as it is kept: encoded, since as dictionaries a thousand models would take 80 MiB, not 15."""

    uid: str
    version: int
    labels: Mapping[str, str]
    document: bytes
    names: frozenset[str] = frozenset()
    """The ModelVersions that it names."""

    @property
    def body(self) -> Body:
        """The object, made anew each time: nobody can change what is kept."""
        body: Body = msgspec.json.decode(self.document)
        return body

    @property
    def owner(self) -> str:
        """The ModelDeployment that it belongs to, or nothing."""
        return self.labels.get(DEPLOYMENT_LABEL, "")


class Store:
    """Bodies by kind, namespace and name. An older body never replaces a newer one."""

    def __init__(self) -> None:
        self._entries: dict[Kind, dict[str, dict[str, Entry]]] = {kind: defaultdict(dict) for kind in Kind}
        self._owned: dict[tuple[Kind, str, str], set[str]] = defaultdict(set)
        """Names by kind, namespace and ModelDeployment: in a namespace of a thousand models, the one that is looked
        at must not cost a walk over all."""
        self._naming: dict[tuple[Kind, str, str], set[str]] = defaultdict(set)
        """Names by kind, namespace and ModelVersion, for the same reason."""

    def put(self, kind: Kind, body: Body) -> None:
        """Remember a body, unless a newer one of the same object is known already.

        Without this, a watch that lags behind our own status write would make us plan from the past.
        """
        namespace, name = namespace_of(body), name_of(body)
        known = self._entries[kind][namespace].get(name)
        if known is not None:
            if known.uid == uid_of(body) and known.version >= version_of(body):
                return
            self._remove(kind, namespace, name)
        document = msgspec.json.encode(trim(kind, body))
        labels, names = _share(labels_of(body)), find_versions_named(kind, body)
        entry = Entry(uid_of(body), version_of(body), labels, document, names)
        self._entries[kind][namespace][name] = entry
        self._owned[kind, namespace, entry.owner].add(name)
        for version in names:
            self._naming[kind, namespace, version].add(name)

    def refresh(self, kind: Kind, body: Body) -> None:
        """Remember how an object is after our own write, unless it is gone, or a namesake in its place, meanwhile."""
        known = self._entries[kind].get(namespace_of(body), {}).get(name_of(body))
        if known is not None and known.uid == uid_of(body):
            self.put(kind, body)

    def drop(self, kind: Kind, body: Body) -> None:
        """Forget an object that was deleted; its namesake made since stays."""
        namespace, name = namespace_of(body), name_of(body)
        known = self._entries[kind][namespace].get(name)
        if known is not None and known.uid == uid_of(body):
            self._remove(kind, namespace, name)

    def retain(
        self, kind: Kind, listed: AbstractSet[str], *, listed_version: int, namespace: str | None = None
    ) -> list[Body]:
        """Forget what a list of a namespace (none: of all), read at a resource version, does not have by its uid.

        It mends what a watch missed. What is forgotten comes back.
        """
        gone = [
            (within, name)
            for within in ([namespace] if namespace else list(self._entries[kind]))
            for name, entry in self._entries[kind][within].items()
            if entry.uid not in listed and entry.version <= listed_version
        ]
        return [self._remove(kind, within, name).body for within, name in gone]

    def is_news(self, kind: Kind, body: Body) -> bool:
        """Whether a body is of another object than the one that is known, or a newer one of it."""
        known = self._entries[kind][namespace_of(body)].get(name_of(body))
        return known is None or known.uid != uid_of(body) or known.version < version_of(body)

    def find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        """One object, or none."""
        entry = self._entries[kind].get(namespace, {}).get(name)
        return entry.body if entry else None

    def select(self, kind: Kind, namespace: str, labels: Mapping[str, str] | None = None) -> list[Body]:
        """The objects of a namespace that carry all these labels, by name."""
        entries = self._entries[kind].get(namespace, {})
        wanted = (labels or {}).items()
        owner = (labels or {}).get(DEPLOYMENT_LABEL)
        names = entries if owner is None else self._owned.get((kind, namespace, owner), ())
        return [entries[name].body for name in sorted(names) if wanted <= entries[name].labels.items()]

    def select_naming(self, kind: Kind, namespace: str, version: str) -> list[Body]:
        """The objects of a namespace that name a ModelVersion, by name."""
        entries = self._entries[kind].get(namespace, {})
        return [entries[name].body for name in sorted(self._naming.get((kind, namespace, version), ()))]

    def names_of(self, kind: Kind, namespace: str) -> list[str]:
        """The names of the objects of a namespace, in order."""
        return sorted(self._entries[kind].get(namespace, {}))

    def namespaces_of(self, kind: Kind) -> list[str]:
        """Namespaces with at least one object of a kind."""
        return sorted(namespace for namespace, entries in self._entries[kind].items() if entries)

    def _remove(self, kind: Kind, namespace: str, name: str) -> Entry:
        entry = self._entries[kind][namespace].pop(name)
        owned = self._owned[kind, namespace, entry.owner]
        owned.discard(name)
        if not owned:
            del self._owned[kind, namespace, entry.owner]
        for version in entry.names:
            naming = self._naming[kind, namespace, version]
            naming.discard(name)
            if not naming:
                del self._naming[kind, namespace, version]
        return entry


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


def find_versions_named(kind: Kind, body: Body) -> frozenset[str]:
    """The ModelVersions that a ModelDeployment, or the record of a revision, names anywhere."""
    match kind:
        case Kind.MODEL_DEPLOYMENT:
            status = body.get("status") or {}
            roles = [status.get(place) or {} for place in ("stable", "candidate", "warm", "gates")]
            naming = [body.get("spec") or {}, *roles, *(status.get("rejected") or ())]
        case Kind.CONTROLLER_REVISION:
            # Whoever may make records can write anything into one.
            naming = [data] if isinstance(data := body.get("data"), Mapping) else []
        case _:
            return frozenset()
    return frozenset(sys.intern(str(name)) for part in naming if (name := part.get("modelVersion")))


def _share(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels whose words are kept once for all objects: they are nearly the same on each."""
    return {sys.intern(key): sys.intern(value) for key, value in labels.items()}


# The parts that nobody here asks for: most of a pod, and of every object the record of who wrote which field.
_UNREAD_METADATA = ("managedFields", "selfLink")
_UNREAD_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration",)
_UNREAD: Mapping[Kind, tuple[str, ...]] = {
    Kind.POD: ("spec",),
    Kind.JOB: ("spec",),
    Kind.SERVICE: ("status",),
    Kind.POD_DISRUPTION_BUDGET: ("status",),
}
_READ_OF_A_POD = (
    "phase",
    "reason",
    "podIP",
    "podIPs",
    "startTime",
    "conditions",
    "containerStatuses",
    "initContainerStatuses",
)


def trim(kind: Kind, body: Body) -> Body:
    """A body with what we ask for, which of a pod is a tenth: a thousand models must fit."""
    trimmed = {key: value for key, value in body.items() if key not in _UNREAD.get(kind, ())}
    trimmed["metadata"] = _trim_metadata(body["metadata"])
    if kind is Kind.POD:
        status = body.get("status") or {}
        trimmed["status"] = {key: status[key] for key in _READ_OF_A_POD if key in status}
    if kind is Kind.MODEL_VERSION:
        trimmed |= _trim_version(body)
    return trimmed


def _trim_version(body: Body) -> dict[str, Any]:
    """Nothing of where it came from, and of its signature that it is told: either can be a hundred times the rest."""
    trimmed = {}
    if spec := body.get("spec"):
        trimmed["spec"] = {key: value for key, value in spec.items() if key != "provenance"}
    if signature := (body.get("status") or {}).get("signature"):
        short = {key: value for key, value in signature.items() if not isinstance(value, list)}
        trimmed["status"] = body["status"] | {"signature": short}
    return trimmed


def _trim_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    trimmed = {key: value for key, value in metadata.items() if key not in _UNREAD_METADATA}
    if annotations := metadata.get("annotations"):
        kept = {key: value for key, value in annotations.items() if key not in _UNREAD_ANNOTATIONS}
        trimmed["annotations"] = kept
    return trimmed
