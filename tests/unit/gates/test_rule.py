"""The declared level holds: over many draws of rows, neither noise blocks nor harm passes more often."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.signature import Task
from tidegate.verdict import Verdict
from tidegate_gates.estimate import Estimate, average
from tidegate_gates.metrics import METRICS, Evaluated
from tidegate_gates.rule import Harm, Limits, find_harm, judge, reject_in_order
from tidegate_gates.slices import Slice, find_slices, judge_slices

ACCURACY = METRICS["accuracy"]
LIMITS = Limits(tolerance=0.005, detect=0.03)
ROWS, DRAWS = 2000, 4000
DISAGREEMENT = 0.08
"""Share of the rows in which two models that were trained alike say otherwise."""
MARGIN = 3
"""Standard deviations of a share over the draws that a test allows."""


def draw_verdicts(harm: float, seed: int) -> list[Verdict]:
    """Verdicts on a candidate whose accuracy is truly less by `harm`, each on fresh rows."""
    chance = np.random.default_rng(seed)
    worse, better = (DISAGREEMENT + harm) / 2, (DISAGREEMENT - harm) / 2
    split = [0.85 - worse, worse, better, 0.15 - better]  # both right; stable alone; candidate alone; none
    verdicts = []
    for kinds in chance.choice(4, p=split, size=(DRAWS, ROWS)):
        candidate, stable = (average(np.isin(kinds, right).astype(float)) for right in ([0, 2], [0, 1]))
        verdicts.append(judge(find_harm(candidate, stable, higher_is_better=True), LIMITS))
    return verdicts


def share(verdicts: list[Verdict], verdict: Verdict) -> float:
    return verdicts.count(verdict) / len(verdicts)


def at_most(level: float, draws: int = DRAWS) -> float:
    """What a share may be over the draws, where its true value is `level`."""
    return level + MARGIN * np.sqrt(level * (1 - level) / draws)


@pytest.mark.parametrize("harm", [0.0, 0.002, LIMITS.tolerance])
def test_noise_blocks_no_more_often_than_declared(harm):
    assert share(draw_verdicts(harm, 1), Verdict.BAD) <= at_most(LIMITS.level)


def test_two_tenths_of_a_point_on_two_thousand_rows_are_let_through():
    assert share(draw_verdicts(0.002, 2), Verdict.GOOD) >= 0.94


def test_three_points_on_two_thousand_rows_are_blocked():
    assert share(draw_verdicts(LIMITS.detect, 3), Verdict.BAD) >= 0.95


def draw_scores(chance: np.random.Generator, worse: float) -> tuple[Evaluated, Evaluated]:
    """A candidate with `worse` noise on top of what both models know, and stable."""
    labels = chance.integers(2, size=ROWS)
    known = labels * 1.6 + chance.normal(size=ROWS)
    scores = [known + chance.normal(scale=scale, size=ROWS) for scale in (0.3 + worse, 0.3)]
    shares = [1 / (1 + np.exp(0.8 - one)) for one in scores]
    candidate, stable = (Evaluated(Task.BINARY, labels, np.column_stack([1 - one, one])) for one in shares)
    return candidate, stable


@pytest.mark.parametrize(("worse", "least", "most"), [(0.0, 0.0, 0.05), (0.9, 0.95, 1.0)])
def test_the_area_under_the_curve_is_held_to_the_same_level(worse, least, most):
    chance, draws = np.random.default_rng(4), 500
    metric, found = METRICS["auc"], []
    for _ in range(draws):
        candidate, stable = (metric.measure(one) for one in draw_scores(chance, worse))
        assert isinstance(candidate, Estimate)
        assert isinstance(stable, Estimate)
        found.append(judge(find_harm(candidate, stable, higher_is_better=True), LIMITS))
    assert least <= share(found, Verdict.BAD) <= at_most(most, draws)


def test_too_few_rows_give_no_verdict_and_say_how_many_would():
    rows = 200
    right = np.ones(rows)
    candidate, stable = right.copy(), right.copy()
    candidate[:8], stable[8:16] = 0, 0
    harm = find_harm(average(candidate), average(stable), higher_is_better=True)
    assert judge(harm, LIMITS) is Verdict.NOT_ENOUGH
    assert harm.rows_needed(LIMITS) == pytest.approx(1472, abs=2)


@pytest.mark.parametrize("rows", [10, 30, 60, 200, 1000])
def test_three_points_pass_no_more_often_than_declared_on_however_few_rows(rows):
    """Two models that agree on a few rows have not shown that they agree everywhere."""
    chance = np.random.default_rng(8)
    passed = 0
    for kinds in chance.choice(3, p=[0.969, 0.0305, 0.0005], size=(2000, rows)):
        candidate, stable = ((kinds != one).astype(float) for one in (1, 2))
        pair = average(candidate, reach=1.0), average(stable, reach=1.0)
        passed += judge(find_harm(*pair, higher_is_better=True), LIMITS) is Verdict.GOOD
    assert passed / 2000 <= at_most(LIMITS.level, 2000)


def test_a_candidate_that_is_much_better_passes_though_it_disagrees_often():
    chance, passed = np.random.default_rng(9), 0
    for kinds in chance.choice(4, p=[0.81, 0.04, 0.09, 0.06], size=(500, ROWS)):
        candidate, stable = (average(np.isin(kinds, right).astype(float)) for right in ([0, 2], [0, 1]))
        passed += judge(find_harm(candidate, stable, higher_is_better=True), LIMITS) is Verdict.GOOD
    assert passed == 500


@given(st.floats(-1, 1), st.floats(1e-6, 1), st.integers(1, 10**6))
def test_a_better_candidate_is_never_blocked(harm, spread, rows):
    if harm <= LIMITS.tolerance:
        assert judge(Harm(harm, spread, rows), LIMITS) is not Verdict.BAD


def test_models_that_answer_alike_pass_on_two_hundred_rows_and_not_on_three():
    same = average(np.tile([1.0, 0.0], 100))
    assert judge(find_harm(same, same, higher_is_better=True), LIMITS) is Verdict.GOOD
    few = average(np.array([1.0, 0.0, 1.0]))
    assert judge(find_harm(few, few, higher_is_better=True), LIMITS) is Verdict.NOT_ENOUGH


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_rejects_no_more_than_without_correction_and_no_fewer_than_bonferroni(chances):
    rejected = reject_in_order(chances, 0.05)
    for chance, is_rejected in zip(chances, rejected, strict=True):
        assert not is_rejected or chance < 0.05
        assert is_rejected or chance >= 0.05 / max(1, len(chances))


def draw_pair(
    chance: np.random.Generator, groups: np.ndarray, harms: dict[str, float]
) -> tuple[Evaluated, Evaluated]:
    """A candidate that is worse by `harms` in some groups, and as good in the others, and stable."""
    harm = np.array([harms.get(group, 0.0) for group in groups])
    drawn = chance.random(len(groups))
    worse, better = (DISAGREEMENT + harm) / 2, (DISAGREEMENT - harm) / 2
    stable = (drawn < 0.85).astype(int)
    candidate = ((drawn < 0.85 - worse) | ((drawn >= 0.85) & (drawn < 0.85 + np.maximum(better, 0)))).astype(
        int
    )
    labels = np.ones(len(groups), dtype=int)
    as_shares = [np.column_stack([1 - one, one]).astype(float) for one in (candidate, stable)]
    return Evaluated(Task.BINARY, labels, as_shares[0]), Evaluated(Task.BINARY, labels, as_shares[1])


WIDER = Limits(LIMITS.tolerance, detect=0.1)


def judge_groups(chance: np.random.Generator, groups: np.ndarray, harms: dict[str, float]):
    pair = draw_pair(chance, groups, harms)
    return judge_slices(ACCURACY, pair, find_slices({"region": groups}), WIDER, least_rows=200)


def test_a_group_that_is_served_worse_by_what_must_not_pass_passes_no_more_often_than_declared():
    chance, draws, passed = np.random.default_rng(10), 600, 0
    groups = np.array([f"r{number % 20}" for number in range(20 * 250)])
    for _ in range(draws):
        judged = {str(one.slice): one.verdict for one in judge_groups(chance, groups, {"r0": WIDER.detect})}
        passed += judged["region=r0"] is Verdict.GOOD
    assert passed / draws <= at_most(WIDER.level, draws)


def test_of_twenty_groups_that_are_served_as_well_none_is_blocked_more_often_than_declared():
    chance, draws = np.random.default_rng(5), 600
    groups = np.array([f"r{number % 20}" for number in range(20 * 500)])
    blocked = sum(judge_groups(chance, groups, {})[0].verdict is Verdict.BAD for _ in range(draws))
    assert blocked / draws <= at_most(LIMITS.level, draws)


def test_one_group_that_is_served_worse_is_found_behind_a_better_average():
    chance, draws = np.random.default_rng(6), 300
    groups = np.array([f"r{number % 20}" for number in range(20 * 500)])
    better = {f"r{number}": -0.02 for number in range(1, 20)}
    found = 0
    for _ in range(draws):
        worst = judge_groups(chance, groups, {"r0": 0.10, **better})[0]
        found += worst.verdict is Verdict.BAD and worst.slice == Slice("region", "r0")
    assert found / draws >= 0.95


def test_a_small_group_is_told_and_not_judged():
    groups = np.array(["large"] * 3000 + ["small"] * 50)
    judged = judge_groups(np.random.default_rng(7), groups, {"small": 0.5})
    verdicts = {str(one.slice): (one.verdict, one.rows) for one in judged}
    assert verdicts == {
        "region=large": (Verdict.GOOD, 3000),
        "region=small": (Verdict.NOT_ENOUGH, 50),
    }
