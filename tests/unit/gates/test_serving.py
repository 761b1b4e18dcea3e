"""The serving gate: a real predictor under real limits, and what is made of what was measured."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.unit.serving.bundles import GOLDEN, SIGNATURE, write_sum_bundle

from tidegate.gate_report import Finding
from tidegate.gates import Latency, ServingGate
from tidegate.verdict import Verdict
from tidegate_gates.confinement import Limits, confine
from tidegate_gates.laptop import Laptop
from tidegate_gates.load import Outcome, Plan, ask_once, send
from tidegate_gates.rows import build_requests
from tidegate_gates.serving import Measured, judge_serving, run_serving
from tidegate_gates.subject import Subject, run_subject
from tidegate_serving.facts import ProcessFacts

MIB = 1 << 20
BRIEF = ServingGate(duration="1s")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "sum"
    write_sum_bundle(folder)
    return folder


def findings(gate: ServingGate, bundle: Path, limits: Limits = Limits()) -> dict[str, Finding]:  # noqa: B008
    result = run_serving("serves", gate, bundle, limits, surroundings=Laptop(bundle))
    return {finding.subject: finding for finding in result.findings}


def test_a_version_that_serves_well_tells_all_its_figures(bundle):
    found = findings(BRIEF, bundle)
    assert {finding.verdict for finding in found.values()} == {Verdict.GOOD}
    assert set(found) - {"limits"} == {
        "ready",
        "first answer",
        "p50 at 1 at a time",
        "p99 at 1 at a time",
        "throughput",
        "memory",
    }
    assert " requests per second and core" in found["throughput"].message


def test_memory_that_is_not_enough_is_a_result_and_no_error(bundle):
    """The predictor alone takes more than twice as much."""
    limits = Limits(memory_bytes=32 * MIB)
    with confine(limits) as confinement:
        if not confinement.groups:
            pytest.skip(confinement.why_not)
    (finding,) = findings(BRIEF, bundle, limits).values()
    assert finding.verdict is Verdict.BAD
    assert finding.message.endswith("it was ended for want of memory; its limit is 32Mi")


def test_a_bundle_that_does_not_load_is_told_by_its_last_line(tmp_path):
    write_sum_bundle(tmp_path / "b", model=b"no graph")
    (finding,) = (f for name, f in findings(BRIEF, tmp_path / "b").items() if name != "limits")
    assert (finding.subject, finding.verdict) == ("ready", Verdict.BAD)
    assert "model.onnx is no ONNX file" in finding.message


def measured(**changes: object) -> Measured:
    """A run in which everything went well: 2 ms, 4 ms for one in fifty, 200 MiB of 512."""
    facts = {
        "process": "1",
        "ready_seconds": 1.5,
        "peak_memory_bytes": 200 * MIB,
        "memory_limit_bytes": 512 * MIB,
        "threads": 1,
    }
    load = Outcome(milliseconds=[2.0] * 980 + [4.0] * 20, seconds=2.0)
    facts |= {name: value for name, value in changes.items() if name in facts}
    load = changes.get("load", load)
    return Measured(msgspec.convert(facts, ProcessFacts), 30.0, load, cores=1.0)


def judge(gate: ServingGate, run: Measured) -> dict[str, tuple[Verdict, str]]:
    return {finding.subject: (finding.verdict, finding.message) for finding in judge_serving(gate, run)}


@pytest.mark.parametrize(
    ("gate", "run", "subject", "message"),
    [
        (ServingGate(ready_within="1s"), measured(), "ready", "ready after 1.50 s; at most 1s is wanted"),
        (
            ServingGate(first_answer_within="20ms"),
            measured(),
            "first answer",
            "first answer 30 ms; at most 20ms is wanted",
        ),
        (
            ServingGate(latency=Latency(p99="3ms"), concurrency=4, requests_per_second=50),
            measured(),
            "p99 at 4 at a time, 50 a second",
            "p99 at 4 at a time, 50 a second 4 ms; at most 3ms is wanted",
        ),
        (
            ServingGate(throughput_per_core=1000),
            measured(),
            "throughput",
            "500 requests per second and core; at least 1,000 is wanted",
        ),
        (
            ServingGate(memory_headroom="20%"),
            measured(peak_memory_bytes=450 * MIB),
            "memory",
            "450Mi at its peak; at most 410Mi, which leaves 20% of the limit is wanted",
        ),
        (
            ServingGate(),
            measured(load=Outcome([2.0] * 900, failed=100, failure="HTTP 503", seconds=1)),
            "requests",
            "100 of 1,000 requests failed (HTTP 503)",
        ),
    ],
)
def test_what_falls_short_is_told_with_its_figure_and_the_limit(gate, run, subject, message):
    assert judge(gate, run)[subject] == (Verdict.BAD, message)
    assert {verdict for name, (verdict, _) in judge(gate, run).items() if name != subject} == {Verdict.GOOD}


def test_a_few_answers_are_no_latency():
    run = measured(load=Outcome([2.0] * 20, seconds=10.0))
    assert judge(ServingGate(latency=Latency(p99="3ms")), run)["latency"] == (
        Verdict.NOT_ENOUGH,
        "20 requests were answered in 10 s, too few to judge by; write a longer duration",
    )


@pytest.fixture(scope="module")
def subject(bundle):
    with run_subject(bundle, Limits()) as running:
        assert running.wait_until_ready(60)
        yield running


def requests() -> list[bytes]:
    return build_requests("fraud", SIGNATURE, GOLDEN)


def test_a_rate_is_kept_whatever_the_answers_do(subject: Subject):
    outcome = asyncio.run(send(subject.address, requests(), Plan(2, seconds=1.0, per_second=100)))
    assert (outcome.failed, outcome.failure) == (0, "")
    assert len(outcome.milliseconds) == 100


def test_every_request_under_way_has_a_connection_of_its_own(subject: Subject):
    outcome = asyncio.run(send(subject.address, requests(), Plan(8, seconds=0.5)))
    assert not outcome.failed
    assert outcome.per_second > 100


def test_rows_of_a_request_are_golden_rows_over_and_over(subject: Subject):
    five = build_requests("fraud", SIGNATURE, GOLDEN, rows=5)
    assert b'"data":[1.5,4.0,1.5,4.0,1.5]' in five[0]
    assert asyncio.run(ask_once(subject.address, five[0])) > 0


def test_who_does_not_answer_is_told(subject: Subject):
    with pytest.raises(OSError, match="HTTP 404"):
        asyncio.run(ask_once(subject.address, build_requests("other", SIGNATURE, GOLDEN)[0]))
    outcome = asyncio.run(send(("127.0.0.1", 1), requests(), Plan(2, seconds=0.3)))
    assert outcome.failed > 1
    assert outcome.failure.startswith("ConnectionRefusedError")


def test_a_process_tells_its_start_and_its_peak(subject: Subject):
    facts = subject.read_facts()
    assert facts is not None
    assert 0.1 < facts.ready_seconds < 60
    assert 20 * MIB < facts.peak_memory_bytes < 400 * MIB
    assert facts.memory_limit_bytes == 512 * MIB
