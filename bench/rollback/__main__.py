"""How long a bad candidate is met, and whether a good one is spared, on the cluster: `make bench-rollback`.

The candidate fails 20 % of its requests, stable 0.5 % (bench/rollback/models.py), on Kubernetes, through the router,
with the default analysis. From the first request that the candidate answered to the last one.

    python -m bench.rollback [--runs 10] [--good-minutes 15] [--only bad|good]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.report import describe_spread, print_table, write_report
from bench.rollback.bad import Result, Setting, play
from bench.rollback.good import Fate, watch
from bench.rollback.stage import Stage, open_stage
from demo.ground import hold_ground

FIVE_PERCENT = {"steps": [{"weight": 5, "hold": "1h"}]}
DEFAULT_STEPS = {"steps": [{"mirror": 100}, {"weight": 5}, {"weight": 25}, {"weight": 50}]}
SETTINGS = {
    "weight_5_300_per_minute": Setting("risk-bad-1", FIVE_PERCENT, per_second=5, at_once=10),
    "mirror_first_300_per_minute": Setting(
        "risk-bad-2", DEFAULT_STEPS, per_second=5, at_once=10, mirrors=True
    ),
    # Two at a time: more than a hundred requests a second would crowd what else runs on two cores.
    "weight_5_3000_per_minute": Setting("risk-bad-3", FIVE_PERCENT, per_second=50, at_once=2),
}
WANTED_SECONDS = dict(zip(SETTINGS, (60, 15, 10), strict=True))
GOOD_PER_MINUTE = (30, 300, 0)

Figures = dict[str, Any]


def play_bad(stage: Stage, runs: int) -> dict[str, list[Result]]:
    """Every setting in the same runs, one after the other: each has a bad candidate of its own."""
    names = [f"bad-{number}" for number in range(runs)]
    results = {}
    for setting_name, setting in SETTINGS.items():
        print(f"\n{setting_name}, {runs} runs, {setting.at_once} at a time", flush=True)
        results[setting_name] = play(stage, setting, names)
    stage.withdraw(names)
    return results


def watch_good(stage: Stage, runs: int, minutes: float) -> dict[int, list[Fate]]:
    """Good candidates under every load at once."""
    names = {load: [f"good-{load}-{number}" for number in range(runs)] for load in GOOD_PER_MINUTE}
    print(f"\ngood candidates, {runs} runs under each load, watched for {minutes:g} min", flush=True)
    return watch(stage, names, DEFAULT_STEPS, minutes=minutes)


def report_bad(results: Mapping[str, Sequence[Result]]) -> Figures:
    """The table, and the figures by setting."""
    rows = [
        [
            name,
            len(runs),
            describe_spread([run.seconds for run in runs]),
            WANTED_SECONDS[name],
            describe_spread([float(run.user_failures) for run in runs], digits=0),
            sum(run.unanswered for run in runs),
        ]
        for name, runs in results.items()
    ]
    head = ["setting", "runs", "seconds, median (range)", "wanted", "failures users saw", "unanswered"]
    print_table("A candidate that fails 20 %, stable 0.5 %: first candidate request → last", head, rows)
    return {
        name: {
            "seconds": [run.seconds for run in runs],
            "user_failures": [run.user_failures for run in runs],
            "unanswered": sum(run.unanswered for run in runs),
        }
        for name, runs in results.items()
    }


def report_good(fates: Mapping[int, Sequence[Fate]]) -> Figures:
    """The table, and the figures by load."""
    figures = {
        str(load): {
            "runs": len(runs),
            "taken_back": sum(bool(fate.taken_back) for fate in runs),
            "promoted": sum(fate.promoted_after_seconds is not None for fate in runs),
            "promoted_unseen": sum(fate.promoted_unseen for fate in runs),
        }
        for load, runs in fates.items()
    }
    rows = [
        [
            load,
            *figures[str(load)].values(),
            describe_spread(
                [f.promoted_after_seconds for f in runs if f.promoted_after_seconds is not None], digits=0
            ),
            describe_spread([float(sum(fate.requests.values())) for fate in runs], digits=0),
        ]
        for load, runs in fates.items()
    ]
    head = [
        "requests/min",
        "runs",
        "taken back",
        "promoted",
        "promoted unseen",
        "seconds to promotion",
        "requests judged",
    ]
    print_table("A candidate that fails 0.5 % as stable does", head, rows)
    return {"good_candidate": figures}


def find_misses(figures: Figures) -> list[str]:
    """What is worse than wanted, in words."""
    found = []
    for name, wanted in WANTED_SECONDS.items():
        if name in figures and (seconds := statistics.median(figures[name]["seconds"])) > wanted:
            found.append(f"{name}: median {seconds:.1f} s, wanted {wanted} s")
    if any(figures.get("mirror_first_300_per_minute", {}).get("user_failures", [])):
        found.append("users met a candidate that was only mirrored")
    for load, figure in figures.get("good_candidate", {}).items():
        if figure["taken_back"] or figure["promoted_unseen"]:
            found.append(f"good candidates at {load}/min: {figure}")
    return found


def main() -> None:
    """Plays all, reports, and fails where the figures are worse than wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--good-minutes", type=float, default=15)
    parser.add_argument("--only", choices=("bad", "good"))
    arguments = parser.parse_args()
    bad: dict[str, list[Result]] = {}
    good: dict[int, list[Fate]] = {}
    with hold_ground() as ground, open_stage(ground) as stage:
        if arguments.only != "good":
            bad = play_bad(stage, arguments.runs)
        if arguments.only != "bad":
            good = watch_good(stage, arguments.runs, arguments.good_minutes)
    figures = (report_bad(bad) if bad else {}) | (report_good(good) if good else {})
    samples = {name: [asdict(run) for run in runs] for name, runs in bad.items()}
    samples |= {f"good at {load}/min": [asdict(fate) for fate in runs] for load, runs in good.items()}
    write_report("rollback" if not arguments.only else f"rollback-{arguments.only}", figures, samples=samples)
    if misses := find_misses(figures):
        sys.exit("worse than wanted: " + "; ".join(misses))


if __name__ == "__main__":
    main()
