"""Every right of every account that the chart makes, read back from the API server: a wider one shows as a diff."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import httpx
import pytest
from cluster.api_server import ApiServer
from tests.api.accounts import RBAC, Rule, make_account, read_rights, token_of
from tests.api.helm import SYSTEM

GOLDEN = Path(__file__).parent / "golden/rights.txt"
ORDER = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
OPERATOR = "tidegate-operator"


@pytest.fixture(scope="module")
def accounts(admin: httpx.Client, api_server: ApiServer, basics: set[Rule]) -> dict[str, set[Rule]]:
    """The rights under the heading of who has them and where, without those that every account has."""
    everywhere = token_of(admin, SYSTEM, OPERATOR)
    found = {
        "operator of all namespaces, in any": read_rights(api_server, everywhere, "default"),
        "operator of all namespaces, in its own": read_rights(api_server, everywhere, SYSTEM),
    }
    for role in ("viewer", "editor"):
        make_account(admin, "default", role)
        bind_everywhere(admin, role)
        token = token_of(admin, "default", role)
        found[f"tidegate-{role}"] = read_rights(api_server, token, "default")
    return {who: rights - basics for who, rights in found.items()}


def bind_everywhere(admin: httpx.Client, role: str) -> None:
    binding = {
        "metadata": {"name": f"test-{role}"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": f"tidegate-{role}"},
        "subjects": [{"kind": "ServiceAccount", "name": role, "namespace": "default"}],
    }
    admin.post(f"/apis/{RBAC}/v1/clusterrolebindings", json=binding).raise_for_status()


def write(accounts: dict[str, set[Rule]]) -> str:
    """A section an account, a line a resource."""
    return "\n".join(f"{who}\n{''.join(_write_rights(rights))}" for who, rights in accounts.items())


def _write_rights(rights: set[Rule]) -> list[str]:
    verbs = defaultdict(set)
    for what, verb in rights:
        verbs[what].add(verb)
    lines = [f"  {what:<73} {' '.join(sorted(verbs[what], key=ORDER.index))}\n" for what in sorted(verbs)]
    return lines or ["  nothing\n"]


def test_every_right_is_in_the_golden_list(accounts, request):
    """Run with --update-golden; review the diff as the change of trust that it is."""
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(write(accounts))
    assert write(accounts) == GOLDEN.read_text()


def test_no_account_has_any_right_on_secrets(accounts):
    """Secrets reach predictors by the kubelet, which mounts those that their pods name."""
    assert accounts
    for who, rights in accounts.items():
        assert [right for right in rights if "secret" in right[0] or "*" in "".join(right)] == [], who
