"""Bodies as the API server tells them."""

from __future__ import annotations

from typing import Any

from tidegate_operator.plan.identity import DEPLOYMENT_LABEL


def body(name: str, *, owner: str = "", version: int = 1, **parts: Any) -> dict[str, Any]:
    """An object in the namespace shop, with the label of the ModelDeployment that it belongs to."""
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-of-{name}",
        "resourceVersion": str(version),
        "labels": {DEPLOYMENT_LABEL: owner} if owner else {},
    }
    return {"metadata": metadata | parts.pop("metadata", {}), **parts}


def model_deployment(name: str = "fraud", *, version: int = 1, **parts: Any) -> dict[str, Any]:
    """A ModelDeployment of three lines; `wants` is its ModelVersion."""
    wants = parts.pop("wants", f"{name}-1")
    return body(name, version=version, **{"spec": {"modelVersion": wants}, **parts})
