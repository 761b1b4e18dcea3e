"""What holds of histories for any order of wishes, faults, looks and lost records."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.plan.test_rules import stories, tell, worlds
from tests.unit.plan.world import Behaviour, World

from tidegate.history import STAYS_KEPT, Place, read_history, write_history

losses = st.lists(st.booleans(), min_size=1, max_size=40)


def all_stays(world):
    return {name: revision.recorded for name, revision in world.revisions.items()}


def losing(flags):
    """Lets each look lose its records or not, in turn."""
    looks = iter(range(1_000_000))

    def watch(world, _):
        world.loses_records = flags[next(looks) % len(flags)]

    return watch


@settings(max_examples=60, deadline=None)
@given(stories, worlds)
def test_a_stay_that_began_ends_at_most_once_and_is_told_the_same_ever_after(story, behaviours):
    ended = {}

    def watch(world, _):
        for name, stays in all_stays(world).items():
            for stay in stays:
                if stay.end is not None:
                    assert ended.setdefault((name, stay.key), stay) == stay

    tell(story, behaviours, watch)


@settings(max_examples=60, deadline=None)
@given(stories, worlds)
def test_who_has_a_place_is_in_its_stay_and_nobody_else_is(story, behaviours):
    def watch(world, _):
        status = world.last.status
        roles = {(role.revision, role.since) for role in (status.stable, status.candidate) if role}
        stays = {
            (name, stay.begin) for name, all_ in all_stays(world).items() for stay in all_ if not stay.end
        }
        assert stays == roles

    tell(story, behaviours, watch)


@settings(max_examples=60, deadline=None)
@given(stories, worlds, losses)
def test_no_two_versions_were_stable_at_once_whatever_was_lost(story, behaviours, flags):
    world = tell(story, behaviours, losing(flags))
    stable = sorted(
        (stay for stays in all_stays(world).values() for stay in stays if stay.place is Place.STABLE),
        key=lambda stay: (stay.begin, stay.end or "~"),
    )
    assert all(earlier.end is not None and earlier.end <= later.begin for earlier, later in pairwise(stable))


@settings(max_examples=60, deadline=None)
@given(stories, worlds, losses)
def test_a_history_is_bounded_in_order_and_comes_back_as_it_was_written(story, behaviours, flags):
    world = tell(story, behaviours, losing(flags))
    for stays in all_stays(world).values():
        assert len(stays) <= STAYS_KEPT
        assert len({stay.key for stay in stays}) == len(stays)
        assert all((stay.end is None) == (stay.ended == "") for stay in stays)
        assert all(stay.end is None or stay.begin <= stay.end for stay in stays)
        assert [stay.begin for stay in stays] == sorted(stay.begin for stay in stays)
        assert read_history(write_history(stays)) == stays


def test_the_last_stays_are_kept():
    world = World().version("v1").version("v2").apply(modelVersion="v1", rollout={"keepWarm": "1h"}).play(5)
    world.behaviours["v2"] = Behaviour()
    world.apply(rollout={"strategy": "Immediate"})
    for turn in range(20):
        world.apply(modelVersion=("v2", "v1")[turn % 2]).play(4)
    assert len(world.stays("v1")) == len(world.stays("v2")) == STAYS_KEPT
    assert world.stays("v1")[-1].end is None


@given(st.text())
def test_no_text_breaks_the_reader(text):
    assert isinstance(read_history(text), tuple)
