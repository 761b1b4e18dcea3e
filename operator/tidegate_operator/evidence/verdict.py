"""What a check says, with its reason."""

from dataclasses import dataclass
from enum import StrEnum

from tidegate_operator.evidence.counts import Tally

_NOTHING = Tally()


class Verdict(StrEnum):
    """The three answers of a check; NotEnough is neither success nor failure."""

    GOOD = "Good"
    BAD = "Bad"
    NOT_ENOUGH = "NotEnough"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its reason and numbers.

    `reason` is one sentence for users. `candidate` and `stable` are the counts it rests on: where it names a
    step those since it, else those of the whole rollout; empty for a trip. `harm` is the candidate's share
    of events above stable's as estimated, `harm_at_most` its bound (Good only), both absolute (0.01 is one
    point) or None. `e_value_log10` tells how far the proof of "worse than stable" has come: 2 is 100 to 1.
    """

    check: str
    verdict: Verdict
    reason: str
    candidate: Tally = _NOTHING
    stable: Tally = _NOTHING
    harm: float | None = None
    harm_at_most: float | None = None
    e_value_log10: float = 0.0
