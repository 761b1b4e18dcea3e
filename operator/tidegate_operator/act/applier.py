"""Applying objects: only those that differ from what we last applied, so that a quiet model costs no write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from tidegate_operator.act.cluster import Cluster, ClusterError
from tidegate_operator.plan.facts import Manifest

Name = tuple[str, str, str]
"""Kind, namespace, name."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What we wrote last, and the generation of the object after it."""

    digest: str
    generation: int


class Applier:
    """Remembers what was applied; someone else's change or deletion makes it write again."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._applied: dict[Name, Applied] = {}

    async def apply(self, manifests: Iterable[Manifest]) -> int:
        """Apply in the given order what is not so yet; the number of writes."""
        writes = 0
        for manifest in manifests:
            name, digest = name_manifest(manifest), _digest(manifest)
            applied = self._applied.get(name)
            if applied is not None and applied.digest == digest:
                continue
            try:
                stored = await self._cluster.apply(manifest)
            except ClusterError as error:
                raise _name_refused(error, manifest["kind"], name[2]) from error
            self._applied[name] = Applied(digest, int(stored["metadata"].get("generation") or 0))
            writes += 1
        return writes

    async def delete(self, namespace: str, names: Iterable[tuple[str, str]]) -> None:
        """Delete objects by kind and name."""
        for kind, name in names:
            try:
                await self._cluster.delete(kind, namespace, name)
            except ClusterError as error:
                raise _name_refused(error, kind, name) from error
            self._applied.pop((kind, namespace, name), None)

    def notice(self, name: Name, generation: int | None) -> None:
        """An object was seen at a generation (none: deleted): if that is not our doing, it is applied again."""
        applied = self._applied.get(name)
        if applied is not None and (generation is None or generation > applied.generation):
            del self._applied[name]

    def forget(self, namespace: str) -> None:
        """Apply everything of a namespace again next time: it mends what no watch tells."""
        for name in [name for name in self._applied if name[1] == namespace]:
            del self._applied[name]


def name_manifest(manifest: Manifest) -> Name:
    """Kind, namespace, name."""
    metadata = manifest["metadata"]
    return manifest["kind"], metadata["namespace"], metadata["name"]


def _name_refused(error: ClusterError, kind: str, name: str) -> ClusterError:
    """The error in words for a condition; what is no refusal stays as it is, for the log."""
    if not error.refused:
        return error
    return ClusterError(f"the API server refuses {kind} {name}: {error.words}", error.status)


def _digest(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
