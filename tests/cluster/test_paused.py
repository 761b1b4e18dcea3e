"""spec.paused holds a rollout where it is."""

from tests.cluster.place import CANDIDATE_MIRRORS, PAUSED, PROMOTED, QUICK, Place

LONG_MIRROR = {**QUICK, "steps": [{"mirror": 100, "hold": "5s"}, {"weight": 50, "hold": "1s"}]}


def test_paused_rollout_holds_and_goes_on(place: Place) -> None:
    """Paused in the mirror step it stays there, however good the evidence is; resumed it is promoted."""
    place.register("income-1", "income-2")
    place.serve("income-1", LONG_MIRROR)
    with place.traffic() as load:
        place.deploy("income-2", LONG_MIRROR)
        place.until(CANDIDATE_MIRRORS, lambda view: view.mirror == 100)
        place.deploy("income-2", LONG_MIRROR, paused=True)
        place.until(PAUSED, lambda view: view.phase == "Paused" and view.requests > 300)
        assert place.view().mirror == 100
        place.deploy("income-2", LONG_MIRROR)
        place.until(PROMOTED, lambda view: view.ready and view.stable == "income-2")
    assert load.book.failures() == 0, list(load.book.tell_failures())
