"""What packaging promises beyond the conversion: nullability, refusals that help, bundles that never change."""

from __future__ import annotations

import hashlib
import json

import lightgbm
import msgspec
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import xgboost
import yaml
from skl2onnx import to_onnx
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import LinearSVC
from tests.unit.sdk import zoo

import tidegate
from tidegate.columns import ColumnsCodec
from tidegate.signature import Signature

pytestmark = pytest.mark.filterwarnings("ignore")


def signature_of(bundle: tidegate.Bundle) -> dict:
    return json.loads((bundle.path / "signature.json").read_bytes())


def nullable(bundle: tidegate.Bundle) -> list[str]:
    return [feature["name"] for feature in signature_of(bundle)["features"] if feature["nullable"]]


def logistic() -> tuple[LogisticRegression, pd.DataFrame]:
    sample = zoo.people(missing=False)[zoo.NUMBERS].astype(float)
    return LogisticRegression().fit(sample / [90, 1e5, 1], zoo.two_classes(zoo.people(missing=False))), sample


def refusal(model, sample, **options) -> str:
    with pytest.raises(tidegate.PackagingRefusedError) as caught:
        tidegate.package(model, sample, **({"name": "m"} | options))
    return str(caught.value)


def test_a_model_built_on_dropped_rows_takes_no_missing_values(tmp_path):
    """Its encoder and its trees would answer a null all the same, but the answer would mean nothing."""
    sample = zoo.people(missing=False)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    model = make_pipeline(
        make_column_transformer((encoder, zoo.TEXTS), remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=3),
    ).fit(sample, zoo.two_classes(sample))
    assert nullable(tidegate.package(model, sample, name="m", folder=tmp_path / "b")) == []


def test_an_imputed_column_is_nullable_though_the_sample_has_no_gap(tmp_path):
    sample = zoo.people(missing=False)
    model = zoo.pipeline(LogisticRegression()).fit(sample, zoo.two_classes(sample))
    bundle = tidegate.package(model, sample, name="m", folder=tmp_path / "b")
    assert nullable(bundle) == [*zoo.NUMBERS, "job"]


def test_columns_that_the_model_does_not_know_are_left_out(tmp_path):
    model, sample = logistic()
    bundle = tidegate.package(model, sample.assign(target=1), name="m", folder=tmp_path / "b")
    assert [feature["name"] for feature in signature_of(bundle)["features"]] == zoo.NUMBERS


def test_a_matrix_gets_column_names(tmp_path):
    _, sample = logistic()
    matrix = sample.to_numpy() / 1e5
    model = LogisticRegression().fit(matrix, zoo.two_classes(zoo.people(missing=False)))
    bundle = tidegate.package(model, matrix, name="m", folder=tmp_path / "b")
    assert [feature["name"] for feature in signature_of(bundle)["features"]] == ["f0", "f1", "f2"]


def test_the_same_model_and_sample_give_the_same_digest(tmp_path):
    model, sample = logistic()
    digests = {tidegate.package(model, sample, name="m", folder=tmp_path / name).digest for name in "ab"}
    assert len(digests) == 1


def test_packaging_again_into_the_same_folder_changes_nothing(tmp_path):
    model, sample = logistic()
    first = tidegate.package(model, sample, name="m", folder=tmp_path / "b")
    assert tidegate.package(model, sample, name="m", folder=tmp_path / "b").digest == first.digest


def test_another_bundle_is_never_overwritten(tmp_path):
    model, sample = logistic()
    tidegate.package(model, sample, name="m", folder=tmp_path / "b")
    with pytest.raises(FileExistsError, match="bundles never change"):
        tidegate.package(model, sample, name="other", folder=tmp_path / "b")


def test_the_model_version_is_ready_to_apply(tmp_path):
    model, sample = logistic()
    bundle = tidegate.package(model, sample, name="churn", folder=tmp_path / "b")
    manifest = (bundle.path / "tidegate.json").read_bytes()
    version = yaml.safe_load(bundle.model_version(uri="s3://models/churn/7", name="churn-7"))
    assert (version["apiVersion"], version["kind"]) == ("tidegate.io/v1alpha1", "ModelVersion")
    assert version["metadata"] == {"name": "churn-7"}
    assert version["spec"]["source"] == {"uri": "s3://models/churn/7"}
    assert version["spec"]["digest"] == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert version["spec"]["provenance"]["builder"].startswith("tidegate ")


def test_labels_name_the_classes_of_a_bare_booster(tmp_path):
    _, sample = logistic()
    data = xgboost.DMatrix(sample, zoo.two_classes(zoo.people(missing=False)))
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 3)
    bundle = tidegate.package(booster, sample, name="m", folder=tmp_path / "b", labels=["stays", "leaves"])
    assert signature_of(bundle)["classes"] == ["stays", "leaves"]


@pytest.mark.parametrize("objective", ["binary", "regression"])
def test_bare_lightgbm_boosters_are_taken(tmp_path, objective):
    _, sample = logistic()
    data = lightgbm.Dataset(sample, zoo.two_classes(zoo.people(missing=False)))
    booster = lightgbm.train({"objective": objective, "verbose": -1, "num_threads": 1}, data, 3)
    bundle = tidegate.package(booster, sample, name="m", folder=tmp_path / "b")
    assert signature_of(bundle)["task"] == ("binary" if objective == "binary" else "regression")


