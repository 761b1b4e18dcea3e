"""`tidegate check`: real bundles, held-out rows on disk, and the sentences that people and pipelines read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result
from sklearn.linear_model import LinearRegression, LogisticRegression

import tidegate
from tidegate.cli import main
from tidegate_gates import evaluation

pytestmark = pytest.mark.filterwarnings("ignore")
REGIONS = ("north", "south", "east")


def draw(rows: int, seed: int) -> pd.DataFrame:
    """Customers: whether one is late depends on debt and on age; in the south on age alone."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "debt": chance.normal(size=rows),
            "age": chance.normal(size=rows),
            "region": chance.choice(REGIONS, size=rows),
        }
    )
    score = 2 * frame.age + np.where(frame.region == "south", 0, 2) * frame.debt
    frame["late"] = np.where(chance.random(rows) < 1 / (1 + np.exp(-score)), "yes", "no")
    return frame


def fit(columns: list[str], frame: pd.DataFrame) -> LogisticRegression:
    return LogisticRegression().fit(frame[columns], frame.late)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bundles `full`, `again`, `blind` (knows no age) and `southern`, and held-out rows."""
    folder = tmp_path_factory.mktemp("shop")
    train, held_out = draw(6000, 1), draw(4000, 2)
    models = {
        "full": (fit(["debt", "age"], train), ["debt", "age"]),
        "again": (fit(["debt", "age"], draw(6000, 3)), ["debt", "age"]),
        "blind": (fit(["debt"], train), ["debt"]),
        "southern": (fit(["debt", "age"], train[train.region != "south"]), ["debt", "age"]),
    }
    for name, (model, columns) in models.items():
        tidegate.package(model, train[columns], name="late", folder=folder / name)
    held_out.to_csv(folder / "held-out.csv", index=False)
    duckdb.sql(
        f"COPY (FROM read_csv('{folder / 'held-out.csv'}', types = {{'late': 'VARCHAR'}})) "
        f"TO '{folder / 'held-out.parquet'}' (FORMAT parquet)"
    )
    return folder


def check(shop: Path, bundle: str, *options: str, data: dict | None = None, **gate: object) -> Result:
    """`tidegate check` with one gate."""
    asked = {"data": {"uri": "held-out.csv", "label": "late"} | (data or {})}
    asked |= gate or {"metrics": [{"name": "accuracy"}]}
    path = shop / "gates.yaml"
    path.write_text(yaml.safe_dump([{"name": "predicts-well", "performance": asked}]))
    arguments = ["check", str(shop / bundle), "--gates", str(path), *options]
    return CliRunner().invoke(main, arguments)


def test_a_model_that_was_trained_again_passes(shop):
    result = check(shop, "again", "--stable", str(shop / "full"))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Good       predicts-well: accuracy is 0.7")
    assert ", surely by less than 0.03" in result.stdout


def test_a_model_that_forgot_a_feature_is_blocked_with_both_figures(shop):
    result = check(shop, "blind", "--stable", str(shop / "full"))
    assert result.exit_code == 1
    assert "Bad        predicts-well: accuracy is 0.6" in result.stdout
    assert "of the version in service 0.7" in result.stdout
    assert "on the same 4,000 rows: worse by 0.1" in result.stdout


def test_a_group_that_is_served_worse_is_blocked_though_it_is_a_third_of_the_rows(shop):
    found = check(
        shop,
        "southern",
        "--stable",
        str(shop / "full"),
        "--output=json",
        metrics=[{"name": "logLoss", "compared": {"tolerance": "0.05", "detect": "0.2"}}],
        slices=[{"column": "region"}],
    )
    verdicts = {
        finding["subject"]: finding["verdict"]
        for finding in json.loads(found.stdout)["results"][0]["findings"]
    }
    assert found.exit_code == 1
    assert verdicts["logLoss, region=south"] == "Bad"
    assert verdicts["logLoss, region=north"] == verdicts["logLoss, region=east"] == "Good"


def test_a_limit_is_held_against_the_figure_itself(shop):
    wanted = [{"name": "auc", "atLeast": "0.95"}, {"name": "brier", "atMost": "0.25"}]
    result = check(shop, "full", metrics=wanted)
    assert result.exit_code == 1
    assert "on 4,000 rows; at least 0.95 is wanted" in result.stdout


def test_a_first_version_is_compared_with_nothing(shop):
    result = check(shop, "full")
    assert result.exit_code == 0
    assert "there is no version in service to compare it with" in result.stdout


def test_parquet_and_csv_give_the_same_figures(shop):
    outputs = {
        check(shop, "full", data={"uri": f"held-out.{suffix}"}).stdout for suffix in ("csv", "parquet")
    }
    assert len(outputs) == 1


def test_a_few_rows_give_no_verdict_and_say_how_many_would(shop):
    draw(60, 4).to_csv(shop / "few.csv", index=False)
    result = check(shop, "again", "--stable", str(shop / "full"), data={"uri": "few.csv"})
    assert result.exit_code == 3
    assert (
        "these rows show neither that it is worse by more than 0.005 nor that it is by less than 0.03; about "
        in (result.stdout)
    )


def test_a_model_that_answers_fewer_rows_than_the_one_in_service_is_blocked(shop, tmp_path):
    frame = draw(2000, 5)
    gapped = frame.assign(age=frame.age.where(frame.index % 10 > 0))
    gapped.to_csv(shop / "gapped.csv", index=False)
    result = check(shop, "full", "--stable", str(shop / "blind"), data={"uri": "gapped.csv"})
    assert result.exit_code == 1
    assert "the model does not answer 200 rows (row 0: " in result.stdout
    assert "the version in service 0" in result.stdout


def test_junit_has_a_case_a_finding_and_the_failure_in_words(shop):
    result = check(shop, "blind", "--stable", str(shop / "full"), "--output=junit")
    suite = ET.fromstring(result.stdout).find("testsuite")
    assert (suite.get("name"), suite.get("failures"), suite.get("errors")) == ("predicts-well", "1", "0")
    assert "worse by" in suite.find("testcase/failure").get("message")


def test_a_log_has_the_text_and_a_file_the_junit_of_one_run(shop, tmp_path):
    options = ("blind", "--stable", str(shop / "full"))
    result = check(shop, *options, "--junit", str(tmp_path / "gates.xml"))
    assert result.stdout.startswith("Bad        predicts-well: accuracy is ")
    assert (tmp_path / "gates.xml").read_text() == check(shop, *options, "--output=junit").stdout
    assert result.exit_code == 1


def test_a_report_that_can_not_be_written_is_no_verdict(shop, tmp_path):
    result = check(shop, "full", "--junit", str(tmp_path / "nowhere/gates.xml"))
    assert (result.exit_code, "the report can't be written: " in result.stderr) == (2, True)


def digest_of(path: Path) -> str:
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_rows_are_those_that_the_digest_says(shop):
    right = {"digest": digest_of(shop / "held-out.csv")}
    assert check(shop, "full", data=right).exit_code == 0
    wrong = check(shop, "full", data={"digest": "sha256:" + "0" * 64})
    assert wrong.exit_code == 3
    assert "but sha256:0000" in wrong.stdout


def write(shop: Path, name: str, frame: pd.DataFrame) -> dict[str, str]:
    frame.to_csv(shop / name, index=False)
    return {"uri": name}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda frame: frame.drop(columns="late"), "rows.csv has no column 'late'; it has debt, age, region"),
        (lambda frame: frame.drop(columns="age"), "rows.csv has no column 'age'; it has debt, region, late"),
        (lambda frame: frame.assign(age="old"), "rows.csv can't be read: Error when converting column \"age\""),
        (lambda frame: frame.head(0), "rows.csv has no rows"),
        (lambda frame: frame.assign(late="perhaps"), "row 0 of rows.csv has the label 'perhaps', but the model knows"),
        (lambda frame: frame.assign(late=None), "row 0 of rows.csv has no label (column 'late')"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_used_are_told_in_one_sentence(shop, change, sentence):
    result = check(shop, "full", data=write(shop, "rows.csv", change(draw(300, 6))))
    assert result.exit_code == 3, result.output
    assert sentence in result.stdout
    assert "Traceback" not in result.output


def test_rows_of_one_class_have_no_area_under_the_curve(shop):
    frame = draw(600, 7)
    data = write(shop, "one.csv", frame[frame.late == "yes"])
    result = check(shop, "full", data=data, metrics=[{"name": "auc", "atLeast": "0.5"}])
    assert result.exit_code == 3
    assert "auc can't be said: all rows have the same label" in result.stdout


def test_more_rows_than_are_kept_are_refused(shop, monkeypatch):
    monkeypatch.setattr(evaluation, "MOST_ROWS", 1000)
    result = check(shop, "full")
    assert result.exit_code == 3
    assert "held-out.csv has more than 1,000 rows; give a sample of them" in result.stdout


def test_what_is_no_table_is_refused(shop):
    (shop / "broken.parquet").write_text("no parquet")
    result = check(shop, "full", data={"uri": "broken.parquet"})
    assert (result.exit_code, "broken.parquet can't be read: " in result.stdout) == (3, True)


def test_an_unknown_metric_is_refused_with_those_that_there_are(shop):
    result = check(shop, "full", metrics=[{"name": "acuracy"}])
    assert result.exit_code == 3
    assert "'acuracy' is no metric; write one of accuracy, auc, brier," in result.stdout


@pytest.mark.parametrize(
    ("gates", "sentence"),
    [
        ("- name: a", "gate a has exactly one of performance, serving"),
        ("- {name: a, performance: {data: {uri: x, label: y}, metrics: [{name: auc, atLeast: 0.5}]}}", "got `float`"),
        ("- {name: a, performence: {}}", "unknown field `performence`"),
        ("a: [", "is no list of gates"),
    ],
)  # fmt: skip
def test_a_file_that_lists_no_gates_is_refused_by_its_field(shop, gates, sentence):
    path = shop / "wrong.yaml"
    path.write_text(gates)
    result = CliRunner().invoke(main, ["check", str(shop / "full"), "--gates", str(path)])
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_bundle_that_is_none_is_refused_before_any_gate(shop, tmp_path):
    (tmp_path / "gates.yaml").write_text("[]")
    result = CliRunner().invoke(main, ["check", str(tmp_path), "--gates", str(tmp_path / "gates.yaml")])
    assert (result.exit_code, "is no bundle" in result.stderr) == (2, True)


def test_an_error_is_compared_by_shares_of_what_the_version_in_service_has(tmp_path):
    chance = np.random.default_rng(8)
    frame = pd.DataFrame({"size": chance.normal(size=2000)})
    frame["price"] = 300 * frame["size"] + 100 * chance.normal(size=2000)
    for name, scale in (("linear", 1.0), ("worse", 0.5)):
        model = LinearRegression().fit(frame[["size"]], scale * frame.price)
        tidegate.package(model, frame[["size"]], name="price", folder=tmp_path / name)
    data = write(tmp_path, "rows.csv", frame) | {"label": "price"}
    options = ("--stable", str(tmp_path / "linear"))
    blocked = check(tmp_path, "worse", *options, data=data, metrics=[{"name": "mae"}])
    assert blocked.exit_code == 1
    assert "mae is 14" in blocked.stdout
    assert "1.6" in blocked.stdout.rpartition("; ")[2]  # two hundredths of the eighty that it has
    assert check(tmp_path, "linear", *options, data=data, metrics=[{"name": "rmse"}]).exit_code == 0


def test_how_honest_two_models_are_is_compared_by_their_brier_score(shop):
    result = check(shop, "again", "--stable", str(shop / "full"), metrics=[{"name": "calibrationError"}])
    assert result.exit_code == 3
    assert "calibrationError is held by atMost only; brier compares how honest" in result.stdout
    assert check(shop, "again", metrics=[{"name": "calibrationError", "atMost": "0.1"}]).exit_code == 0
