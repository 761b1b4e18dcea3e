"""A namespace whose router is away says so: pods that are ready answer nobody then."""

from __future__ import annotations

from demo.kubectl import Manifest
from demo.waiting import Deadline
from tests.cluster.place import MENDED, Place

ROUTERS = "app.kubernetes.io/name=tidegate-router"
AWAY = Deadline("the sentence that says why no router answers", 60)
ONE_POD: Manifest = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "small"},
    "spec": {"hard": {"pods": "1"}},
}


def test_a_version_whose_router_is_away_is_not_available_and_says_why(place: Place) -> None:
    place.register("income-1")
    place.serve("income-1")
    place.kubectl.apply(ONE_POD)
    place.kubectl.run("delete", "pods", f"--selector={ROUTERS}")
    said = (
        "income-1 gets no requests: its pods are ready, but no router of the namespace answers: "
        "pods can't be created: exceeded quota: small"
    )
    view = place.until(AWAY, lambda view: view.message.startswith(said))
    assert (view.phase, view.stable) == ("Serving", "income-1")
    assert place.conditions() == {
        "Ready": "False",
        "Reconciling": "True",
        "Stalled": "False",
        "Available": "False",
    }
    place.kubectl.run("delete", "resourcequota", "small")
    place.until(MENDED, lambda view: view.ready)
    assert place.conditions()["Available"] == "True"
