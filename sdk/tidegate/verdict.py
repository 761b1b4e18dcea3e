"""A verdict: what a gate says, in the words that checks of live traffic have."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a gate says of a candidate."""

    GOOD = "Good"
    BAD = "Bad"
    NOT_ENOUGH = "NotEnough"  # neither, and never taken for one of them
