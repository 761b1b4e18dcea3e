"""The run of gates in a pod: settings from its environment, the version in service fetched, the report left behind."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from tidegate.bundle import MANIFEST_NAME, read_manifest
from tidegate.gate_report import GateResult, Report
from tidegate.gate_run import CLAIM, CREDENTIALS, STABLE_FOLDER, Variable, pack_report
from tidegate.gates import Gate
from tidegate.quantities import parse_quantity
from tidegate.verdict import Verdict
from tidegate_gates.check import Bundles, run_gates
from tidegate_gates.confinement import Limits
from tidegate_gates.neighbour import Pod
from tidegate_serving.errors import CannotStart
from tidegate_serving.fetch import fetch_bundle
from tidegate_serving.settings import InvalidSettings, Settings

LONGEST_FETCH_SECONDS: Final = 300.0
"""The version in service has been fetched before, by its own pods, within less."""


class Unheld(Exception):  # noqa: N818 - what became of the gates
    """Why no gate can be evaluated, in one sentence."""


def main(environment: Mapping[str, str]) -> int:
    """Holds the gates and leaves their report; gives the exit code."""
    try:
        settings = Settings.from_environment(environment)
        gates = msgspec.json.decode(environment[Variable.GATES], type=tuple[Gate, ...])
    except (InvalidSettings, KeyError, msgspec.DecodeError) as error:
        print(f"the operator gave an environment that can't be used: {error}", file=sys.stderr)  # noqa: T201
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        report = hold(gates, settings, environment, Path(scratch))
    settings.termination_log.write_bytes(pack_report(report))
    return 0


def hold(
    gates: tuple[Gate, ...], settings: Settings, environment: Mapping[str, str], scratch: Path
) -> Report:
    """What the gates say; where nothing can be evaluated each says NotEnough, and why."""
    cpu = parse_quantity(environment.get(Variable.CPU, "1"))
    limits = Limits(cpu)  # how much memory the predictor may use it says itself
    try:
        stable = fetch_stable(settings, environment, scratch / "stable")
        return run_gates(gates, Bundles(settings.bundle_folder, stable, limits), Pod(settings, scratch))
    except (CannotStart, Unheld) as error:
        why = error.message if isinstance(error, CannotStart) else str(error)
        manifest = read_manifest((settings.bundle_folder / MANIFEST_NAME).read_bytes())
        results = tuple(GateResult(gate.name, Verdict.NOT_ENOUGH, why) for gate in gates)
        return Report(manifest.model, settings.digest, environment.get(Variable.STABLE_DIGEST, ""), results)


def fetch_stable(settings: Settings, environment: Mapping[str, str], folder: Path) -> Path | None:
    """The bundle of the version in service; none if there is none.

    Raises:
        Unheld: It can't be read.
    """
    source = environment.get(Variable.STABLE_SOURCE, "")
    if not source:
        return None
    of_stable = replace(
        settings,
        source=source,
        digest=environment.get(Variable.STABLE_DIGEST, ""),
        secret=environment.get(Variable.STABLE_SECRET, ""),
        bundle_folder=folder,
        credentials_folder=Path(STABLE_FOLDER) / CREDENTIALS,
        claim_folder=Path(STABLE_FOLDER) / CLAIM,
    )
    try:
        asyncio.run(_fetch_within(of_stable))
    except CannotStart as error:
        raise Unheld(f"the version in service can't be read to compare with: {error.message}") from error
    except TimeoutError as error:
        why = f"it was not fetched within {LONGEST_FETCH_SECONDS:.0f} s"
        raise Unheld(f"the version in service can't be read to compare with: {why}") from error
    return folder


async def _fetch_within(settings: Settings) -> None:
    async with asyncio.timeout(LONGEST_FETCH_SECONDS):
        await fetch_bundle(settings)
