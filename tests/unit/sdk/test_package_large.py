"""Of more rows than a bundle needs a fair sample is taken, from files and from memory alike."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sklearn.ensemble import HistGradientBoostingClassifier
from tests.unit.sdk import zoo

import tidegate
from tidegate.cli import main
from tidegate.packaging.fair_rows import MOST_ROWS

pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = MOST_ROWS + 10_000
SAID = f"a fair sample of {MOST_ROWS:,} of its {ROWS:,} rows"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model of three columns, and as files the rows that it was trained on; in one of them a value is missing."""
    folder = tmp_path_factory.mktemp("large")
    people = zoo.people(missing=False)
    rows = people.sample(ROWS, replace=True, random_state=1, ignore_index=True)[zoo.NUMBERS]
    rows["yearly income"] = rows["yearly income"].round() + rows.index % 1_000
    rows.loc[31_000, "age"] = None
    rows.to_csv(folder / "rows.csv", index=False)
    rows.to_parquet(folder / "rows.parquet")
    model = HistGradientBoostingClassifier(max_iter=3).fit(people[zoo.NUMBERS], zoo.two_classes(people))
    joblib.dump(model, folder / "m.joblib")
    return folder


def package(folder: Path, rows: str, out: Path) -> Result:
    arguments = ["package", folder / "m.joblib", folder / rows, "--name=m", f"--out={out}"]
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.mark.parametrize("rows", ["rows.csv", "rows.parquet"])
def test_a_file_gives_the_bundle_that_its_rows_give(folder, tmp_path, rows):
    model, frame = joblib.load(folder / "m.joblib"), pd.read_csv(folder / "rows.csv")
    wanted = tidegate.package(model, frame, name="m", folder=tmp_path / "wanted")
    result = package(folder, rows, tmp_path / "b")
    assert result.stderr == f"# {rows}: {SAID}\n# {tmp_path / 'b'}: {wanted.digest}\n"


def test_a_matrix_gives_the_baseline_that_its_frame_gives(folder, tmp_path):
    frame = pd.read_csv(folder / "rows.csv").astype(float)
    people = zoo.people(missing=False)[zoo.NUMBERS].astype(float)
    model = HistGradientBoostingClassifier(max_iter=3)
    model.fit(people.to_numpy(), zoo.two_classes(zoo.people(missing=False)))
    of_frame = tidegate.package(model, frame, name="m", folder=tmp_path / "frame")
    of_matrix = tidegate.package(model, frame.to_numpy(), name="m", folder=tmp_path / "matrix")
    one, other = (json.loads((b.path / "baseline.json").read_bytes()) for b in (of_frame, of_matrix))
    assert (one["rows"], one["prediction"]) == (MOST_ROWS, other["prediction"])
    assert one["features"]["age"] == other["features"]["f0"]


def test_a_single_gap_is_not_overlooked(folder, tmp_path):
    package(folder, "rows.csv", tmp_path / "b")
    signature = json.loads((tmp_path / "b/signature.json").read_bytes())
    baseline = json.loads((tmp_path / "b/baseline.json").read_bytes())
    assert [feature["name"] for feature in signature["features"] if feature["nullable"]] == ["age"]
    assert baseline["features"]["age"]["missing"] == 1


def test_of_a_file_of_few_rows_all_are_taken_without_a_word(folder, tmp_path):
    pd.read_csv(folder / "rows.csv").head(MOST_ROWS).to_csv(tmp_path / "few.csv", index=False)
    result = package(folder, str(tmp_path / "few.csv"), tmp_path / "b")
    assert "sample" not in result.stderr
    assert json.loads((tmp_path / "b/baseline.json").read_bytes())["rows"] == MOST_ROWS


@pytest.mark.parametrize("name", ["empty.csv", "torn.parquet"])
def test_a_file_that_holds_no_table_is_refused_in_one_sentence(folder, tmp_path, name):
    (tmp_path / name).touch()
    result = package(folder, str(tmp_path / name), tmp_path / "b")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"Error: {name} can't be read: ")
