"""GateReport: all that the gates found of one version, kept beside it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from tidegate_operator.api.fields import refuse_unless
from tidegate_operator.api.gates import MOST_GATES
from tidegate_operator.api.resource import Resource, Seen

Word = Annotated[str, Field(max_length=253)]
"""A name, a verdict, a digest or a time."""
Sentence = Annotated[str, Field(max_length=32768)]
"""One sentence, or those of all gates."""


class GateFinding(Seen):
    """One thing that a gate looked at."""

    subject: Word
    """What it is about, such as accuracy, or accuracy, region=north."""
    verdict: Word
    """Good, Bad or NotEnough."""
    message: Sentence
    """The figures and what is wanted of them, in one sentence."""


class GateFindings(Seen):
    """What one gate found."""

    gate: Word
    """Name of the gate."""
    verdict: Word
    """Good, Bad or NotEnough."""
    message: Sentence
    """The sentence that decided."""
    findings: Annotated[tuple[GateFinding, ...], Field(max_length=500)] = ()
    """All that it looked at; where the report would have become too long, some of what is Good is left out."""


class GateReportSpec(Seen):
    """What was asked of which version, and what came of it."""

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "self == oldSelf",
                "a GateReport says what was measured and never changes; another run of the gates makes another one",
            )
        )
    )

    model_deployment: Word
    """The ModelDeployment whose gates they are."""
    model_version: Word
    """The version that was looked at."""
    revision: Word
    """Its revision, which has the limits that it was measured under."""
    digest: Word
    """Digest of its bundle."""
    stable: Word | None = None
    """Revision in service at that time, which it was compared with. Default: none, there was none."""
    verdict: Word
    """Good if every gate is."""
    message: Sentence
    """The sentence that decided."""
    at: Word
    """When the gates had ended (RFC 3339)."""
    results: Annotated[tuple[GateFindings, ...], Field(max_length=MOST_GATES)]
    """What each gate found."""


class GateReport(Resource):
    """GateReport is what the gates of a ModelDeployment found of one version. The operator writes it once."""

    spec: GateReportSpec
    """What was asked of which version, and what came of it."""
