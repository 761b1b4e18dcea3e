"""The first version: three lines are enough, and it serves as soon as its pods are ready."""

import json

from tests.cluster.library import MODEL
from tests.cluster.place import FIRST_SERVES, Place


def test_first_version_serves(place: Place) -> None:
    """A ModelDeployment that names nothing but its version comes to serve, and answers name the revision."""
    place.register("income-1")
    place.kubectl.apply(
        {
            "apiVersion": "tidegate.io/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": MODEL},
            "spec": {"modelVersion": "income-1"},
        }
    )
    view = place.until(FIRST_SERVES, lambda view: view.ready)
    with place.traffic() as load:
        pass
    assert set(load.book.answered) == {view.revisions["income-1"]}
    assert not load.book.failed
    assert place.conditions() == {
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
        "Available": "True",
    }


def test_a_version_that_is_missing_is_named(place: Place) -> None:
    """A ModelVersion that isn't there becomes a sentence in status, and its arrival is enough to go on."""
    place.deploy("income-1")
    view = place.until(FIRST_SERVES, lambda view: "income-1" in view.message)
    assert not view.ready
    place.register("income-1")
    place.until(FIRST_SERVES, lambda view: view.ready)


def test_what_runs_is_recorded(place: Place) -> None:
    """The revision is a ControllerRevision that names the bundle's digest."""
    place.register("income-1")
    place.serve("income-1")
    revision = place.view().revisions["income-1"]
    record = place.kubectl.get("controllerrevision", revision)
    assert record
    digest = place.library.versions["income-1"]["spec"]["digest"]
    assert digest in json.dumps(record["data"])
