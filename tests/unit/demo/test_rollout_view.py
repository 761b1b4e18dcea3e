"""The demo tells a rollout from nothing but what `kubectl get modeldeployment -o json` prints."""

from __future__ import annotations

from typing import Any

from demo.rollout_view import RolloutView, tell_evidence, tell_move

from tidegate_operator.api.status import (
    CheckStatus,
    DesiredTraffic,
    GatesStatus,
    GateStatus,
    ModelDeploymentStatus,
    ObservedTraffic,
    Phase,
    Rejection,
    RevisionStatus,
    RolloutStatus,
    StepCounts,
    TrafficStatus,
)

NOW = "2026-01-01T00:00:00Z"
STABLE = RevisionStatus(revision="income-aa", model_version="income-1", digest="sha256:1", since=NOW)
CANDIDATE = RevisionStatus(revision="income-bb", model_version="income-2", digest="sha256:2", since=NOW)


def view(**status: Any) -> RolloutView:
    """A look at a ModelDeployment with this status, by way of JSON as the API server gives it."""
    seen = ModelDeploymentStatus(observed_generation=2, **status).model_dump(mode="json", by_alias=True)
    return RolloutView.of({"metadata": {"generation": 2}, "status": seen})


def at_weight(weight: int, *, verdict: str = "NotEnough") -> RolloutView:
    check = CheckStatus(name="ErrorRate", verdict=verdict, message="0 of 75 against 0 of 225")
    return view(
        stable=STABLE,
        candidate=CANDIDATE,
        traffic=TrafficStatus(
            desired=DesiredTraffic(candidate_weight=weight),
            observed=ObservedTraffic(candidate_percent="24.6%", requests=300),
        ),
        rollout=RolloutStatus(started_at=NOW, steps=(StepCounts(candidate_requests=75),), checks=(check,)),
    )


def test_a_new_weight_is_told_once() -> None:
    before, now = at_weight(5), at_weight(25)
    assert list(tell_move(before, now)) == ["weight 25 %   income-2 answers users"]
    assert list(tell_move(now, now)) == []


def test_the_evidence_shows_the_share_that_was_counted_and_each_check_with_its_numbers() -> None:
    assert list(tell_evidence(at_weight(25))) == [
        "weight 25 %, seen 24.6 %   income-2 saw 75 requests in this step",
        "    ErrorRate NotEnough: 0 of 75 against 0 of 225",
    ]


def test_a_promotion_is_told_with_the_last_verdicts() -> None:
    after = view(stable=CANDIDATE, warm=STABLE)
    told = list(tell_move(at_weight(50, verdict="Good"), after))
    assert told[0].startswith("PROMOTED   income-2")
    assert "ErrorRate Good" in told[1]


def test_a_take_back_is_told_with_its_reason() -> None:
    rejection = Rejection(
        revision="income-bb",
        model_version="income-2",
        digest="sha256:2",
        reason="ErrorRate",
        message="7.4 % against 0 %",
        at=NOW,
    )
    told = list(tell_move(at_weight(5), view(stable=STABLE, rejected=(rejection,))))
    assert told[0].startswith("TAKEN BACK   income-2")
    assert told[1].strip() == "ErrorRate: 7.4 % against 0 %"


GATE = GateStatus(gate="predicts-well", verdict="Bad", message="auc is 0.6 for workclass=Self-emp-inc")
RUN = GatesStatus(run="income-g1", model_version="income-2", revision="income-bb")


def test_what_gates_said_is_told_with_the_figures_of_each() -> None:
    held = view(phase=Phase.QUALIFYING, stable=STABLE, candidate=CANDIDATE, gates=RUN)
    assert list(tell_move(None, held)) == [
        "gates   income-2 is held against them under its limits; no request meets it"
    ]
    bad = RUN.model_copy(update={"verdict": "Bad", "results": (GATE,)})
    rejection = Rejection(
        revision="income-bb",
        model_version="income-2",
        digest="sha256:2",
        reason="GateFailed",
        message="predicts-well: auc",
        at=NOW,
    )
    blocked = view(phase=Phase.BLOCKED, stable=STABLE, rejected=(rejection,), gates=bad)
    assert list(tell_move(held, blocked)) == [
        "BLOCKED   income-2; no request has met it, all are answered by income-1",
        "    predicts-well Bad: auc is 0.6 for workclass=Self-emp-inc",
    ]
    good = GATE.model_copy(update={"verdict": "Good"})
    passed = RUN.model_copy(update={"verdict": "Good", "results": (good,)})
    starts = view(phase=Phase.STARTING, stable=STABLE, candidate=CANDIDATE, gates=passed)
    assert next(tell_move(held, starts)) == "gates   income-2 has passed them"


def test_a_status_not_yet_written_is_a_look_at_nothing() -> None:
    empty = RolloutView.of({"metadata": {"generation": 1}})
    assert not empty.ready
    assert list(tell_move(None, empty)) == []
