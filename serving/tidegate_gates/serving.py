"""The serving gate: whether a version is quick, small and steady enough under the limits that it will serve under."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tidegate.contents import read_contents
from tidegate.gate_report import Finding, GateResult, conclude
from tidegate.gates import ServingGate
from tidegate.quantities import parse_seconds, parse_share
from tidegate.verdict import Verdict
from tidegate_gates.confinement import Limits
from tidegate_gates.load import Outcome, Plan, ask_once, send
from tidegate_gates.rows import build_requests
from tidegate_gates.surroundings import Asked, Surroundings
from tidegate_serving.facts import ProcessFacts

LONGEST_START_SECONDS: Final = 300.0
"""Whoever wants less says so by readyWithin."""
_FEW: Final = 100
"""Answers from which on the slowest hundredth is more than one answer."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a predictor."""

    facts: ProcessFacts
    first_answer_ms: float
    load: Outcome
    cores: float


def run_serving(
    name: str, gate: ServingGate, bundle: Path, limits: Limits, *, surroundings: Surroundings
) -> GateResult:
    """Has the predictor run, asks it, and judges what it did."""
    with surroundings.run_predictor(bundle, limits) as predictor:
        measured = measure(gate, bundle, predictor, limits)
    findings = [measured] if isinstance(measured, Finding) else list(judge_serving(gate, measured))
    if why := predictor.why_not_confined:
        words = (
            f"the limits of {limits.cores:g} cores and {limits.memory_bytes >> 20}Mi were not in force: {why}"
        )
        findings.append(Finding("limits", Verdict.GOOD, words))
    return conclude(name, findings)


def measure(gate: ServingGate, bundle: Path, predictor: Asked, limits: Limits) -> Measured | Finding:
    """Asks a predictor that starts; what keeps it from answering at all is a finding."""
    start = parse_seconds(gate.ready_within) if gate.ready_within else LONGEST_START_SECONDS
    # Half as long again: how late it was says more than that it was late.
    if not predictor.wait_until_ready(1.5 * start):
        words = f"the predictor is not ready {1.5 * start:g} s after its start: {predictor.tell_end(limits)}"
        return Finding("ready", Verdict.BAD, words)
    contents = read_contents(bundle)
    requests = build_requests(
        predictor.model, contents.signature, contents.golden, rows=gate.rows_per_request
    )
    plan = Plan(gate.concurrency, parse_seconds(gate.duration), gate.requests_per_second)
    try:
        first, load = asyncio.run(_ask(predictor, requests, plan))
    except OSError as error:
        words = f"the predictor does not answer its first request ({error}): {predictor.tell_end(limits)}"
        return Finding("first answer", Verdict.BAD, words)
    facts = predictor.read_facts()
    if facts is None:
        words = (
            f"the predictor ended under {gate.concurrency} requests at a time: {predictor.tell_end(limits)}"
        )
        return Finding("steady", Verdict.BAD, words)
    return Measured(facts, first, load, limits.cores)


async def _ask(predictor: Asked, requests: Sequence[bytes], plan: Plan) -> tuple[float, Outcome]:
    first = await ask_once(predictor.address, requests[0])
    return first, await send(predictor.address, requests, plan)


def judge_serving(gate: ServingGate, measured: Measured) -> Iterator[Finding]:
    """What the gate says of a run. Pure."""
    load = measured.load
    asked = f"{gate.concurrency} at a time" + (
        f", {gate.requests_per_second} a second" if gate.requests_per_second else ""
    )
    if load.failed:
        words = (
            f"{load.failed:,} of {load.failed + len(load.milliseconds):,} requests failed ({load.failure})"
        )
        yield Finding("requests", Verdict.BAD, words)
    yield from _hold_seconds("ready", measured.facts.ready_seconds, gate.ready_within)
    yield from _hold_seconds("first answer", measured.first_answer_ms / 1000, gate.first_answer_within)
    if len(load.milliseconds) < _FEW:
        words = (
            f"{len(load.milliseconds)} requests were answered in {load.seconds:.0f} s, too few to judge by"
        )
        yield Finding("latency", Verdict.NOT_ENOUGH, f"{words}; write a longer duration")
        return
    for quantile, share, wanted in (("p50", 0.5, gate.latency.p50), ("p99", 0.99, gate.latency.p99)):
        yield from _hold_seconds(f"{quantile} at {asked}", load.quantile(share) / 1000, wanted)
    per_core = load.per_second / measured.cores
    yield _hold(
        "throughput",
        gate.throughput_per_core is None or per_core >= gate.throughput_per_core,
        f"{per_core:,.0f} requests per second and core",
        "" if gate.throughput_per_core is None else f"at least {gate.throughput_per_core:,}",
    )
    yield _hold_memory(gate, measured)


def _hold_memory(gate: ServingGate, measured: Measured) -> Finding:
    facts, left = measured.facts, parse_share(gate.memory_headroom)
    peak, limit = facts.peak_memory_bytes / (1 << 20), facts.memory_limit_bytes / (1 << 20)
    fits = not limit or peak <= (1 - left) * limit
    wanted = (
        f"at most {(1 - left) * limit:.0f}Mi, which leaves {gate.memory_headroom} of the limit"
        if limit
        else ""
    )
    return _hold("memory", fits, f"{peak:.0f}Mi at its peak", wanted)


def _hold_seconds(subject: str, seconds: float, wanted: str | None) -> Iterator[Finding]:
    shown = f"{subject} after {seconds:.2f} s" if seconds >= 1 else f"{subject} {seconds * 1000:.3g} ms"
    limit = f"at most {wanted}" if wanted else ""
    yield _hold(subject, wanted is None or seconds <= parse_seconds(wanted), shown, limit)


def _hold(subject: str, holds: bool, shown: str, wanted: str) -> Finding:  # noqa: FBT001 - a comparison's result
    words = f"{shown}; {wanted} is wanted" if wanted else shown
    return Finding(subject, Verdict.GOOD if holds else Verdict.BAD, words)
