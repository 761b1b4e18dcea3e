"""Status: one write to a ModelDeployment's status subresource, if anything in it changed."""

from __future__ import annotations

from typing import Any

from tidegate_operator.act.cluster import Cluster
from tidegate_operator.api.status import ModelDeploymentStatus
from tidegate_operator.plan.facts import Manifest


class StatusWriter:
    """Remembers what was written last; what the watch shows may lag behind that."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._written: dict[str, tuple[int, dict[str, Any]]] = {}

    async def write(self, body: Manifest, status: ModelDeploymentStatus) -> bool:
        """Write the status of a ModelDeployment; true if it was not so already."""
        uid = body["metadata"]["uid"]
        document = dump_status(status)
        version, known = self._written.get(uid, (0, {}))
        # What the watch shows is older than our own write, unless somebody has written since.
        if version < _version_of(body):
            known = body.get("status") or {}
        if known == document:
            return False
        metadata = body["metadata"]
        stored = await self._cluster.apply_status(
            {
                "apiVersion": body["apiVersion"],
                "kind": body["kind"],
                # With the uid, a namesake made a moment ago does not inherit the story of the one deleted.
                "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": uid},
                "status": document,
            }
        )
        self._written[uid] = _version_of(stored), document
        return True


def _version_of(body: Manifest) -> int:
    return int(body["metadata"].get("resourceVersion") or 0)


def dump_status(status: ModelDeploymentStatus) -> dict[str, Any]:
    """The status as the API server keeps it: what is none is absent."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)
