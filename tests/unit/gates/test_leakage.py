"""A feature that gives the label away is told from one that is merely good, from chance, and from an id."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tidegate.baseline import Baseline, Histogram
from tidegate.contents import Contents
from tidegate.gates import Leakage
from tidegate.golden import Golden
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor
from tidegate_gates.cross_counts import CrossCounts, count_crosswise, cut_numbers
from tidegate_gates.leakage import measure_power
from tidegate_gates.survey import survey
from tidegate_gates.table import Table

MOST = float(Leakage().at_most)
KINDS = {"f": FeatureKind.NUMBER, "i": FeatureKind.INTEGER, "O": FeatureKind.STRING}


def measure(folder: Path, task: Task, label: np.ndarray, **features: np.ndarray) -> dict[str, float]:
    """What each feature surely tells, of a file with these columns."""
    frame = pd.DataFrame(features).assign(label=label)
    frame.to_csv(folder / "rows.csv", index=False)
    signature = Signature(
        task,
        tuple(
            Feature(name, KINDS[frame[name].dtype.kind], "x", place, nullable=True)
            for place, name in enumerate(features)
        ),
        (Tensor("x", "FP32", len(features)),),
        (),
        () if task is Task.REGRESSION else tuple(str(one) for one in np.unique(label)),
    )
    sample = Baseline(1, dict.fromkeys(features, Histogram()), Histogram())
    table = Table(folder / "rows.csv")
    found = survey(table, Contents(signature, sample, Golden((), (), {})), label="label")
    return {
        counts.feature: measure_power(task, counts).at_least
        for counts in count_crosswise(table, signature, found, "label")
    }


@pytest.mark.parametrize("rows", [300, 3000])
def test_a_good_feature_of_two_classes_is_no_leak_in_any_of_twenty_draws(tmp_path, rows):
    """Areas of 0.95 and 0.97, one label in ten."""
    chance = np.random.default_rng(1)
    for _ in range(20):
        label = np.zeros(rows, dtype=int)
        label[: rows // 10] = 1
        good = chance.normal(size=(rows, 2)) + label[:, None] * [2.33, 2.66]
        found = measure(tmp_path, Task.BINARY, label, good=good[:, 0], better=good[:, 1])
        assert max(found.values()) <= MOST


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_what_gives_one_of_two_classes_away_is_found_in_whatever_form(tmp_path, share):
    chance = np.random.default_rng(2)
    rows = 3000
    label = (chance.random(rows) < share).astype(int)
    noise = chance.normal(size=rows)
    found = measure(
        tmp_path,
        Task.BINARY,
        label,
        flag=label,
        above=np.where(label, 1.0, -1.0) * np.abs(noise),
        between=np.where(label, 5.0, chance.choice([0.0, 7.0], size=rows)),
        around=np.where(label, chance.choice([-9.0, 9.0], size=rows), noise),
        gap=np.where(label, np.nan, noise),
        text=np.where(label, "closed", chance.choice(["new", "open"], size=rows)).astype(object),
        rare=np.where(label, "", chance.choice(["new", "open"], size=rows)).astype(object),
    )
    assert [name for name, power in found.items() if power <= MOST] == []


def test_an_id_tells_nothing_whatever_it_looks_like(tmp_path):
    chance = np.random.default_rng(3)
    label = chance.integers(2, size=2000)
    number = chance.permutation(2000)
    found = measure(
        tmp_path,
        Task.BINARY,
        label,
        number=number,
        text=np.array([f"id-{one}" for one in number], dtype=object),
    )
    assert max(abs(power) for power in found.values()) < 0.15


def test_a_feature_that_tells_one_of_three_classes_is_no_leak_and_one_that_tells_all_is(tmp_path):
    """Petal widths of irises: setosa is told by them alone, and of the other two kinds nineteen of twenty flowers."""
    chance = np.random.default_rng(4)
    label = chance.integers(3, size=1000)
    width = np.array([0.25, 1.33, 2.03])[label] + np.array([0.1, 0.2, 0.27])[label] * chance.normal(size=1000)
    found = measure(tmp_path, Task.MULTICLASS, label, width=width, code=label * 10)
    assert 0.8 < found["width"] <= MOST
    assert found["code"] == 1


def test_of_numbers_with_a_long_tail_a_good_feature_is_no_leak_and_another_unit_is(tmp_path):
    chance = np.random.default_rng(5)
    price = np.exp(2 * chance.normal(size=2000))
    noise = np.exp(0.5 * chance.normal(size=2000))
    found = measure(tmp_path, Task.REGRESSION, price, good=price * noise, taxed=1.19 * price, text=-1 / price)
    assert 0.85 < found["good"] <= MOST
    assert min(found["taxed"], found["text"]) > MOST


COUNTS = arrays.arrays(
    np.int64, st.tuples(st.just(2), st.integers(2, 6), st.just(2)), elements=st.integers(0, 50)
)


@given(COUNTS, st.booleans(), st.sampled_from(Task))
def test_whatever_was_counted_nothing_tells_more_than_all(counts, is_number, task):
    power = measure_power(task, CrossCounts("size", is_number, counts))
    assert power.at_least <= power.value <= 1


@given(st.lists(st.floats(-1e9, 1e9), max_size=50).map(sorted))
def test_cuts_ascend_and_a_value_that_fills_a_part_has_one_of_its_own(quantiles):
    cuts = cut_numbers(quantiles)
    assert list(cuts) == sorted(set(cuts))
    repeated = {one for one in quantiles if quantiles.count(one) > 1}
    assert {np.nextafter(one, -np.inf) for one in repeated} <= set(cuts)
