"""Sharing a budget; what is a tally."""

import math

import pytest

from tidegate_operator.evidence import Tally, share_budget


def test_checks_share_the_budget_evenly():
    assert share_budget(0.01, 4) == 0.0025


@pytest.mark.parametrize(("budget", "checks"), [(0.01, 0), (0.0, 1), (1.0, 1)])
def test_a_budget_without_checks_or_without_sense_is_refused(budget, checks):
    with pytest.raises(ValueError, match="budget"):
        share_budget(budget, checks)


@pytest.mark.parametrize(("events", "exposures"), [(2, 1), (-1, 1), (-2, -1)])
def test_more_events_than_exposures_are_no_tally(events, exposures):
    with pytest.raises(ValueError, match="0 ≤ events ≤ exposures"):
        Tally(events, exposures)


def test_tallies_add_and_have_a_share_once_there_is_an_exposure():
    assert Tally(1, 3) + Tally(1, 5) == Tally(2, 8)
    assert Tally(2, 8).share == 0.25
    assert math.isnan(Tally().share)
