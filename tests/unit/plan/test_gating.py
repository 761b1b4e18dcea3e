"""Gates before traffic: whole stories in golden/, and the rules that none of them may break."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from tests.unit.plan.test_transcripts import QUICK
from tests.unit.plan.world import SETTINGS, Behaviour, World

from tidegate.gate_report import GateResult, OwnReport, Report
from tidegate.gates import Gate
from tidegate.pod import StartFailure
from tidegate.verdict import Verdict
from tidegate_operator.api.status import Phase
from tidegate_operator.plan.facts import GateRun, OwnEnd, PodFact, Trouble
from tidegate_operator.plan.gating import conclude_run
from tidegate_operator.plan.identity import RETRY_ANNOTATION
from tidegate_operator.plan.planner import plan

GATES = [
    {"name": "serves-well", "serving": {"latency": {"p99": "20ms"}}},
    {
        "name": "predicts-well",
        "performance": {
            "data": {"uri": "s3://lake/rows.parquet", "label": "late"},
            "metrics": [{"name": "auc"}],
        },
    },
]
QUICK_ENOUGH = GateResult("serves-well", Verdict.GOOD, "p99 at 1 at a time 4 ms; at most 20ms is wanted")
GOOD = (QUICK_ENOUGH, GateResult("predicts-well", Verdict.GOOD, "auc is 0.91, 0.002 better than 0.908"))
WORSE = (
    QUICK_ENOUGH,
    GateResult("predicts-well", Verdict.BAD, "auc is 0.85, surely worse than 0.908 by more than 0.005"),
)
NO_DATA = (
    QUICK_ENOUGH,
    GateResult("predicts-well", Verdict.NOT_ENOUGH, "there is no file s3://lake/rows.parquet"),
)
LOOSER = [GATES[0]]


def gated(**behaviours: Behaviour) -> World:
    """A world in which v1 has passed its gates and serves, and the named versions can be had."""
    world = World().version("v1", Behaviour(gates=GOOD))
    for name, behaviour in behaviours.items():
        world.version(name, behaviour)
    return world.apply(modelVersion="v1", gates=GATES, rollout=QUICK).play(40)


def pods_of(world: World, version: str) -> int:
    return sum(wanted for name, (_, wanted) in world.workloads.items() if world.name_of(name) == version)


def test_a_version_that_passes_its_gates_goes_on_to_the_mirror(golden):
    world = gated(v2=Behaviour(gates=GOOD)).apply(modelVersion="v2").play(180)
    golden("gates_passed", world.transcript("v1 and v2 pass their gates"))
    assert world.last.status.version == "v2"
    assert [report["verdict"] for report in world.reports.values()] == ["Good", "Good"]


def test_a_version_that_is_worse_is_blocked_and_no_pod_of_it_ever_serves(golden):
    world = gated(v2=Behaviour(gates=WORSE)).apply(modelVersion="v2").play(120)
    golden("gates_failed", world.transcript("v2 predicts worse than v1"))
    status = world.last.status
    assert (status.phase, status.version, world.jobs) == (Phase.BLOCKED, "v1", {})
    assert pods_of(world, "v2") == 0
    assert [stay.ended for stay in world.stays("v2")] == ["GateFailed"]


def test_what_is_not_known_is_no_pass(golden):
    world = gated(v2=Behaviour(gates=NO_DATA)).apply(modelVersion="v2").play(600)
    golden("gates_undecided", world.transcript("the rows of v2's gate are gone, then there again"))
    assert (world.last.status.phase, pods_of(world, "v2"), world.jobs) == (Phase.BLOCKED, 0, {})
    world.behaviours["v2"].gates = GOOD
    world.annotations[RETRY_ANNOTATION] = "1"
    assert world.play(200).last.status.version == "v2"


def test_a_version_that_is_ended_for_want_of_memory_is_blocked_by_that(golden):
    pod = PodFact("fraud-g1-x", ready=False, restarts=1, trouble=Trouble.OUT_OF_MEMORY)
    world = gated(v2=Behaviour(gates_trouble=pod)).apply(modelVersion="v2").play(30)
    golden("gates_out_of_memory", world.transcript("v2 needs more memory than its limit"))
    assert world.last.status.phase is Phase.BLOCKED


def test_gates_wait_for_a_secret_and_go_on_by_themselves():
    why = "there is no Secret keys"
    pod = PodFact(
        "fraud-g1-x",
        ready=False,
        trouble=Trouble.START_FAILED,
        reason=StartFailure.SECRET_MISSING,
        message=why,
    )
    world = gated(v2=Behaviour(gates=GOOD, gates_seconds=900, gates_trouble=pod, gates_failure="too late"))
    world.apply(modelVersion="v2").play(950)
    conditions = {condition.type: condition for condition in world.last.status.conditions}
    assert conditions["Ready"].message == f"the gates of v2 wait: {why}"
    assert world.jobs, "its time was over, and another run has begun"
    world.behaviours["v2"] = Behaviour(gates=GOOD)
    assert world.play(200).last.status.version == "v2"


def test_a_blocked_version_is_tried_again_when_its_gates_change_and_not_before():
    world = gated(v2=Behaviour(gates=WORSE)).apply(modelVersion="v2").play(60)
    assert len(world.reports) == 2
    world.apply(modelVersion="v2").play(60)
    assert len(world.reports) == 2
    world.behaviours["v2"].gates = (QUICK_ENOUGH,)
    world.apply(gates=LOOSER).play(200)
    assert world.last.status.version == "v2"


def test_a_version_that_has_served_comes_back_without_its_gates():
    world = gated(v2=Behaviour(gates=GOOD)).apply(modelVersion="v2").play(180)
    world.behaviours["v1"].gates = WORSE
    world.apply(modelVersion="v1").play(10)
    assert world.last.status.version == "v1"
    assert not world.jobs


def test_gates_that_come_later_do_not_touch_who_has_traffic():
    world = World().version("v1").version("v2", Behaviour(gates=WORSE))
    world.apply(modelVersion="v1", rollout=QUICK).play(10).apply(modelVersion="v2").play(5)
    assert world.last.route.mirror
    world.apply(gates=GATES).play(150)
    assert world.last.status.version == "v2"
    assert not world.jobs


OWN = {"name": "fair", "job": {"image": "fair:3"}}


@pytest.mark.parametrize(
    ("ended", "own", "verdicts"),
    [
        (False, {}, None),
        (False, {0: Verdict.GOOD}, ["Good", "Good", "Good"]),
        (False, {0: Verdict.BAD}, ["Good", "Good", "Bad"]),
        (True, {}, ["Good", "Good", "NotEnough"]),
    ],
    ids=["it-runs", "it-is-good", "it-is-bad", "it-never-ran"],
)
def test_a_program_of_the_users_decides_with_the_others(ended, own, verdicts):
    gates = msgspec.convert([*GATES, OWN], tuple[Gate, ...])
    ends = {place: OwnEnd(verdict, OwnReport("told")) for place, verdict in own.items()}
    report = Report("fraud", "sha256:1", "", GOOD)
    run = GateRun(
        "g", PodFact("p", ready=False), report, ends, ended_at="2026-01-01T00:00:00Z" if ended else ""
    )
    found = conclude_run(run, gates)
    assert (found and [str(result.verdict) for result in found]) == verdicts


def test_a_version_in_service_whose_record_is_gone_is_not_taken_for_none():
    world = gated(v2=Behaviour(gates=GOOD))
    world.apply(modelVersion="v2")
    made = plan(replace(world.snapshot(), revisions=()), world.now, SETTINGS)
    assert "the record of what serves is gone" in made.status.conditions[0].message
    assert "Job" not in {manifest["kind"] for manifest in made.apply}


def test_nothing_is_held_while_the_deployment_is_paused():
    world = gated(v2=Behaviour(gates=GOOD)).apply(paused=True, modelVersion="v2").play(60)
    assert (world.last.status.phase, world.jobs) == (Phase.PAUSED, {})


@pytest.mark.parametrize("crash_after", range(0, 60, 3))
def test_every_moment_resumes_from_status_alone(crash_after):
    """A new operator goes on where the old one ended: the same runs, reports that do not change, no pod too early."""
    world = gated(v2=Behaviour(gates=WORSE)).apply(modelVersion="v2").play(crash_after)
    world.loses_records = True
    world.look()
    world.loses_records = False
    world.play(60)
    assert world.last.status.phase is Phase.BLOCKED
    assert (len(world.reports), pods_of(world, "v2")) == (2, 0)
