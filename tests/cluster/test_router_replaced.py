"""A router that is replaced (an upgrade, a node drain) goes without cutting anybody off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from demo.adult import read_census, requests
from demo.entrance import open_entrance
from demo.ground import Ground
from demo.load import Load, is_answered
from demo.waiting import Deadline, wait_for
from tests.cluster.place import MODEL, Place

ROUTERS = "app.kubernetes.io/name=tidegate-router"
ANSWERED = Deadline("the first answer", 30)
FORMER_GONE = Deadline("the end of the former router", 60)


@contextmanager
def users_outside(ground: Ground, place: Place) -> Iterator[Load]:
    """Users by way of a node port, whose kept-alive connections end at whichever router kube-proxy picked."""
    url = f"http://127.0.0.1:{open_entrance(ground, place.kubectl)}/v2/models/{MODEL}/infer"
    bodies = list(requests(read_census().held_out[:5000]))
    # Before the count begins: kube-proxy opens a node port some time after it was asked for.
    wait_for(ANSWERED, lambda: is_answered(url, bodies[0]))
    with Load(url, bodies, per_second=40) as load:
        yield load


def test_router_is_replaced_without_a_lost_request(ground: Ground, place: Place) -> None:
    """Three times: a race that one drain wins by luck would show."""
    place.register("income-1")
    place.serve("income-1")
    with users_outside(ground, place) as load:
        for _ in range(3):
            place.kubectl.run("rollout", "restart", "deployment/tidegate-router")
            place.kubectl.run("rollout", "status", "deployment/tidegate-router", "--timeout=120s")
            wait_for(
                FORMER_GONE,
                lambda: len(place.kubectl.find("pods", ROUTERS)) == 1,
                last_seen=lambda: place.kubectl.run("get", "pods", f"--selector={ROUTERS}"),
            )
    assert load.book.failures() == 0, list(load.book.tell_failures())
    events = place.kubectl.run("get", "events", "--field-selector=reason=FailedPreStopHook")
    assert "FailedPreStopHook" not in events
