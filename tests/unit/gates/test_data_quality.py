"""The data quality gate: rows that pass, and for each kind of defect rows that are blocked, in the gate's own words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import tidegate
from tidegate.cli import main
from tidegate.gate_report import Finding
from tidegate.gates import DataSet
from tidegate.provenance import Data
from tidegate.verdict import Verdict
from tidegate_gates.training_rows import Origin, compare_origin

pytestmark = pytest.mark.filterwarnings("ignore")
FEATURES = ["debt", "age", "member", "region"]
ROWS = 2000


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Customers, of whom one in ten told nobody about debts; who has many is late more often."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer": np.arange(rows) + seed * 1_000_000,
            "debt": chance.normal(size=rows),
            "age": chance.integers(18, 80, size=rows),
            "member": chance.random(rows) < 0.5,
            "region": chance.choice(["north", "south", "east"], size=rows),
        }
    )
    frame["late"] = np.where(chance.random(rows) < 1 / (1 + np.exp(-2 * frame.debt)), "yes", "no")
    frame.loc[frame.index % 10 == 0, "debt"] = np.nan
    return frame


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle `late`, whose sample is `sample.csv`."""
    folder = tmp_path_factory.mktemp("shop")
    sample = draw(ROWS, 1)
    sample.to_csv(folder / "sample.csv", index=False)
    steps = make_column_transformer(
        (SimpleImputer(), ["debt", "age", "member"]), (OneHotEncoder(handle_unknown="ignore"), ["region"])
    )
    model = make_pipeline(steps, LogisticRegression(max_iter=1000)).fit(sample[FEATURES], sample.late)
    tidegate.package(model, sample[FEATURES], name="late", folder=folder / "late")
    told = tidegate.Origin(data=[folder / "sample.csv"])
    tidegate.package(model, sample[FEATURES], name="late", folder=folder / "told", origin=told)
    return folder


def check(
    folder: Path, frame: pd.DataFrame, *, bundle: str = "late", label: str = "late", **gate: object
) -> Result:
    """`tidegate check` with one gate on some rows."""
    frame.to_csv(folder / "rows.csv", index=False)
    return check_file(folder, "rows.csv", bundle=bundle, label=label, **gate)


def check_file(
    folder: Path, name: str, *, bundle: str = "late", label: str = "late", **gate: object
) -> Result:
    asked = {"data": {"uri": name, "label": label}} | gate
    (folder / "gates.yaml").write_text(yaml.safe_dump([{"name": "sound", "dataQuality": asked}]))
    return CliRunner().invoke(
        main, ["check", str(folder / bundle), "--gates", str(folder / "gates.yaml"), "--output=json"]
    )


def read_findings(result: Result) -> dict[str, Finding]:
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    found = json.loads(result.stdout)["results"][0]["findings"]
    return {one["subject"]: Finding(one["subject"], Verdict(one["verdict"]), one["message"]) for one in found}


def list_bad(result: Result, verdict: Verdict = Verdict.BAD) -> dict[str, str]:
    """What is bad, by its subject."""
    return {subject: one.message for subject, one in read_findings(result).items() if one.verdict is verdict}


UNKNOWN = "whether others of its sample are, nothing in the bundle tells"


def test_rows_like_those_of_the_sample_pass_with_the_figures_of_what_was_looked_at(shop):
    result = check(shop, draw(ROWS, 2))
    assert result.exit_code == 0, result.output
    assert [one.message for one in read_findings(result).values()] == [
        "all 4 features and the label are there, as the model takes them",
        "rows by label: no 1,006, yes 994",
        "no feature is missing in a share that differs from the sample's by more than 0 % ('debt')",
        "of no feature more than 0 % of the values lie outside of the sample's range ('debt')",
        "of no feature more than 0 % of the values are unseen ('member')",
        "0 of 2,000 rows (0 %) repeat another one in every column; at most 5% is wanted",
        "no feature alone surely tells more than 0.560 of the label ('debt')",
        f"1 of the 8 golden rows, which are of the version's sample, are among these, 1.7 by chance; {UNKNOWN}",
    ]


