"""What a user reads when the real `kubectl apply` is refused, word for word."""

from __future__ import annotations

import json
import subprocess

import pytest
from cluster.api_server import find_binary
from tests.api.namespace import Namespace, model_deployment, model_version


@pytest.fixture(scope="module")
def kubeconfig(api_server, tmp_path_factory):
    return api_server.write_kubeconfig(tmp_path_factory.mktemp("kubectl") / "kubeconfig")


@pytest.fixture
def apply(kubeconfig, namespace: Namespace, tmp_path):
    """Applies a manifest as a file, and gives what kubectl says to that."""

    def run(manifest) -> str:
        file = tmp_path / "fraud.yaml"
        file.write_text(json.dumps(manifest))
        command = [find_binary("kubectl"), f"--kubeconfig={kubeconfig}", f"--namespace={namespace.name}"]
        done = subprocess.run(
            [*command, "apply", f"--filename={file}"], capture_output=True, text=True, check=False
        )
        return (done.stdout + done.stderr).strip().replace(str(file), "fraud.yaml")

    return run


def rollout(**fields):
    return model_deployment(rollout=fields)


DEPLOYMENT = 'The ModelDeployment "fraud" is invalid: '
VERSION = 'The ModelVersion "fraud-7" is invalid: '
UNKNOWN = (
    'Error from server (BadRequest): error when creating "fraud.yaml": ModelDeployment in version "v1alpha1" cannot be '
    "handled as a ModelDeployment: strict decoding error: unknown field "
)
WEIGHT = (
    "write a weight from 1 to 99, in percent; after the last step the candidate gets all traffic by itself"
)
# The API server's own words: they name the field, the number and the limit. A CEL rule could say no more, and would
# have to allow longer lists first, of which it then pays for each entry.
TOO_MANY = (
    "\n* {}\n* <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)

REFUSED = {
    "an unknown field": (model_deployment(replicas=2), UNKNOWN + '"spec.replicas"'),
    "a misspelt field": (model_deployment(serving={"replica": 2}), UNKNOWN + '"spec.serving.replica"'),
    "weights out of order": (
        rollout(steps=[{"weight": 25}, {"weight": 5}]),
        DEPLOYMENT + "spec.rollout.steps: Invalid value: each weight must be larger than the one before it; "
        'write, say, [{"weight": 5}, {"weight": 25}, {"weight": 50}]',
    ),
    "a weight above 100": (
        rollout(steps=[{"weight": 150}]),
        DEPLOYMENT + f"spec.rollout.steps[0].weight: Invalid value: 150: {WEIGHT}",
    ),
    "a mirror above 100": (
        rollout(steps=[{"mirror": 101}]),
        DEPLOYMENT + "spec.rollout.steps[0].mirror: Invalid value: 101: "
        "write a share of the requests from 1 to 100, in percent",
    ),
    "zero replicas with a canary": (
        model_deployment(serving={"replicas": 0}),
        DEPLOYMENT + "spec: Invalid value: no candidate can be compared with zero pods; "
        "write spec.serving.replicas: 1 or more, or spec.rollout.strategy: Immediate",
    ),
    "a digest that isn't one": (
        model_version(digest="sha256:abc"),
        VERSION
        + 'spec.digest: Invalid value: "sha256:abc": write the digest that `tidegate package` printed: '
        '"sha256:" and 64 lower-case hexadecimal digits',
    ),
    "a scheme that nobody knows": (
        model_version(source={"uri": "ftp://models/fraud"}),
        VERSION
        + 'spec.source.uri: Invalid value: "ftp://models/fraud": write where the bundle lies: a URI that begins '
        "with s3://, gs://, az://, http://, https://, file:/// or pvc://, such as "
        '"s3://models/fraud/7" or "pvc://claim/fraud/7"',
    ),
    "a duration in words": (
        rollout(keepWarm="1 hour"),
        DEPLOYMENT + 'spec.rollout.keepWarm: Invalid value: "1 hour": '
        'write a duration such as "30s", "5m" or "1h30m"',
    ),
    "a quantity in words": (
        model_deployment(serving={"resources": {"limits": {"cpu": "two"}}}),
        DEPLOYMENT
        + 'spec.serving.resources.limits.cpu: Invalid value: "two": write a Kubernetes quantity above zero, '
        'such as "500m" or "2" for cpu and "512Mi" for memory',
    ),
    "too many steps": (
        rollout(steps=[{"weight": weight} for weight in range(1, 22)]),
        DEPLOYMENT + TOO_MANY.format("spec.rollout.steps: Too many: 21: must have at most 20 items"),
    ),
    "too many checks": (
        rollout(analysis={"checks": [{"type": "Latency", "threshold": f"{n}s"} for n in range(1, 12)]}),
        DEPLOYMENT
        + TOO_MANY.format("spec.rollout.analysis.checks: Too many: 11: must have at most 10 items"),
    ),
    "too many data sets": (
        model_version(provenance={"data": [{"uri": "s3://lake/2026"}] * 33}),
        VERSION + TOO_MANY.format("spec.provenance.data: Too many: 33: must have at most 32 items"),
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_is_refused_in_a_sentence(apply, mistake):
    manifest, sentence = REFUSED[mistake]
    assert apply(manifest) == sentence


def test_a_changed_model_version_is_refused(apply):
    assert apply(model_version()) == "modelversion.tidegate.io/fraud-7 created"
    assert apply(model_version(digest="sha256:" + "cd" * 32)) == (
        f"{VERSION}spec: Invalid value: a ModelVersion never changes, since what was tested is what must be served; "
        "apply the changed bundle as a ModelVersion of another name"
    )
