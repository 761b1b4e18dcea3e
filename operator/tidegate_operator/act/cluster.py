"""The API server as we write to it: server-side apply, deletion, lists, and its errors in our words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
import msgspec
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

from tidegate_operator.plan.facts import Manifest

FIELD_MANAGER = "tidegate-operator"
STATUS_MANAGER = "tidegate-operator-status"
TIMEOUT_SECONDS = 10.0
PAGE = 500
"""Objects a list request answers at most: the API server and we hold one page as it came, not all."""
LARGE_PAGE = 100
"""Of a kind whose objects may have 100 KiB: a ModelVersion with all its provenance, signature and inputs."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Where a kind lives in the API."""

    api_version: str
    plural: str

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The URL path of a collection, or of one object; no namespace means all of them."""
        prefix = "/api/" if "/" not in self.api_version else "/apis/"
        parts = [prefix + self.api_version]
        parts += ["namespaces", quote(namespace)] if namespace else []
        parts += [self.plural] + ([quote(name)] if name else [])
        return "/".join(parts)


RESOURCES: Mapping[str, Resource] = {
    "ModelDeployment": Resource("tidegate.io/v1alpha1", "modeldeployments"),
    "ModelVersion": Resource("tidegate.io/v1alpha1", "modelversions"),
    "Deployment": Resource("apps/v1", "deployments"),
    "ControllerRevision": Resource("apps/v1", "controllerrevisions"),
    "Pod": Resource("v1", "pods"),
    "Service": Resource("v1", "services"),
    "ConfigMap": Resource("v1", "configmaps"),
    "PodDisruptionBudget": Resource("policy/v1", "poddisruptionbudgets"),
    "Job": Resource("batch/v1", "jobs"),
    "GateReport": Resource("tidegate.io/v1alpha1", "gatereports"),
    "NetworkPolicy": Resource("networking.k8s.io/v1", "networkpolicies"),
    "Event": Resource("events.k8s.io/v1", "events"),
}


class ClusterError(Exception):
    """The API server refused, or could not be reached."""

    def __init__(self, message: str, status: int = 0, *, words: str = "") -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status; 0 if there was no answer."""
        self.words = words or message
        """The API server's own, without the request."""

    @property
    def refused(self) -> bool:
        """Whether the API server understood and said no (quota, admission, rights): a person must know."""
        return self.status in {400, 403, 422}


class Cluster(Protocol):
    """What the rest of the operator needs of the API server."""

    async def apply(self, manifest: Manifest) -> Mapping[str, Any]:
        """Server-side apply of a whole object as we want it; the stored object comes back."""

    async def apply_status(self, manifest: Manifest, *, manager: str = STATUS_MANAGER) -> Mapping[str, Any]:
        """The same for the status subresource. What another manager applied stays."""

    async def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object, its children after it; one that is gone already is no error."""

    async def create(self, manifest: Manifest) -> None:
        """Create an object."""

    async def find(self, kind: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        """One object as it is now; none if there is none."""

    def list_pages(
        self, kind: str, namespace: str | None, label_selector: str = ""
    ) -> AsyncIterator[tuple[list[dict[str, Any]], int]]:
        """All objects of a kind in pages, each with the resource version of the list."""


class KubernetesCluster:
    """The API server by the official client's transport, which knows certificates, tokens and their renewal."""

    def __init__(self, client: ApiClient, *, may_write: Callable[[], bool]) -> None:
        self._client = client
        self._may_write = may_write

    async def apply(self, manifest: Manifest) -> Mapping[str, Any]:
        """See `Cluster`."""
        return await self._apply(manifest, FIELD_MANAGER)

    async def apply_status(self, manifest: Manifest, *, manager: str = STATUS_MANAGER) -> Mapping[str, Any]:
        """See `Cluster`."""
        return await self._apply(manifest, manager, subresource="/status")

    async def delete(self, kind: str, namespace: str, name: str) -> None:
        """See `Cluster`."""
        try:
            query = {"propagationPolicy": "Background"}
            await self._request("DELETE", RESOURCES[kind].path(namespace, name), query=query)
        except ClusterError as error:
            if error.status != 404:
                raise

    async def create(self, manifest: Manifest) -> None:
        """See `Cluster`."""
        path = RESOURCES[manifest["kind"]].path(manifest["metadata"]["namespace"])
        await self._request("POST", path, query={"fieldManager": FIELD_MANAGER}, body=manifest)

    async def find(self, kind: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        """See `Cluster`. By a list of one: we need no right to get then, beside those to list and watch."""
        query = {"fieldSelector": f"metadata.name={name}"}
        page = await self._request("GET", RESOURCES[kind].path(namespace), query=query)
        return next(iter(page["items"]), None)

    async def list_pages(
        self, kind: str, namespace: str | None, label_selector: str = ""
    ) -> AsyncIterator[tuple[list[dict[str, Any]], int]]:
        """See `Cluster`."""
        size = LARGE_PAGE if kind == "ModelVersion" else PAGE
        query = {"limit": str(size), "labelSelector": label_selector}
        while True:
            page = await self._request("GET", RESOURCES[kind].path(namespace), query=query)
            # The items of a list don't say what they are, as all other answers do.
            what = {"apiVersion": RESOURCES[kind].api_version, "kind": kind}
            yield [{**what, **item} for item in page["items"]], int(page["metadata"]["resourceVersion"])
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                return

    async def _apply(self, manifest: Manifest, manager: str, subresource: str = "") -> Mapping[str, Any]:
        metadata = manifest["metadata"]
        path = RESOURCES[manifest["kind"]].path(metadata["namespace"], metadata["name"]) + subresource
        query = {"fieldManager": manager, "force": "true"}
        return await self._request(
            "PATCH", path, query=query, body=manifest, content_type="application/apply-patch+yaml"
        )

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: Manifest | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        if method != "GET" and not self._may_write():
            raise ClusterError(f"{method} {path}: not written, since another operator may lead now")
        try:
            request = await self._client.param_serialize(
                method,
                path,
                query_params=[(key, value) for key, value in query.items() if value],
                header_params={"Accept": "application/json", "Content-Type": content_type},
                body=body,
                auth_settings=["BearerToken"],
            )
            response = await self._client.call_api(*request, _request_timeout=TIMEOUT_SECONDS)
            content: bytes = await response.read()  # type: ignore[no-untyped-call]
        except ApiException as error:
            raise ClusterError(f"{method} {path}: {error.reason}", int(error.status or 0)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterError(f"{method} {path}: the API server does not answer: {error!r}") from error
        answer: dict[str, Any] = msgspec.json.decode(content) if content else {}
        if response.status >= 400:
            words = str(answer.get("message", response.status))
            raise ClusterError(f"{method} {path}: {words}", response.status, words=words)
        return answer
