"""`python -m drills [name …]`: all drills or some, on the cluster of `make cluster`; exits 1 if one shows a fault."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final

from bench.report import print_table, write_report
from demo.ground import NotOurClusterError, hold_ground
from demo.kubectl import ProgramFailedError
from demo.waiting import DeadlineError

from drills import api_server, faults, operators, predictors, routers
from drills.scene import Outcome, Scene, Stage
from drills.stage import open_stage

Drill = Callable[[Scene], None]
ANY_TIME: Final[tuple[Drill, ...]] = (
    faults.operator_killed,
    faults.router_killed,
    faults.routers_rolled,
    faults.predictor_killed,
    faults.predictor_hangs,
    faults.predictor_slow,
    faults.predictors_rolled,
)
SPECIAL: Final[tuple[Drill, ...]] = (
    operators.two_operators_at_once,
    operators.operator_away_while_pods_restart,
    api_server.api_server_away_at_rest,
    api_server.api_server_away_in_mid_rollout,
    api_server.watches_dropped,
    api_server.history_forgotten,
    api_server.api_server_overloaded,
    api_server.another_writer,
    routers.router_restarted_while_operator_away,
    routers.only_router_killed,
    predictors.predictor_out_of_memory,
    predictors.node_drained,
)


def _in_mid_rollout(fault: Drill) -> Drill:
    """The fault at a candidate's first weight, which is promoted all the same."""

    def drill(scene: Scene) -> None:
        scene.begin_canary()
        fault(scene)
        scene.finish_canary()

    return drill


DRILLS: Final[dict[str, Drill]] = {
    **{f"{fault.__name__}_at_rest": fault for fault in ANY_TIME},
    **{f"{fault.__name__}_in_mid_rollout": _in_mid_rollout(fault) for fault in ANY_TIME},
    **{drill.__name__: drill for drill in SPECIAL},
}
TRANSITIONS: Final = "operator_killed_at_every_transition"
# Nobody could have answered; what it costs is told all the same.
UNANSWERABLE: Final = {routers.only_router_killed.__name__}
UNEXPECTED: Final = (AssertionError, DeadlineError, ProgramFailedError)
NAMES: Final = (TRANSITIONS, *DRILLS)


def main() -> None:
    """Plays the drills and leaves the report."""
    parser = argparse.ArgumentParser(prog="python -m drills", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all without")
    names = parser.parse_args().names or list(NAMES)
    if unknown := set(names) - set(NAMES):
        parser.error(f"no drill is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    try:
        with hold_ground() as ground:
            outcomes = dict(_play_all(open_stage(ground), names))
    except (NotOurClusterError, *UNEXPECTED) as error:
        sys.exit(f"The drills stopped: {error}")
    _report(outcomes)
    if harmful := [name for name, outcome in outcomes.items() if _is_harmful(name, outcome)]:
        sys.exit(f"noticed by users, or decided wrongly: {', '.join(harmful)}")


def _is_harmful(name: str, outcome: Outcome) -> bool:
    """Whether users lost what somebody could have answered, or something was decided wrongly."""
    if name in UNANSWERABLE:
        return False
    excused = faults.HELD_BY_A_ROUTER if name.startswith(faults.router_killed.__name__) else 0
    return bool(outcome.lost > excused or outcome.wrong_decisions or outcome.unexpected)


def _play_all(stage: Stage, names: list[str]) -> Iterator[tuple[str, Outcome]]:
    for name in names:
        print(f"\n{name}", flush=True)
        begun = time.monotonic()
        transitions = name == TRANSITIONS
        parts = operators.kill_at_every_transition(stage) if transitions else play(stage, name)
        try:
            for part, outcome in parts:
                _tell(part, outcome)
                yield part, outcome
        except UNEXPECTED as error:
            print(f"    {error}", flush=True)
            yield name, Outcome(0, 0, (), (), None, str(error))
        print(f"    took {time.monotonic() - begun:.0f} s", flush=True)


def play(stage: Stage, name: str) -> Iterator[tuple[str, Outcome]]:
    """One drill in a scene of its own."""
    with stage.set_scene() as scene:
        scene.serve()
        scene.send()
        before = scene.mark()
        unexpected = ""
        try:
            DRILLS[name](scene)
        except UNEXPECTED as error:
            unexpected = str(error)
        scene.stop_sending()
        yield name, scene.outcome(before, unexpected=unexpected)


def _tell(name: str, outcome: Outcome) -> None:
    print(
        f"    {name}: {outcome.requests} requests, {outcome.lost} lost, "
        f"{len(outcome.wrong_decisions)} wrong decisions, whole again after {outcome.recovered_seconds} s"
    )
    for words in filter(None, (outcome.unexpected, *outcome.wrong_decisions, *outcome.failures)):
        print(f"        {words}")
    sys.stdout.flush()


def _report(outcomes: dict[str, Outcome]) -> None:
    figures = {
        name: {
            "requests": outcome.requests,
            "lost": outcome.lost,
            "wrong_decisions": len(outcome.wrong_decisions),
            "recovered_seconds": outcome.recovered_seconds,
        }
        for name, outcome in outcomes.items()
    }
    print_table(
        "make drills",
        ("drill", "requests", "lost", "wrong decisions", "whole again after, s"),
        [(name, *row.values()) for name, row in figures.items()],
    )
    write_report("drills", figures, samples={name: asdict(outcome) for name, outcome in outcomes.items()})


if __name__ == "__main__":
    main()
