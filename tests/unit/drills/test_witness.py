"""What the witness of a drill calls wrong."""

from __future__ import annotations

import pytest
from demo.rollout_view import RolloutView
from drills.witness import Sight, find_wrong_decisions

DEFAULT = {"stable": {"modelVersion": "good-1", "revision": "r1"}, "replicas": 2}


def see(**status: object) -> list[str]:
    status = {**DEFAULT, **status}
    view = RolloutView.of({"metadata": {}, "status": status})
    return find_wrong_decisions([Sight(0.0, view, status)] * 3, good={"good-2"}, bad={"bad"}, weights=(5, 50))


def reject(version: str) -> list[dict[str, str]]:
    return [{"modelVersion": version, "reason": "ErrorRate", "message": "many"}]


def weigh(weight: int) -> dict[str, object]:
    return {"desired": {"candidateWeight": weight, "mirror": 0}}


def test_a_rollout_as_it_should_be_shows_nothing() -> None:
    assert see(candidate={"modelVersion": "good-2", "revision": "r2"}, traffic=weigh(5)) == []
    assert see(rejected=reject("bad")) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"rejected": reject("good-2")}, "good-2 was taken back, ErrorRate: many"),
        ({"stable": {"modelVersion": "bad", "revision": "r3"}}, "bad was promoted, which fails"),
        (
            {"rejected": reject("bad"), "candidate": {"modelVersion": "bad", "revision": "r3"}},
            "bad was tried again after it was taken back",
        ),
        ({"traffic": weigh(60)}, "weight 60 % is above its step"),
        ({"replicas": 0}, "no pod of good-1 was left"),
    ],
)
def test_each_wrong_decision_is_named_once(status: dict[str, object], words: str) -> None:
    assert see(**status) == [words]
