"""What the chart lets the operator, a viewer and an editor do, asked of the API server's own authorizer."""

import pytest
from tests.api.helm import render

OPERATOR = "system:serviceaccount:tidegate-system:tidegate-operator"


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
def test_the_operator_may_do_what_it_has_to(admin, verb, resource):
    assert may(admin, OPERATOR, verb, resource)


@pytest.mark.parametrize(("verb", "resource"), FORBIDDEN)
def test_the_operator_may_do_nothing_else(admin, verb, resource):
    assert not may(admin, OPERATOR, verb, resource)


def test_the_operator_keeps_its_lease_in_its_own_namespace(admin):
    assert may(admin, OPERATOR, "patch", "coordination.k8s.io/leases", namespace="tidegate-system")


def test_named_namespaces_are_all_that_the_operator_sees(admin):
    """Rendered only: the bindings name their namespaces, and none is cluster-wide but the one for discovery."""
    documents = render("--set=watchNamespaces={red,blue}")
    bound = [
        (d["kind"], d["metadata"].get("namespace"))
        for d in documents
        if d.get("roleRef", {}).get("name") == "tidegate-operator"
    ]
    assert sorted(bound) == [("RoleBinding", "blue"), ("RoleBinding", "red")]


def bind(client, user, role):
    rbac = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": user},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "apiGroup": rbac, "name": user}],
    }
    client.post(f"/apis/{rbac}/v1/clusterrolebindings", json=binding).raise_for_status()


def test_viewers_only_read(admin):
    bind(admin, "vera", "tidegate-viewer")
    assert may(admin, "vera", "list", "tidegate.io/modeldeployments")
    assert not may(admin, "vera", "patch", "tidegate.io/modeldeployments")


def test_editors_write_what_users_write_and_no_status(admin):
    bind(admin, "edgar", "tidegate-editor")
    assert may(admin, "edgar", "patch", "tidegate.io/modeldeployments")
    assert not may(admin, "edgar", "patch", "tidegate.io/modeldeployments:status")
