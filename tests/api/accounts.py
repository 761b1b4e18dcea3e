"""Accounts of the API server as themselves: their tokens, and what it says that they may do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx
from cluster.api_server import ApiServer
from tests.api.client import open_client

RBAC = "rbac.authorization.k8s.io"
Rule = tuple[str, str]
"""What, such as `apps/deployments` or `configmaps [tidegate-router]`, and one verb."""


def make_account(admin: httpx.Client, namespace: str, name: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    admin.post(path, json={"metadata": {"name": name}}).raise_for_status()


def token_of(admin: httpx.Client, namespace: str, name: str) -> str:
    """A token such as the kubelet gives a pod of this ServiceAccount."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    answer = admin.post(path, json={"spec": {"expirationSeconds": 3600}})
    answer.raise_for_status()
    token: str = answer.json()["status"]["token"]
    return token


def grant(admin: httpx.Client, *, to: str, role: str, within: str) -> None:
    """A cluster's own role for the account `namespace/name`, in one namespace alone."""
    holder, name = to.split("/")
    binding = {
        "metadata": {"name": f"{name}-{role}"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": holder}],
    }
    admin.post(f"/apis/{RBAC}/v1/namespaces/{within}/rolebindings", json=binding).raise_for_status()


def read_rights(server: ApiServer, token: str, namespace: str) -> set[Rule]:
    """All that the holder of a token may do in a namespace, in the API server's own words."""
    with open_client(server, token) as client:
        review = {"spec": {"namespace": namespace}}
        answer = client.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json=review)
    answer.raise_for_status()
    status = answer.json()["status"]
    assert not status["incomplete"]
    return {*_read_resources(status["resourceRules"]), *_read_paths(status["nonResourceRules"])}


def _read_resources(rules: Iterable[dict]) -> Iterator[Rule]:
    for rule in rules:
        names = f" [{', '.join(rule['resourceNames'])}]" if rule.get("resourceNames") else ""
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield f"{group}/{resource}{names}".removeprefix("/"), verb


def _read_paths(rules: Iterable[dict]) -> Iterator[Rule]:
    return ((path, verb) for rule in rules for path in rule["nonResourceURLs"] for verb in rule["verbs"])
