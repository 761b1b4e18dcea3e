"""What gates say of a candidate: findings, a result for each gate, and the report of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tidegate.verdict import Verdict


class Finding(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that a gate looked at."""

    subject: str
    """What it is about, such as "accuracy" or "accuracy, region=north"."""
    verdict: Verdict
    message: str
    """The figures and what is wanted of them, in one sentence."""


class OwnReport(msgspec.Struct, frozen=True, rename="camel"):
    """What a user's own gate may leave as its last words, as JSON; plain text is a message."""

    message: str
    """What it found, in one sentence."""
    findings: tuple[Finding, ...] = ()


class GateResult(msgspec.Struct, frozen=True, rename="camel"):
    """What one gate says."""

    gate: str
    verdict: Verdict
    message: str
    """The one sentence for a status: the worst finding, or what was found good."""
    findings: tuple[Finding, ...] = ()


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """What all gates say of a candidate."""

    model: str
    candidate: str
    """Digest of its bundle."""
    stable: str
    """Digest of the bundle that it was compared with; empty: none."""
    results: tuple[GateResult, ...]

    @property
    def verdict(self) -> Verdict:
        """Good if every gate says so."""
        return worst(result.verdict for result in self.results)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Bad if anything is; else NotEnough if anything is; else Good."""
    found = set(verdicts)
    return next((one for one in (Verdict.BAD, Verdict.NOT_ENOUGH) if one in found), Verdict.GOOD)


def conclude(gate: str, findings: Sequence[Finding]) -> GateResult:
    """A gate's result from what it found: its sentence is that of the first finding as bad as the whole."""
    verdict = worst(finding.verdict for finding in findings)
    decisive = [finding.message for finding in findings if finding.verdict is verdict]
    message = "; ".join(decisive) if verdict is Verdict.GOOD else decisive[0]
    return GateResult(gate, verdict, message, tuple(findings))
