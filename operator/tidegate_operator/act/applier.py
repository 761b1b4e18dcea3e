"""Applying objects: only those that are not so already, so that a quiet model costs no write and a restart few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate_operator.act.cluster import Cluster, ClusterError
from tidegate_operator.act.likeness import digest_manifest, holds, mark
from tidegate_operator.plan.facts import Manifest

Name = tuple[str, str, str]
"""Kind, namespace, name."""
Find = Callable[[Name], Mapping[str, Any] | None]
"""The object as the watches last showed it; none if they did not, or do not follow its kind."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an object was at a resource version."""

    digest: str
    version: int


class Applier:
    """Writes what differs from what the watches show; where they lag behind our own write, that write counts."""

    def __init__(self, cluster: Cluster, find: Find) -> None:
        self._cluster = cluster
        self._find = find
        self._known: dict[Name, Known] = {}

    async def apply(self, manifests: Iterable[Manifest]) -> int:
        """Apply in the given order what is not so yet; the number of writes."""
        writes = 0
        for manifest in manifests:
            name, digest = name_manifest(manifest), digest_manifest(manifest)
            marked = mark(manifest, digest)
            if self._is_so(name, marked, digest):
                continue
            try:
                stored = await self._cluster.apply(marked)
            except ClusterError as error:
                raise _name_refused(error, manifest["kind"], name[2]) from error
            self._known[name] = Known(digest, _version_of(stored))
            writes += 1
        return writes

    async def delete(self, namespace: str, names: Iterable[tuple[str, str]]) -> None:
        """Delete objects by kind and name."""
        for kind, name in names:
            try:
                await self._cluster.delete(kind, namespace, name)
            except ClusterError as error:
                raise _name_refused(error, kind, name) from error
            self.forget((kind, namespace, name))

    def has_written(self, name: Name, version: int) -> bool:
        """Whether an object at a resource version is our own doing, or older than that."""
        known = self._known.get(name)
        return known is not None and version <= known.version

    def forget(self, name: Name) -> None:
        """An object was deleted."""
        self._known.pop(name, None)

    def forget_unseen(self) -> None:
        """Apply again next time what no watch shows: it mends what no watch tells."""
        for name in [name for name in self._known if self._find(name) is None]:
            del self._known[name]

    def _is_so(self, name: Name, marked: Manifest, digest: str) -> bool:
        found, known = self._find(name), self._known.get(name)
        if known and known.digest == digest and (found is None or _version_of(found) <= known.version):
            return True
        if found is None or not holds(found, marked):
            return False
        self._known[name] = Known(digest, _version_of(found))
        return True


def name_manifest(manifest: Manifest) -> Name:
    """Kind, namespace, name."""
    metadata = manifest["metadata"]
    return manifest["kind"], metadata["namespace"], metadata["name"]


def _name_refused(error: ClusterError, kind: str, name: str) -> ClusterError:
    """The error in words for a condition; what is no refusal stays as it is, for the log."""
    if not error.refused:
        return error
    return ClusterError(f"the API server refuses {kind} {name}: {error.words}", error.status)


def _version_of(body: Mapping[str, Any]) -> int:
    return int(body["metadata"].get("resourceVersion") or 0)
