"""Mistakes are refused at admission, with a sentence that says what to write instead."""

import pytest
from tests.api.namespace import model_deployment, model_version

DURATION = 'write a duration such as "30s", "5m" or "1h30m"'
LONGER_THAN_ZERO = 'write a duration longer than zero, such as "500ms", "30s" or "1h30m"'
PERCENTAGE = 'write a percentage between 0 and 100 with its sign, such as "1%" or "0.5%"'
QUANTITY = 'write a Kubernetes quantity above zero, such as "500m" or "2" for cpu and "512Mi" for memory'
DIGEST = 'write the digest that `tidegate package` printed: "sha256:" and 64 lower-case hexadecimal digits'
WEIGHT = (
    "write a weight from 1 to 99, in percent; after the last step the candidate gets all traffic by itself"
)
NAME = 'write a name of at most 63 lower-case letters, digits, "-" and ".", such as "fraud-7"'
SOURCE = (
    "write where the bundle lies: a URI that begins with s3://, gs://, az://, http://, https://, file:/// or pvc://, "
    'such as "s3://models/fraud/7" or "pvc://claim/fraud/7"'
)
ONE_OF = 'a step has exactly one of mirror and weight; write {"mirror": 100} or {"weight": 5}'
ASCENDING = (
    "each weight must be larger than the one before it; write, say, "
    '[{"weight": 5}, {"weight": 25}, {"weight": 50}]'
)
MIRRORS_FIRST = (
    "steps that mirror come before steps with a weight; write, say, "
    '[{"mirror": 100}, {"weight": 5}, {"weight": 50}]'
)


def serving(**fields):
    return model_deployment(serving=fields)


def rollout(**fields):
    return model_deployment(rollout=fields)


def gates(*found):
    return model_deployment(gates=list(found))


def performance(**fields):
    data = {"uri": "s3://lake/rows.csv", "label": "late"}
    return gates({"name": "predicts", "performance": {"data": data, "metrics": [{"name": "auc"}]} | fields})


def checks(*found):
    return rollout(analysis={"checks": list(found)})


