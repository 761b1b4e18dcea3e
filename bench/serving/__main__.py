"""Runs the comparison: `python -m bench.serving`; see the package's own words."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.serving import __doc__ as what
from bench.serving.anatomy import dissect
from bench.serving.environments import programs_of, version_in
from bench.serving.load import Sample, Setting, measure, require_wrk
from bench.serving.model import Request, build_bundle, write_requests
from bench.serving.processes import Running
from bench.serving.results import MAIN, Run, publish
from bench.serving.servers import SERVERS, Server

SETTINGS = tuple(Setting(connections, rows) for rows in (1, 32) for connections in (16, 1))


def main() -> None:
    """Measures, prints the tables, writes the report."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=int, default=5, help="at 16 connections and one row; else half as many"
    )
    parser.add_argument("--seconds", type=int, default=2, help="of load in each round")
    parser.add_argument("--only", default="", help="names of servers, with commas")
    arguments = parser.parse_args()
    wrk = require_wrk()
    only = arguments.only.split(",")
    servers, absent = installed([one for one in SERVERS if not arguments.only or one.name in only])
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, bundle = Path(name), Path(name) / "bundle"
        frame = build_bundle(bundle)
        requests = {rows: write_requests(folder, bundle, frame, rows=rows) for rows in (1, 32)}
        running = [
            stack.enter_context(started(server, bundle, folder, requests[1], core=cores[-1]))
            for server in servers
        ]
        samples = {
            setting: alternate(
                running,
                setting,
                requests[setting.rows],
                rounds=arguments.rounds if setting == MAIN else (arguments.rounds + 1) // 2,
                seconds=arguments.seconds,
                core=cores[0],
            )
            for setting in SETTINGS
        }
        memory = {one.server.name: one.memory_mib() for one in running}
        anatomy = dissect(bundle, requests[1]["v2"].body, core=cores[-1])
    versions = {
        "wrk": wrk,
        **{server.environment: version_of(server) for server in servers if server.environment},
    }
    if missed := publish(Run(servers, absent, samples, memory, anatomy, versions)):
        sys.exit(f"worse than wanted: {'; '.join(missed)}")


def alternate(
    running: Sequence[Running],
    setting: Setting,
    requests: dict[str, Request],
    *,
    rounds: int,
    seconds: int,
    core: int,
) -> dict[str, list[Sample]]:
    """Measures all servers in turn, again and again, so that a slower minute of the machine meets all."""
    samples: dict[str, list[Sample]] = {one.server.name: [] for one in running}
    for _ in range(rounds):
        for one in running:
            body = requests[one.server.body].body
            samples[one.server.name].append(measure(one, body, setting, seconds=seconds, core=core))
    return samples


def installed(wanted: Sequence[Server]) -> tuple[list[Server], list[Server]]:
    """Gives those whose environment can be had here, and the others."""
    there, absent = [], []
    for server in wanted:
        try:
            programs_of(server.environment)
        except subprocess.CalledProcessError:
            absent.append(server)
        else:
            there.append(server)
    return there, absent


@contextlib.contextmanager
def started(
    server: Server, bundle: Path, folder: Path, requests: dict[str, Request], *, core: int
) -> Iterator[Running]:
    """A server that has answered right, asleep until it is measured."""
    running = Running(server, bundle, folder, core=core)
    try:
        running.until_right(requests[server.body])
        running.signal(signal.SIGSTOP)
        yield running
    finally:
        running.end()


def version_of(server: Server) -> str:
    """The version of what a server is named after."""
    return version_in(programs_of(server.environment), server.environment)


if __name__ == "__main__":
    main()
