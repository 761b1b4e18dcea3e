"""What holds for every count: properties of the rule, and exact expectations of what it bets on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_operator.evidence import Pair, Question, Tally, Verdict, compare, worse
from tidegate_operator.evidence import harm as harms
from tidegate_operator.evidence.counts import Counts, stack

ERRORS = Question(tolerance=0.01, max_false_rollback=0.01, max_false_promotion=0.05, event="failed")
RANK = {Verdict.BAD: 0, Verdict.NOT_ENOUGH: 1, Verdict.GOOD: 2}


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    exposures = draw(st.integers(0, 5000))
    return Tally(draw(st.integers(0, exposures) | st.integers(0, min(exposures, 20))), exposures)


pairs = st.builds(Pair, tallies(), tallies())
rollouts = st.lists(pairs, min_size=1, max_size=6)


def verdict_of(steps, question=ERRORS) -> int:
    return RANK[compare("errors", steps, question).verdict]


def with_more_failures(steps, side: str, number: int):
    tally: Tally = getattr(steps[-1], side)
    failed = min(tally.events + number, tally.exposures)
    return [*steps[:-1], replace(steps[-1], **{side: Tally(failed, tally.exposures)})]


@given(rollouts, st.integers(1, 50))
def test_more_failures_of_the_candidate_never_make_it_better(steps, number):
    assert verdict_of(with_more_failures(steps, "candidate", number)) <= verdict_of(steps)


@given(rollouts, st.integers(1, 50))
def test_more_failures_of_stable_never_make_the_candidate_worse(steps, number):
    assert verdict_of(with_more_failures(steps, "stable", number)) >= verdict_of(steps)


@given(rollouts)
def test_a_larger_tolerance_and_a_smaller_budget_never_make_a_candidate_bad(steps):
    before = verdict_of(steps)
    assert verdict_of(steps, replace(ERRORS, tolerance=0.05)) >= min(before, RANK[Verdict.NOT_ENOUGH])
    assert verdict_of(steps, replace(ERRORS, max_false_rollback=0.001)) >= min(before, 1)


@given(rollouts, st.randoms())
def test_the_order_of_steps_is_irrelevant_to_what_the_whole_rollout_proves(steps, random):
    shuffled = random.sample(steps, len(steps))
    for prove in (
        lambda counts: worse.log_e_value(worse.log_ratios_since(counts, dispersion=1.0))[0],
        lambda counts: harms.log_wealth(harms.log_wealth_by_stake(counts, 0.01, dispersion=1.0)),
    ):
        assert prove(stack(shuffled)) == pytest.approx(prove(stack(steps)), rel=1e-9, abs=1e-9)


@given(pairs, st.integers(2, 1000))
def test_more_of_the_same_never_overturns_a_verdict(pair, times):
    grown = Pair(*(Tally(t.events * times, t.exposures * times) for t in (pair.candidate, pair.stable)))
    now = compare("errors", [pair], ERRORS).verdict
    if now is not Verdict.NOT_ENOUGH:
        assert compare("errors", [grown], ERRORS).verdict is now


@given(rollouts)
def test_good_and_bad_rest_on_estimates_on_their_side_of_the_tolerance(steps):
    finding = compare("errors", steps, ERRORS)
    if finding.verdict is Verdict.BAD:
        assert finding.harm > ERRORS.tolerance
    if finding.verdict is Verdict.GOOD:
        assert finding.harm < ERRORS.tolerance
        assert finding.harm <= finding.harm_at_most <= ERRORS.tolerance


@given(rollouts)
def test_steps_without_requests_change_nothing_for_the_whole_rollout(steps):
    empty = Pair(Tally(), Tally())
    before, after = compare("errors", steps, ERRORS), compare("errors", [*steps, empty], ERRORS)
    assert after.verdict is before.verdict


@given(rollouts, st.floats(1.0, 20.0))
def test_paying_for_dispersion_never_brings_a_proof_forward(steps, dispersion):
    paid = compare("errors", steps, replace(ERRORS, dispersion=dispersion))
    if paid.verdict is Verdict.BAD:
        assert compare("errors", steps, ERRORS).verdict is Verdict.BAD


SHARES = (0.001, 0.02, 0.3, 0.9)
EXPOSURES = ((1, 1), (3, 60), (40, 40), (60, 20))


def every_outcome(exposures: tuple[int, int]) -> Counts:
    """All counts of events that are possible in one step, candidate × stable."""
    shape = (exposures[0] + 1, exposures[1] + 1, 1)
    events = np.indices(shape[:2], dtype=np.float64)[..., None]
    totals = [np.full(shape, float(number)) for number in exposures]
    return Counts(events[0], totals[0], events[1], totals[1])


def binomial(number: int, share: float) -> np.ndarray:
    chances = np.array([1.0])
    for _ in range(number):
        chances = np.convolve(chances, [1.0 - share, share])
    return chances


def expect(values: np.ndarray, exposures: tuple[int, int], shares: tuple[float, float]) -> float:
    return float(binomial(exposures[0], shares[0]) @ values @ binomial(exposures[1], shares[1]))


@pytest.mark.parametrize("exposures", EXPOSURES)
@pytest.mark.parametrize("share", SHARES)
def test_the_e_value_of_an_equally_good_candidate_is_at_most_one_on_average(share, exposures):
    log_e = worse.log_e_value(worse.log_ratios_since(every_outcome(exposures), dispersion=1.0))[..., 0]
    assert expect(np.exp(log_e), exposures, (share, share)) <= 1.0 + 1e-9


@pytest.mark.parametrize("exposures", EXPOSURES)
@pytest.mark.parametrize("share", SHARES)
def test_bets_on_a_candidate_harmful_by_the_tolerance_gain_nothing_on_average(share, exposures):
    counts = every_outcome(exposures)
    wealth = np.exp(harms.log_wealth(harms.log_wealth_by_stake(counts, 0.05, dispersion=1.0)))
    assert expect(wealth, exposures, (share + 0.05, share)) <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("tolerance", 0.0, "tolerance lies between 0 and 1, got 0.0"),
        ("max_false_rollback", 1.0, "max_false_rollback lies between 0 and 1, got 1.0"),
        ("dispersion", 0.5, "dispersion is 1 or more, got 0.5"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_its_number(field, value, complaint):
    with pytest.raises(ValueError, match=complaint):
        replace(ERRORS, **{field: value})
