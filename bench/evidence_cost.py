"""What one verdict costs: microseconds of CPU a call of `compare`, least and median of 50 rounds of 200 calls.

.venv/bin/python -m bench.evidence_cost
"""

import statistics
import time
import timeit

from tidegate_operator.evidence import Pair, Question, Tally, compare

CALLS = 200
ERRORS = Question(tolerance=0.01, max_false_rollback=0.005, max_false_promotion=0.05, event="failed")
STEPS = {
    "Good": (10, 2000, 10, 2000),
    "NotEnough": (0, 30, 0, 570),
    "Bad": (300, 2000, 10, 2000),
}


def main() -> None:
    """Prints a table for rollouts of six steps."""
    print("| verdict after six steps | µs, least | µs, median |\n|---|---|---|")
    for verdict, (candidate_events, candidate, stable_events, stable) in STEPS.items():
        pairs = [Pair(Tally(candidate_events, candidate), Tally(stable_events, stable))] * 6
        assert compare("errors", pairs, ERRORS).verdict == verdict
        rounds = timeit.repeat(
            lambda pairs=pairs: compare("errors", pairs, ERRORS),
            timer=time.process_time,
            number=CALLS,
            repeat=50,
        )
        micros = [seconds / CALLS * 1e6 for seconds in rounds]
        print(f"| {verdict} | {min(micros):.0f} | {statistics.median(micros):.0f} |")


if __name__ == "__main__":
    main()
