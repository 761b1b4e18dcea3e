"""The models: many ModelDeployments of three lines, fifty to a namespace, each with two versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from bench.scale.api import Api, Object

A_NAMESPACE = 50
API = "/apis/tidegate.io/v1alpha1"


@dataclass(frozen=True, slots=True)
class Model:
    """One ModelDeployment."""

    namespace: str
    name: str

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return f"{API}/namespaces/{self.namespace}/modeldeployments/{self.name}"


def list_models(count: int) -> list[Model]:
    """So many of them, spread over namespaces."""
    return [Model(f"team-{number // A_NAMESPACE:02}", f"model-{number:04}") for number in range(count)]


async def create_models(api: Api, models: list[Model]) -> None:
    """Namespaces, versions and ModelDeployments."""
    namespaces = sorted({model.namespace for model in models})
    await api.apply_all((f"/api/v1/namespaces/{name}", _build_namespace(name)) for name in namespaces)
    await api.apply_all(_list_versions(models))
    await api.apply_all((model.path, build_deployment(model, version=1)) for model in models)


def build_deployment(model: Model, *, version: int, weight: int | None = None) -> Object:
    """The ModelDeployment of a model; with a weight it has but that one step, else the default ones."""
    rollout = {"rollout": {"steps": [{"weight": weight}]}} if weight else {}
    return {
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": model.name, "namespace": model.namespace},
        "spec": {"modelVersion": f"{model.name}-{version}", **rollout},
    }


async def list_phases(api: Api) -> list[str]:
    """The phase of every ModelDeployment, as the API server has it."""
    listed = await api.get(f"{API}/modeldeployments")
    return [str(body.get("status", {}).get("phase")) for body in listed["items"]]


def _list_versions(models: list[Model]) -> Iterator[tuple[str, Object]]:
    for model in models:
        for version in (1, 2):
            name = f"{model.name}-{version}"
            digest = hashlib.sha256(name.encode()).hexdigest()
            yield (
                f"{API}/namespaces/{model.namespace}/modelversions/{name}",
                {
                    "apiVersion": "tidegate.io/v1alpha1",
                    "kind": "ModelVersion",
                    "metadata": {"name": name, "namespace": model.namespace},
                    "spec": {
                        "model": model.name,
                        "source": {"uri": f"s3://models/{name}"},
                        "digest": f"sha256:{digest}",
                    },
                },
            )


def _build_namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
