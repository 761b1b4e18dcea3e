"""What the rollback benchmark makes of what it sees."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bench.rollback.__main__ import find_misses
from bench.rollback.bad import Contact
from bench.rollback.good import GOOD, Fate
from bench.rollback.models import KNOWN_TO_BAD, KNOWN_TO_STABLE, draw_requests
from demo.rollout_view import RolloutView

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MIRRORING = RolloutView(
    phase="Mirroring",
    stable="risk-stable",
    candidate=GOOD,
    weight=0,
    mirror=100,
    observed_percent=None,
    requests=30,
    checks=(),
    message="",
    ready=False,
    rejected={},
    revisions={},
)
PROMOTED = replace(MIRRORING, stable=GOOD, candidate="", mirror=0, requests=0)


def merchants() -> list[int]:
    return [json.loads(body)["inputs"][0]["data"][0] for body in draw_requests()]


@pytest.mark.parametrize(("known", "share"), [(KNOWN_TO_STABLE, 0.005), (KNOWN_TO_BAD, 0.2)])
def test_the_share_of_requests_that_a_table_fails_is_exact(known, share):
    drawn = merchants()
    assert sum(merchant >= known for merchant in drawn) / len(drawn) == share


def test_which_requests_fail_is_another_chance_in_every_run():
    first, second = merchants(), merchants()
    assert first != second
    assert Counter(first) == Counter(second)


def test_a_contact_lasts_from_the_last_look_that_found_nothing_to_the_last_that_found_more():
    contact = Contact(BEGIN, BEGIN)
    contact.note(0)
    nothing_yet = contact.since
    for requests in (3, 7, 7, 0):
        contact.note(requests)
    assert contact.since == nothing_yet
    assert contact.requests == 7
    assert contact.last > nothing_yet


def test_a_candidate_promoted_on_fewer_requests_than_a_step_asks_for_was_promoted_unseen():
    fate = Fate()
    fate.note(MIRRORING, 10.0)
    fate.note(PROMOTED, 12.0)
    assert fate.promoted_after_seconds == 12.0
    assert fate.promoted_unseen


def test_a_candidate_judged_by_all_its_steps_together_was_seen():
    fate = Fate()
    fate.note(MIRRORING, 10.0)
    fate.note(replace(MIRRORING, mirror=0, weight=5), 20.0)
    fate.note(PROMOTED, 30.0)
    assert fate.requests == {"mirror 100": 30, "weight 5": 30}
    assert not fate.promoted_unseen


def test_a_rejection_keeps_its_reason():
    fate = Fate()
    fate.note(replace(MIRRORING, candidate="", mirror=0, rejected={GOOD: "ErrorRate: 9 of 60"}), 10.0)
    assert fate.taken_back == "ErrorRate: 9 of 60"


def test_what_is_worse_than_wanted_is_named_with_both_numbers():
    figures = {
        "weight_5_300_per_minute": {"seconds": [50.0, 61.0, 80.0], "user_failures": [3, 3, 4]},
        "mirror_first_300_per_minute": {"seconds": [8.0], "user_failures": [1]},
        "good_candidate": {"30": {"runs": 1, "taken_back": 1, "promoted": 0, "promoted_unseen": 0}},
    }
    median, mirrored, good = find_misses(figures)
    assert median == "weight_5_300_per_minute: median 61.0 s, wanted 60 s"
    assert mirrored == "users met a candidate that was only mirrored"
    assert good.startswith("good candidates at 30/min")
