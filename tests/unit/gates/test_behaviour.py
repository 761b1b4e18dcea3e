"""The behaviour gate: real models that do what is expected of them, and ones with a bad habit each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tests.unit.gates import graphs
from tests.unit.serving.bundles import FEATURES, GOLDEN, write_numbers_bundle, write_sum_bundle

import tidegate
from tidegate.cli import main
from tidegate.expectations import Expectation
from tidegate.gate_report import Finding, GateResult
from tidegate.gates import BehaviourGate
from tidegate.signature import Feature, FeatureKind
from tidegate.verdict import Verdict
from tidegate_gates.behaviour import run_behaviour
from tidegate_gates.changes import plan_changes
from tidegate_gates.laptop import Laptop
from tidegate_gates.robustness import hold_robustness
from tidegate_gates.trial_rows import take_golden, take_sample
from tidegate_serving.model import Model

pytestmark = pytest.mark.filterwarnings("ignore")

GOOD, BAD, NOT_ENOUGH = Verdict.GOOD, Verdict.BAD, Verdict.NOT_ENOUGH
SUM = Path("sum")
"""amount + visits, one more in Germany; the golden rows are 1.5, 2, DE and 4.0, 3, FR."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle `sum`."""
    folder = tmp_path_factory.mktemp("bundles")
    write_sum_bundle(folder / SUM)
    return folder


def expect(**fields: object) -> BehaviourGate:
    return msgspec.convert({"expectations": [{"answer": "Same"} | fields]}, BehaviourGate)


def run(bundle: Path, gate: BehaviourGate = BehaviourGate()) -> GateResult:  # noqa: B008
    return run_behaviour(
        "behaves", gate, (bundle, None), Model(bundle, threads=1), surroundings=Laptop(bundle)
    )


def findings(bundle: Path, gate: BehaviourGate = BehaviourGate()) -> dict[str, Finding]:  # noqa: B008
    return {finding.subject: finding for finding in run(bundle, gate).findings}


def test_a_sound_version_tells_all_that_was_tried(folder):
    result = run(folder / SUM)
    assert result.verdict is GOOD
    assert [f"{one.subject}: {one.message}" for one in result.findings] == [
        "golden rows: 2 golden rows are answered as when the version was built (tolerance 0.0001)",
        "expectations: no expectation is declared, neither in the gate nor in the bundle",
        "missing values: rows are answered without the feature that may be missing",
        "unseen values: rows are answered with an unseen value in the feature of text",
        "values that must be there: rows are refused without each of 2 features that must be there",
        "asked twice: asked twice, 64 rows get the same bits with 1, 2 and 4 threads",
        "company: each golden row gets the same answer alone and among 64 rows (tolerance 0.0001)",
        "threads: golden rows get the same answers with 1, 2 and 4 threads (tolerance 0.0001)",
    ]


@pytest.mark.parametrize(
    ("fields", "verdict", "sentence"),
    [
        (
            {"feature": "amount", "by": "10%", "answer": "NotLower"},
            GOOD,
            "amount by 10%: of 2 rows none is answered lower",
        ),
        (
            {"feature": "amount", "by": "10%", "answer": "NotHigher"},
            BAD,
            ("amount by 10%: of 2 rows 2 are answered higher, golden row 1 with 7.4 instead of 7 "
            "(amount 4.4 instead of 4); none may be"),
        ),
        (
            {"feature": "amount", "by": "10%", "answer": "NotHigher", "tolerance": "0.5"},
            GOOD,
            "amount by 10%: of 2 rows none is answered higher",
        ),
        (
            {"feature": "visits", "by": "-1%", "answer": "NotLower"},
            BAD,
            ("visits by -1%: of 2 rows 2 are answered lower, golden row 0 with 3.5 instead of 4.5 "
            "(visits 1 instead of 2); none may be"),
        ),
        (
            {"feature": "country"},
            BAD,
            ("country changed: of 2 rows 2 are answered otherwise, golden row 0 with 3.5 instead of 4.5 "
            "(country FR instead of DE); none may be"),
        ),
        (
            {"feature": "country", "to": ["ES", "FR"]},
            BAD,
            ("country to ES or FR: of 2 rows 1 is answered otherwise, golden row 0 with 3.5 instead of 4.5 "
            "(country ES instead of DE); none may be"),
        ),
        (
            {"feature": "country", "to": ["ES", "FR"], "exceptions": "50%"},
            GOOD,
            ("country to ES or FR: of 2 rows 1 is answered otherwise, golden row 0 with 3.5 instead of 4.5 "
            "(country ES instead of DE); 50% of them may be"),
        ),
        (
            {"feature": "amount", "to": ["1e30"], "answer": "NotLower"},
            BAD,
            ("amount to 1e30: of 2 rows 2 are answered lower or not at all, golden row 0 not at all "
            "(amount 1e+30 instead of 1.5: the answer is not a finite number); none may be"),
        ),
        (
            {"feature": "amuont", "by": "10%"},
            NOT_ENOUGH,
            "there is no feature 'amuont' to change; the model takes amount, visits, country",
        ),
    ],
)  # fmt: skip
def test_an_expectation_is_held_with_the_worst_row(folder, fields, verdict, sentence):
    result = run(folder / SUM, expect(**fields))
    assert (result.verdict, result.findings[1].verdict) == (verdict, verdict)
    assert result.findings[1].message == sentence


