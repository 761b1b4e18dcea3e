"""Conditions, as `kubectl wait`, Argo CD and Flux read them (kstatus)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tidegate_operator.api.resource import SeenPart


class Condition(SeenPart):
    """One aspect of a resource's state."""

    type: Annotated[str, Field(max_length=64)] = Field(
        description="Which aspect: Ready, Reconciling, Stalled or Available."
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: Annotated[str, Field(max_length=128)] = Field(description="One word for why, for programs.")
    message: Annotated[str, Field(max_length=1024)] = Field(
        default="", description="One sentence for why, for people."
    )
    observed_generation: int = Field(
        default=0, description="The metadata.generation that this was decided for."
    )
    last_transition_time: Annotated[str, Field(max_length=32)] = Field(
        description="When it last turned, RFC 3339.", json_schema_extra={"format": "date-time"}
    )
