"""What a Job that holds gates says: its report, or in one sentence why there is none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tidegate.gate_report import Finding, Report, conclude
from tidegate.gate_run import pack_report
from tidegate.pod import StartFailure, TerminationMessage
from tidegate.verdict import Verdict
from tidegate_operator.observe.gate_runs import parse_gate_run
from tidegate_operator.plan.facts import GateRun, Trouble

REPORT = Report("fraud", "sha256:1", "", (conclude("serves", [Finding("p99", Verdict.GOOD, "p99 4 ms")]),))
ENDED_AT = "2026-01-01T00:01:00Z"
DENIED = msgspec.json.encode(TerminationMessage(StartFailure.SOURCE_DENIED, "reading is denied")).decode()


def job(**failed: str) -> dict[str, Any]:
    conditions = (
        [{"type": "Failed", "status": "True", "lastTransitionTime": ENDED_AT, **failed}] if failed else []
    )
    return {"metadata": {"name": "fraud-g1", "namespace": "shop"}, "status": {"conditions": conditions}}


def pod(
    gates: dict[str, Any] | None = None,
    predictor: dict[str, Any] | None = None,
    *,
    made: int = 0,
    **status: str,
) -> dict[str, Any]:
    return {
        "metadata": {"name": f"fraud-g1-{made}", "creationTimestamp": f"2026-01-01T00:00:0{made}Z"},
        "status": {
            "containerStatuses": [{"name": "gates", "state": gates or {}}],
            "initContainerStatuses": [{"name": "predictor", **(predictor or {})}],
            **status,
        },
    }


def ended(code: int = 0, message: str = "", reason: str = "Completed") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": message, "reason": reason, "finishedAt": ENDED_AT}}


def told(run: GateRun) -> tuple[str, str]:
    return run.failure, run.ended_at


def test_the_report_comes_out_of_the_container_that_holds_the_gates():
    run = parse_gate_run(job(), [pod(ended(message=pack_report(REPORT).decode()))])
    assert (run.report, *told(run)) == (REPORT, "", ENDED_AT)


def test_nothing_is_known_before_there_is_a_pod():
    assert parse_gate_run(job(), []) == GateRun("fraud-g1")


@pytest.mark.parametrize(
    ("state", "failure"),
    [
        (ended(message="Traceback"), "the report of the gates can't be read"),
        (
            ended(137, reason="OOMKilled"),
            "the gates needed more memory than the pod that holds them has; give fewer rows",
        ),
        (ended(1, "Traceback\nValueError: no\n"), "the gates ended with exit code 1: ValueError: no"),
        (ended(2), "the gates ended with exit code 2: nothing was said"),
    ],
)
def test_an_end_without_a_report_says_why(state: dict[str, Any], failure: str):
    run = parse_gate_run(job(reason="PodFailurePolicy"), [pod(state)])
    assert (run.report, *told(run)) == (None, failure, ENDED_AT)


@pytest.mark.parametrize(
    ("failed", "pods", "failure"),
    [
        (
            {"reason": "DeadlineExceeded", "message": "Job was active longer"},
            [],
            "the gates were not done in the time that they have",
        ),
        (
            {"reason": "BackoffLimitExceeded", "message": "has reached the limit"},
            [pod(ended(137, reason="Error"), phase="Failed", reason="DeadlineExceeded")],
            "the gates were not done in the time that they have",
        ),
        (
            {"reason": "BackoffLimitExceeded", "message": "has reached the limit"},
            [],
            "the gates could not be held: has reached the limit",
        ),
    ],
)
def test_a_job_that_is_given_up_says_why(failed: dict[str, str], pods: list[dict[str, Any]], failure: str):
    assert told(parse_gate_run(job(**failed), pods)) == (failure, ENDED_AT)


SAYS_MORE = '{"message": "parity 0.7", "findings": [{"subject": "age", "verdict": "Bad", "message": "0.7"}]}'


@pytest.mark.parametrize(
    ("end", "verdict", "message"),
    [
        (ended(0, "all groups alike\n"), Verdict.GOOD, "all groups alike"),
        (ended(1, "a log\nparity 0.7"), Verdict.BAD, "parity 0.7"),
        (ended(1, SAYS_MORE), Verdict.BAD, "parity 0.7"),
        (ended(3), Verdict.NOT_ENOUGH, "it says nothing, and its exit code is 3"),
        (ended(137, reason="OOMKilled"), Verdict.NOT_ENOUGH, "it needed more memory than it has"),
    ],
)
def test_a_program_of_the_users_is_judged_by_its_exit_code(
    end: dict[str, Any], verdict: Verdict, message: str
):
    body = pod()
    body["status"]["containerStatuses"] = [{"name": "own-0", "state": end}]
    body["status"]["initContainerStatuses"].append(
        {"name": "gates", "state": ended(message=pack_report(REPORT).decode())}
    )
    run = parse_gate_run(job(), [body])
    assert (run.report, run.ended_at) == (REPORT, ENDED_AT)
    assert (run.own[0].verdict, run.own[0].report.message) == (verdict, message)


def test_a_run_goes_on_while_a_program_of_the_users_does():
    body = pod()
    body["status"]["containerStatuses"] = [
        {"name": "own-0", "state": ended()},
        {"name": "own-1", "state": {"running": {}}},
    ]
    run = parse_gate_run(job(), [body])
    assert (list(run.own), run.ended_at) == ([0], "")


def test_a_pod_that_a_drain_ended_is_not_the_one_that_counts():
    first = pod(ended(137, reason="Error"), made=1)
    run = parse_gate_run(job(), [first, pod(made=2)])
    assert told(run) == ("", "")


@pytest.mark.parametrize(
    ("container", "trouble"),
    [
        ({"state": {"running": {}}, "started": False}, None),
        (
            {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended(1, DENIED)},
            Trouble.START_FAILED,
        ),
        # It has started since: what an earlier try lacked is there now.
        ({"state": {"running": {}}, "started": True, "lastState": ended(1, DENIED)}, None),
        (
            {"state": {"running": {}}, "started": True, "lastState": ended(137, reason="OOMKilled")},
            Trouble.OUT_OF_MEMORY,
        ),
    ],
)
def test_the_predictor_beside_the_gates_is_seen_for_what_it_is(
    container: dict[str, Any], trouble: Trouble | None
):
    run = parse_gate_run(job(), [pod(predictor=container)])
    assert run.predictor
    assert (run.predictor.trouble, run.predictor.ready) == (trouble, False)
