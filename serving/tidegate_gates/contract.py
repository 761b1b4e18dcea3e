"""The contract gate: whether a version keeps what callers rely on, asked over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tidegate.contents import read_contents
from tidegate.gate_report import Finding, GateResult, conclude
from tidegate.gates import ContractGate
from tidegate.signature import Signature
from tidegate.verdict import Verdict
from tidegate_gates.confinement import Limits
from tidegate_gates.endpoints import Served, ask_endpoints, build_endpoints, judge_endpoints
from tidegate_gates.schema import find_changes
from tidegate_gates.serving import LONGEST_START_SECONDS
from tidegate_gates.surroundings import Surroundings

CHANGES_TOLD: Final = 5
"""Of those that callers would notice; a sentence ends somewhere."""

Pair = tuple[Path, Path | None]
"""The bundles of the candidate and of the version in service; none: there is none yet."""


def run_contract(
    name: str, gate: ContractGate, bundles: Pair, limits: Limits, *, surroundings: Surroundings
) -> GateResult:
    """Has a predictor of the candidate run, and asks it."""
    with surroundings.run_predictor(bundles[0], limits) as predictor:
        if predictor.wait_until_ready(LONGEST_START_SECONDS):
            findings = hold_contract(gate, bundles, Served(predictor.address, predictor.model))
        else:
            words = f"the predictor does not become ready: {predictor.tell_end(limits)}"
            findings = (Finding("ready", Verdict.BAD, words),)
    return conclude(name, findings)


def hold_contract(gate: ContractGate, bundles: Pair, served: Served) -> tuple[Finding, ...]:
    """Asks a predictor of the candidate that is ready, whoever runs it, and judges what it answers."""
    candidate, stable = bundles
    contents = read_contents(candidate)
    endpoints = build_endpoints(served.model, contents)
    replies = ask_endpoints(served, endpoints)
    in_service = read_contents(stable).signature if stable else None
    return (*judge_endpoints(endpoints, replies), judge_schema(gate, in_service, contents.signature))


def judge_schema(gate: ContractGate, stable: Signature | None, candidate: Signature) -> Finding:
    """What the gate says of the form of inputs and outputs. Pure."""
    if stable is None:
        words = "there is no version in service whose inputs and outputs could be held against these"
        return Finding("schema", Verdict.GOOD, words)
    changes = find_changes(stable, candidate)
    if not changes:
        words = "inputs and outputs have the form that those of the version in service have"
        return Finding("schema", Verdict.GOOD, words)
    more = f"; and {len(changes) - CHANGES_TOLD} more" if len(changes) > CHANGES_TOLD else ""
    words = f"callers of the version in service would notice: {'; '.join(changes[:CHANGES_TOLD])}{more}"
    if gate.allow_change:
        return Finding("schema", Verdict.GOOD, f"{words}; allowChange says that they know")
    return Finding("schema", Verdict.BAD, f"{words}; write allowChange: true once they have been changed")
