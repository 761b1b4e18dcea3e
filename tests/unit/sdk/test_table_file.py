"""A table read a part at a time has the types, and its rows the values, that the whole has in pandas."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyarrow.parquet import ParquetWriter

from tidegate.packaging.frame_rows import draw_frame, rows_at_once
from tidegate.packaging.table_file import read_fair_sample, read_frames

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.DtypeWarning")
WIDTH, ROWS = 129, 10_000  # of so many columns, 4,096 rows are read at a time
CELLS = {
    "whole": ["1", "-7", "007"],
    "number": ["1.5", "1e300", "-0.0", "3"],
    "large": ["9223372036854775808", "1"],
    "text": ["a", "ö", "1x", '"a,b"'],
    "flag": ["True", "False"],
    "gap": ["", "NA"],
    "date": ["2026-01-01", "2026-02-30"],
}


def column(first: str, second: str, turn: int) -> list[str]:
    """A column that changes its kind at some row."""
    return (CELLS[first] * ROWS)[:turn] + (CELLS[second] * ROWS)[turn:ROWS]


@st.composite
def columns_with_strays(draw) -> list[str]:
    """A column with a cell of another kind here and there."""
    first, second, stray = (draw(st.sampled_from(sorted(CELLS))) for _ in range(3))
    cells = column(first, second, draw(st.sampled_from([0, 1, 4_096, 5_000, 8_192])))
    for row in draw(st.lists(st.integers(0, ROWS - 1), max_size=3)):
        cells[row] = CELLS[stray][0]
    return cells


def write_csv(path, drawn) -> None:
    cells = [list(map(str, range(ROWS))), *drawn]
    cells += [cells[0]] * (WIDTH - len(cells))
    path.write_text(
        "\n".join(",".join(row) for row in [[f"c{n}" for n in range(WIDTH)], *zip(*cells, strict=True)])
    )


def assert_rows_of(sample: pd.DataFrame, whole: pd.DataFrame) -> None:
    """The sample's rows are rows of the whole, which its first column numbers, with all types."""
    wanted = whole.iloc[sample.iloc[:, 0].to_numpy()].reset_index(drop=True)
    pd.testing.assert_frame_equal(sample.reset_index(drop=True), wanted, check_exact=True)
    for place in np.flatnonzero([dtype.kind == "O" for dtype in sample.dtypes]):
        assert list(map(type, sample.iloc[:, place])) == list(map(type, wanted.iloc[:, place]))


def assert_reads_as_pandas(path, storage) -> None:
    with pd.option_context("mode.string_storage", storage):
        whole = pd.read_csv(path)
        assert len(list(read_frames(path))) == 3
        for most in (ROWS, 5_000, 1_000):
            sample = read_fair_sample(path, most)
            assert (sample.of, len(sample.frame)) == (ROWS, most)
            assert_rows_of(sample.frame, whole)


@pytest.mark.parametrize("storage", ["python", "pyarrow"])
@pytest.mark.parametrize("turn", [4_096, 5_000])
def test_a_csv_whose_columns_change_is_read_as_pandas_reads_the_whole(tmp_path, storage, turn):
    write_csv(tmp_path / "rows.csv", [column(first, second, turn) for first in CELLS for second in CELLS])
    assert_reads_as_pandas(tmp_path / "rows.csv", storage)


@pytest.mark.parametrize("storage", ["python", "pyarrow"])
# A smaller example would take minutes to find, and say no more than the name of a column does.
@settings(max_examples=8, phases=[Phase.reuse, Phase.generate])
@given(drawn=st.lists(columns_with_strays(), min_size=20, max_size=WIDTH - 1))
def test_a_csv_of_any_cells_is_read_as_pandas_reads_the_whole(tmp_path_factory, storage, drawn):
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    write_csv(path, drawn)
    assert_reads_as_pandas(path, storage)


ARROW_COLUMNS = {
    "whole": pa.array([1, 2, 3] * 20),
    "whole with a gap": pa.array([*range(59), None]),
    "flag": pa.array([True, False] * 30),
    "flag with a gap": pa.array([None, *[True] * 59]),
    "number": pa.array([1.5, float("nan")] * 30),
    "single": pa.array([0.1] * 60, pa.float32()),
    "text": pa.array(["a", None, "b"] * 20),
    "large text": pa.array(["a", None, "b"] * 20, pa.large_string()),
    "day": pa.array([dt.date(2026, 1, 1)] * 59 + [None]),
    "time": pa.array([1, None] * 30, pa.timestamp("us", "UTC")),
    "price": pa.array([Decimal("1.50")] * 60),
    "list": pa.array([[1, 2], None] * 30),
    "nothing": pa.nulls(60),
    "category": pa.array(["b", "a", None] * 20).dictionary_encode(),
}


