"""A better version is promoted, step by step, and no user notices."""

from tests.cluster.place import PROMOTED, Place


def test_better_version_is_promoted(place: Place) -> None:
    """Every request is answered, and the pods that serve afterwards are the ones that were tested."""
    place.register("income-1", "income-2")
    place.serve("income-1")
    with place.traffic() as load:
        place.deploy("income-2")
        candidate = place.until(PROMOTED, lambda view: view.weight > 0).revisions["income-2"]
        tested = pods_of(place, candidate)
        place.until(PROMOTED, lambda view: view.ready and view.stable == "income-2")
    assert load.book.failures() == 0, list(load.book.tell_failures())
    assert load.book.answered[candidate] > 0
    assert tested <= pods_of(place, candidate)


def pods_of(place: Place, revision: str) -> set[str]:
    pods = place.kubectl.find("pods", f"tidegate.io/revision={revision}")
    return {pod["metadata"]["uid"] for pod in pods}