def change(rows: int, **values: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Other values in the last rows."""

    def apply(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype(dict.fromkeys(values, object))
        for name, value in values.items():
            frame.loc[len(frame) - rows :, name] = value(frame) if callable(value) else value
        return frame

    return apply


CHANCE = "at most {} is wanted, and {} % more for what chance does in a sample of 2,000"
NEEDED = "column '{}' of rows.csv holds '{}' ({} of 2,000 rows are such), but {} is needed"


@pytest.mark.parametrize(
    ("defect", "subject", "sentence"),
    [
        (lambda frame: frame.drop(columns="age"), "columns, age",
         "rows.csv has no column 'age'; it has customer, debt, member, region, late"),
        (change(3, debt="none"), "columns, debt", NEEDED.format("debt", "none", 3, "a number")),
        (change(3, debt=np.inf), "columns, debt", NEEDED.format("debt", "inf", 3, "a number")),
        (change(1, age=40.5), "columns, age", NEEDED.format("age", "40.5", 1, "a whole number")),
        (change(2, member="so"), "columns, member", NEEDED.format("member", "so", 2, "true or false")),
        (change(300, age=None), "change of missing, age",
         "'age' is missing in 15 % of the rows and in 0 % of the sample's; a change of " + CHANCE.format("5%", 0.45)),
        (lambda frame: frame.fillna({"debt": 0.0}), "change of missing, debt",
         "'debt' is missing in 0 % of the rows and in 10 % of the sample's; a change of " + CHANCE.format("5%", 2.2)),
        (change(200, age=lambda frame: frame.age * 12), "range, age",
         "10 % of the values of 'age' lie outside of 18 to 79, the range of the sample, such as 576; "
         + CHANCE.format("1%", 0.46)),
        (change(200, region="north-west"), "unseen, region",
         "10 % of the values of 'region' are none of the 3 that the bundle has of its sample, such as 'north-west'; "
         + CHANCE.format("1%", 0.45)),
        (lambda frame: pd.concat([frame, frame.head(200)]), "repeated rows",
         "200 of 2,200 rows (9.09 %) repeat another one in every column; at most 5% is wanted"),
        (change(12, late=None), "label", "12 of 2,000 rows have no label (column 'late')"),
        (change(12, late="soon"), "label",
         "12 of 2,000 rows have labels such as 'soon', but the model knows no, yes"),
        (change(ROWS, debt=lambda frame: np.where(frame.late == "yes", 1, -1) * (0.1 + frame.debt.abs() / 2)),
         "leakage, debt",
         ("'debt' alone tells 0.990 of the label (an area under the ROC curve of 0.9950), 0.987 at least; at most "
          "0.975 is wanted: leave it out, or put it into exceptFor if it is known before the label is")),
    ],
)  # fmt: skip
def test_a_defect_is_blocked_by_its_column_and_figures_and_nothing_else_is(shop, defect, subject, sentence):
    result = check(shop, defect(draw(ROWS, 2)))
    assert result.exit_code == 1, result.output
    assert list_bad(result) == {subject: sentence}


@pytest.mark.parametrize(
    ("change", "subject", "sentence"),
    [
        (lambda frame: frame.drop(columns="late"), "columns, late",
         "rows.csv has no column 'late'; it has customer, debt, age, member, region"),
        (lambda frame: frame[frame.late == "yes"], "label",
         "all rows that have a label have the same, yes; two at least are needed"),
        (lambda frame: frame.head(0), "rows", "rows.csv has no rows"),
    ],
)  # fmt: skip
def test_rows_without_two_labels_are_blocked(shop, change, subject, sentence):
    result = check(shop, change(draw(ROWS, 2)))
    assert (result.exit_code, list_bad(result)) == (1, {subject: sentence})


UNSURE = "too few to tell a good feature from one that gives it away"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (draw(150, 2), f"150 rows have a label, {UNSURE}; 200 are needed"),
        (draw(ROWS, 2).sort_values("late").head(1020),
         f"14 rows have another label than most, {UNSURE}; 30 are needed"),
    ],
)  # fmt: skip
def test_in_few_rows_a_leak_can_not_be_told_and_nothing_passes(shop, rows, sentence):
    result = check(shop, rows)
    assert (result.exit_code, list_bad(result, Verdict.NOT_ENOUGH)) == (3, {"leakage": sentence})


def test_settings_are_limits_of_their_own(shop):
    frame = change(300, age=None)(draw(ROWS, 2))
    asked = {"missing": {"change": "15%", "atMost": "12%"}, "repeatedRows": "0%"}
    assert list_bad(check(shop, frame, **asked)) == {
        "missing, age": "'age' is missing in 15 % of the rows; at most 12% is wanted"
    }
    assert check(shop, frame, missing={"change": "15%", "atMost": "15%"}).exit_code == 0


@pytest.mark.parametrize(
    ("defect", "setting", "feature"),
    [
        (change(300, age=None), "missing", "age"),
        (change(200, age=lambda frame: frame.age * 12), "outsideRange", "age"),
        (change(200, region="west"), "unseen", "region"),
        (
            change(ROWS, debt=lambda frame: frame.debt.abs() * np.where(frame.late == "yes", 1, -1)),
            "leakage",
            "debt",
        ),
    ],
)
def test_a_feature_that_is_excepted_is_not_asked(shop, defect, setting, feature):
    frame = defect(draw(ROWS, 2))
    assert check(shop, frame).exit_code == 1
    assert check(shop, frame, **{setting: {"exceptFor": [feature]}}).exit_code == 0


def test_an_exception_that_is_mistyped_is_told(shop):
    result = check(shop, draw(ROWS, 2), unseen={"exceptFor": ["regoin"]})
    assert result.exit_code == 3
    assert list_bad(result, Verdict.NOT_ENOUGH) == {
        "exceptions": "unseen.exceptFor names 'regoin', which is no feature of the model"
    }


def convert(shop: Path, columns: str) -> str:
    """The rows of the last check as a Parquet file."""
    rows = f"read_csv('{shop / 'rows.csv'}', types = {{'late': 'VARCHAR'}})"
    duckdb.sql(f"COPY (SELECT {columns} FROM {rows}) TO '{shop / 'rows.parquet'}' (FORMAT parquet)")
    return "rows.parquet"


def test_parquet_and_csv_give_the_same_findings(shop):
    frame = change(200, region="west")(draw(ROWS, 2))
    csv = check(shop, frame)
    parquet = check_file(shop, convert(shop, "*"))
    assert list_bad(parquet)
    assert read_findings(parquet) == read_findings(csv)


def test_a_parquet_file_has_the_types_that_the_model_takes(shop):
    check(shop, draw(ROWS, 2))
    member = "CASE WHEN member THEN 1.0::FLOAT ELSE 0 END AS member"
    name = convert(shop, f"* REPLACE (debt::DECIMAL(9, 3) AS debt, age::VARCHAR AS age, {member})")
    assert list_bad(check_file(shop, name)) == {
        "columns, debt": "column 'debt' of rows.parquet is DECIMAL(9,3), but a number is needed",
        "columns, age": "column 'age' of rows.parquet is VARCHAR, but a whole number is needed",
    }


def test_rows_of_the_sample_are_known_by_the_golden_rows_among_them(shop):
    mixed = pd.concat([draw(ROWS, 2).head(1500), draw(ROWS, 1)])
    assert list_bad(check(shop, mixed)) == {
        "training rows": "8 of the 8 golden rows, which are of the version's sample, are among these, 2.3 by chance: "
        "some of these rows are rows of the sample"
    }


def test_the_very_file_that_a_version_was_trained_on_is_known_by_its_digest(shop):
    result = check_file(shop, "sample.csv", bundle="told")
    assert result.exit_code == 1
    assert list_bad(result)["training rows"] == (
        f"sample.csv has the digest of {(shop / 'sample.csv').as_posix()}, which the version was trained on: what it "
        "learnt by heart is no evidence"
    )


ALIKE = "golden rows tell nothing here, since 100 % of the rows have the features of another"


@pytest.mark.parametrize(
    ("bundle", "verdict", "sentence"),
    [
        ("late", Verdict.NOT_ENOUGH,
         f"{ALIKE}; package the version with --data, and files can be told apart by their digests"),
        ("told", Verdict.GOOD,
         f"this is another file than what the version was trained on; whether they share rows can't be told: {ALIKE}"),
    ],
)  # fmt: skip
def test_where_rows_are_alike_it_says_that_it_can_not_tell(shop, bundle, verdict, sentence):
    frame = draw(ROWS, 2).assign(age=40)
    frame.debt = frame.debt.round().clip(-1, 1)
    found = read_findings(check(shop, frame, bundle=bundle))["training rows"]
    assert (found.verdict, found.message) == (verdict, sentence)


FILE, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


@pytest.mark.parametrize(
    ("trained_on", "origin"),
    [
        ([Data("train.csv", FILE)],
         Origin("s3://a/b.csv has the digest of train.csv, which the version was trained on")),
        ([Data("train.csv", OTHER)], Origin(is_other=True)),
        ([Data("train.csv", OTHER), Data("s3://a/c.csv")], Origin()),
        ([Data("train.csv", "8f2a")], Origin()),  # MLflow's own, which is no SHA-256 of a file
        ([Data("s3://a/b.csv")], Origin("s3://a/b.csv is what the version was trained on, as its provenance has it")),
        ([Data("s3://a/b.csv", OTHER)], Origin(is_other=True)),
        ([], Origin()),
    ],
)  # fmt: skip
def test_a_file_is_told_from_what_a_version_was_trained_on_as_far_as_provenance_goes(trained_on, origin):
    assert compare_origin(DataSet("s3://a/b.csv", "late"), FILE, trained_on) == origin


def test_names_and_texts_with_quotes_are_names_and_texts(tmp_path):
    name, chance = "re\"gi'on", np.random.default_rng(6)
    frame = pd.DataFrame({name: chance.choice(["O'Neil", '"x"', "a;b"], size=600)})
    frame["y"] = chance.integers(2, size=600)
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(
        frame[[name]], frame.y
    )
    tidegate.package(model, frame[[name]], name="odd", folder=tmp_path / "odd")
    frame.loc[:60, name] = "'); DROP"
    found = list_bad(check(tmp_path, frame, bundle="odd", label="y", repeatedRows="100%"))
    assert list(found) == [f"unseen, {name}"]
    assert "such as ''); DROP'" in found[f"unseen, {name}"]


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("newest", "exit_code", "sentence"),
    [
        (NOW - timedelta(days=3), 0, " UTC (column 'at'), 3.0 days old; at most 30d is wanted"),
        (NOW - timedelta(days=40), 1, " UTC (column 'at'), 40.0 days old; at most 30d is wanted"),
        (NOW + timedelta(days=2), 1, " UTC (column 'at'), which is still to come"),
        ("yesterday", 1, "column 'at' of rows.csv holds 'yesterday' (1 of 2,000 rows are such), but a time is needed"),
        (None, 3, "no row has a time in column 'at'"),
    ],
)  # fmt: skip
def test_the_newest_row_tells_how_old_the_rows_are(shop, newest, exit_code, sentence):
    frame = draw(ROWS, 2).assign(at=None if newest is None else "2026-01-01T12:00:00+02:00")
    frame.loc[7, "at"] = newest.isoformat() if isinstance(newest, datetime) else newest
    result = check(shop, frame, timeColumn="at", notOlderThan="30d")
    assert result.exit_code == exit_code, result.output
    assert read_findings(result)["age"].message.endswith(sentence)


def test_a_column_for_times_that_is_not_there_is_told(shop):
    result = check(shop, draw(ROWS, 2), timeColumn="at", notOlderThan="36h")
    assert list_bad(result)["age"].startswith("rows.csv has no column 'at'; it has customer, debt,")


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"timeColumn": "at"}, "timeColumn and notOlderThan are written together, or neither of them"),
        ({"repeatedRows": 0.05}, "Expected `str`, got `float` - at `$[0].dataQuality.repeatedRows`"),
        ({"notOlderThan": "1 month"}, "$[0].dataQuality.notOlderThan"),
    ],
)
def test_a_setting_that_means_nothing_is_refused_by_its_field(shop, setting, sentence):
    result = check(shop, draw(10, 2), **setting)
    assert (result.exit_code, sentence in result.stderr) == (2, True)


def test_of_many_features_the_worst_twenty_are_told(tmp_path):
    chance = np.random.default_rng(3)
    frame = pd.DataFrame(chance.normal(size=(600, 30)), columns=[f"f{place}" for place in range(30)])
    frame["price"] = frame.sum(axis=1)
    model = LinearRegression().fit(frame.drop(columns="price"), frame.price)
    tidegate.package(model, frame.drop(columns="price"), name="price", folder=tmp_path / "price")
    shifted = frame + 10 * np.arange(31)
    found = list_bad(check(tmp_path, shifted, bundle="price", label="price"))
    told = [subject for subject in found if subject.startswith("range")]
    assert (len(told), told[-1]) == (21, "range, other features")
    assert found["range, other features"] == "9 more features, none of them worse than these"


@pytest.mark.parametrize("bundle", ["prices", "kinds"])
def test_a_number_that_gives_other_labels_away_is_found_too(tmp_path, bundle):
    chance = np.random.default_rng(5)
    frame = pd.DataFrame({"size": chance.normal(size=ROWS), "rooms": chance.normal(size=ROWS)})
    frame["prices"] = np.exp(frame["size"] + 2 * chance.normal(size=ROWS))
    frame["kinds"] = np.digitize(frame.prices, [0.5, 1, 2])
    kind = LinearRegression() if bundle == "prices" else LogisticRegression()
    model = kind.fit(frame[["size", "rooms"]], frame[bundle])
    tidegate.package(model, frame[["size", "rooms"]], name="flat", folder=tmp_path / bundle)
    fresh = frame.sample(frac=1, random_state=1).assign(size=chance.normal(size=ROWS))
    assert check(tmp_path, fresh, bundle=bundle, label=bundle).exit_code == 0
    taxed = fresh.assign(rooms=np.log(fresh.prices) / 3)
    found = list_bad(check(tmp_path, taxed, bundle=bundle, label=bundle))
    assert list(found) == ["leakage, rooms"]


def test_data_that_is_gone_gives_no_verdict(shop):
    result = check_file(shop, "gone.csv")
    assert result.exit_code == 3
    assert list_bad(result, Verdict.NOT_ENOUGH) == {"sound": "there is no file gone.csv"}
