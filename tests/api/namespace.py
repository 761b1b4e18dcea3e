"""A namespace on the API server, and objects in it as a user's `kubectl apply` would send them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

DIGEST = "sha256:" + "ab" * 32
PLURALS = {"ModelVersion": "modelversions", "ModelDeployment": "modeldeployments"}


@dataclass(frozen=True, slots=True)
class Namespace:
    name: str
    client: httpx.Client

    def path(self, kind: str, name: str = "") -> str:
        return f"/apis/tidegate.io/v1alpha1/namespaces/{self.name}/{PLURALS[kind]}/{name}".rstrip("/")

    def send(self, manifest: dict[str, Any], *, manager: str = "user", sub: str = "") -> httpx.Response:
        """Server-side apply with strict validation, as `kubectl apply --server-side`."""
        return self.client.patch(
            self.path(manifest["kind"], manifest["metadata"]["name"]) + sub,
            params={"fieldManager": manager, "fieldValidation": "Strict"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            json=manifest,
        )

    def apply(self, manifest: dict[str, Any], **how: str) -> dict[str, Any]:
        answer = self.send(manifest, **how)
        assert answer.is_success, answer.json()["message"]
        stored: dict[str, Any] = answer.json()
        return stored

    def refusal(self, manifest: dict[str, Any], **how: str) -> str:
        """The sentence with which the API server refuses it."""
        answer = self.send(manifest, **how)
        assert not answer.is_success, "it was accepted"
        message: str = answer.json()["message"]
        return message

    def get(self, kind: str, name: str, **headers: str) -> dict[str, Any]:
        answer = self.client.get(self.path(kind, name), headers=headers)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def list(self, resource: str) -> list[dict[str, Any]]:
        """All objects of a resource of Kubernetes' own, written `<group>/<version>/<plural>`."""
        prefix = "/api/" if resource.startswith("v1/") else "/apis/"
        version, _, plural = resource.rpartition("/")
        answer = self.client.get(f"{prefix}{version}/namespaces/{self.name}/{plural}")
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def names_of(self, resource: str) -> set[str]:
        return {body["metadata"]["name"] for body in self.list(resource)}


def model_deployment(name: str = "fraud", **spec: Any) -> dict[str, Any]:
    """The shortest ModelDeployment, and whatever a test adds to its spec."""
    return _object("ModelDeployment", name, {"modelVersion": "fraud-7"} | spec)


def model_version(name: str = "fraud-7", **spec: Any) -> dict[str, Any]:
    source = {"uri": "s3://models/fraud/7"}
    return _object("ModelVersion", name, {"model": "fraud", "source": source, "digest": DIGEST} | spec)


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "tidegate.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
