"""The promises on errors, kept by simulated rollouts that are looked at every 2 s through all steps.

A thousand rollouts can't tell 1 % from 1.3 %: the number allowed is the budget plus three standard deviations
of its binomial. bench/evidence_simulation.py runs ten thousand.
"""

import math

import numpy as np
import pytest
from bench.evidence_rollouts import Rollouts, Step, World

from tidegate_operator.evidence import Question

ROLLOUTS = 1000
ERRORS = Question(tolerance=0.01, max_false_rollback=0.01, max_false_promotion=0.05, event="failed")
ALL_STEPS = tuple(Step(weight, 180.0) for weight in (None, 0.05, 0.25, 0.5))


def happened(seconds) -> int:
    return int(np.isfinite(seconds).sum())


def allowed(budget: float) -> float:
    return ROLLOUTS * budget + 3.0 * math.sqrt(ROLLOUTS * budget * (1.0 - budget))


@pytest.mark.parametrize(("per_minute", "share"), [(30, 0.02), (300, 0.005), (3000, 0.0005), (3000, 0.05)])
def test_equally_good_candidates_are_taken_back_within_the_budget(per_minute, share):
    outcome = Rollouts(World(per_minute, share, share), ALL_STEPS, ERRORS).simulate(ROLLOUTS, seed=11)
    assert happened(outcome.bad_seconds) <= allowed(ERRORS.max_false_rollback)


@pytest.mark.parametrize(("stable", "candidate"), [(0.0, 0.0101), (0.005, 0.0151), (0.05, 0.0601)])
def test_candidates_harmful_beyond_the_tolerance_are_promoted_within_the_budget(stable, candidate):
    outcome = Rollouts(World(3000, stable, candidate), ALL_STEPS, ERRORS).simulate(ROLLOUTS, seed=12)
    assert happened(outcome.good_seconds) <= allowed(ERRORS.max_false_promotion)


def test_bunches_on_one_side_keep_to_the_budget_once_their_dispersion_is_paid_for():
    world = World(3000, 0.01, 0.01, bunch=5)
    paid = Question(0.01, 0.01, 0.05, event="failed", dispersion=5.0)
    outcome = Rollouts(world, ALL_STEPS, paid).simulate(ROLLOUTS, seed=13)
    assert happened(outcome.bad_seconds) <= allowed(paid.max_false_rollback)


@pytest.mark.parametrize(
    ("weight", "per_minute", "share", "median_seconds"),
    [(0.05, 300, 0.2, 60), (0.05, 3000, 0.2, 8), (None, 300, 0.2, 12), (0.05, 300, 1.0, 12)],
)
def test_a_candidate_that_fails_often_is_found_within(weight, per_minute, share, median_seconds):
    rollouts = Rollouts(World(per_minute, 0.005, share), [Step(weight, 1200.0)], ERRORS)
    assert np.median(rollouts.simulate(ROLLOUTS, seed=14).bad_seconds) <= median_seconds


def test_a_fault_after_two_good_steps_is_found_nearly_as_fast_as_one_from_the_start():
    steps = [Step(None, 180.0), Step(0.05, 180.0), Step(0.25, 600.0, candidate_share=0.2)]
    outcome = Rollouts(World(300, 0.005, 0.005), steps, ERRORS).simulate(ROLLOUTS, seed=15)
    assert np.median(outcome.bad_seconds) - 360.0 <= 40


def test_a_candidate_without_a_failure_is_proven_after_a_few_hundred_mirrored_requests():
    rollouts = Rollouts(World(300, 0.0, 0.0), [Step(None, 600.0)], ERRORS, until_good=True)
    assert np.quantile(rollouts.simulate(ROLLOUTS, seed=16).good_requests, 0.95) <= 500
