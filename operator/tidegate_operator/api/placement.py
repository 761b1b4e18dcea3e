"""Placement: on which nodes pods may run, as a pod's spec says it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from tidegate_operator.api.fields import refuse_unless
from tidegate_operator.api.resource import Written

# As Kubernetes wants labels: it would refuse the pods otherwise, long after `kubectl apply` said that all is well.
_KEY: Final = "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$"
_VALUE: Final = "^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$"
MOST: Final = 16
"""Labels, and tolerations; nodes are told apart by a handful."""


class Operator(StrEnum):
    """How a toleration is compared with a taint."""

    EQUAL = "Equal"
    EXISTS = "Exists"


class Effect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Written):
    """A taint of nodes that the pods put up with."""

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "self.operator != 'Exists' || !has(self.value)",
                "operator Exists holds for every value; leave out value, or write operator: Equal",
            ),
            (
                "self.operator == 'Exists' || has(self.key)",
                "write the key of the taint, or operator: Exists for every taint",
            ),
            (
                "!has(self.tolerationSeconds) || has(self.effect) && self.effect == 'NoExecute'",
                "tolerationSeconds is about being evicted; write effect: NoExecute with it",
            ),
            (
                f"!has(self.key) || self.key.matches(r'{_KEY}')",
                "the key of a toleration is that of a taint, such as dedicated or example.com/dedicated",
            ),
            (
                f"!has(self.value) || self.value.matches(r'{_VALUE}')",
                "the value of a toleration is that of a taint: at most 63 letters, digits, -, _ and .",
            ),
        )
    )

    key: Annotated[str, Field(max_length=317)] | None = None
    """Key of the taint, such as dedicated. Default: every key, which needs the operator Exists."""
    operator: Operator = Operator.EQUAL
    """Equal for the taint with this value, Exists for any value. Default: Equal."""
    value: Annotated[str, Field(max_length=63)] | None = None
    """Value of the taint, such as models. Default: the empty one."""
    effect: Effect | None = None
    """NoSchedule, PreferNoSchedule or NoExecute. Default: every effect."""
    toleration_seconds: Annotated[int, Field(ge=0)] | None = None
    """How long a pod may stay where such a taint is put on its node, with the effect NoExecute. Default: for ever."""


NodeSelector = Annotated[
    dict[str, Annotated[str, Field(max_length=63)]],
    Field(
        max_length=MOST,
        json_schema_extra=refuse_unless(
            (
                f"self.all(key, key.matches(r'{_KEY}'))",
                "write labels such as pool or example.com/pool; a name has at most 63 letters, digits, -, _ and .",
            ),
            (
                f"self.all(key, self[key].matches(r'{_VALUE}'))",
                "write a value of at most 63 letters, digits, -, _ and . that begins and ends with a letter or digit",
            ),
        ),
    ),
]
Tolerations = Annotated[tuple[Toleration, ...], Field(max_length=MOST)]


class Placement(Written):
    """Where pods may run, by itself."""

    node_selector: NodeSelector = Field(default_factory=dict)
    tolerations: Tolerations = ()


ANYWHERE: Final = Placement()


def render_placement(node_selector: NodeSelector, tolerations: Tolerations) -> dict[str, Any]:
    """The fields of a pod's spec; none where nothing is asked for."""
    wanted = [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in tolerations]
    return ({"nodeSelector": dict(node_selector)} if node_selector else {}) | (
        {"tolerations": wanted} if wanted else {}
    )


def render_pull_secrets(names: tuple[str, ...]) -> dict[str, Any]:
    """The field of a pod's spec that names the Secrets of its namespace with which its images are pulled."""
    return {"imagePullSecrets": [{"name": name} for name in names]} if names else {}
