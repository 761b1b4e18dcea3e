"""A worse version is taken back by itself, and stays back."""

from demo.load import NO_REVISION
from tests.cluster.place import NO_MIRROR, TAKEN_BACK, Place


def test_worse_version_is_found_in_the_mirror(place: Place) -> None:
    """With a mirror first, no user meets the mistake; status says which check, and both numbers."""
    place.register("income-1", "income-3")
    place.serve("income-1")
    with place.traffic() as load:
        place.deploy("income-3")
        view = place.until(TAKEN_BACK, lambda view: "income-3" in view.rejected)
    assert load.book.failures() == 0, list(load.book.tell_failures())
    assert view.stable == "income-1"
    assert view.rejected["income-3"].startswith("ErrorRate: ")
    assert place.conditions() == {
        "Ready": "False",
        "Reconciling": "False",
        "Stalled": "True",
        "Available": "True",
    }


def test_worse_version_with_weight_costs_only_its_own_failures(place: Place) -> None:
    """Without a mirror users do meet it, but stable loses nothing on the way there and back."""
    place.register("income-1", "income-3")
    place.serve("income-1")
    with place.traffic() as load:
        place.deploy("income-3", NO_MIRROR)
        place.until(TAKEN_BACK, lambda view: "income-3" in view.rejected)
    stable = place.view().revisions["income-1"]
    assert load.book.failures(of=[stable, NO_REVISION]) == 0, list(load.book.tell_failures())
    assert load.book.failures() > 0


def test_rejected_version_is_tried_again_only_when_asked(place: Place) -> None:
    """The same spec again changes nothing; the retry annotation starts the rollout anew."""
    place.register("income-1", "income-3")
    place.serve("income-1")
    with place.traffic():
        place.deploy("income-3")
        first = place.until(TAKEN_BACK, lambda view: "income-3" in view.rejected)
        place.deploy("income-3")
        assert place.view().candidate == ""
        place.annotate("tidegate.io/retry", "once-more")
        place.until(TAKEN_BACK, lambda view: view.candidate == "income-3")
        again = place.until(TAKEN_BACK, lambda view: "income-3" in view.rejected)
    assert first.stable == again.stable == "income-1"
