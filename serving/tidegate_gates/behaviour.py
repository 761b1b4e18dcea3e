"""The behaviour gate: whether a model does what is expected of it, and answers what it must be able to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import msgspec

from tidegate.expectations import Expectation, read_expectations
from tidegate.gate_report import Finding, GateResult, conclude
from tidegate.gates import BehaviourGate, Sample
from tidegate.verdict import Verdict
from tidegate_gates.asking import answer_each
from tidegate_gates.determinism import hold_determinism
from tidegate_gates.reactions import hold_expectation
from tidegate_gates.robustness import hold_robustness
from tidegate_gates.surroundings import Surroundings
from tidegate_gates.table import UnreadableTable
from tidegate_gates.trial_rows import TrialRows, take_golden, take_sample
from tidegate_serving.errors import CannotStart
from tidegate_serving.golden_rows import require_golden
from tidegate_serving.model import Model

OpenData = Callable[[Sample], AbstractContextManager[Path]]
"""Brings the file of the gate's data here."""


def run_behaviour(
    name: str,
    gate: BehaviourGate,
    bundles: tuple[Path, Path | None],
    model: Model,
    *,
    surroundings: Surroundings,
) -> GateResult:
    """Asks a candidate's model, loaded with one thread, and judges its answers.

    Args:
        name: The gate's.
        gate: What is wanted.
        bundles: The candidate's folder, and that of the version in service, if there is one.
        model: The candidate's.
        surroundings: Where.
    """
    findings = [
        _hold_golden(model),
        *_hold_expectations(gate, bundles, model, partial(surroundings.open_data, name)),
        *hold_robustness(model, take_golden(model.golden)),
        *hold_determinism(bundles[0], model),
    ]
    return conclude(name, findings)


def _hold_golden(model: Model) -> Finding:
    try:
        require_golden(model)
    except CannotStart as error:
        return Finding("golden rows", Verdict.BAD, error.message)
    rows, tolerance = len(model.golden.rows), model.signature.tolerance
    words = f"{rows} golden rows are answered as when the version was built (tolerance {tolerance:g})"
    return Finding("golden rows", Verdict.GOOD, words)


def _hold_expectations(
    gate: BehaviourGate, bundles: tuple[Path, Path | None], model: Model, open_data: OpenData
) -> Iterator[Finding]:
    candidate, stable = bundles
    try:
        # What stands in several is held once.
        declared = tuple(dict.fromkeys((*gate.expectations, *read_expectations(candidate))))
        before = read_expectations(stable) if stable and gate.keep_expectations else ()
    except ValueError as error:
        yield Finding("expectations", Verdict.NOT_ENOUGH, str(error))
        return
    kept = tuple(one for one in dict.fromkeys(before) if one not in declared)
    if not declared and not kept:
        words = "no expectation is declared, neither in the gate nor in the bundle"
        yield Finding("expectations", Verdict.GOOD, words)
        return
    rows = take_golden(model.golden)
    if gate.data:
        try:
            with open_data(gate.data) as path:
                rows += take_sample(path, model.signature, gate.data.rows)
        except UnreadableTable as error:
            yield Finding("data", Verdict.NOT_ENOUGH, str(error))
    yield from _try_on(declared, kept, model, rows)


def _try_on(
    declared: tuple[Expectation, ...], kept: tuple[Expectation, ...], model: Model, rows: TrialRows
) -> Iterator[Finding]:
    before, reasons = answer_each(model, rows.columns)
    answered = [row for row in range(len(rows)) if row not in reasons]
    if reasons:
        first = next(iter(reasons))
        why = f"{rows.names[first]} since {reasons[first]}"
        left_out = f"{len(reasons):,} of {len(rows):,} rows are not answered, {why}"
        verdict = Verdict.GOOD if answered else Verdict.NOT_ENOUGH
        yield Finding("rows", verdict, f"{left_out}; expectations are tried on the others")
    if answered:
        rows, before = rows.pick(answered), before[answered]
        for one in declared:
            yield hold_expectation(one, model, rows, before)
        for one in kept:
            yield _say_whose(hold_expectation(one, model, rows, before))


def _say_whose(found: Finding) -> Finding:
    """What the version in service declares, and this one does not."""
    whose = "the version in service declares this, and this one does not"
    mend = "" if found.verdict is Verdict.GOOD else "; keepExpectations: false lets it go"
    return msgspec.structs.replace(found, message=f"{found.message}; {whose}{mend}")
