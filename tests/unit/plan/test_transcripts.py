"""Whole rollouts as stories; read the files in golden/ first."""

from __future__ import annotations

from tests.unit.plan.world import Behaviour, World

from tidegate.pod import StartFailure
from tidegate_operator.plan.facts import Trouble

QUICK = {"steps": [{"mirror": 100, "hold": "10s"}, *({"weight": w, "hold": "10s"} for w in (5, 25, 50))]}


def deployed(**behaviours: Behaviour) -> World:
    """A world in which v1 serves, and the named versions can be had."""
    world = World().version("v1")
    for name, behaviour in behaviours.items():
        world.version(name, behaviour)
    return world.apply(modelVersion="v1", rollout=QUICK).play(10)


def test_a_first_version_serves_as_soon_as_its_pods_are_ready(golden):
    golden("first_deployment", deployed().transcript("the first version of fraud"))


def test_a_good_candidate_walks_all_steps_and_is_promoted(golden):
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(150)
    golden("promoted", world.transcript("a good candidate at 50 requests a second"))
    assert world.last.status.version == "v2"


def test_a_bad_candidate_is_taken_back_from_the_mirror_before_a_user_meets_it(golden):
    world = deployed(v2=Behaviour(failing=0.07)).apply(modelVersion="v2").play(60)
    golden("taken_back_in_mirror", world.transcript("a candidate that fails 7 % of requests"))
    assert world.last.status.version == "v1"


def test_a_slow_candidate_is_taken_back(golden):
    world = deployed(v2=Behaviour(slow=0.3)).apply(modelVersion="v2").play(60)
    golden("taken_back_slow", world.transcript("a candidate that is slow for 30 % of requests"))


def test_one_not_finite_answer_is_enough(golden):
    world = deployed(v2=Behaviour(not_finite=0.01)).apply(modelVersion="v2").play(60)
    golden("taken_back_not_finite", world.transcript("a candidate that answers NaN for 1 % of rows"))


def test_without_traffic_the_rollout_waits(golden):
    world = deployed(v2=Behaviour())
    world.requests_per_second = 0
    golden("no_traffic", world.apply(modelVersion="v2").play(600).transcript("no traffic at all"))
    assert world.last.status.version == "v1"


def test_a_new_version_in_mid_canary_replaces_the_candidate(golden):
    world = deployed(v2=Behaviour(), v3=Behaviour()).apply(modelVersion="v2").play(30)
    world.apply(modelVersion="v3").play(150)
    golden("replaced_in_mid_canary", world.transcript("v3 arrives while v2 is a canary"))
    assert world.last.status.version == "v3"


def test_pointing_back_returns_at_once_to_warm_pods(golden):
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(150).apply(modelVersion="v1").play(5)
    golden("pointed_back", world.transcript("v2 is promoted, then the user goes back to v1"))
    assert world.last.status.version == "v1"


def test_pointing_back_in_mid_canary_withdraws_the_candidate(golden):
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(20).apply(modelVersion="v1").play(5)
    golden("withdrawn", world.transcript("the user changes their mind in mid-canary"))


def test_a_version_that_cannot_start_never_takes_traffic(golden):
    broken = Behaviour(
        trouble=Trouble.START_FAILED,
        reason=StartFailure.DIGEST_MISMATCH,
        message="tidegate.json has SHA-256 aaaa, the ModelVersion says bbbb; upload the bundle that was packaged",
    )
    world = deployed(v2=broken).apply(modelVersion="v2").play(30)
    golden("cannot_start", world.transcript("a bundle whose digest differs"))


def test_a_version_that_starts_too_slowly_is_given_up_after_the_start_timeout(golden):
    world = deployed(v2=Behaviour(start_seconds=600)).apply(modelVersion="v2").play(90, pace=5)
    golden("start_timeout", world.transcript("a version that takes ten minutes to start"))


def test_an_image_that_cannot_be_pulled_is_waited_for(golden):
    broken = Behaviour(trouble=Trouble.IMAGE_PULL, message="not found")
    world = deployed(v2=broken).apply(modelVersion="v2").play(90, pace=5)
    world.behaviours["v2"] = Behaviour()
    golden("image_pull", world.play(15).transcript("an image that is pushed 90 s late"))


def test_a_rejected_version_applied_again_changes_nothing_until_a_retry_is_asked_for(golden):
    world = deployed(v2=Behaviour(failing=0.07)).apply(modelVersion="v2").play(40)
    world.apply(modelVersion="v2").play(20)
    world.behaviours["v2"] = Behaviour()
    world.annotations = {"tidegate.io/retry": "monday"}
    golden("retry", world.play(150).transcript("applied again, then retried"))
    assert world.last.status.version == "v2"
    assert world.last.status.last_handled_retry == "monday"


def test_paused_holds_the_rollout_where_it_is(golden):
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(30)
    world.apply(paused=True).play(60).apply(paused=False).play(120)
    golden("paused", world.transcript("paused in mid-canary, then resumed"))


def test_immediate_moves_all_traffic_when_the_pods_are_ready(golden):
    world = deployed(v2=Behaviour()).apply(modelVersion="v2", rollout={"strategy": "Immediate"}).play(20)
    golden("immediate", world.transcript("strategy Immediate"))


def test_a_missing_version_is_a_condition_and_stable_serves_on(golden):
    world = deployed().apply(modelVersion="v9").play(5).version("v9").play(150)
    golden("version_missing", world.transcript("the ModelVersion comes later than the ModelDeployment"))


def test_a_version_of_another_model_is_refused(golden):
    world = deployed().version("churn-1", model="churn").apply(modelVersion="churn-1").play(5)
    golden("other_model", world.transcript("a version of another model"))