def test_what_no_row_can_show_is_not_enough(tmp_path):
    rows, outputs = ((None, 2, "DE"), (0.0, 3, "DE")), {"prediction": ((2.0,), (4.0,))}
    write_sum_bundle(tmp_path / "b", golden=msgspec.structs.replace(GOLDEN, rows=rows, outputs=outputs))
    found = findings(tmp_path / "b", expect(feature="amount", by="10%", answer="NotLower"))
    assert found["amount by 10%: NotLower"] == Finding(
        "amount by 10%: NotLower",
        NOT_ENOUGH,
        "amount by 10%: none of 2 rows has a value of amount that this changes; give other values (to) or other rows "
        "(data)",
    )


@pytest.mark.parametrize(
    ("bundle", "subject", "sentence"),
    [
        (
            graphs.sociable_graph,
            "company",
            "golden row 0: prediction is 4.625 among 64 rows, but 0 alone (tolerance 0.0001)",
        ),
        (
            graphs.rounding_graph,
            "threads",
            "golden row 0: prediction is 152 with 2 threads, but 0 with 1 (tolerance 0.0001)",
        ),
        (
            graphs.gapless_graph,
            "a, missing",
            "without a, 2 of 2 golden rows are not answered: the answer is not a finite number",
        ),
    ],
)  # fmt: skip
def test_a_bad_habit_blocks_by_its_own_sentence(tmp_path, bundle, subject, sentence):
    found = findings(graphs.write_numbers(tmp_path / "b", bundle()))
    assert found[subject] == Finding(subject, BAD, sentence)
    assert found["golden rows"].verdict is GOOD


def test_an_answer_by_chance_is_found_though_it_is_within_the_tolerance(tmp_path):
    found = findings(graphs.write_numbers(tmp_path / "b", graphs.restless_graph()))
    twice = found.pop("asked twice")
    assert {one.verdict for one in found.values()} == {GOOD}
    assert twice.verdict is BAD
    assert re.fullmatch(
        r"asked twice with 1 thread, \d+ of 64 rows get other bits the second time", twice.message
    )


def test_a_country_that_nobody_has_seen_is_to_be_answered(tmp_path):
    result = run(graphs.write_picky(tmp_path / "b"))
    assert result.verdict is BAD
    assert result.message == (
        "with 'never seen before' as country, 2 of 2 golden rows are not answered: the answer is not a finite number"
    )


class Lenient(Model):
    """A model whose rows are filled, where they should have been refused."""

    def encode(self, columns):
        filled = {
            name: [0 if value is None else value for value in column] for name, column in columns.items()
        }
        return super().encode(filled | {"country": ["DE"] * len(columns["visits"])})


def test_a_gap_that_should_have_been_refused_and_is_answered_blocks(folder):
    model = Lenient(folder / SUM, threads=1)
    found = [one for one in hold_robustness(model, take_golden(GOLDEN)) if one.verdict is BAD]
    assert [f"{one.subject}: {one.message}" for one in found] == [
        "visits, missing: a row without visits, which must be there, is answered",
        "country, missing: a row without country, which must be there, is answered",
    ]


def test_a_model_that_takes_one_row_only_is_blocked(tmp_path):
    write_numbers_bundle(tmp_path / "b", together="never")
    found = findings(tmp_path / "b")["determinism"]
    assert found.verdict is BAD
    assert found.message.startswith("64 rows in one request are not answered: [ONNXRuntimeError]")


