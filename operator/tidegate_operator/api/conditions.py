"""Conditions as kstatus reads them, and the rule for when one of them has changed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from tidegate_operator.api.resource import Seen


class ConditionType(StrEnum):
    """The conditions of a ModelDeployment."""

    READY = "Ready"
    """The version that the spec names serves all requests."""
    RECONCILING = "Reconciling"
    """Something is under way: a start, a rollout. Absent or False at rest."""
    STALLED = "Stalled"
    """Nothing will change until the user changes something; the message says what."""
    AVAILABLE = "Available"
    """Requests are answered, by whichever version."""


class Condition(Seen):
    """One condition."""

    type: Annotated[str, Field(max_length=63)]
    """What is said, such as Ready."""
    status: Literal["True", "False", "Unknown"]
    """Whether it is so."""
    reason: Annotated[str, Field(max_length=128)]
    """Why, in one word for machines, such as RolledBack."""
    message: Annotated[str, Field(max_length=4096)] = ""
    """Why, in one sentence with its numbers, for people."""
    last_transition_time: str
    """When the status last changed (RFC 3339)."""
    observed_generation: int = 0
    """The metadata.generation that this was said about."""


def carry_transitions(before: tuple[Condition, ...], after: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """The new conditions, each with the time at which its status (not its message) last changed."""
    known = {condition.type: condition for condition in before}
    return tuple(
        condition.model_copy(update={"last_transition_time": known[condition.type].last_transition_time})
        if condition.type in known and known[condition.type].status == condition.status
        else condition
        for condition in after
    )
