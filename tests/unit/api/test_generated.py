"""What is generated is equal to its source: CRDs, charts, manifests, reference."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tidegate_operator.api.crd import KINDS, build_crd, generate_files
from tidegate_operator.api.reference import TARGET, build_page

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", generate_files())
def test_a_crd_is_what_the_models_say(path):
    assert (ROOT / path).read_text() == generate_files()[path], "run python -m tidegate_operator.api.crd"


def test_the_reference_is_what_the_models_say():
    assert (ROOT / TARGET).read_text() == build_page(), "run python -m tidegate_operator.api.reference"


def test_the_manifests_are_what_the_charts_render():
    command = [sys.executable, ROOT / "manifests/generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _fields(schema, path=""):
    for name, field in schema.get("properties", {}).items():
        if path:  # apiVersion, kind and metadata are Kubernetes' own
            yield f"{path}.{name}", field
        yield from _fields(field, f"{path}.{name}")
        yield from _fields(field.get("items", {}), f"{path}.{name}[]")


def _schema(kind):
    return build_crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


FIELDS = [(kind.plural + path, field) for kind in KINDS for path, field in _fields(_schema(kind))]


def test_every_field_has_a_sentence():
    assert [path for path, field in FIELDS if not field.get("description", "").endswith(".")] == []


def test_every_default_is_in_its_sentence():
    scalars = [(path, field) for path, field in FIELDS if isinstance(field.get("default"), str | int)]
    said = {path: f"default: {field['default']}".lower() for path, field in scalars}
    silent = [path for path, field in scalars if said[path] not in field["description"].lower()]
    assert len(scalars) > 15
    assert silent == []


def test_no_spec_has_a_float():
    assert [path for path, field in FIELDS if field.get("type") == "number"] == []


def test_every_list_and_string_of_a_spec_is_bounded():
    bounds = {"string": "maxLength", "array": "maxItems"}
    open_ended = [
        path
        for path, field in FIELDS
        if ".spec." in path
        and bounds.get(field.get("type"), "enum") not in field
        and "enum" not in field
        and field.get("type") in bounds
    ]
    assert open_ended == []


def test_uninstalling_the_chart_keeps_every_model():
    for kind in KINDS:
        chart = yaml.safe_load((ROOT / f"charts/tidegate-crds/templates/{kind.plural}.yaml").read_text())
        assert chart["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
