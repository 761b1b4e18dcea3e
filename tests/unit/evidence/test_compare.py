"""What a check says about counts, and how it says it."""

import pytest

from tidegate_operator.evidence import Pair, Question, Tally, Verdict, compare

ERRORS = Question(tolerance=0.01, max_false_rollback=0.005, max_false_promotion=0.05, event="failed")


def pair(candidate: str, stable: str) -> Pair:
    """A step from "20/61" and "2/1190": events of exposures."""
    return Pair(*(Tally(*map(int, side.split("/"))) for side in (candidate, stable)))


def judge(*steps: tuple[str, str], question: Question = ERRORS):
    return compare("errors", [pair(*step) for step in steps], question)


def test_a_third_of_all_requests_failing_is_bad_and_says_both_shares():
    finding = judge(("20/61", "2/1190"))
    assert finding.verdict is Verdict.BAD
    assert finding.reason == (
        "20 of 61 requests of the candidate failed (32.8 %), 2 of 1190 of stable (0.17 %): "
        "more than chance explains at 0.5 %, and more than the 1 point allowed"
    )


def test_three_failures_in_a_row_under_a_twentieth_of_the_traffic_are_proof_and_two_are_not():
    assert judge(("2/2", "0/38")).verdict is Verdict.NOT_ENOUGH
    assert judge(("3/3", "0/57")).verdict is Verdict.BAD


def test_nothing_wrong_in_48_requests_is_not_enough_and_says_how_many_more_it_takes():
    finding = judge(("0/48", "0/51"))
    assert finding.verdict is Verdict.NOT_ENOUGH
    assert finding.reason == (
        "0 of 48 requests of the candidate failed, 0 of 51 of stable: "
        "about 390 more requests of the candidate prove it"
    )


def test_the_promised_number_of_requests_is_the_number_it_takes():
    assert judge(("0/425", "0/425")).verdict is Verdict.NOT_ENOUGH
    assert judge(("0/440", "0/440")).verdict is Verdict.GOOD


def test_good_states_the_bound_on_the_harm():
    finding = judge(("3/900", "4/910"))
    assert finding.verdict is Verdict.GOOD
    assert finding.harm_at_most is not None
    assert finding.harm < finding.harm_at_most <= ERRORS.tolerance
    assert finding.reason.endswith("at most 0.98 points worse, 1 point allowed")


@pytest.mark.parametrize("steps", [[], [("0/0", "0/0")], [("5/5", "0/0")], [("0/0", "0/5000")]])
def test_without_requests_on_both_sides_nothing_is_known(steps):
    finding = judge(*steps)
    assert finding.verdict is Verdict.NOT_ENOUGH
    assert "about 430 requests of the candidate prove it if none goes wrong" in finding.reason
    assert finding.harm is None


def test_worse_than_stable_by_less_than_the_tolerance_is_good():
    finding = judge(("6000/1000000", "5000/1000000"))
    assert finding.e_value_log10 > 10
    assert finding.verdict is Verdict.GOOD


def test_a_fault_that_comes_with_load_is_found_in_spite_of_a_good_start_and_names_the_step():
    finding = judge(("10/2000", "10/2000"), ("0/20", "0/400"), ("7/20", "1/400"))
    assert finding.verdict is Verdict.BAD
    assert finding.candidate == Tally(7, 40)
    assert "since step 2" in finding.reason


def test_good_is_withheld_while_a_fault_begins_to_show():
    before = judge(("10/2000", "10/2000"), ("0/20", "0/400"))
    now = judge(("10/2000", "10/2000"), ("3/40", "1/800"))
    assert before.verdict is Verdict.GOOD
    assert now.verdict is Verdict.NOT_ENOUGH
    assert "but chance could still explain it; about 7 more requests of the candidate settle it" in now.reason


def test_a_thousand_million_requests_overflow_nothing():
    assert judge(("5000000/1000000000", "5000000/1000000000")).verdict is Verdict.GOOD
    assert judge(("1000000000/1000000000", "0/1000000000")).verdict is Verdict.BAD
    assert judge(("1000000000/1000000000", "1000000000/1000000000")).verdict is Verdict.GOOD
    assert judge(("0/1", "1000000000/1000000000")).verdict is not Verdict.BAD
