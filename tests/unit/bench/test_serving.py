"""The comparison of servers: whoever is measured is locked, asked for the same, and answers right."""

import json

import pytest
from bench.serving.anatomy import ALONE, REST, WHOLE, with_rest
from bench.serving.load import Sample, Setting
from bench.serving.model import Request, require_right
from bench.serving.results import MAIN, Run, figures_of, missed, ratios
from bench.serving.servers import PROGRAMS, SERVERS
from locks.uv import LOCK


def taken(*per_second: float) -> list[Sample]:
    return [Sample(value, value, p50_ms=1.0, p99_ms=2.0) for value in per_second]


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_each_server_has_its_program_and_its_lock(server):
    programs = [part for part in server.command if part.startswith(str(PROGRAMS))]
    assert all((PROGRAMS / program).is_file() for program in programs)
    if server.environment:
        assert "--hash=sha256:" in LOCK.with_name(f"bench-{server.environment}.txt").read_text()


def test_an_answer_without_the_models_number_ends_the_run(tmp_path):
    request = Request(tmp_path, wanted=0.25)
    require_right(json.dumps({"predictions": [{"probabilities": [0.75, 0.25]}]}).encode(), request)
    with pytest.raises(SystemExit, match=r"0\.25 is not in the answer"):
        require_right(b'{"predictions": [[0.75, 0.2501]]}', request)


def test_ratios_are_taken_round_by_round():
    rounds = {"tidegate": taken(10, 40), "other": taken(5, 10)}
    assert ratios(rounds, "other") == [2.0, 4.0]


def test_a_servers_figures_are_those_of_its_fastest_way():
    rounds = {"tidegate": taken(100), "mlserver": taken(10), "mlserver+batching": taken(20)}
    memory = {"tidegate": 50.0, "mlserver": 90.0, "mlserver+batching": 110.0}
    figures = figures_of(Run(SERVERS, (), {MAIN: rounds, Setting(1, 1): rounds}, memory, {ALONE: 9.0}, {}))
    assert figures["requests_per_second"] == {"tidegate": 100.0, "mlserver": 20.0}
    assert figures["ratio"]["mlserver"] == 5.0
    assert figures["memory_mib"]["mlserver"] == 110.0


def test_what_falls_short_is_named_with_both_numbers():
    figures = {
        "ratio": {"fastapi": 4.9, "mlserver": 5.0, "kserve": 6.5},
        "p50_ms_one_connection": {"tidegate": 0.5},
        "memory_mib": {"tidegate": 60.0, "fastapi": 55.5, "mlserver": 100.0},
    }
    assert missed(figures) == [
        "4.9 × fastapi, wanted 5",
        "0.5 ms p50 at one connection, wanted 0.45",
        "60 MiB, fastapi 55.5",
    ]


def test_what_is_in_none_of_the_parts_is_the_rest_of_a_request():
    parts = with_rest({ALONE: 9.0, "reading": 4.0, "writing": 2.0}, requests_per_cpu_second=20_000)
    assert (parts[REST], parts[WHOLE]) == (44.0, 50.0)
