"""The spec pointed back at the former version."""

from tests.cluster.place import PROMOTED, RETURNED, Place


def test_pointed_back_returns_at_once(place: Place) -> None:
    """What was stable before needs no second trial: it is warm, and takes all traffic without a lost request."""
    place.register("income-1", "income-2")
    place.serve("income-1")
    with place.traffic() as load:
        place.deploy("income-2")
        place.until(PROMOTED, lambda view: view.ready and view.stable == "income-2")
        place.deploy("income-1")
        place.until(RETURNED, lambda view: view.ready and view.stable == "income-1")
    assert load.book.failures() == 0, list(load.book.tell_failures())


def test_pointed_back_in_mid_canary_ends_the_rollout(place: Place) -> None:
    """The candidate goes without blame."""
    place.register("income-1", "income-2")
    place.serve("income-1")
    with place.traffic() as load:
        place.deploy("income-2")
        place.until(PROMOTED, lambda view: view.candidate == "income-2" and bool(view.mirror))
        place.deploy("income-1")
        view = place.until(RETURNED, lambda view: view.ready and view.candidate == "")
    assert view.stable == "income-1"
    assert not view.rejected
    assert load.book.failures() == 0, list(load.book.tell_failures())
