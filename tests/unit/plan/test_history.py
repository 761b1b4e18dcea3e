"""What served when, and how it ended, can be told later from the records alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.plan.world import SETTINGS, START, Behaviour, World

from tidegate.history import HISTORY_ANNOTATION, Place, Stay
from tidegate_operator.observe.workloads import parse_revision
from tidegate_operator.plan.course import say_time
from tidegate_operator.plan.facts import Trouble
from tidegate_operator.plan.planner import plan

QUICK = {
    "steps": [{"mirror": 100, "hold": "10s"}, {"weight": 5, "hold": "10s"}, {"weight": 50, "hold": "10s"}]
}


def deployed(**behaviours):
    """A world in which v1 serves, and v2 and others can be had."""
    world = World().version("v1")
    for name, behaviour in behaviours.items():
        world.version(name, behaviour)
    return world.apply(modelVersion="v1", rollout={**QUICK, "keepWarm": "30s"}).play(10)


def ways(world, version):
    """How each of a version's stays ended."""
    return [(str(stay.place), stay.ended) for stay in world.stays(version)]


def histories_in(made):
    """The annotations that a plan applies, by revision."""
    return {
        manifest["metadata"]["name"]: manifest["metadata"]["annotations"].get(HISTORY_ANNOTATION)
        for manifest in made.apply
        if manifest["kind"] == "ControllerRevision"
    }


def test_a_first_version_was_candidate_until_its_pods_were_ready():
    tried, serves = deployed().stays("v1")
    assert (tried.ended, tried.why) == ("Promoted", "it is the first version and its pods are ready")
    assert serves == Stay(Place.STABLE, begin=tried.end, share=100)


def test_a_promoted_version_is_told_with_its_share_its_requests_and_the_evidence():
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(150)
    tried, serves = world.stays("v2")
    assert (tried.ended, tried.share, serves.end) == ("Promoted", 50, None)
    assert tried.requests > 500
    assert tried.why.startswith("ErrorRate Good: ")


def test_the_version_before_was_replaced_at_the_moment_of_the_promotion():
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(150)
    before, after = world.stays("v1")[-1], world.stays("v2")[-1]
    assert (before.ended, before.end) == ("Replaced", after.begin)
    assert before.why.startswith("v2 was promoted: ErrorRate Good: ")


def test_a_version_that_was_taken_back_is_told_with_the_check_and_its_numbers():
    world = deployed(v2=Behaviour(failing=0.1)).apply(modelVersion="v2").play(60)
    (stay,) = world.stays("v2")
    (rejection,) = world.last.status.rejected
    assert (stay.ended, stay.why, stay.end) == ("ErrorRate", rejection.message, rejection.at)
    assert (stay.share, stay.requests > 0) == (0, True)  # in the mirror


def test_how_it_ended_is_applied_by_the_plan_in_which_it_ends_before_the_pods_go():
    world = deployed(v2=Behaviour(failing=0.1)).apply(modelVersion="v2")
    while not (made := world.look()).status.rejected:
        world.play(1)
    (gone,) = {name for _, name in made.delete}
    assert '"ended":"ErrorRate"' in histories_in(made)[gone]
    assert made.apply[0]["metadata"]["name"] == gone


def test_a_version_that_nobody_wants_any_more_was_withdrawn():
    world = (
        deployed(v2=Behaviour(), v3=Behaviour())
        .apply(modelVersion="v2")
        .play(15)
        .apply(modelVersion="v3")
        .play(2)
    )
    (stay,) = world.stays("v2")
    assert (stay.ended, stay.why) == ("Withdrawn", "spec.modelVersion now asks for v3")


def test_a_version_that_comes_back_begins_anew():
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(150).apply(modelVersion="v1").play(5)
    assert ways(world, "v1")[-3:] == [("stable", "Replaced"), ("candidate", "Promoted"), ("stable", "")]
    assert world.stays("v1")[-2].why == "it has served before and its pods are ready"
    assert ways(world, "v2")[-1] == ("stable", "Replaced")


def test_a_retry_is_a_stay_of_its_own():
    world = deployed(v2=Behaviour(failing=0.1)).apply(modelVersion="v2").play(60)
    world.annotations["tidegate.io/retry"] = "1"
    world.play(60)
    first, second = world.stays("v2")
    assert first.end < second.begin
    assert ways(world, "v2") == [("candidate", "ErrorRate")] * 2


@pytest.mark.parametrize("wish", [{}, {"paused": True}, {"modelVersion": "missing"}])
def test_what_is_at_rest_has_no_news(wish):
    world = deployed(v2=Behaviour()).apply(**wish).play(2)
    before = histories_in(world.last)
    world.play(60)
    assert histories_in(world.last) == before
    assert world.last.histories == {}


