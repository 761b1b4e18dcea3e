"""A namespace in which the operator may do nothing, or not everything, costs no other one anything, and is told."""

from __future__ import annotations

import httpx
import pytest
from tests.api.accounts import RBAC, grant, make_account, token_of
from tests.api.namespace import Namespace, model_deployment, model_version
from tests.api.operator_process import Operator, run_operator

HOME = "without-rights"
ACCOUNT = f"system:serviceaccount:{HOME}:operator"
ROLE = "tidegate-operator"


@pytest.fixture(scope="module")
def places(admin) -> dict[str, Namespace]:
    """Three namespaces with a ModelDeployment each: the role is bound in red, in blue not, in green only to read."""
    names = {name: f"{HOME}-{name}" for name in ("red", "blue", "green")}
    for name in (HOME, *names.values()):
        admin.post("/api/v1/namespaces", json={"metadata": {"name": name}}).raise_for_status()
    make_account(admin, HOME, "operator")
    grant(admin, to=f"{HOME}/operator", role="cluster-admin", within=HOME)
    grant(admin, to=f"{HOME}/operator", role=ROLE, within=names["red"])
    bind_to_read(admin, names["green"])
    found = {name: Namespace(where, admin) for name, where in names.items()}
    for namespace in found.values():
        namespace.apply(model_version("fraud-7"))
        namespace.apply(model_deployment())
    return found


@pytest.fixture(scope="module")
def operator(api_server, admin, places, tmp_path_factory):
    watched = [namespace.name for namespace in places.values()]
    token, folder = token_of(admin, HOME, "operator"), tmp_path_factory.mktemp("operator")
    with run_operator(api_server, folder, token=token, namespace=HOME, watched=watched) as running:
        yield running


def bind_to_read(admin: httpx.Client, namespace: str) -> None:
    """All of the operator's role but the Deployments, which it may only read."""
    admin_role = admin.get(f"/apis/{RBAC}/v1/clusterroles/{ROLE}").json()
    rules = [rule for rule in admin_role["rules"] if "deployments" not in rule["resources"]]
    rules.append({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch"]})
    rules.append(
        {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["*"]},
    )
    role = {"metadata": {"name": "reader"}, "rules": rules}
    admin.post(f"/apis/{RBAC}/v1/namespaces/{namespace}/roles", json=role).raise_for_status()
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": HOME}],
    }
    admin.post(f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings", json=binding).raise_for_status()


def ready(namespace: Namespace) -> dict[str, str]:
    """The condition Ready, or nothing yet."""
    conditions = namespace.get("ModelDeployment", "fraud")["status"].get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == "Ready"), {})


def ask_for_routes(operator: Operator, namespace: str) -> int:
    """As a router of the namespace that knows nothing yet."""
    url = f"http://127.0.0.1:{operator.xds_port}/v3/discovery:routes"
    return httpx.post(url, json={"node": {"cluster": namespace}}).status_code


def read_metric(operator: Operator, name: str) -> str:
    text = httpx.get(f"http://127.0.0.1:{operator.health_port}/metrics").text
    return next((line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name)), "")


def test_one_namespace_without_rights_stops_no_other(operator, places):
    operator.until("red is served", lambda: ready(places["red"]).get("reason") == "Starting")
    assert not ready(places["blue"])


def test_the_namespace_without_rights_is_named_in_log_and_metric(operator, places):
    blue = places["blue"].name
    said = (
        f"namespace {blue} is not served, it is tried again until the operator's role is bound there: "
        f'modelversions.tidegate.io is forbidden: User "{ACCOUNT}" cannot list resource "modelversions" in API group '
        f'"tidegate.io" in the namespace "{blue}"'
    )
    operator.until("the sentence", lambda: said in operator.log.read_text())
    assert read_metric(operator, f'tidegate_namespace_unserved{{namespace="{blue}"}}') == "1.0"


def test_its_routers_keep_what_they_have(operator, places):
    operator.until("red is served", lambda: ask_for_routes(operator, places["red"].name) == 200)
    assert ask_for_routes(operator, places["blue"].name) == 503


def test_what_the_operator_may_not_write_is_a_sentence_in_the_conditions(operator, places):
    green = places["green"]
    told = operator.until(
        "the refusal", lambda: ready(green) if ready(green).get("reason") == "NotApplied" else {}
    )
    name = green.get("ModelDeployment", "fraud")["status"]["candidate"]["revision"]
    possible = [
        f'the API server refuses Deployment {what}: deployments.apps "{what}" is forbidden: User "{ACCOUNT}" '
        f'cannot patch resource "deployments" in API group "apps" in the namespace "{green.name}"; '
        "it is tried again, later and later, and goes on when that is mended"
        for what in (name, "tidegate-router")
    ]
    assert told["message"] in possible
    assert float(read_metric(operator, "tidegate_refusals_total")) >= 1


def test_rights_that_are_given_later_are_enough(operator, places, admin):
    """Last, since it mends what the others look at."""
    for name in ("blue", "green"):
        grant(admin, to=f"{HOME}/operator", role=ROLE, within=places[name].name)
    for name in ("blue", "green"):
        operator.until(f"{name} is served", lambda name=name: ready(places[name]).get("reason") == "Starting")
    assert ask_for_routes(operator, places["blue"].name) == 200
    assert read_metric(operator, f'tidegate_namespace_unserved{{namespace="{places["blue"].name}"}}') == "0.0"
    places["blue"].apply(model_version("fraud-8", digest="sha256:" + "cd" * 32))
    places["blue"].apply(model_deployment(modelVersion="fraud-8"))
    operator.until(
        "blue is watched",
        lambda: (
            places["blue"].get("ModelDeployment", "fraud")["status"]["candidate"]["modelVersion"] == "fraud-8"
        ),
    )
