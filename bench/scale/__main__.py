"""`make bench-scale`: what 100 and 1,000 ModelDeployments cost the operator, at rest and with 5 % in rollout."""

from __future__ import annotations

import argparse
import asyncio
import signal
import tempfile
from pathlib import Path
from typing import Any

from bench.report import print_table, versions_of, write_report
from bench.scale.control_plane import KWOK, run_control_plane
from bench.scale.story import Durations, tell
from cluster import programs

from tidegate_operator.main.leader import RESYNC_SECONDS

HEAD = (
    "models",
    "memory",
    "cores",
    "requests/s",
    "all looked at after a restart",
    "from nothing",
    "spec → first weight",
)
HEAD_ROLLOUT = (
    "models",
    "in rollout",
    "memory",
    "cores",
    "requests/s",
    "spec → first weight: median",
    "last",
)


def main() -> None:
    """Run one size after the other, each on a control plane of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,1000")
    # One resync lies within, since that is what rest is made of.
    parser.add_argument("--rest-seconds", type=float, default=RESYNC_SECONDS)
    parser.add_argument("--rollout-seconds", type=float, default=60.0)
    asked = parser.parse_args()
    # Being ended is as an interrupt: without this, the programs started here would go on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    figures, raw = {}, {}
    for size in asked.sizes.split(","):
        with (
            tempfile.TemporaryDirectory(prefix="bench-scale-") as folder,
            run_control_plane(Path(folder)) as server,
        ):
            durations = Durations(asked.rest_seconds, asked.rollout_seconds)
            figures[size], raw[size] = asyncio.run(tell(server, Path(folder), int(size), durations))
    _print(figures)
    versions = versions_of("kubernetes", "kopf", "aiohttp", "pydantic") | {
        "kubernetes-server": programs.version_of("kubernetes"),
        "kwok": programs.version_of("kwok", KWOK.parent),
    }
    write_report("scale", figures, samples=raw, versions=versions)


def _print(figures: dict[str, dict[str, Any]]) -> None:
    rows, rows_rollout = [], []
    for size, at in figures.items():
        rollout = at["rollout"]
        rows.append(
            (
                size,
                f"{at['rss_mib']} MiB",
                at["cpu_cores"],
                at["api_requests_per_second"],
                f"{at['cold_start_seconds']} s",
                f"{at['first_start_seconds']} s",
                f"{at['spec_to_first_weight_seconds']} s",
            )
        )
        rows_rollout.append(
            (
                size,
                rollout["models"],
                f"{rollout['rss_mib']} MiB",
                rollout["cpu_cores"],
                rollout["api_requests_per_second"],
                f"{rollout['spec_to_first_weight_seconds']} s",
                f"{rollout['spec_to_last_weight_seconds']} s",
            )
        )
    print_table("At rest", HEAD, rows)
    print_table("5 % in rollout", HEAD_ROLLOUT, rows_rollout)


main()