def test_a_step_without_news_writes_no_record():
    """The requests of a candidate are told when it ends: a record written each second would be one too many."""
    world = deployed(v2=Behaviour()).apply(modelVersion="v2")
    seen = set()
    for _ in range(150):
        seen.add(histories_in(world.play(1).last).get(world.last.route.candidate))
    assert len(seen - {None}) == 3  # it begins, and gets two shares


def test_a_record_from_before_there_were_histories_begins_with_what_status_tells():
    world = deployed()
    world.revisions = {name: replace(one, history=(), recorded=()) for name, one in world.revisions.items()}
    world.play(1)
    assert world.stays("v1") == [Stay(Place.STABLE, begin=world.last.status.stable.since, share=100)]


@pytest.mark.parametrize(
    "garbage",
    ["", "{", "null", "[1]", '[{"as":"king","from":"x","share":1}]', "[" * 10_000, 7, '["\\ud800"]'],
)
def test_garbage_in_the_annotation_is_an_empty_history(garbage):
    world = deployed()
    made = plan(world.snapshot_again(), world.now, SETTINGS)
    record = next(dict(manifest) for manifest in made.apply if manifest["kind"] == "ControllerRevision")
    record["metadata"] = {**record["metadata"], "annotations": {HISTORY_ANNOTATION: garbage}}
    assert parse_revision(record).recorded == ()


def crash_between_status_and_records(world, until):
    """Plays until something is so, of which no record is told."""
    world.loses_records = True
    while not until():
        world.play(1)
    world.loses_records = False
    return world.play(1)


def test_after_a_crash_a_take_back_is_told_by_what_status_remembers():
    world = deployed(v2=Behaviour(failing=0.1)).apply(modelVersion="v2")
    crash_between_status_and_records(world, lambda: world.status.get("rejected"))
    (stay,), (rejection,) = world.stays("v2"), world.last.status.rejected
    assert (stay.ended, stay.why, stay.end) == ("ErrorRate", rejection.message, rejection.at)


def test_after_a_crash_a_promotion_is_told_by_who_is_stable():
    world = deployed(v2=Behaviour()).apply(modelVersion="v2")
    crash_between_status_and_records(world, lambda: world.status["version"] == "v2")
    since = world.last.status.stable.since
    assert [(stay.ended, stay.end) for stay in world.stays("v2")] == [("Promoted", since), ("", None)]
    assert (world.stays("v1")[-1].why, world.stays("v1")[-1].end) == ("v2 took its place", since)


def test_what_nobody_saw_the_end_of_is_said_to_be_unseen():
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(5)
    world.loses_records = True
    world.apply(modelVersion="v1").play(1)
    world.loses_records = False
    world.play(1)
    assert ways(world, "v2") == [("candidate", "Unseen")]


def test_a_sentence_that_is_too_long_is_cut_and_rests():
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(5)
    world.behaviours["v2"].message = "no memory " * 100 + "\ud800"
    snapshot = world.snapshot_again()
    status = snapshot.deployment.status
    gone = {"candidate": None, "rollout": None}
    assert status.candidate
    entry = {
        "revision": status.candidate.revision,
        "model_version": "v2",
        "digest": "d",
        "reason": "OutOfMemory",
    }
    rejected = status.__class__.model_validate(
        status.model_copy(update=gone).model_dump()
        | {"rejected": [entry | {"message": world.behaviours["v2"].message, "at": say_time(world.now)}]}
    )
    deployment = snapshot.deployment.model_copy(update={"status": rejected})
    made = plan(replace(snapshot, deployment=deployment), world.now, SETTINGS)
    (stay,) = made.histories[status.candidate.revision]
    assert (len(stay.why), stay.why[-1]) == (300, "…")


def test_a_clock_that_was_set_back_ends_no_stay_before_it_began():
    world = deployed(v2=Behaviour()).apply(modelVersion="v2").play(5)
    world.now = START
    world.apply(modelVersion="v1").look()
    (stay,) = world.stays("v2")
    assert stay.end == stay.begin


def test_the_highest_share_stands_though_a_later_step_has_less():
    world = deployed(v2=Behaviour())
    world.apply(
        modelVersion="v2", rollout={"steps": [{"weight": 30, "hold": "5s"}, {"mirror": 100, "hold": "20s"}]}
    )
    world.play(40)
    assert world.last.route.mirror == 100
    assert world.stays("v2")[-1].share == 30


def test_a_leader_that_reads_an_older_status_tells_no_other_ending():
    """Records are written before the status where no traffic moves, and a leader may end between the two."""
    world = deployed(v2=Behaviour(trouble=Trouble.OUT_OF_MEMORY)).apply(modelVersion="v2").play(1)
    older = dict(world.status)
    world.play(1)
    told = world.stays("v2")
    world.status = older
    world.apply(modelVersion="v1").play(10)
    assert (ways(world, "v2"), world.stays("v2")) == ([("candidate", "OutOfMemory")], told)