def test_golden_rows_that_are_answered_otherwise_block(tmp_path):
    other = {"prediction": ((4.5,), (7.5,))}
    write_sum_bundle(tmp_path / "b", golden=msgspec.structs.replace(GOLDEN, outputs=other))
    assert run(tmp_path / "b").message == (
        "golden row 1: prediction is 7 here, but was 7.5 when the version was built (tolerance 0.0001)"
    )


DECLARED = [
    {"feature": "income", "answer": "NotLower", "by": "10%", "of": "granted"},
    {"feature": "name", "answer": "Same"},
]


def draw(rows: int) -> pd.DataFrame:
    """Loans: granted by income; and, by whoever decided in those days, more often to Anna."""
    chance = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "income": chance.normal(50, 10, rows).round(1),
            "name": chance.choice(["Anna", "Mehmet", "Olga"], rows),
        }
    )
    score = (frame.income - 50) / 5 + (frame.name == "Anna") * 2
    frame["loan"] = np.where(score + chance.normal(size=rows) > 0, "granted", "refused")
    return frame


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows, and bundles that have the same expectations, but for `silent`, which is `by-name` without."""
    folder, frame = tmp_path_factory.mktemp("loans"), draw(2000)
    blind, named = (OneHotEncoder(categories=[["nobody"]], handle_unknown="ignore"), OneHotEncoder())
    models = {
        "fair": (blind, frame.loan),
        "by-name": (named, frame.loan),
        "silent": (named, frame.loan),
        "upside-down": (blind, np.where(frame.loan == "granted", "refused", "granted")),
    }
    for name, (encoder, labels) in models.items():
        steps = make_column_transformer((encoder, ["name"]), (StandardScaler(), ["income"]))
        model = make_pipeline(steps, LogisticRegression()).fit(frame[["income", "name"]], labels)
        origin = tidegate.Origin(expectations=() if name == "silent" else DECLARED)
        tidegate.package(
            model, frame[["income", "name"]], name="loan", folder=folder / name, origin=origin, tolerance=1e-3
        )
    frame.to_csv(folder / "rows.csv", index=False)
    return folder


def check(loans: Path, bundle: str, *options: str, **gate: object) -> Result:
    (loans / "gates.yaml").write_text(yaml.safe_dump([{"name": "behaves", "behaviour": gate}]))
    arguments = ["check", str(loans / bundle), "--gates", str(loans / "gates.yaml"), *options]
    return CliRunner().invoke(main, arguments)


def test_a_version_that_does_what_its_bundle_declares_passes(loans):
    result = check(loans, "fair")
    assert result.exit_code == 0, result.output
    assert "income by 10%: of 8 rows none is answered lower for granted; name changed: of 8 rows none is" in (
        result.stdout
    )


def test_a_version_that_looks_at_the_name_is_blocked(loans):
    result = check(loans, "by-name")
    assert result.exit_code == 1
    assert "Bad        behaves: name changed: of 8 rows " in result.stdout
    assert "are answered otherwise, golden row " in result.stdout


def test_a_version_that_turns_income_upside_down_is_blocked(loans):
    result = check(loans, "upside-down")
    assert result.exit_code == 1
    assert "income by 10%: of 8 rows " in result.stdout
    assert " are answered lower for granted, golden row " in result.stdout


def test_rows_of_a_file_show_more_than_golden_rows(loans):
    result = check(loans, "fair", data={"uri": "rows.csv", "rows": 300})
    assert result.exit_code == 0, result.output
    assert "income by 10%: of 258 rows none is answered lower for granted" in result.stdout


def test_the_gate_adds_to_what_the_bundle_declares_and_holds_the_same_once(loans):
    more = {"feature": "income", "answer": "NotHigher", "by": "-1"}
    result = check(loans, "fair", "--output=json", expectations=[DECLARED[1], more])
    subjects = [one["subject"] for one in json.loads(result.stdout)["results"][0]["findings"]]
    assert subjects[1:4] == ["name changed: Same", "income by -1: NotHigher", "income by 10%: NotLower"]


def test_what_the_version_in_service_declares_is_held_though_this_one_is_silent(loans):
    stable = f"--stable={loans / 'fair'}"
    result = check(loans, "silent", stable)
    assert result.exit_code == 1
    assert "Bad        behaves: name changed: of 8 rows " in result.stdout
    assert (
        "the version in service declares this, and this one does not; keepExpectations: false lets it go"
        in result.stdout
    )
    assert check(loans, "silent", stable, keepExpectations=False).exit_code == 0


def test_what_the_version_in_service_declares_and_this_one_keeps_is_told(loans):
    result = check(loans, "silent", f"--stable={loans / 'fair'}", "--output=json")
    told = {one["subject"]: one["message"] for one in json.loads(result.stdout)["results"][0]["findings"]}
    assert told["income by 10%: NotLower"] == (
        "income by 10%: of 8 rows none is answered lower for granted; the version in service declares this, and this "
        "one does not"
    )


def test_rows_that_cannot_be_read_are_no_reason_to_pass(loans):
    result = check(loans, "fair", data={"uri": "gone.csv"})
    assert result.exit_code == 3
    assert "NotEnough  behaves: there is no file gone.csv" in result.stdout


def test_rows_that_the_model_does_not_answer_are_told_and_left_out(loans):
    draw(100).assign(income=lambda frame: frame.income.where(frame.index > 9)).to_csv(loans / "gapped.csv")
    result = check(loans, "fair", data={"uri": "gapped.csv"})
    assert result.exit_code == 0, result.output
    assert (
        "10 of 108 rows are not answered, row 0 of gapped.csv since feature 'income' is missing (null), but this "
        "version was built without missing values in it; expectations are tried on the others"
        in result.stdout
    )


def test_a_declaration_that_cannot_be_read_is_no_reason_to_pass(tmp_path):
    write_sum_bundle(tmp_path / "b")
    (tmp_path / "b/expectations.json").write_text('[{"feature": "age", "answer": "Twice"}]')
    found = findings(tmp_path / "b")["expectations"]
    assert found.verdict is NOT_ENOUGH
    assert found.message == "expectations.json can't be read: Invalid enum value 'Twice' - at `$[0].answer`"


def test_a_sample_is_spread_over_the_file(tmp_path, folder):
    rows = pd.DataFrame({"amount": range(25_000), "visits": 1, "country": "DE"})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    taken = take_sample(tmp_path / "rows.csv", Model(folder / SUM, threads=1).signature, 100)
    assert (len(taken), taken.names[-1]) == (98, "row 24832 of rows.csv")
    assert taken.columns["amount"] == [256.0 * place for place in range(98)]


NUMBER, WHOLE = FEATURES[0], FEATURES[1]
VALUES = st.lists(st.none() | st.integers(-(10**6), 10**6), min_size=1, max_size=5)
STEPS = st.integers(1, 200).map(str)


@given(VALUES, STEPS, st.sampled_from(["", "%"]), st.sampled_from([NUMBER, WHOLE]))
def test_a_step_leads_the_way_that_its_sign_says_and_whole_numbers_stay_whole(values, size, unit, feature):
    for sign, direction in (("", 1), ("-", -1)):
        moved = Expectation(feature.name, "Same", by=f"{sign}{size}{unit}")
        for change in plan_changes(moved, feature, values):
            assert (change.after - values[change.row]) * direction > 0
            assert feature.kind is not FeatureKind.INTEGER or change.after == int(change.after)


@given(VALUES, st.sampled_from([NUMBER, Feature("flag", FeatureKind.BOOLEAN, "x", 0, nullable=True)]))
def test_a_changed_value_is_another_one_and_known_from_other_rows(values, feature):
    if feature.kind is FeatureKind.BOOLEAN:
        values = [None if value is None else value > 0 for value in values]
    changes = plan_changes(Expectation(feature.name, "Same"), feature, values)
    assert all(change.after != values[change.row] for change in changes)
    assert {values[change.row] for change in changes}.isdisjoint({None})


def test_codes_of_a_category_are_compared_as_text():
    feature = Feature("code", FeatureKind.CATEGORY, "x", 0, nullable=False, categories=("1", "2"))
    changes = plan_changes(Expectation("code", "Same"), feature, [1, "2"])
    assert [(change.row, change.after) for change in changes] == [(0, "2"), (1, "1")]


def test_golden_rows_keep_the_order_of_their_own_names():
    assert take_golden(GOLDEN).pick([1]).columns == {"amount": [4.0], "visits": [3], "country": ["FR"]}
