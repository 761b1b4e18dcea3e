"""A real API server with our CRDs; every test gets a namespace of its own."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import httpx
import pytest
import yaml
from tests.api.api_server import ApiServer, run_api_server
from tests.api.namespace import Namespace

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def api_server(tmp_path_factory):
    with run_api_server(tmp_path_factory.mktemp("api-server")) as server:
        yield server


@pytest.fixture(scope="session")
def admin(api_server: ApiServer):
    """A client that may do anything, on a server that knows our kinds."""
    with api_server.client() as client:
        for path in sorted((REPOSITORY / "crds").glob("*.yaml")):
            _establish(client, yaml.safe_load(path.read_text()))
        yield client


@pytest.fixture
def namespace(admin: httpx.Client) -> Namespace:
    name = f"t-{uuid.uuid4().hex[:8]}"
    admin.post("/api/v1/namespaces", json={"metadata": {"name": name}}).raise_for_status()
    return Namespace(name, admin)


def _establish(client: httpx.Client, crd: dict) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    answer = client.post(path, json=crd)
    assert answer.is_success, answer.json()["message"]
    plural, group = crd["metadata"]["name"].split(".", 1)
    deadline = time.monotonic() + 30
    while not client.get(f"/apis/{group}/v1alpha1/{plural}").is_success:
        assert time.monotonic() < deadline, f"{plural} is not served"
        time.sleep(0.05)
