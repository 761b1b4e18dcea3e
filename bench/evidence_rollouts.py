"""Simulated rollouts, all at once: requests arrive, both revisions answer them, the shipped rule looks on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_operator.evidence import Question
from tidegate_operator.evidence.counts import Counts
from tidegate_operator.evidence.rule import weigh

LOOK_SECONDS = 2.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the schedule: weight 0 to 1, None for a mirror of everything.

    `candidate_share` replaces the world's in this step, for a fault that needs load to show.
    """

    weight: float | None
    seconds: float
    candidate_share: float | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What is true: requests per minute (Poisson), and the share of events of either revision.

    Events come in bunches of `bunch` requests that fare alike on one revision; 1: each fares for itself.
    """

    requests_per_minute: float
    stable_share: float
    candidate_share: float
    bunch: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds from the start to the first Bad and the first Good of each rollout, infinite if never.

    `good_requests` is the number of the candidate's requests by its first Good.
    """

    bad_seconds: Floats
    good_seconds: Floats
    good_requests: Floats


@dataclass(frozen=True, slots=True)
class Rollouts:
    """Many rollouts of one world through one schedule; a rollout ends at Bad, if asked to also at Good."""

    world: World
    schedule: Sequence[Step]
    question: Question
    until_good: bool = False

    def simulate(self, number: int, *, seed: int) -> Outcome:
        """Looks at each of `number` rollouts every 2 s through the whole schedule."""
        chance = np.random.default_rng(seed)
        outcome = Outcome(*(np.full(number, np.inf) for _ in range(3)))
        running = np.arange(number)
        counts = np.zeros((4, number, 0))
        seconds = 0.0
        for step in self.schedule:
            counts = np.concatenate([counts, np.zeros((4, running.size, 1))], axis=-1)
            for _ in range(round(step.seconds / LOOK_SECONDS)):
                if not running.size:
                    return outcome
                seconds += LOOK_SECONDS
                counts[:, :, -1] += self._answer(step, running.size, chance)
                ended = self._look(Counts(*counts), outcome, running, seconds=seconds)
                running, counts = running[~ended], counts[:, ~ended]
        return outcome

    def _answer(self, step: Step, number: int, chance: np.random.Generator) -> Floats:
        """The four counts that the time of one look adds to each rollout."""
        world = self.world
        bunches = chance.poisson(world.requests_per_minute * LOOK_SECONDS / 60.0 / world.bunch, number)
        on_candidate = bunches if step.weight is None else chance.binomial(bunches, step.weight)
        on_stable = bunches if step.weight is None else bunches - on_candidate
        share = world.candidate_share if step.candidate_share is None else step.candidate_share
        candidate_events = chance.binomial(on_candidate, share)
        stable_events = chance.binomial(on_stable, world.stable_share)
        added = np.array([candidate_events, on_candidate, stable_events, on_stable], dtype=np.float64)
        return added * world.bunch

    def _look(
        self, counts: Counts, outcome: Outcome, running: npt.NDArray[np.int64], *, seconds: float
    ) -> npt.NDArray[np.bool_]:
        """Writes down what is found at this look; gives the rollouts that it ends."""
        evidence = weigh(counts, self.question)
        bad = evidence.bad_since.any(axis=-1)
        first_good = evidence.good & ~bad & np.isinf(outcome.good_seconds[running])
        outcome.bad_seconds[running[bad]] = seconds
        outcome.good_seconds[running[first_good]] = seconds
        outcome.good_requests[running[first_good]] = counts.candidate_exposures[first_good].sum(axis=-1)
        return bad | first_good if self.until_good else bad
