"""The history of a revision, as the annotation of its ControllerRevision that the operator writes and the CLI reads."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec

HISTORY_ANNOTATION: Final = "tidegate.io/history"
"""On a ControllerRevision: its stays as JSON, the latest last."""
PROMOTED_ANNOTATION: Final = "tidegate.io/promoted"
"""On a ControllerRevision: "true" if it has been stable."""
RETRY_ANNOTATION: Final = "tidegate.io/retry"
"""On a ModelDeployment: a new value has a version that was taken back tried again."""
DEPLOYMENT_LABEL: Final = "tidegate.io/deployment"
"""On all that belongs to a ModelDeployment: its name."""

STAYS_KEPT: Final = 10
"""Of one revision. With their sentences they have at most 20 KiB of the 256 KiB that Kubernetes allows."""


class Place(StrEnum):
    """What a revision was in a stay."""

    CANDIDATE = "candidate"
    STABLE = "stable"


class Stay(
    msgspec.Struct, frozen=True, omit_defaults=True, rename={"place": "as", "begin": "from", "end": "to"}
):
    """A time for which a revision had one place without a break."""

    place: Place
    begin: str
    """RFC 3339 in UTC, whole seconds: the order of the texts is that of the times."""
    share: Annotated[int, msgspec.Meta(ge=0, le=100)]
    """The highest percentage of users' requests that it was given."""
    end: str | None = None
    """As `begin`; none: it goes on."""
    requests: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """What it answered while it was compared, copies in a mirror too; none: nothing was counted."""
    ended: str = ""
    """How it ended in one word, such as Promoted, Replaced or ErrorRate; empty as long as it goes on."""
    why: str = ""
    """The same in one sentence."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the other stays of its revision."""
        return self.begin, self.place


def read_history(text: object) -> tuple[Stay, ...]:
    """Reads the annotation; what is no history is taken for an empty one, since anybody may write there."""
    if not isinstance(text, str):
        return ()
    try:
        return msgspec.json.decode(text, type=tuple[Stay, ...])[-STAYS_KEPT:]
    except (ValueError, RecursionError):
        return ()


def write_history(stays: tuple[Stay, ...]) -> str:
    """Writes the annotation."""
    return msgspec.json.encode(stays[-STAYS_KEPT:]).decode()
