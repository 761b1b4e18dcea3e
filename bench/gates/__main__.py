"""Gates: what they cost, and whether they tell the truth: `make bench-gates`.

python -m bench.gates [--rounds 4]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import asdict

from bench.gates import agreement, cost
from bench.gates.agreement import Load, Pair
from bench.report import describe_spread, print_table, versions_of, write_report
from demo.ground import hold_ground

WANTED_SECONDS, WANTED_MIB, WANTED_DIFFERENCE = 60.0, 300.0, 0.2


def main() -> None:
    """Measures, reports, and fails where it is worse than wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=4)
    rounds = parser.parse_args().rounds
    with hold_ground() as ground:
        pairs = agreement.measure(ground, rounds)
    checks = cost.measure(rounds)
    seconds, mib = ([one[place] for one in checks] for place in range(2))
    ratios = {str(load): [pair.ratio for pair in found] for load, found in pairs.items()}
    title = f"{cost.ROWS:,} rows, a bundle of 5 MB, one core; and the same bundle in a cluster"
    rows = [
        ("the whole set, s", describe_spread(seconds), f"≤ {WANTED_SECONDS:.0f}"),
        ("memory, MiB", describe_spread(mib, digits=0), f"≤ {WANTED_MIB:.0f}"),
        *(row for load, found in pairs.items() for row in list_latencies(load, found)),
    ]
    print_table(title, ("what", "median (range)", "wanted"), rows)
    figures = {"seconds": seconds, "mib": mib, "p99_service_over_gate": ratios}
    samples = {
        "checks": checks,
        "pairs": {str(load): [asdict(pair) for pair in found] for load, found in pairs.items()},
    }
    write_report("gates", figures, samples=samples, versions=versions_of("onnxruntime", "duckdb"))
    differs = any(abs(statistics.median(found) - 1) > WANTED_DIFFERENCE for found in ratios.values())
    if statistics.median(seconds) > WANTED_SECONDS or max(mib) > WANTED_MIB or differs:
        sys.exit("worse than wanted")


def list_latencies(load: Load, pairs: list[Pair]) -> list[tuple[str, str, str]]:
    """Rows of the table."""
    spread = {
        "p50 in the gate, ms": [pair.gate_p50 for pair in pairs],
        "p50 for users, ms": [pair.user_p50 for pair in pairs],
        "p99 in the gate, ms": [pair.gate_p99 for pair in pairs],
        "p99 in service, as the router counts it, ms": [pair.service_p99 for pair in pairs],
        "p99 for users, ms": [pair.user_p99 for pair in pairs],
    }
    ratios = describe_spread([pair.ratio for pair in pairs], digits=2)
    return [
        *((f"{load}: {what}", describe_spread(values), "") for what, values in spread.items()),
        (f"{load}: p99 in service / in the gate", ratios, "0.8–1.2"),
    ]


if __name__ == "__main__":
    main()
