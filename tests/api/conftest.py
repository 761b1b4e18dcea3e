"""A real API server on which the charts are installed; every test gets a namespace of its own."""

from __future__ import annotations

import uuid

import httpx
import pytest
from cluster.api_server import ApiServer, run_api_server
from tests.api.accounts import Rule, make_account, read_rights, token_of
from tests.api.client import open_client
from tests.api.helm import install
from tests.api.namespace import Namespace


@pytest.fixture(scope="session")
def api_server(tmp_path_factory):
    with run_api_server(tmp_path_factory.mktemp("api-server")) as server:
        install(server, "tidegate-crds")
        install(server, "tidegate")
        yield server


@pytest.fixture(scope="session")
def admin(api_server: ApiServer):
    """A client that may do anything."""
    with open_client(api_server) as client:
        yield client


@pytest.fixture(scope="session")
def basics(api_server: ApiServer, admin: httpx.Client) -> set[Rule]:
    """What the API server lets every account do: see which kinds there are, and ask about itself."""
    make_account(admin, "default", "anybody")
    return read_rights(api_server, token_of(admin, "default", "anybody"), "default")


@pytest.fixture
def namespace(admin: httpx.Client) -> Namespace:
    name = f"t-{uuid.uuid4().hex[:8]}"
    admin.post("/api/v1/namespaces", json={"metadata": {"name": name}}).raise_for_status()
    return Namespace(name, admin)
