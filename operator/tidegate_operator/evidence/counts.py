"""Counts of events among exposures, as they come from the routers and go into a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tally:
    """Events among exposures, failed requests among all answered ones for instance.

    Raises ValueError for a negative count and for more events than exposures: read both from one scrape,
    and count an exposure when it is answered, or a request in flight fails before it was counted.
    """

    events: int = 0
    exposures: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.exposures:
            raise ValueError(f"a tally needs 0 ≤ events ≤ exposures, got {self.events} of {self.exposures}")

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.events + other.events, self.exposures + other.exposures)

    @property
    def share(self) -> float:
        """Events per exposure, 0 to 1; nan without an exposure."""
        return self.events / self.exposures if self.exposures else float("nan")


@dataclass(frozen=True, slots=True)
class Pair:
    """What both revisions met at the same time, in one step of a rollout, under one constant split."""

    candidate: Tally
    stable: Tally


@dataclass(frozen=True, slots=True)
class Counts:
    """Pairs as four arrays of one shape, steps along the last axis.

    Leading axes are independent rollouts, so a simulation runs the very functions that decide.
    """

    candidate_events: Floats
    candidate_exposures: Floats
    stable_events: Floats
    stable_exposures: Floats

    @property
    def comparable(self) -> npt.NDArray[np.bool_]:
        """The steps in which both revisions were exposed; the others say nothing about a difference."""
        return (self.candidate_exposures > 0) & (self.stable_exposures > 0)

    @property
    def candidate_split(self) -> Floats:
        """The candidate's observed share of all exposures, 0.5 where a step can't be compared."""
        exposures = self.candidate_exposures + self.stable_exposures
        return np.where(self.comparable, self.candidate_exposures / np.maximum(exposures, 1.0), 0.5)

    @property
    def events(self) -> Floats:
        """Events of both revisions together."""
        return self.candidate_events + self.stable_events


def stack(pairs: Sequence[Pair]) -> Counts:
    """The pairs as arrays; no pair at all becomes one empty step."""
    rows = [
        (pair.candidate.events, pair.candidate.exposures, pair.stable.events, pair.stable.exposures)
        for pair in pairs
    ] or [(0, 0, 0, 0)]
    return Counts(*np.array(rows, dtype=np.float64).T)


def total(pairs: Sequence[Pair]) -> tuple[Tally, Tally]:
    """The candidate's and stable's tallies over all pairs."""
    return (
        sum((pair.candidate for pair in pairs), Tally()),
        sum((pair.stable for pair in pairs), Tally()),
    )
