"""The status of a ModelVersion: written by two managers, each only what it knows, and only if that is new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tidegate_operator.act.cluster import STATUS_MANAGER, Cluster
from tidegate_operator.api.version_status import BundleStatus, ModelVersionStatus, VersionCondition
from tidegate_operator.plan.facts import Manifest

BUNDLE_MANAGER: Final = "tidegate-operator-bundle"
"""What a predictor told of the bundle is as large as all the rest, and never changes: with a manager of its own it
stays though the others write no word of it, and nobody has to remember it for that."""

_PARTS: Final = frozenset(BundleStatus.model_fields)


async def write_bundle(cluster: Cluster, body: Manifest, bundle: BundleStatus) -> Mapping[str, Any]:
    """Write what a predictor told of the bundle; the stored ModelVersion comes back."""
    told = bundle.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return await cluster.apply_status(_build(body, told), manager=BUNDLE_MANAGER)


async def write_version_status(
    cluster: Cluster, body: Manifest, status: ModelVersionStatus
) -> Mapping[str, Any] | None:
    """Write all else; the stored ModelVersion comes back, or none if it was so already."""
    before = ModelVersionStatus.model_validate(body.get("status") or {})
    if _leave_ours(before) == status:
        return None
    document = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return await cluster.apply_status(_build(body, document), manager=STATUS_MANAGER)


def _leave_ours(status: ModelVersionStatus) -> ModelVersionStatus:
    """A stored status without what others write there: the other manager, and whoever adds a condition."""
    ours = tuple(one for one in status.conditions if one.type in set(VersionCondition))
    return status.model_copy(update={"conditions": ours, **dict.fromkeys(_PARTS)})


def _build(body: Manifest, status: dict[str, Any]) -> Manifest:
    metadata = body["metadata"]
    return {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        # With the uid, a namesake made a moment ago does not inherit what was told of the one deleted.
        "metadata": {key: metadata[key] for key in ("name", "namespace", "uid")},
        "status": status,
    }