TOLERATION = "spec.serving.tolerations[0]: Invalid value: "
GATE = "a gate has exactly one of performance, serving, dataQuality, behaviour, contract and job; write two gates"
REFUSED = {
    "a label that no node can have": (
        serving(nodeSelector={"example.com/a/b": "x"}),
        "spec.serving.nodeSelector: Invalid value: write labels such as pool or example.com/pool",
    ),
    "a value that no label can have": (
        serving(nodeSelector={"pool": "two words"}),
        "spec.serving.nodeSelector: Invalid value: write a value of at most 63 letters",
    ),
    "a toleration of one value and of every value": (
        serving(tolerations=[{"key": "dedicated", "operator": "Exists", "value": "models"}]),
        TOLERATION + "operator Exists holds for every value; leave out value, or write operator: Equal",
    ),
    "a toleration of nothing": (
        serving(tolerations=[{"effect": "NoSchedule"}]),
        TOLERATION + "write the key of the taint, or operator: Exists for every taint",
    ),
    "a toleration that ends though nobody is evicted": (
        serving(tolerations=[{"key": "dedicated", "effect": "NoSchedule", "tolerationSeconds": 60}]),
        TOLERATION + "tolerationSeconds is about being evicted; write effect: NoExecute with it",
    ),
    "a toleration of what is no taint": (
        serving(tolerations=[{"key": "two words"}]),
        TOLERATION + "the key of a toleration is that of a taint",
    ),
    "a toleration of a value that no taint has": (
        serving(tolerations=[{"key": "dedicated", "value": "two words"}]),
        TOLERATION + "the value of a toleration is that of a taint",
    ),
    "a gate of no kind": (gates({"name": "empty"}), f"spec.gates[0]: Invalid value: {GATE}"),
    "a gate of two kinds": (
        gates({"name": "both", "contract": {}, "serving": {}}),
        f"spec.gates[0]: Invalid value: {GATE}",
    ),
    "a gate whose name is no name": (
        gates({"name": "Serves well", "serving": {}}),
        (
            'spec.gates[0].name: Invalid value: "Serves well": write a name of at most 63 lower-case letters, digits '
            'and "-", such as "predicts-well"'
        ),
    ),
    "two gates of one name": (
        gates({"name": "serves", "serving": {}}, {"name": "serves", "contract": {}}),
        'duplicate entries for key [name="serves"]',
    ),
    "a limit that is a float": (
        performance(metrics=[{"name": "auc", "atLeast": 0.85}]),
        '.spec.gates[name="predicts"].performance.metrics[0].atLeast: expected string',
    ),
    "a limit that is no number": (
        performance(metrics=[{"name": "auc", "atLeast": "good"}]),
        (
            'spec.gates[0].performance.metrics[0].atLeast: Invalid value: "good": write a decimal number as text, such '
            'as "0.85"'
        ),
    ),
    "a gate without metrics": (
        performance(metrics=[]),
        "spec.gates[0].performance.metrics in body should have at least 1 items",
    ),
    "a latency without its unit": (
        gates({"name": "serves", "serving": {"latency": {"p99": "20"}}}),
        (
            'spec.gates[0].serving.latency.p99: Invalid value: "20": write a duration such as "500ms", "30s" or "1m30s"'
        ),
    ),
    "an age without the column that it is of": (
        gates(
            {
                "name": "rows",
                "dataQuality": {"data": {"uri": "s3://a/b.csv", "label": "l"}, "notOlderThan": "30d"},
            }
        ),
        (
            "spec.gates[0].dataQuality: Invalid value: timeColumn and notOlderThan are written together, or neither of "
            "them"
        ),
    ),
    "a direction without a move": (
        gates(
            {"name": "behaves", "behaviour": {"expectations": [{"feature": "income", "answer": "NotLower"}]}}
        ),
        (
            "spec.gates[0].behaviour.expectations[0]: Invalid value: an expectation has by or to, not both; NotLower "
            "and NotHigher need one of them"
        ),
    ),
    "a setting of a gate that nobody knows": (
        gates({"name": "serves", "serving": {"threads": 2}}),
        '.spec.gates[name="serves"].serving.threads: field not declared in schema',
    ),
    "a weight without its step's kind": (
        rollout(steps=[{"hold": "1m"}]),
        f"spec.rollout.steps[0]: Invalid value: {ONE_OF}",
    ),
    "mirror and weight at once": (
        rollout(steps=[{"mirror": 100, "weight": 5}]),
        f"spec.rollout.steps[0]: Invalid value: {ONE_OF}",
    ),
    "weights that fall": (
        rollout(steps=[{"weight": 25}, {"weight": 5}]),
        f"spec.rollout.steps: Invalid value: {ASCENDING}",
    ),
    "a weight twice": (
        rollout(steps=[{"weight": 5}, {"weight": 5}]),
        f"spec.rollout.steps: Invalid value: {ASCENDING}",
    ),
    "a mirror after a weight": (
        rollout(steps=[{"weight": 5}, {"mirror": 100}]),
        f"spec.rollout.steps: Invalid value: {MIRRORS_FIRST}",
    ),
    "a weight of 100": (
        rollout(steps=[{"weight": 100}]),
        f"spec.rollout.steps[0].weight: Invalid value: 100: {WEIGHT}",
    ),
    "no steps": (rollout(steps=[]), "spec.rollout.steps in body should have at least 1 items"),
    "a hold without its unit": (
        rollout(steps=[{"weight": 5, "hold": "60"}]),
        f'spec.rollout.steps[0].hold: Invalid value: "60": {DURATION}',
    ),
    "an analysis for ever": (
        rollout(maxDuration="0s"),
        f'spec.rollout.maxDuration: Invalid value: "0s": {LONGER_THAN_ZERO}',
    ),
    "zero pods that should be compared": (
        serving(replicas=0),
        (
            "spec: Invalid value: no candidate can be compared with zero pods; write spec.serving.replicas: 1 or more, "
            "or spec.rollout.strategy: Immediate"
        ),
    ),
    "a latency without its threshold": (
        checks({"type": "Latency"}),
        (
            "spec.rollout.analysis.checks[0]: Invalid value: a check of type Latency needs a threshold; "
            'write, say, threshold: "500ms"'
        ),
    ),
    "a threshold for errors": (
        checks({"type": "ErrorRate", "threshold": "1s"}),
        (
            "spec.rollout.analysis.checks[0]: Invalid value: only a check of type Latency has a threshold; "
            "remove it, or write type: Latency"
        ),
    ),
    "a check twice": (
        checks({"type": "ErrorRate"}, {"type": "ErrorRate", "tolerance": "2%"}),
        (
            "spec.rollout.analysis.checks: Invalid value: each check may stand only once; "
            "remove the one whose type and threshold repeat"
        ),
    ),
    "a check that nobody knows": (
        checks({"type": "Beauty"}),
        'spec.rollout.analysis.checks[0].type: Unsupported value: "Beauty": supported values: "ErrorRate", "Latency"',
    ),
    "a percentage without its sign": (
        rollout(analysis={"maxFalseRollback": "1"}),
        f'spec.rollout.analysis.maxFalseRollback: Invalid value: "1": {PERCENTAGE}',
    ),
    "a chance of nothing": (
        rollout(analysis={"maxFalseRollback": "0.0%"}),
        f'spec.rollout.analysis.maxFalseRollback: Invalid value: "0.0%": {PERCENTAGE}',
    ),
    "memory in words": (
        serving(resources={"limits": {"memory": "512 MB"}}),
        f'spec.serving.resources.limits.memory: Invalid value: "512 MB": {QUANTITY}',
    ),
    "more asked for than allowed": (
        serving(resources={"requests": {"memory": "2Gi"}}),
        (
            "spec.serving.resources: Invalid value: requests.memory must not be larger than limits.memory; "
            "raise spec.serving.resources.limits.memory (default 512Mi)"
        ),
    ),
    "a name that no Service can have": (
        model_deployment(name="7-fraud"),
        (
            'choose a metadata.name that begins with a letter and has only lower-case letters, digits and "-", '
            "such as fraud; a Service is called the same"
        ),
    ),
    "a name too long for its pods": (
        model_deployment(name="f" * 51),
        "choose a metadata.name of at most 50 characters; pods and Services are named after it",
    ),
    "a field that does not exist": (
        model_deployment(replicas=2),
        ".spec.replicas: field not declared in schema",
    ),
    "a version of no name": (
        model_deployment(modelVersion=""),
        f'spec.modelVersion: Invalid value: "": {NAME}',
    ),
    "a digest that is none": (
        model_version(digest="sha256:abc"),
        f'spec.digest: Invalid value: "sha256:abc": {DIGEST}',
    ),
    "a source that is no URI": (
        model_version(source={"uri": "/models/fraud"}),
        f'spec.source.uri: Invalid value: "/models/fraud": {SOURCE}',
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_is_refused_with_what_to_write_instead(namespace, mistake):
    manifest, sentence = REFUSED[mistake]
    assert sentence in namespace.refusal(manifest)


def test_a_changed_model_version_is_refused(namespace):
    namespace.apply(model_version())
    refused = namespace.refusal(model_version(source={"uri": "s3://models/fraud/8"}))
    assert refused.endswith(
        "spec: Invalid value: a ModelVersion never changes, since what was tested is what must be served; "
        "apply the changed bundle as a ModelVersion of another name"
    )


def test_what_stands_at_the_edge_of_each_rule_is_accepted(namespace):
    namespace.apply(model_version(source={"uri": "pvc://claim/fraud", "secretRef": {"name": "store"}}))
    namespace.apply(
        model_deployment(
            name="f" * 50,
            serving={
                "replicas": 0,
                "resources": {"limits": {"cpu": 2}},
                "nodeSelector": {"a.example.com/p": "", "P_q.r": "x" * 63},
                "tolerations": [{"operator": "Exists"}, {"key": "a", "value": ""}]
                + [
                    {"key": f"example.com/{n}", "effect": "NoExecute", "tolerationSeconds": 0}
                    for n in range(14)
                ],
            },
            rollout={
                "strategy": "Immediate",
                "keepWarm": "0s",
                "steps": [{"mirror": 1}, {"mirror": 100, "hold": "1h30m"}, {"weight": 1}, {"weight": 99}],
                "analysis": {
                    "maxFalseRollback": "99.9999%",
                    "checks": [
                        {"type": "Latency", "threshold": "1ms"},
                        {"type": "Latency", "threshold": "1s500ms"},
                    ],
                    "trips": [],
                },
            },
        )
    )
