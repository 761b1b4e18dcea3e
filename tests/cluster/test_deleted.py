"""A deleted ModelDeployment leaves nothing behind but what others own."""

from demo.waiting import wait_for
from tests.cluster.library import MODEL
from tests.cluster.place import GONE, Place

KINDS = "deployments,replicasets,pods,services,configmaps,controllerrevisions"
OURS = "app.kubernetes.io/part-of=tidegate"


def test_deleted_leaves_nothing_and_versions_stand(place: Place) -> None:
    """Pods, Services, records and the namespace's router go with it; the ModelVersions stay."""
    place.register("income-1")
    place.serve("income-1")
    assert place.kubectl.find(KINDS, OURS)
    place.kubectl.run("delete", "modeldeployment", MODEL)
    wait_for(
        GONE,
        lambda: not place.kubectl.find(KINDS, OURS),
        last_seen=lambda: place.kubectl.run("get", KINDS, f"--selector={OURS}", "--output=name"),
    )
    assert place.kubectl.get("modelversion", "income-1")
