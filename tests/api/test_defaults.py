"""What the API server adds to what a user wrote, and what it keeps."""

from tests.api.namespace import model_deployment, model_version

from tidegate_operator.api.model_deployment import ModelDeployment
from tidegate_operator.api.model_version import ModelVersion


def test_a_model_deployment_of_three_lines_becomes_what_the_models_say(namespace):
    stored = namespace.apply(model_deployment())
    by_models = ModelDeployment.model_validate(model_deployment())
    wanted = by_models.model_dump(by_alias=True, exclude_none=True, mode="json")["spec"]
    assert stored["spec"] == without_empty(wanted)


def without_empty(value):
    """What is empty by default is left out by the server."""
    if isinstance(value, dict):
        return {key: without_empty(part) for key, part in value.items() if part not in ([], {})}
    return value


def test_a_part_of_a_group_gets_the_rest_of_its_defaults(namespace):
    stored = namespace.apply(model_deployment(serving={"resources": {"limits": {"memory": "1Gi"}}}))
    assert stored["spec"]["serving"] == {
        "replicas": 1,
        "resources": {
            "requests": {"cpu": "250m", "memory": "256Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
        "startup": {"timeout": "60s"},
    }


def test_a_step_and_a_check_get_their_own_defaults(namespace):
    spec = {"steps": [{"weight": 10}], "analysis": {"checks": [{"type": "ErrorRate"}]}}
    stored = namespace.apply(model_deployment(rollout=spec))["spec"]["rollout"]
    assert stored["steps"] == [{"weight": 10, "hold": "1m"}]
    assert stored["analysis"]["checks"] == [{"type": "ErrorRate", "tolerance": "1%"}]


def test_nobody_has_looked_at_a_new_model_deployment(namespace):
    stored = namespace.apply(model_deployment())
    assert stored["status"] == {"observedGeneration": -1}


def test_the_models_read_back_what_the_server_stored(namespace):
    spec = {"serving": {"resources": {"limits": {"cpu": 2}}}, "paused": True}
    read = ModelDeployment.model_validate(namespace.apply(model_deployment(**spec)))
    assert (read.spec.paused, read.spec.serving.resources.limits.cpu) == (True, "2")
    assert read.key == (namespace.name, "fraud")
    assert read.status.observed_generation == -1


def test_provenance_is_kept_as_it_was_written(namespace):
    provenance = {
        "git": {"repository": "https://git.example.com/fraud.git", "commit": "ab12", "dirty": True},
        "data": [{"uri": "s3://lake/transactions", "rows": 1000, "begin": "2026-01-01T00:00:00Z"}],
        "packages": [{"name": "numpy", "version": "2.3.0"}],
        "metrics": [{"name": "auc", "value": "0.913"}],
        "builtBy": "Ada <ada@example.com>",
        "createdAt": "2026-01-31T12:00:00Z",
    }
    stored = namespace.apply(model_version(provenance=provenance))
    assert stored["spec"]["provenance"] == provenance
    assert ModelVersion.model_validate(stored).spec.provenance.data[0].digest is None