def write_parquet(path, frames) -> None:
    tables = [frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame) for frame in frames]
    with ParquetWriter(path, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=16)


@pytest.mark.parametrize("most", [60, 59, 20])
def test_a_parquet_file_is_read_as_pandas_reads_the_whole(tmp_path, most):
    write_parquet(tmp_path / "rows.parquet", [pa.table({"row": pa.array(range(60)), **ARROW_COLUMNS})])
    sample = read_fair_sample(tmp_path / "rows.parquet", most)
    assert (sample.of, len(sample.frame)) == (60, most)
    assert_rows_of(sample.frame, pd.read_parquet(tmp_path / "rows.parquet"))


def test_dtypes_that_pandas_wrote_are_kept(tmp_path):
    frame = pd.DataFrame(
        {
            "row": range(60),
            "category": pd.Categorical(["low", "high"] * 30, ["never", "low", "high"], ordered=True),
            "whole": pd.array([1, None] * 30, "Int64"),
            "flag": pd.array([True, None] * 30, "boolean"),
            "time": pd.date_range("2026", periods=60),
        },
        index=[f"r{row}" for row in range(60)],
    )
    write_parquet(tmp_path / "rows.parquet", [frame])
    sample = read_fair_sample(tmp_path / "rows.parquet", 20).frame
    assert_rows_of(sample, pd.read_parquet(tmp_path / "rows.parquet"))


def test_categories_that_a_few_rows_alone_have_are_kept(tmp_path):
    jobs = ["cook"] * 100 + ["smith"] * 2
    parts = [
        pd.DataFrame(
            {"row": range(begin, end), "job": pd.Categorical(jobs[begin:end], [jobs[begin], "none"])}
        )
        for begin, end in ((0, 100), (100, 102))
    ]
    write_parquet(tmp_path / "rows.parquet", parts)
    sample = read_fair_sample(tmp_path / "rows.parquet", 5).frame
    assert list(sample["job"].cat.categories) == ["cook", "none", "smith"]
    assert_rows_of(sample, pd.read_parquet(tmp_path / "rows.parquet"))


@pytest.mark.parametrize(
    ("columns", "rows"), [(0, 2**20), (1, 2**20), (100, 8_192), (128, 8_192), (129, 4_096), (2**21, 1)]
)
def test_a_part_is_about_a_million_cells(columns, rows):
    assert rows_at_once(columns) == rows


@pytest.mark.parametrize("text", ["a,b\n", "a,b\n1,2\n", "a,b\n1,2\n\n\n", "a,b\n7,1,2\n"])
def test_a_small_csv_is_read_as_ever(tmp_path, text):
    (tmp_path / "rows.csv").write_text(text)
    pd.testing.assert_frame_equal(
        read_fair_sample(tmp_path / "rows.csv").frame, pd.read_csv(tmp_path / "rows.csv")
    )


def test_a_frame_gives_the_rows_that_its_file_gives(tmp_path):
    frame = pd.DataFrame({"row": range(2_000), "gap": [None, *["a"] * 1_999]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_parquet(tmp_path / "rows.parquet")
    drawn = [draw_frame(frame, 50)] + [
        read_fair_sample(tmp_path / f"rows.{kind}", 50).frame for kind in ("csv", "parquet")
    ]
    assert [list(one["row"]) for one in drawn] == [list(drawn[0]["row"])] * 3
    assert all(one["gap"].isna().sum() == 1 for one in drawn)


def test_a_frame_of_few_rows_is_not_touched():
    frame = pd.DataFrame({"a": [1, 2]})
    assert draw_frame(frame, 2) is frame


def test_what_is_drawn_of_a_frame_keeps_its_dtypes_and_its_doubled_names():
    frame = pd.DataFrame(
        {
            "row": range(100),
            "category": pd.Categorical(["a", "b"] * 50, ["b", "a", "c"]),
            "mixed": pd.Series([*["a"] * 60, 1, *["a"] * 39], dtype=object),
            "whole": pd.array([None, *range(99)], "Int64"),
        }
    ).set_axis(["row", "twice", "twice", 3], axis=1)
    drawn = draw_frame(frame, 10)
    assert_rows_of(drawn, frame)
    assert {type(value) for value in drawn.iloc[:, 2]} == {int, str}
