"""Facts that take a candidate back without statistics."""

import pytest

from tidegate_operator.api.model_deployment import Trip
from tidegate_operator.evidence import (
    Verdict,
    judge_crash_loop,
    judge_not_finite,
    judge_out_of_memory,
)


def test_a_single_row_answered_with_nan_is_bad():
    finding = judge_not_finite(1, 0)
    assert (finding.check, finding.verdict) == (Trip.NOT_FINITE, Verdict.BAD)
    assert finding.reason == "the candidate answered 1 row with NaN or infinity, stable none"


@pytest.mark.parametrize(("candidate", "stable"), [(0, 0), (0, 3), (8, 1)])
def test_not_finite_answers_that_stable_gives_too_say_nothing(candidate, stable):
    assert judge_not_finite(candidate, stable) is None


def test_the_third_restart_is_a_crash_loop():
    assert judge_crash_loop(2) is None
    assert judge_crash_loop(3).reason == "a pod of the candidate restarted 3 times, 2 are tolerated"


def test_one_kill_for_want_of_memory_is_bad_and_names_the_field_to_raise():
    assert judge_out_of_memory(0, "512Mi") is None
    assert judge_out_of_memory(1, "512Mi").reason == (
        "a pod of the candidate was killed 1 time at its memory limit of 512Mi: "
        "raise spec.serving.resources.limits.memory"
    )
