"""The pipelines that are offered set up the script and nothing else: what they run, with which secrets, how pinned."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.pipelines.chain import SCRIPT

from tidegate.commands.package import package

FOLDER = SCRIPT.parent
SAMPLES = ["github.yaml", "gitlab-ci.yml", "tekton.yaml"]
REQUIRED = re.findall(r"^: \"\$\{(\w+):\?", SCRIPT.read_text(), re.MULTILINE)


def read(sample: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / sample).read_text()))


def values_of(node: Any, *keys: str) -> Iterator[Any]:
    """Whatever stands under one of these keys, however deep."""
    if isinstance(node, dict):
        yield from (node[key] for key in keys if key in node)
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from values_of(part, *keys)


def scripts_of(sample: str) -> list[str]:
    found = values_of(read(sample), "run", "script")
    return ["\n".join(script) if isinstance(script, list) else script for script in found]


def github_steps() -> list[dict[str, Any]]:
    return read("github.yaml")[0]["jobs"]["release"]["steps"]


def tekton_task() -> dict[str, Any]:
    return read("tekton.yaml")[0]["spec"]


def test_every_sample_is_looked_at() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*SAMPLES, SCRIPT.name])
    assert len(REQUIRED) == 5


@pytest.mark.parametrize("sample", SAMPLES)
def test_it_trains_and_then_calls_the_script_with_what_package_takes(sample):
    whole = "\n".join(scripts_of(sample))
    calls = re.findall(r"^ci/release\.sh (\S+ \S+)(.*)$", whole, re.MULTILINE)
    assert [models for models, _ in calls] == ["model.joblib sample.csv"]
    assert whole.index("train.py") < whole.index("ci/release.sh")
    known = {name for parameter in package.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", calls[0][1])) <= known


@pytest.mark.parametrize("sample", SAMPLES)
def test_it_gives_the_script_what_that_asks_for(sample):
    words = set(re.findall(r"\b[A-Z_]+\b", (FOLDER / sample).read_text()))
    assert {*REQUIRED, "GITOPS_TOKEN", "STORE_SECRET", "AWS_SECRET_ACCESS_KEY"} <= words


@pytest.mark.parametrize("sample", SAMPLES)
def test_its_scripts_are_shell(sample):
    for script in scripts_of(sample):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("sample", SAMPLES)
def test_all_that_a_pipeline_is_made_of_has_a_version(sample):
    used = list(values_of(read(sample), "uses", "image"))
    assert used
    assert [name for name in used if not re.search(r"(@v\d+|:\d+\.\d+)$", name)] == []


def test_on_github_only_the_step_that_releases_has_secrets():
    seeing = [step for step in github_steps() if "secrets." in yaml.safe_dump(step)]
    assert ["ci/release.sh" in step["run"] for step in seeing] == [True]
    assert "secrets." not in seeing[0]["run"]
    assert read("github.yaml")[0]["permissions"] == {"contents": "read"}


def test_on_tekton_only_the_step_that_releases_has_secrets():
    steps = {step["name"]: step for step in tekton_task()["steps"]}
    assert steps["train"].keys() == {"name", "script"}
    assert steps["release"]["envFrom"] == [{"secretRef": {"name": "release"}}]
    assert "env" in tekton_task()["stepTemplate"]
    assert "secret" not in yaml.safe_dump(tekton_task()["stepTemplate"]).lower()


def test_tekton_s_parameters_are_declared_and_none_is_pasted_into_a_script():
    text = yaml.safe_dump(tekton_task())
    declared = {parameter["name"] for parameter in tekton_task()["params"]}
    assert set(re.findall(r"\$\(params\.(\w+)\)", text)) == declared
    assert [script for script in scripts_of("tekton.yaml") if "$(params" in script] == []


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPT], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "MODEL: the name of the model, such as fraud" in done.stderr
