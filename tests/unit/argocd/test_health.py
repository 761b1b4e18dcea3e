"""What Argo CD shows of our kinds: its own cases, and what it would have shown at each look of a rollout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.cache import REPOSITORY
from lupa import lua51  # Argo CD's interpreter speaks Lua 5.1
from tests.unit.plan.world import Behaviour, World

from tidegate_operator.api.crd import KINDS

FOLDER = REPOSITORY / "manifests/argocd/tidegate.io"
CASES = [
    (kind.parent.name, case["inputPath"], case["healthStatus"])
    for kind in sorted(FOLDER.glob("*/health_test.yaml"))
    for case in yaml.safe_load(kind.read_text())["tests"]
]
STEPS = {"steps": [{"mirror": 100, "hold": "10s"}, {"weight": 50, "hold": "10s"}]}


def ask(kind: str, body: Mapping[str, Any]) -> dict[str, str]:
    """What the script says of an object."""
    lua = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    lua.globals().obj = lua.table_from(body, recursive=True)
    return dict(lua.execute((FOLDER / kind / "health.lua").read_text()))


@pytest.mark.parametrize(("kind", "path", "wanted"), CASES, ids=lambda value: Path(str(value)).stem)
def test_a_case_is_shown_as_it_says(kind, path, wanted):
    assert ask(kind, yaml.safe_load((FOLDER / kind / path).read_text())) == wanted


def test_every_kind_with_a_status_has_a_script():
    having = {kind.resource.__name__ for kind in KINDS if kind.subresources}
    assert {folder.name for folder in FOLDER.iterdir()} == having


def show(world: World) -> str:
    """What Argo CD shows now; the world is looked at first."""
    status = world.look().status.model_dump(mode="json", by_alias=True, exclude_none=True)
    body = {"metadata": {"generation": world.generation}, "spec": world.spec, "status": status}
    return ask("ModelDeployment", body)["status"]


def watch(world: World, seconds: int) -> list[str]:
    """What it shows one after the other."""
    shown = [show(world.play(1)) for _ in range(seconds)]
    return [one for place, one in enumerate(shown) if place == 0 or shown[place - 1] != one]


@pytest.fixture
def world() -> World:
    """A first version is deployed, two others are registered."""
    world = World().version("v1").version("good").version("bad", Behaviour(failing=0.3))
    return world.apply(modelVersion="v1", rollout=STEPS)


def test_a_first_version_and_a_better_one_become_healthy(world):
    assert watch(world, 20) == ["Progressing", "Healthy"]
    world.apply(modelVersion="good")
    assert watch(world, 120) == ["Progressing", "Healthy"]


def test_a_version_that_was_taken_back_is_degraded_until_another_one_is_asked_for(world):
    world.play(20).apply(modelVersion="bad")
    assert watch(world, 60) == ["Progressing", "Degraded"]
    world.apply(modelVersion="v1")
    assert watch(world, 10) == ["Healthy"]


def test_a_rollout_that_is_paused_is_suspended(world):
    world.play(20).apply(modelVersion="good").play(5).apply(paused=True)
    assert watch(world, 60) == ["Suspended"]
    world.apply(paused=False)
    assert watch(world, 120) == ["Progressing", "Healthy"]


def test_a_version_that_is_missing_is_degraded_and_its_arrival_is_enough(world):
    world.play(20).apply(modelVersion="later")
    assert watch(world, 5) == ["Degraded"]
    assert watch(world.version("later"), 120) == ["Progressing", "Healthy"]
