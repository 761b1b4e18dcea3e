"""The check: gates over a bundle on disk, and over the one that it is compared with, on a laptop or in a pod."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tidegate.bundle import MANIFEST_NAME, manifest_digest, read_manifest
from tidegate.contents import read_contents
from tidegate.gate_report import Finding, GateResult, Report, conclude
from tidegate.gates import Gate, PerformanceGate
from tidegate.verdict import Verdict
from tidegate_gates.behaviour import run_behaviour
from tidegate_gates.confinement import Limits
from tidegate_gates.contract import run_contract
from tidegate_gates.data_quality import read_subject, run_data_quality
from tidegate_gates.evaluation import answer_rows
from tidegate_gates.performance import judge_performance
from tidegate_gates.serving import run_serving
from tidegate_gates.surroundings import Surroundings
from tidegate_gates.table import UnreadableTable
from tidegate_serving.model import Model


@dataclass(frozen=True, slots=True)
class Bundles:
    """What gates look at: folders whose files are what their manifests say."""

    candidate: Path
    stable: Path | None = None
    """The version in service; none: there is none yet."""
    limits: Limits = field(default_factory=Limits)
    """What a predictor of the candidate may use."""


def run_gates(gates: Sequence[Gate], bundles: Bundles, surroundings: Surroundings) -> Report:
    """Holds every gate against a candidate.

    A gate that can't be evaluated says NotEnough and why; it never passes.

    Args:
        gates: What is wanted.
        bundles: Of what.
        surroundings: Where.

    Raises:
        tidegate_serving.errors.CannotStart: A bundle can't be loaded.
    """
    models = Model(bundles.candidate, threads=1), Model(bundles.stable, threads=1) if bundles.stable else None
    content = (bundles.candidate / MANIFEST_NAME).read_bytes()
    return Report(
        model=read_manifest(content).model,
        candidate=manifest_digest(content),
        stable=manifest_digest((bundles.stable / MANIFEST_NAME).read_bytes()) if bundles.stable else "",
        results=tuple(_run(gate, bundles, models, surroundings) for gate in gates),
    )


def _run(
    gate: Gate, bundles: Bundles, models: tuple[Model, Model | None], surroundings: Surroundings
) -> GateResult:
    if gate.job:
        words = f"{gate.name} is a program in an image, which only a cluster runs; leave it out here"
        return conclude(gate.name, [Finding(gate.name, Verdict.NOT_ENOUGH, words)])
    pair = (bundles.candidate, bundles.stable)
    if gate.performance:
        return _run_performance(gate.name, gate.performance, models, surroundings)
    if gate.behaviour:
        return run_behaviour(gate.name, gate.behaviour, pair, models[0], surroundings=surroundings)
    if gate.contract:
        return run_contract(gate.name, gate.contract, pair, bundles.limits, surroundings=surroundings)
    if gate.data_quality:
        subject = read_subject(bundles.candidate, read_contents(bundles.candidate))
        now = datetime.now(UTC)
        return run_data_quality(gate.name, gate.data_quality, subject, surroundings=surroundings, now=now)
    assert gate.serving
    return run_serving(gate.name, gate.serving, bundles.candidate, bundles.limits, surroundings=surroundings)


def _run_performance(
    name: str, gate: PerformanceGate, models: tuple[Model, Model | None], surroundings: Surroundings
) -> GateResult:
    candidate, stable = models
    if stable and stable.signature.task is not candidate.signature.task:
        words = f"a {candidate.signature.task} model can't be compared with a {stable.signature.task} model"
        return conclude(name, [Finding(name, Verdict.NOT_ENOUGH, words)])
    try:
        with surroundings.open_data(name, gate.data) as path:
            rows = answer_rows(path, gate.data.label, models, [one.column for one in gate.slices])
    except UnreadableTable as error:
        return conclude(name, [Finding(name, Verdict.NOT_ENOUGH, str(error))])
    return judge_performance(name, gate, candidate.signature.task, rows)
