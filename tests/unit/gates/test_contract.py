"""The contract gate: real predictors asked over HTTP, and what callers would notice of a change."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from click.testing import CliRunner
from tests.unit.serving.bundles import BASELINE, FEATURES, GOLDEN, SIGNATURE, sum_graph, write_sum_bundle

from tidegate.bundle import BASELINE_NAME, GOLDEN_NAME, MODEL_NAME, SIGNATURE_NAME, write_bundle
from tidegate.cli import main
from tidegate.contents import read_contents
from tidegate.gate_report import Finding
from tidegate.gates import ContractGate
from tidegate.signature import FeatureKind, Signature, Task, Tensor
from tidegate.verdict import Verdict
from tidegate_gates.confinement import Limits
from tidegate_gates.contract import hold_contract, judge_schema, run_contract
from tidegate_gates.endpoints import Reply, Served, build_endpoints, judge_endpoints
from tidegate_gates.laptop import Laptop
from tidegate_gates.schema import find_changes
from tidegate_gates.subject import run_subject
from tidegate_serving.openapi import build_document

GOOD, BAD = Verdict.GOOD, Verdict.BAD
ALL_ANSWER = Finding("endpoints", GOOD, "all endpoints answer as the signature says (11 requests)")
LAPTOP = Laptop(Path())
replace = msgspec.structs.replace


def with_features(*features: object) -> Signature:
    return replace(SIGNATURE, features=features)


def with_feature(place: int, **changes: object) -> Signature:
    changed = replace(FEATURES[place], **changes)
    return with_features(*(changed if feature is FEATURES[place] else feature for feature in FEATURES))


CLASSES = replace(
    SIGNATURE,
    task=Task.BINARY,
    outputs=(Tensor("label", "BYTES", 0), Tensor("probabilities", "FP32", 2)),
    classes=("no", "yes"),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "sum"
    write_sum_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def address(bundle: Path):
    """Of a predictor that somebody else runs."""
    with run_subject(bundle, Limits()) as running:
        assert running.wait_until_ready(60)
        yield running.address


def write(folder: Path, signature: Signature) -> Path:
    """The bundle of the sum, with another signature."""
    structs = {SIGNATURE_NAME: signature, BASELINE_NAME: BASELINE, GOLDEN_NAME: GOLDEN}
    files = {name: msgspec.json.encode(content) for name, content in structs.items()}
    write_bundle(folder, {MODEL_NAME: sum_graph()} | files, model="fraud", created_by="tests")
    return folder


def test_a_first_version_is_asked_at_every_endpoint(bundle):
    result = run_contract("keeps", ContractGate(), (bundle, None), Limits(), surroundings=LAPTOP)
    assert result.verdict is GOOD
    assert result.findings == (
        ALL_ANSWER,
        Finding(
            "schema",
            GOOD,
            "there is no version in service whose inputs and outputs could be held against these",
        ),
    )


def test_a_version_of_the_same_form_passes(bundle, address):
    found = hold_contract(ContractGate(), (bundle, bundle), Served(address, "fraud"))
    assert found == (
        ALL_ANSWER,
        Finding("schema", GOOD, "inputs and outputs have the form that those of the version in service have"),
    )


def test_a_version_that_needs_what_callers_leave_out_is_blocked_unless_that_is_meant(
    bundle, address, tmp_path
):
    stable = write(tmp_path / "stable", with_feature(1, nullable=True, missing=0.0))
    notice = "callers of the version in service would notice: feature visits must be there now"
    for gate, finding in (
        (ContractGate(), Finding("schema", BAD, f"{notice}; write allowChange: true once they have been changed")),
        (ContractGate(allow_change=True), Finding("schema", GOOD, f"{notice}; allowChange says that they know")),
    ):  # fmt: skip
        assert hold_contract(gate, (bundle, stable), Served(address, "fraud")) == (ALL_ANSWER, finding)


def test_a_graph_that_answers_in_another_shape_than_its_signature_is_blocked(tmp_path):
    bundle = write(tmp_path / "b", replace(SIGNATURE, outputs=(Tensor("prediction", "FP32", 1),)))
    found = {
        one.subject: one
        for one in run_contract(
            "keeps", ContractGate(), (bundle, None), Limits(), surroundings=LAPTOP
        ).findings
        if one.verdict is BAD
    }
    assert [one.message for one in found.values()] == [
        "POST /v2/models/fraud/infer answers prediction FP32 [2], and prediction FP32 [2, 1] is needed",
        "POST /v1/models/fraud:predict with rows as objects answers 4.5 as prediction, and 1 a row is needed",
        "POST /v1/models/fraud:predict with rows as lists answers 4.5 as prediction, and 1 a row is needed",
    ]


def test_an_endpoint_that_is_not_there_is_told_with_the_answer(bundle, address):
    found = {
        one.subject: one for one in hold_contract(ContractGate(), (bundle, None), Served(address, "churn"))
    }
    assert found["GET /v2/models/churn/ready"] == Finding(
        "GET /v2/models/churn/ready",
        BAD,
        "GET /v2/models/churn/ready answers 404, and 200 is needed: "
        "{\"error\":\"model 'churn' is not served here; this is 'fraud'\"}",
    )
    assert found["GET /v1/models"].message == (
        'GET /v1/models answers models ["fraud"], and ["churn"] is needed'
    )


def test_a_predictor_that_is_gone_fails_every_endpoint(bundle):
    found = hold_contract(ContractGate(), (bundle, None), Served(("127.0.0.1", 1), "fraud"))
    assert [one.verdict for one in found] == [BAD] * 11 + [GOOD]
    assert found[0].message.startswith("GET /v2 does not answer: ")
    assert found[0].message.endswith("Connection refused")


def test_a_predictor_that_cannot_start_is_told_by_its_last_line(tmp_path):
    write_sum_bundle(tmp_path / "b", model=b"no graph")
    result = run_contract("keeps", ContractGate(), (tmp_path / "b", None), Limits(), surroundings=LAPTOP)
    assert result.verdict is BAD
    assert result.message.startswith("the predictor does not become ready: it ended with 1: ")
    assert "model.onnx is no ONNX file" in result.message


def test_every_path_that_the_model_describes_is_asked(bundle):
    asked = {one.name.split(" ")[1] for one in build_endpoints("fraud", read_contents(bundle))}
    described = build_document(SIGNATURE, model="fraud", revision="r")["paths"]
    assert asked == {*described, "/openapi.json"}


def test_a_predictor_without_its_own_description_is_no_worse(bundle):
    (description,) = build_endpoints("fraud", read_contents(bundle))[-1:]
    assert list(judge_endpoints([description], [Reply(404)])) == [
        Finding(
            "endpoints",
            GOOD,
            "all endpoints answer as the signature says (0 requests); GET /openapi.json is not there, and need not be",
        )
    ]


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply(200, b"[]"), "GET /v2 answers in another form (Expected `object`, got `array`): []"),
        (
            Reply(200, b"<html>"),
            "GET /v2 answers in another form (JSON is malformed: invalid character (byte 0)): <html>",
        ),
        (Reply(200, b'{"name":"other"}'), "GET /v2 answers name other, and tidegate is needed"),
        (Reply(200, b"{}"), "GET /v2 answers name null, and tidegate is needed"),
        (Reply(503, b'{"error":"loading"}'), 'GET /v2 answers 503, and 200 is needed: {"error":"loading"}'),
        (Reply(failure="timed out"), "GET /v2 does not answer: timed out"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_reply_is_one_sentence(bundle, reply, sentence):
    endpoints = build_endpoints("fraud", read_contents(bundle))[:1]
    assert [one.message for one in judge_endpoints(endpoints, [reply])] == [sentence]


@pytest.mark.parametrize(
    ("stable", "candidate", "changes"),
    [
        (SIGNATURE, SIGNATURE, ()),
        (SIGNATURE, with_feature(1, nullable=True, missing=0.0), ()),
        (SIGNATURE, with_feature(2, categories=("ES",)), ()),
        (with_feature(1, nullable=True, missing=0.0), SIGNATURE, ("feature visits must be there now",)),
        (SIGNATURE, with_feature(1, kind=FeatureKind.NUMBER), ("feature visits is FP64 instead of INT64",)),
        (SIGNATURE, with_feature(2, name="land"), ("feature country is gone", "feature land is new")),
        (SIGNATURE, with_features(FEATURES[1], FEATURES[0], FEATURES[2]), ("features are in another order",)),
        (
            SIGNATURE,
            with_features(replace(FEATURES[0], column=1), replace(FEATURES[1], column=0), FEATURES[2]),
            ("columns of input numbers are in another order",),
        ),
        (
            SIGNATURE,
            replace(SIGNATURE, inputs=(Tensor("numbers", "FP64", 2), SIGNATURE.inputs[1])),
            ("input numbers is FP64 [rows, 2] instead of FP32 [rows, 2]",),
        ),
        (
            SIGNATURE,
            replace(SIGNATURE, outputs=(Tensor("prediction", "FP32", 1),)),
            ("output prediction is FP32 [rows, 1] instead of FP32 [rows]",),
        ),
        (CLASSES, replace(CLASSES, classes=("yes", "no")), ("classes are yes, no instead of no, yes",)),
        (CLASSES, replace(CLASSES, outputs=CLASSES.outputs[::-1]), ("outputs are in another order",)),
        (
            SIGNATURE,
            CLASSES,
            (
                "output prediction is gone",
                "output label is new",
                "output probabilities is new",
                "classes are no, yes instead of none",
            ),
        ),
    ],
)
def test_what_callers_notice_is_found(stable, candidate, changes):
    assert find_changes(stable, candidate) == changes


def test_many_changes_end_somewhere():
    renamed = with_features(*(replace(feature, name=f"{feature.name} 2") for feature in FEATURES))
    found = judge_schema(ContractGate(), SIGNATURE, renamed)
    assert found.message == (
        "callers of the version in service would notice: feature amount is gone; feature visits is gone; feature "
        "country is gone; feature amount 2 is new; feature visits 2 is new; and 1 more; write allowChange: "
        "true once they have been changed"
    )


def test_the_command_holds_it_against_the_version_in_service(bundle, tmp_path):
    stable = write(tmp_path / "stable", with_feature(1, kind=FeatureKind.NUMBER))
    (tmp_path / "gates.yaml").write_text(yaml.safe_dump([{"name": "keeps", "contract": {}}]))
    arguments = ["check", str(bundle), "--gates", str(tmp_path / "gates.yaml"), "--stable", str(stable)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "Bad        keeps: callers of the version in service would notice: feature visits is INT64 instead of FP64; "
        "write allowChange: true once they have been changed\n"
    )
