"""The models read what users write, strictly, and what the API server answers, leniently."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from tidegate_operator.api.conditions import Condition, carry_transitions
from tidegate_operator.api.crd import KINDS
from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.schema import build_structural_schema

OPERATOR = Path(__file__).parents[3] / "operator/tidegate_operator"


def read(spec=(), **parts):
    return ModelDeployment.model_validate(
        {"metadata": {"name": "fraud"}, "spec": {"modelVersion": "fraud-7"} | dict(spec)} | parts
    )


def test_an_unknown_field_of_a_spec_is_a_mistake():
    with pytest.raises(ValidationError, match=r"spec\.replicas"):
        read({"replicas": 2})


def test_unknown_fields_of_metadata_and_status_belong_to_newer_versions():
    deployment = read(
        metadata={"name": "fraud", "managedFields": []}, status={"observedGeneration": 3, "mood": "good"}
    )
    assert deployment.status.observed_generation == 3


def test_nothing_read_can_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        read().spec.paused = True


def test_an_integer_quantity_is_what_its_text_is():
    assert read({"serving": {"resources": {"limits": {"cpu": 2}}}}).spec.serving.resources.limits.cpu == "2"


def test_a_condition_keeps_its_time_until_its_status_changes():
    def ready(status, message, time):
        return Condition(type="Ready", status=status, reason="R", message=message, last_transition_time=time)

    before = (ready("True", "two pods", "t0"),)
    assert carry_transitions(before, (ready("True", "three pods", "t1"),))[0].last_transition_time == "t0"
    assert carry_transitions(before, (ready("False", "none", "t1"),))[0].last_transition_time == "t1"


def _paths(schema, path=""):
    for name, field in schema.get("properties", {}).items():
        yield f"{path}{name}"
        yield from _paths(field, f"{path}{name}.")
        yield from _paths(field.get("items", {}), f"{path}{name}.")


KNOWN = {path for kind in KINDS for path in _paths(build_structural_schema(kind.resource))}


# In a message, not in code: there a value stands before the dot, or a call or a comparison after the path.
PATH = re.compile(r"(?<![\w.])((?:spec|status)(?:\.[a-z][A-Za-z]*)+)(?=[ ,;:)\"']|$)", re.MULTILINE)


def _mentioned():
    for file in sorted(OPERATOR.rglob("*.py")):
        for path in PATH.findall(file.read_text()):
            yield file.name, path


def test_every_field_path_in_a_message_exists():
    """A wrong path in a message sends users to a field that is not there; code reads spec.x_y, messages say spec.xY."""
    foreign = {"spec.template", "spec.replicas", "spec.selector"}  # of Deployments and Services
    mentioned = list(_mentioned())
    assert len(mentioned) > 20
    assert [(name, path) for name, path in mentioned if path not in KNOWN | foreign] == []
