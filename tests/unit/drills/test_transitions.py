"""The transitions that the operator is killed at: found from the plan."""

from __future__ import annotations

from drills.gate import find_held
from drills.operators import find_kills
from drills.transitions import find_transitions, read_place


def test_every_kind_of_transition_is_there_and_killed_once() -> None:
    killed = [transition.name for transition, kill in find_kills() if kill]
    assert killed == [
        "income-1 begins",
        "income-1 serves first",
        "income-2 begins",
        "income-2 gets mirror 100",
        "income-2 gets weight 20",
        "income-2 gets weight 50",
        "income-2 is promoted",
        "income-1 cools",
        "income-3 is taken back",
        "income-4 is withdrawn",
    ]


def test_they_make_one_way_without_a_gap() -> None:
    way = find_transitions()
    assert [later.before for later in way[1:]] == [earlier.after for earlier in way[:-1]]


def test_a_place_is_found_in_the_operators_log_as_the_gate_writes_it() -> None:
    place = read_place(
        {
            "stable": {"modelVersion": "income-1"},
            "candidate": {"modelVersion": "income-2"},
            "traffic": {"desired": {"candidateWeight": 20, "mirror": 0}},
        }
    )
    log = (
        f"looking again in 0.4 s: PATCH …/modeldeployments/drill-1/status: denied: held at the gate: {place}#"
    )
    assert find_held(log, "drill-1") == str(place)
    assert find_held(log, "drill-2") == ""
