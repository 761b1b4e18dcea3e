"""What is declared of a model's answers is checked where it is written, and goes into the bundle as it was meant."""

from __future__ import annotations

import json

import joblib
import msgspec
import pytest
import yaml
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression
from tests.unit.sdk import zoo
from tests.unit.serving.bundles import SIGNATURE

import tidegate
from tidegate.cli import main
from tidegate.expectations import Expectation, find_misfit, read_expectations
from tidegate.signature import Signature, Task, Tensor

pytestmark = pytest.mark.filterwarnings("ignore")

CLASSES = msgspec.structs.replace(
    SIGNATURE,
    task=Task.MULTICLASS,
    classes=("low", "middle", "high"),
    outputs=(Tensor("label", "BYTES", 0), Tensor("probabilities", "FP32", 3)),
)


def written(**fields: object) -> Expectation:
    return msgspec.convert({"feature": "amount", "answer": "Same"} | fields, Expectation)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"answer": "NotLower"}, "the expectation of 'amount' needs by, such as \"10%\", or to"),
        ({"by": "10%", "to": ["1"]}, "the expectation of 'amount' has by or to, not both"),
        ({"by": "-0.0%"}, "the expectation of 'amount' has by: -0.0%, which moves nothing"),
        ({"by": "ten"}, "Expected `str` matching regex"),
        ({"answer": "Lower"}, "Invalid enum value 'Lower' - at `$.answer`"),
        ({"to": [1.5]}, "Expected `str`, got `float` - at `$.to[0]`"),
        ({"tolerence": "0.1"}, "unknown field `tolerence`"),
    ],
)
def test_what_is_no_expectation_is_refused_by_its_field(fields, sentence):
    with pytest.raises(msgspec.ValidationError) as caught:
        written(**fields)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("signature", "fields", "sentence"),
    [
        (
            SIGNATURE,
            {"feature": "amuont"},
            "there is no feature 'amuont' to change; the model takes amount, visits, country",
        ),
        (
            SIGNATURE,
            {"feature": "country", "by": "10%"},
            "country by 10%: 'country' is of the kind category, which does not move; write to instead of by",
        ),
        (SIGNATURE, {"to": ["a lot"]}, "'a lot' is no value of 'amount', of the kind number"),
        (SIGNATURE, {"to": ["inf"]}, "'inf' is no value of 'amount', of the kind number"),
        (
            SIGNATURE,
            {"feature": "visits", "to": ["1.5"]},
            "'1.5' is no value of 'visits', of the kind integer",
        ),
        (SIGNATURE, {"of": "high"}, "amount changed: the model answers a number, and no class 'high'"),
        (CLASSES, {"of": "tall"}, "amount changed: the model answers low, middle, high, and no class 'tall'"),
        (
            CLASSES,
            {"answer": "NotLower", "by": "10%"},
            "amount by 10%: NotLower needs of, the class that is meant: low, middle, high",
        ),
        (CLASSES, {"answer": "NotLower", "by": "10%", "of": "high"}, ""),
        (SIGNATURE, {"by": "-0.5"}, ""),
        (SIGNATURE, {"feature": "country", "to": ["ES", "unheard of"]}, ""),
    ],
)
def test_an_expectation_is_held_against_the_signature(signature: Signature, fields, sentence):
    assert find_misfit(written(**fields), signature) == sentence


@pytest.fixture
def fitted():
    sample = zoo.people()
    return zoo.pipeline(LogisticRegression()).fit(sample, zoo.two_classes(sample)), sample


DECLARED = [
    {"feature": "yearly income", "answer": "NotLower", "by": "10%"},
    {"feature": "city", "answer": "Same"},
]


def test_a_bundle_has_what_was_declared_and_is_whole(fitted, tmp_path):
    origin = tidegate.Origin(
        expectations=[tidegate.Expectation("yearly income", "NotLower", by="10%"), DECLARED[1]]
    )
    bundle = tidegate.package(*fitted, name="m", folder=tmp_path / "b", origin=origin)
    assert json.loads((bundle.path / "expectations.json").read_bytes()) == DECLARED
    assert read_expectations(bundle.path) == tuple(msgspec.convert(DECLARED, list[Expectation]))
    assert tidegate.verify_bundle(bundle.path, bundle.digest) == ()


def test_a_bundle_without_a_declaration_has_no_such_file(fitted, tmp_path):
    bundle = tidegate.package(*fitted, name="m", folder=tmp_path / "b")
    assert "expectations.json" not in json.loads((bundle.path / "tidegate.json").read_bytes())["files"]
    assert read_expectations(bundle.path) == ()


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ({"feature": "income", "answer": "Same"}, "expectations[0] can't be held: there is no feature 'income'"),
        ({"feature": "age", "answer": "NotLower"}, "expectations[0] is none: the expectation of 'age' needs by"),
        (tidegate.Expectation("age", "Sme"), "expectations[0] is none: Invalid enum value 'Sme'"),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_be_held_is_refused_when_it_is_packaged(
    fitted, declared, sentence, tmp_path
):
    with pytest.raises(tidegate.PackagingRefusedError) as caught:
        tidegate.package(
            *fitted, name="m", folder=tmp_path / "b", origin=tidegate.Origin(expectations=[declared])
        )
    assert str(caught.value).startswith(sentence)


def package(fitted, folder, content: str):
    joblib.dump(fitted[0], folder / "m.joblib")
    fitted[1].to_csv(folder / "sample.csv", index=False)
    (folder / "declared.yaml").write_text(content)
    files = [str(folder / name) for name in ("m.joblib", "sample.csv")]
    options = ["--name=m", f"--out={folder / 'b'}", f"--expectations={folder / 'declared.yaml'}"]
    return CliRunner().invoke(main, ["package", *files, *options])


def test_the_command_takes_a_file(fitted, tmp_path):
    result = package(fitted, tmp_path, yaml.safe_dump(DECLARED))
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "b/expectations.json").read_bytes()) == DECLARED


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("feature: age", "declared.yaml is no list, such as [{feature: name, answer: Same}] would be"),
        ("[", "declared.yaml can't be read: while parsing"),
        ("[1]", "expectations[0] is none: Expected `object`, got `int`"),
    ],
)
def test_a_file_that_lists_no_expectations_is_refused(fitted, tmp_path, content, sentence):
    result = package(fitted, tmp_path, content)
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_a_file_of_another_form_is_told_in_one_sentence(tmp_path):
    (tmp_path / "expectations.json").write_text('[{"feature": "age", "answer": "Twice"}]')
    with pytest.raises(ValueError, match=r"^expectations.json can't be read: Invalid enum value 'Twice'"):
        read_expectations(tmp_path)
