"""A new version in mid-canary replaces the candidate."""

from tests.cluster.place import CANDIDATE_ANSWERS, LONG_CANARY, REPLACED, Place


def test_new_version_replaces_the_candidate(place: Place) -> None:
    """The candidate leaves without blame and without a failed request, and the newer one takes its place."""
    place.register("income-1", "income-2", "income-4")
    place.serve("income-1", LONG_CANARY)
    with place.traffic() as load:
        place.deploy("income-2", LONG_CANARY)
        place.until(CANDIDATE_ANSWERS, lambda view: view.candidate == "income-2" and view.weight == 50)
        place.deploy("income-4", LONG_CANARY)
        view = place.until(REPLACED, lambda view: view.candidate == "income-4" and view.weight == 50)
    assert load.book.failures() == 0, list(load.book.tell_failures())
    assert view.stable == "income-1"
    assert not view.rejected
