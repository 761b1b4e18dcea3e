"""The ledger: whatever the readings, nothing is counted twice and nothing is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidegate_operator.observe.ledger import Ledger


def test_the_first_reading_is_where_counting_starts() -> None:
    ledger = Ledger()
    ledger.record("router", {"a": (100, 3)}, fresh=False)
    ledger.record("router", {"a": (110, 4)}, fresh=False)
    assert ledger.pending_of("a") == (10, 1)


def test_all_that_a_fresh_source_counted_is_news() -> None:
    ledger = Ledger()
    ledger.record("router", {"a": (100, 3)}, fresh=True)
    assert ledger.pending_of("a") == (100, 3)


def test_a_candidate_that_appears_at_a_known_router_counts_from_zero() -> None:
    ledger = Ledger()
    ledger.record("router", {"a": (100,)}, fresh=False)
    ledger.record("router", {"a": (100,), "b": (7,)}, fresh=False)
    assert ledger.pending_of("b") == (7,)


def test_a_counter_that_shrank_began_anew() -> None:
    ledger = Ledger()
    ledger.record("router", {"a": (100,)}, fresh=False)
    ledger.record("router", {"a": (105,)}, fresh=False)
    ledger.record("router", {"a": (2,)}, fresh=False)
    assert ledger.pending_of("a") == (7,)


def test_what_came_after_the_look_stays_pending() -> None:
    ledger = Ledger()
    ledger.record("router", {"a": (10,)}, fresh=True)
    used = ledger.pending_of("a")
    ledger.record("router", {"a": (15,)}, fresh=True)
    ledger.commit("a", used)
    assert ledger.pending_of("a") == (5,)


def test_a_rebase_drops_what_is_pending_and_not_what_follows() -> None:
    ledger = Ledger()
    ledger.record("router", {"a": (10,)}, fresh=True)
    ledger.rebase("a")
    ledger.record("router", {"a": (12,)}, fresh=True)
    assert ledger.pending_of("a") == (2,)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["count", "restart", "read", "look"]), st.sampled_from([0, 1]), st.integers(0, 9)
        ),
        max_size=60,
    )
)
def test_all_that_was_read_is_told_exactly_once(story: list[tuple[str, int, int]]) -> None:
    """Two routers count, restart and are read in any order; a restart loses only what nobody had read."""
    ledger, counters, read, told = Ledger(), [0, 0], [0, 0], 0
    expected = 0
    for action, router, amount in story:
        if action == "count":
            counters[router] += amount
        elif action == "restart" and counters[router] > 0:
            # The new process is read before it counts past the old one; else no one could tell them apart.
            counters[router], read[router] = 0, 0
            ledger.record(router, {"a": (0,)}, fresh=True)
        elif action == "read":
            expected += counters[router] - read[router]
            read[router] = counters[router]
            ledger.record(router, {"a": (counters[router],)}, fresh=True)
        else:
            used = ledger.pending_of("a")
            told += sum(used)
            ledger.commit("a", used)
    assert told + sum(ledger.pending_of("a")) == expected
