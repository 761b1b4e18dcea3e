"""The soak: hours of steady load with a rollout every five minutes and drills at random, and what it cost.

`python -m bench.soak --hours 2` on the cluster of `make cluster`. Two good versions take turns and a bad one comes
third; in every interval one drill is played in mid-rollout and one at rest.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from bench.report import describe_spread, print_table, write_report
from demo.ground import hold_ground
from demo.waiting import Deadline, DeadlineError
from drills import faults
from drills.node import read_memory_mib
from drills.scene import ANOTHER, BAD, GOOD, Outcome, Scene, uid_of
from drills.stage import open_stage

INTERVAL_SECONDS: Final = 300
ROLLOUTS: Final = (GOOD, ANOTHER, BAD)
BEGUN: Final = Deadline("the rollout's beginning", 60)
ENDED: Final = Deadline("the rollout's end", 200)
# Those that leave the rollout alone, so that they can meet it at any moment.
FAULTS: Final[tuple[Callable[[Scene], None], ...]] = (
    faults.operator_killed,
    faults.router_killed,
    faults.routers_rolled,
    faults.predictor_killed,
    faults.predictor_hangs,
    faults.predictor_slow,
    faults.connections_broken,
    faults.api_server_killed,
)


@dataclass(slots=True)
class Diary:
    """What happened, interval by interval."""

    chance: random.Random
    deck: list[Callable[[Scene], None]] = field(default_factory=list)
    """Faults that have yet to come before any comes again."""
    rollouts: list[tuple[str, float]] = field(default_factory=list)
    """Each version with the seconds until it was promoted or taken back."""
    faults: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    """What did not happen in the time that it has."""
    lost: Counter[str] = field(default_factory=Counter)
    """Requests lost in each fault, those with none left out."""
    memory_mib: dict[str, list[float]] = field(default_factory=lambda: {"operator": [], "predictors": []})
    """At the end of each interval; of the predictors, the mean of all pods."""

    def note_memory(self, scene: Scene) -> None:
        """Samples operator and predictors."""
        for name, pods in (("operator", scene.operators()), ("predictors", scene.pods())):
            held = [read_memory_mib(uid_of(pod)) for pod in pods]
            self.memory_mib[name].append(round(statistics.fmean(held), 1))

    def play_a_fault(self, scene: Scene) -> None:
        """The next fault of a shuffled deck.

        The kubelet waits longer with each restart of the API server within ten minutes; drawn blindly, that alone would
        take the time of whole rollouts.
        """
        if not self.deck:
            self.deck = self.chance.sample(FAULTS, k=len(FAULTS))
        fault = self.deck.pop()
        print(f"    {fault.__name__}", flush=True)
        before = scene.lost
        fault(scene)
        self.faults[fault.__name__] += 1
        self.lost += Counter({fault.__name__: scene.lost - before})

    @property
    def excused(self) -> int:
        """Losses that nobody could have answered: what killed routers held."""
        name = faults.router_killed.__name__
        return min(self.lost[name], faults.HELD_BY_A_ROUTER * self.faults[name])


def main() -> None:
    """Soaks, prints what came of it and leaves the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1, help="of the order of the drills")
    arguments = parser.parse_args()
    diary = Diary(random.Random(arguments.seed))
    with hold_ground() as ground, open_stage(ground).set_scene() as scene:
        scene.serve()
        scene.send()
        before, number = scene.mark(), 0
        end = before.at + 3600 * arguments.hours
        while time.monotonic() < end:
            try:
                soak_one_interval(scene, number, diary)
            except DeadlineError as error:
                # It has failed, and what comes after may show more.
                print(f"    {error}", flush=True)
                diary.missed.append(str(error))
            print(f"    {scene.outcome(before).lost} lost so far", flush=True)
            number += 1
        scene.stop_sending()
        outcome = scene.outcome(before)
    report(diary, outcome, hours=(time.monotonic() - before.at) / 3600)
    if outcome.lost > diary.excused or outcome.wrong_decisions or diary.missed:
        decisions = f"{len(outcome.wrong_decisions)} wrong decisions"
        sys.exit(f"{outcome.lost} requests lost, {decisions}, {len(diary.missed)} deadlines missed")


def soak_one_interval(scene: Scene, number: int, diary: Diary) -> None:
    """A rollout with a fault in the middle of it, then a fault at rest, then peace until the interval is over."""
    begun = time.monotonic()
    version = ROLLOUTS[number % len(ROLLOUTS)]
    # Another request for CPU makes another revision of the same version, so that it has to prove itself again.
    scene.millicores = 50 + number
    scene.deploy(version)
    if version in scene.view.rejected:
        scene.retry(f"soak-{number}")
    scene.until(BEGUN, lambda view: view.candidate == version)
    diary.play_a_fault(scene)
    scene.until(
        ENDED,
        lambda view: version in view.rejected if version == BAD else view.ready and view.stable == version,
    )
    diary.rollouts.append((version, round(time.monotonic() - begun, 1)))
    print(f"    {number + 1}: {version} ended after {diary.rollouts[-1][1]} s", flush=True)
    diary.play_a_fault(scene)
    diary.note_memory(scene)
    scene.pause(max(0.0, INTERVAL_SECONDS - (time.monotonic() - begun)))


def report(diary: Diary, outcome: Outcome, *, hours: float) -> None:
    """The table and the file."""
    ended = Counter(version for version, _ in diary.rollouts)
    rows = [
        ("hours", f"{hours:.2f}"),
        ("requests", f"{outcome.requests:,}"),
        ("lost", outcome.lost),
        ("of these held by killed routers", diary.excused),
        ("wrong decisions", len(outcome.wrong_decisions)),
        ("deadlines missed", len(diary.missed)),
        ("rollouts", ", ".join(f"{count} of {version}" for version, count in ended.items())),
        ("faults", ", ".join(f"{count} × {name}" for name, count in diary.faults.most_common())),
        *((f"memory of {name}, MiB", describe_spread(values)) for name, values in diary.memory_mib.items()),
    ]
    print_table("python -m bench.soak", ("what", "figure"), rows)
    figures = {
        "hours": round(hours, 2),
        "requests": outcome.requests,
        "lost": outcome.lost,
        "held_by_killed_routers": diary.excused,
        "wrong_decisions": len(outcome.wrong_decisions),
        "deadlines_missed": len(diary.missed),
        "rollouts": dict(ended),
        "faults": dict(diary.faults),
        "memory_mib": {name: _compare_ends(values) for name, values in diary.memory_mib.items()},
    }
    samples = {
        "rollouts": diary.rollouts,
        "missed": diary.missed,
        "memory_mib": diary.memory_mib,
        **asdict(outcome),
    }
    write_report("soak", figures, samples=samples)


def _compare_ends(values: Sequence[float]) -> dict[str, float]:
    """The median of the first quarter and of the last: flat is what they should be."""
    quarter = max(1, len(values) // 4)
    return {
        "first_quarter": statistics.median(values[:quarter]),
        "last_quarter": statistics.median(values[-quarter:]),
    }


if __name__ == "__main__":
    main()
