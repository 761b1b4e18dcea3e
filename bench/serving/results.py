"""The results: tables to read, and the report's figures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench.report import describe_spread, print_table, versions_of, write_report
from bench.serving.anatomy import with_rest
from bench.serving.load import Sample, Setting
from bench.serving.servers import Server

GOALS = {"fastapi": 5.0, "mlserver": 5.0, "kserve": 6.0}
P50_GOAL_MS = 0.45
MAIN = Setting(16, 1)

Rounds = Mapping[str, Sequence[Sample]]
"""The samples of one setting by the server's name, in the order in which they were taken."""


@dataclass(frozen=True, slots=True)
class Run:
    """All that was measured."""

    servers: Sequence[Server]
    absent: Sequence[Server]
    samples: Mapping[Setting, Rounds]
    memory_mib: Mapping[str, float]
    """By the server's name, after all its rounds."""
    anatomy: dict[str, float]
    """The parts that were measured from inside."""
    versions: Mapping[str, str]


def publish(run: Run) -> list[str]:
    """Prints the tables and writes the report; gives what is worse than wanted."""
    for setting, rounds in run.samples.items():
        rows = [_row(server, rounds, run.memory_mib[server.name]) for server in run.servers]
        rows += [[server.title, "can't be installed here", *["–"] * 5] for server in run.absent]
        head = ("server", "requests/s", "Tidegate's ×", "requests/CPU s", "p50 ms", "p99 ms", "MiB")
        print_table(str(setting), head, rows)
    figures = figures_of(run)
    parts = [(what, f"{micros:.1f}") for what, micros in figures["anatomy_us"].items()]
    print_table("Where the CPU time of a request goes", ("what", "µs"), parts)
    samples = {
        str(setting): {name: [asdict(sample) for sample in taken] for name, taken in rounds.items()}
        for setting, rounds in run.samples.items()
    }
    libraries = versions_of("onnxruntime", "numpy", "uvloop", "httptools", "msgspec")
    write_report("serving", figures, samples=samples, versions={**run.versions, **libraries})
    return missed(figures)


def figures_of(run: Run) -> dict[str, dict[str, float]]:
    """The medians at 16 connections and one row, each server set up in its fastest way."""
    rounds, one = run.samples[MAIN], run.samples[Setting(1, 1)]
    best: dict[str, str] = {}
    for name in sorted(rounds, key=lambda name: _median(rounds[name], "requests_per_second")):
        best[name.partition("+")[0]] = name
    anatomy = with_rest(run.anatomy, _median(rounds["tidegate"], "requests_per_cpu_second"))
    return {
        "requests_per_second": {
            key: _median(rounds[name], "requests_per_second") for key, name in best.items()
        },
        "ratio": {key: round(statistics.median(ratios(rounds, name)), 2) for key, name in best.items()},
        "p99_ms": {key: _median(rounds[name], "p99_ms") for key, name in best.items()},
        "memory_mib": {key: round(run.memory_mib[name], 1) for key, name in best.items()},
        "p50_ms_one_connection": {name: _median(taken, "p50_ms") for name, taken in one.items()},
        "anatomy_us": {what: round(micros, 2) for what, micros in anatomy.items()},
    }


def ratios(rounds: Rounds, name: str) -> list[float]:
    """Tidegate's requests a second over another's, round by round; infinite where the other answered none."""
    pairs = zip(rounds["tidegate"], rounds[name], strict=True)
    return [
        ours.requests_per_second / theirs.requests_per_second if theirs.requests_per_second else math.inf
        for ours, theirs in pairs
    ]


def _row(server: Server, rounds: Rounds, memory_mib: float) -> list[str]:
    taken = rounds[server.name]
    return [
        server.title,
        describe_spread([sample.requests_per_second for sample in taken], digits=0),
        "1" if server.name == "tidegate" else describe_spread(ratios(rounds, server.name)),
        describe_spread([sample.requests_per_cpu_second for sample in taken], digits=0),
        describe_spread([sample.p50_ms for sample in taken], digits=2),
        describe_spread([sample.p99_ms for sample in taken], digits=2),
        f"{memory_mib:.0f}",
    ]


def missed(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Gives what is worse than wanted, with both numbers."""
    found = []
    for name, goal in GOALS.items():
        ratio = figures["ratio"].get(name, goal)
        if ratio < goal:
            found.append(f"{ratio:g} × {name}, wanted {goal:g}")
    p50 = figures["p50_ms_one_connection"]["tidegate"]
    if p50 > P50_GOAL_MS:
        found.append(f"{p50:g} ms p50 at one connection, wanted {P50_GOAL_MS:g}")
    memory = figures["memory_mib"]
    for name, mib in memory.items():
        if mib < memory["tidegate"] and not name.startswith("tidegate"):
            found.append(f"{memory['tidegate']:g} MiB, {name} {mib:g}")
    return found


def _median(samples: Sequence[Sample], figure: str) -> float:
    return round(float(statistics.median(getattr(sample, figure) for sample in samples)), 3)
