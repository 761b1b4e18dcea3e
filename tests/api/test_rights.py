"""What the chart lets the operator, a viewer and an editor do, asked of the API server's own authorizer."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CHART = Path(__file__).parents[2] / "charts/tidegate"
OPERATOR = "system:serviceaccount:tidegate-system:tidegate-operator"
PLURALS = {"ServiceAccount": "serviceaccounts"} | {
    kind: f"{kind.lower()}s" for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
}


def render(*values):
    helm = Path(sys.executable).parent / "helm"
    command = [helm, "template", "tidegate", CHART, "--namespace=tidegate-system", *values]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def install(client, documents):
    for document in documents:
        if document["kind"] not in PLURALS:
            continue
        api, where = document["apiVersion"], document["metadata"].get("namespace")
        root = "/api/v1" if api == "v1" else f"/apis/{api}"
        path = f"{root}/namespaces/{where}" if where else root
        client.patch(
            f"{path}/{PLURALS[document['kind']]}/{document['metadata']['name']}",
            params={"fieldManager": "helm"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            json=document,
        ).raise_for_status()


@pytest.fixture(scope="module")
def installed(admin):
    admin.post("/api/v1/namespaces", json={"metadata": {"name": "tidegate-system"}}).raise_for_status()
    install(admin, render())
    return admin


def may(client, user, verb, resource, *, namespace="team"):
    """Resources are written `group/plural:subresource`."""
    group, _, rest = resource.rpartition("/")
    name, _, sub = rest.partition(":")
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": name, "subresource": sub}
    review = {"spec": {"user": user, "resourceAttributes": attributes}}
    answer = client.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json=review)
    answer.raise_for_status()
    return answer.json()["status"]["allowed"]


NEEDED = [
    *(
        (verb, f"tidegate.io/{kind}")
        for verb in ("get", "list", "watch")
        for kind in ("modelversions", "modeldeployments")
    ),
    ("patch", "tidegate.io/modeldeployments:status"),
    *((verb, "apps/deployments") for verb in ("get", "list", "watch", "create", "patch", "delete")),
    *((verb, "apps/controllerrevisions") for verb in ("list", "create", "patch", "delete")),
    *((verb, kind) for verb in ("list", "create", "patch", "delete") for kind in ("services", "configmaps")),
    *((verb, "pods") for verb in ("get", "list", "watch")),
    ("create", "events.k8s.io/events"),
]
FORBIDDEN = [
    *((verb, "secrets") for verb in ("get", "list", "watch", "create")),
    ("patch", "tidegate.io/modeldeployments"),
    ("delete", "tidegate.io/modelversions"),
    ("create", "pods"),
    ("create", "pods:exec"),
    ("delete", "pods"),
    ("create", "rbac.authorization.k8s.io/roles"),
    ("list", "coordination.k8s.io/leases"),
]


@pytest.mark.parametrize(("verb", "resource"), NEEDED)
def test_the_operator_may_do_what_it_has_to(installed, verb, resource):
    assert may(installed, OPERATOR, verb, resource)


@pytest.mark.parametrize(("verb", "resource"), FORBIDDEN)
def test_the_operator_may_do_nothing_else(installed, verb, resource):
    assert not may(installed, OPERATOR, verb, resource)


def test_the_operator_keeps_its_lease_in_its_own_namespace(installed):
    assert may(installed, OPERATOR, "patch", "coordination.k8s.io/leases", namespace="tidegate-system")


def test_named_namespaces_are_all_that_the_operator_sees(admin):
    """Rendered only: the bindings name their namespaces, and none is cluster-wide but the one for discovery."""
    documents = render("--set=watchNamespaces={red,blue}")
    bound = [
        (d["kind"], d["metadata"].get("namespace"))
        for d in documents
        if d.get("roleRef", {}).get("name") == "tidegate-operator"
    ]
    assert sorted(bound) == [("RoleBinding", "blue"), ("RoleBinding", "red")]


def test_viewers_read_and_editors_write_what_users_write(installed):
    for role in ("viewer", "editor"):
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"a-{role}"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": f"tidegate-{role}",
            },
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": f"a-{role}"}],
        }
        install(installed, [binding])
    deployments = "tidegate.io/modeldeployments"
    assert may(installed, "a-viewer", "list", deployments)
    assert not may(installed, "a-viewer", "patch", deployments)
    assert may(installed, "a-editor", "patch", deployments)
    assert not may(installed, "a-editor", "patch", f"{deployments}:status")
