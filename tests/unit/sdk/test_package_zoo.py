"""Every model of the zoo becomes a bundle that answers as the model itself does."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import pytest
from tests.unit.sdk import zoo

import tidegate
from tidegate.baseline import Baseline
from tidegate.columns import ColumnsCodec
from tidegate.contents import read_contents
from tidegate.golden import Golden
from tidegate.signature import Signature, Task

# scikit-learn and pandas deprecate among themselves; that is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", params=sorted(zoo.MODELS))
def packaged(request, tmp_path_factory) -> tuple[zoo.Case, Path]:
    case = zoo.fitted(request.param)
    bundle = tidegate.package(
        case.model, case.sample, name="zoo", folder=tmp_path_factory.mktemp("zoo") / "b"
    )
    return case, bundle.path


def read(folder: Path, name: str, kind: type):
    return msgspec.json.decode((folder / name).read_bytes(), type=kind)


def ask(folder: Path, columns: dict) -> dict[str, np.ndarray]:
    """Asks the bundle's files, as a predictor would, knowing nothing of the native model."""
    signature = read(folder, "signature.json", Signature)
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    names = [output.name for output in signature.outputs]
    return dict(zip(names, session.run(names, ColumnsCodec(signature).encode(columns)), strict=True))


def as_sent(frame) -> dict[str, list]:
    objects = frame.astype(object)
    return {name: objects[name].where(frame[name].notna(), None).tolist() for name in frame}


def test_the_bundle_answers_what_the_model_answers(packaged):
    case, folder = packaged
    answers = ask(folder, as_sent(case.sample))
    if "prediction" in answers:
        np.testing.assert_allclose(answers["prediction"], case.model.predict(case.sample), rtol=1e-4)
    else:
        wanted = case.model.predict_proba(case.sample)
        np.testing.assert_allclose(answers["probabilities"], wanted, atol=1e-4)
        assert answers["label"].tolist() == case.model.predict(case.sample).tolist()


def test_the_bundle_verifies(packaged):
    _, folder = packaged
    assert tidegate.verify_bundle(folder) == ()
    assert read_contents(folder).signature.features


def test_golden_rows_are_answered_as_they_say(packaged):
    _, folder = packaged
    golden = read(folder, "golden.json", Golden)
    answers = ask(folder, dict(zip(golden.features, zip(*golden.rows, strict=True), strict=True)))
    assert len(golden.rows) == 8
    for name, wanted in golden.outputs.items():
        assert answers[name].reshape(8, -1).tolist() == [list(row) for row in wanted]


def test_golden_rows_show_missing_values_where_the_sample_has_them(packaged):
    case, folder = packaged
    golden = read(folder, "golden.json", Golden)
    assert any(None in row for row in golden.rows) == bool(case.sample.isna().any(axis=None))


def test_the_baseline_counts_every_row_of_every_column(packaged):
    case, folder = packaged
    baseline = read(folder, "baseline.json", Baseline)
    assert baseline.rows == len(case.sample)
    for histogram in (*baseline.features.values(), baseline.prediction):
        assert sum(histogram.counts) + histogram.missing == len(case.sample)


def test_columns_with_missing_values_are_nullable(packaged):
    case, folder = packaged
    nullable = {f.name for f in read(folder, "signature.json", Signature).features if f.nullable}
    assert nullable >= {name for name in case.sample if case.sample[name].isna().any()}


def test_classes_are_named_in_the_order_of_the_probabilities(packaged):
    case, folder = packaged
    signature = read(folder, "signature.json", Signature)
    wanted = [] if signature.task is Task.REGRESSION else [str(name) for name in case.model.classes_]
    assert list(signature.classes) == wanted
