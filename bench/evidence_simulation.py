"""How fast and how often right the verdicts are, in simulated rollouts looked at every 2 s, as markdown tables.

    .venv/bin/python -m bench.evidence_simulation [--rollouts 10000]

Requests arrive as a Poisson process; the split is random with the step's weight; the decisions are those of
the shipped rule (`tidegate_operator.evidence.rule`). One point of harm is allowed. Takes four minutes of CPU.
"""

import argparse

import numpy as np
from bench.evidence_rollouts import Floats, Rollouts, Step, World

from tidegate_operator.evidence import Question

ALL_STEPS = tuple(Step(weight, 300.0) for weight in (None, 0.05, 0.25, 0.5))


def ask(*, alpha: float = 0.01, dispersion: float = 1.0) -> Question:
    """A check that allows one point of harm, and may call 5 % of such candidates Good."""
    return Question(
        tolerance=0.01,
        max_false_rollback=alpha,
        max_false_promotion=0.05,
        event="failed",
        dispersion=dispersion,
    )


def print_delays(number: int) -> None:
    """Fault from the start of the only step → Bad."""
    print("\n| candidate against stable | traffic | α | seconds to Bad: median | p95 | found in 2 h |")
    print("|---|---|---|---|---|---|")
    for name, weight, world in [
        ("20 % against 0.5 %", 0.05, World(300, 0.005, 0.2)),
        ("20 % against 0.5 %", 0.05, World(3000, 0.005, 0.2)),
        ("20 % against 0.5 %", None, World(300, 0.005, 0.2)),
        ("100 % against 0.5 %", 0.05, World(300, 0.005, 1.0)),
        ("20 % against 0", 0.05, World(300, 0.0, 0.2)),
        ("5 % against 0.5 %", 0.05, World(6000, 0.005, 0.05)),
        ("2 % against 0.5 %", 0.05, World(6000, 0.005, 0.02)),
        ("8 % against 5 %", 0.5, World(300, 0.05, 0.08)),
    ]:
        for alpha in (0.01, 0.005):
            rollouts = Rollouts(world, [Step(weight, 7200.0)], ask(alpha=alpha))
            outcome = rollouts.simulate(number if world.candidate_share >= 0.2 else number // 10, seed=1)
            traffic = f"{'mirror' if weight is None else f'{100 * weight:g} %'} of {world.requests_per_minute:g}/min"
            print(f"| {name} | {traffic} | {100 * alpha:g} % | {spread(outcome.bad_seconds)} |", flush=True)


def print_late_faults(number: int) -> None:
    """A fault that begins with the last step, after 5 min each in which the candidate was as good as stable."""
    print("\n| 20 % against 0.5 % from the last step on, 300/min | median s | p95 s | found in 1 h |")
    print("|---|---|---|---|")
    for name, weights in [("mirror, 5 %", (None, 0.05)), ("mirror, 5 %, 25 %", (None, 0.05, 0.25))]:
        steps = [*(Step(weight, 300.0) for weight in weights[:-1]), Step(weights[-1], 3600.0, 0.2)]
        outcome = Rollouts(World(300, 0.005, 0.005), steps, ask()).simulate(number, seed=5)
        seconds = outcome.bad_seconds - 300.0 * (len(steps) - 1)
        print(f"| {name} | {spread(seconds[seconds > 0])} |", flush=True)


def print_false_rollbacks(number: int) -> None:
    """Equally good candidates through all steps: how many are Bad, and how many were never proven Good."""
    print("\n| equally good candidate, mirror, 5, 25, 50 %, 5 min each | taken back (≤ 1 %) | proven Good |")
    print("|---|---|---|")
    for per_minute in (30, 300, 3000):
        for share in (0.0005, 0.005, 0.05, 0.3):
            outcome = Rollouts(World(per_minute, share, share), ALL_STEPS, ask()).simulate(number, seed=2)
            print(
                f"| {100 * share:g} % events, {per_minute}/min | {happened(outcome.bad_seconds)} "
                f"| {happened(outcome.good_seconds)} |",
                flush=True,
            )


def print_false_promotions(number: int) -> None:
    """Candidates harmful by just the tolerance and by more, through all steps: how many were ever Good."""
    print("\n| harmful candidate, all steps, 3,000/min | called Good (≤ 5 %) | taken back |")
    print("|---|---|---|")
    for stable, candidate in [(0.0, 0.0101), (0.005, 0.0151), (0.005, 0.02), (0.05, 0.0601), (0.05, 0.07)]:
        outcome = Rollouts(World(3000, stable, candidate), ALL_STEPS, ask()).simulate(number, seed=3)
        print(
            f"| {100 * candidate:g} % against {100 * stable:g} % | {happened(outcome.good_seconds)} "
            f"| {happened(outcome.bad_seconds)} |",
            flush=True,
        )


def print_requests_to_good(number: int) -> None:
    """How many requests of the candidate prove an equally good one."""
    print("\n| equally good candidate | traffic | requests to Good: median | p95 | proven |")
    print("|---|---|---|---|---|")
    for share in (0.0, 0.001, 0.005, 0.01, 0.05):
        for name, weight, per_minute in [("mirror", None, 600), ("5 %", 0.05, 12_000)]:
            # 2 h bring 72,000 requests to the candidate in either.
            rollouts = Rollouts(
                World(per_minute, share, share), [Step(weight, 7200.0)], ask(), until_good=True
            )
            outcome = rollouts.simulate(number // 10, seed=4)
            print(f"| {100 * share:g} % events | {name} | {spread(outcome.good_requests)} |", flush=True)


def print_bunches(number: int) -> None:
    """Events in bunches of five: what happens to the promise without and with the dispersion paid for."""
    print(
        "\n| equally good candidate, 1 % events in bunches of 5, 3,000/min, all steps | taken back (≤ 1 %) |"
    )
    print("|---|---|")
    for dispersion in (1.0, 5.0):
        rollouts = Rollouts(World(3000, 0.01, 0.01, bunch=5), ALL_STEPS, ask(dispersion=dispersion))
        outcome = rollouts.simulate(number // 5, seed=6)
        print(f"| dispersion {dispersion:g} | {happened(outcome.bad_seconds)} |", flush=True)


def spread(values: Floats) -> str:
    """The median, the 95th percentile, and the part of the values that are finite."""
    median, p95 = np.quantile(values, [0.5, 0.95], method="higher")
    return f"{median:,.0f} | {p95:,.0f} | {100 * np.isfinite(values).mean():g} %"


def happened(seconds: Floats) -> str:
    """How often it happened, with the number of rollouts."""
    return f"{100 * np.isfinite(seconds).mean():.2f} % of {seconds.size:,}"


def main() -> None:
    """Prints every table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rollouts", type=int, default=10_000, help="for the budgets; default 10,000")
    number = parser.parse_args().rollouts
    print_delays(number)
    print_late_faults(number // 5)
    print_requests_to_good(number)
    print_bunches(number)
    print_false_promotions(number // 2)
    print_false_rollbacks(number)


if __name__ == "__main__":
    main()
