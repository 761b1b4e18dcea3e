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
        self._written: dict[str, dict[str, Any]] = {}

    async def write(self, body: Manifest, status: ModelDeploymentStatus) -> bool:
        """Write the status of a ModelDeployment; true if it was not so already."""
        uid = body["metadata"]["uid"]
        document = dump_status(status)
        if self._written.get(uid, body.get("status") or {}) == document:
            return False
        metadata = body["metadata"]
        await self._cluster.apply_status(
            {
                "apiVersion": body["apiVersion"],
                "kind": body["kind"],
                # With the uid, a namesake made a moment ago does not inherit the story of the one deleted.
                "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": uid},
                "status": document,
            }
        )
        self._written[uid] = document
        return True


def dump_status(status: ModelDeploymentStatus) -> dict[str, Any]:
    """The status as the API server keeps it: what is none is absent."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)
