"""The schedule: due once, never twice at the same time, later and later after failures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidegate_operator.main.schedule import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, Schedule


def make_schedule() -> Schedule[str]:
    """A schedule without chance: the longest delay each time."""
    return Schedule(jitter=lambda: 1.0)


def test_a_key_added_twice_is_taken_once() -> None:
    schedule = make_schedule()
    schedule.add("a", 0.0)
    schedule.add("a", 0.0)
    assert [schedule.take(1.0), schedule.take(1.0)] == ["a", None]


def test_a_key_added_while_under_way_is_taken_after_it() -> None:
    schedule = make_schedule()
    schedule.add("a", 0.0)
    schedule.take(0.0)
    schedule.add("a", 0.0)
    assert schedule.take(0.0) is None
    schedule.finish("a")
    assert schedule.take(0.0) == "a"


def test_sooner_wins() -> None:
    schedule = make_schedule()
    schedule.add("a", 10.0)
    schedule.add("a", 5.0)
    schedule.add("a", 20.0)
    assert schedule.seconds_to_next(0.0) == 5.0


def test_failures_wait_twice_as_long_each_time_up_to_a_limit() -> None:
    schedule = make_schedule()
    delays = []
    for _ in range(12):
        schedule.add("a", 0.0)
        schedule.take(1e9)
        delays.append(schedule.fail("a", 0.0))
    assert delays[:3] == [FIRST_DELAY_SECONDS, 2 * FIRST_DELAY_SECONDS, 4 * FIRST_DELAY_SECONDS]
    assert delays[-1] == LONGEST_DELAY_SECONDS


def test_success_forgets_the_failures() -> None:
    schedule = make_schedule()
    for end in (schedule.fail, schedule.fail):
        schedule.add("a", 0.0)
        schedule.take(1e9)
        end("a", 0.0)
    schedule.take(1e9)
    schedule.finish("a")
    schedule.add("a", 0.0)
    schedule.take(0.0)
    assert schedule.fail("a", 0.0) == FIRST_DELAY_SECONDS


def test_the_key_that_waited_longest_comes_first() -> None:
    schedule = make_schedule()
    schedule.add("b", 2.0)
    schedule.add("a", 1.0)
    assert [schedule.take(3.0), schedule.take(3.0)] == ["a", "b"]


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "finish", "fail"]), st.sampled_from("abc"))))
def test_no_key_is_ever_under_way_twice_and_none_is_forgotten(story: list[tuple[str, str]]) -> None:
    schedule, running, wanted = make_schedule(), set(), set()
    for now, (action, key) in enumerate(story):
        if action == "add":
            schedule.add(key, now)
            wanted.add(key)
        elif action == "take":
            taken = schedule.take(now)
            assert taken not in running
            running |= {taken} if taken else set()
            wanted.discard(taken or "")
        elif key in running:
            running.discard(key)
            if action == "finish":
                schedule.finish(key)
            else:
                schedule.fail(key, now)
                wanted.add(key)
    for key in running:
        schedule.finish(key)
    assert {schedule.take(1e9) for _ in range(len(wanted))} == wanted