@pytest.mark.parametrize("zipmap", [True, False])
def test_an_onnx_classifier_is_taken_with_its_labels(tmp_path, zipmap):
    _, sample = logistic()
    matrix = (sample.to_numpy() / 1e5).astype(np.float32)
    model = LogisticRegression().fit(matrix, zoo.three_labels(zoo.people(missing=False)))
    (tmp_path / "m.onnx").write_bytes(
        to_onnx(model, matrix[:1], options={"zipmap": zipmap}).SerializeToString()
    )
    bundle = tidegate.package(tmp_path / "m.onnx", sample / 1e5, name="m", folder=tmp_path / "b")
    golden = json.loads((bundle.path / "golden.json").read_bytes())
    assert signature_of(bundle)["classes"] == ["high", "low", "middle"]
    wanted = model.predict_proba(np.array(golden["rows"]))
    np.testing.assert_allclose(golden["outputs"]["probabilities"], wanted, atol=1e-5)


def test_an_onnx_regression_is_taken(tmp_path):
    _, sample = logistic()
    matrix = (sample.to_numpy() / 1e5).astype(np.float32)
    model = Ridge().fit(matrix, np.arange(len(matrix)))
    (tmp_path / "m.onnx").write_bytes(to_onnx(model, matrix[:1]).SerializeToString())
    bundle = tidegate.package(str(tmp_path / "m.onnx"), matrix, name="m", folder=tmp_path / "b")
    assert signature_of(bundle)["outputs"] == [{"name": "prediction", "datatype": "FP64", "width": 0}]


def test_a_difference_beyond_the_tolerance_is_refused_with_the_worst_row(tmp_path):
    case = zoo.fitted("XGBoost regression")
    message = refusal(case.model, case.sample, folder=tmp_path / "b", tolerance=1e-12)
    assert "answers otherwise than the native one: row " in message
    assert "at most 1e-12 is accepted" in message
    assert not (tmp_path / "b").exists()


def test_python_code_in_a_pipeline_is_refused_with_a_way_out():
    sample = logistic()[1] / 1e5

    def doubled(rows):
        return rows * 2

    model = make_pipeline(FunctionTransformer(doubled), LogisticRegression())
    model.fit(sample, zoo.two_classes(zoo.people(missing=False)))
    assert refusal(model, sample) == (
        "FunctionTransformer(doubled) is Python code, which the predictor doesn't run; "
        "use one of absolute, exp, log, log1p, sqrt, or do this step before the model"
    )


def test_several_targets_at_once_are_refused_with_a_way_out():
    sample = logistic()[1] / 1e5
    model = Ridge().fit(sample, sample.to_numpy()[:, :2])
    assert refusal(model, sample) == "Ridge answers 2 targets at once; train and package one model a target"


def test_a_classifier_without_probabilities_is_refused_with_a_way_out():
    sample = logistic()[1] / 1e5
    model = LinearSVC().fit(sample, zoo.two_classes(zoo.people(missing=False)))
    assert "wrap it in CalibratedClassifierCV" in refusal(model, sample)


def test_an_unfitted_model_is_refused():
    assert refusal(RandomForestClassifier(), logistic()[1]) == (
        "RandomForestClassifier is not fitted; call fit first"
    )


def test_a_sample_without_a_trained_column_is_refused_by_its_name():
    model, sample = logistic()
    assert "lacks 1 of the 3 columns that the model was trained on: age" in refusal(
        model, sample.drop(columns="age")
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.to_datetime(["2026-01-01"] * zoo.ROWS), "has dtype datetime64"),
        (["a", 1] * (zoo.ROWS // 2), "mixes int, str"),
        (["<missing>"] * zoo.ROWS, "stands for a missing value"),
    ],
)
def test_columns_that_no_caller_can_send_are_refused(values, message):
    model, sample = logistic()
    column = values if isinstance(values, pd.DatetimeIndex) else pd.Series(values, dtype=object)
    assert message in refusal(model, sample.assign(age=column))


@pytest.mark.parametrize("name", ["", "Fraud", "-x", "a" * 60, "a/b"])
def test_a_name_that_kubernetes_would_refuse_is_refused(name):
    model, sample = logistic()
    assert "can't name a model" in refusal(model, sample, name=name)


@pytest.mark.parametrize(
    "name",
    [
        "hist gradient boosting on categories",
        "LightGBM on categories",
        "hist gradient boosting behind an ordinal encoder",
        "target encoder and other scalers",
    ],
)
def test_an_unseen_category_is_answered_as_the_model_answers_it(tmp_path, name):
    case = zoo.fitted(name)
    bundle = tidegate.package(case.model, case.sample, name="m", folder=tmp_path / "b")
    rows = case.sample[:20].assign(job="astronaut")
    if name.endswith("on categories"):
        rows["job"] = rows["job"].astype("category")
    signature = msgspec.json.decode((bundle.path / "signature.json").read_bytes(), type=Signature)
    session = onnxruntime.InferenceSession(bundle.path / "model.onnx")
    columns = {name: rows[name].astype(object).where(rows[name].notna(), None).tolist() for name in rows}
    (answers,) = session.run(["probabilities"], ColumnsCodec(signature).encode(columns))
    np.testing.assert_allclose(answers, case.model.predict_proba(rows), atol=1e-4)


def test_a_step_that_skl2onnx_cannot_convert_is_refused_by_its_name():
    sample = zoo.people()[zoo.NUMBERS].astype(float)
    model = make_pipeline(KNNImputer(), LogisticRegression(max_iter=500))
    model.fit(sample, zoo.two_classes(zoo.people()))
    assert refusal(model, sample).startswith("step KNNImputer can't be converted to ONNX (")
