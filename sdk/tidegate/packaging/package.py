"""`tidegate.package`: a fitted model and a sample of its data become a bundle, or a sentence why not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from tidegate.builder import find_builder
from tidegate.bundle import (
    BASELINE_NAME,
    EXPECTATIONS_NAME,
    GOLDEN_NAME,
    MODEL_NAME,
    PROVENANCE_NAME,
    SIGNATURE_NAME,
    write_bundle,
)
from tidegate.model_version import Bundle
from tidegate.packaging.compare import Difference, compare_answers
from tidegate.packaging.conversion import ConvertedModel, check_graph, convert_model, output_tensors
from tidegate.packaging.declared import read_declared, require_fit
from tidegate.packaging.golden_rows import build_golden, golden_places
from tidegate.packaging.histograms import build_baseline
from tidegate.packaging.native import (
    Answers,
    NativeModel,
    native_model,
    nullable_features,
    with_missing,
)
from tidegate.packaging.onnx_file import adopt_onnx, expected_columns
from tidegate.packaging.origin import find_provenance
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.sample import Sample, SampleData, input_tensors, read_sample
from tidegate.provenance import Origin
from tidegate.signature import Signature
from tidegate.version import CREATED_BY

_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,48}[a-z0-9])?")


def package(
    model: Any,  # noqa: ANN401 - any fitted model
    sample: SampleData,
    *,
    name: str,
    folder: str | Path | None = None,
    labels: Sequence[Any] | None = None,
    tolerance: float = 1e-4,
    origin: Origin = Origin(),  # noqa: B008 - frozen
) -> Bundle:
    """Makes a bundle from a fitted model.

    Where the model came from goes into it by itself: the commit that the current folder is at, the libraries, and
    the MLflow run that is active (or named by MLFLOW_RUN_ID) with its metrics and inputs.

    Args:
        model: A fitted scikit-learn, XGBoost or LightGBM model or pipeline, or the path of an ONNX file.
        sample: Rows of the training data (some thousands are plenty): a pandas DataFrame with the dtypes that the
            model was trained on, or a matrix. What drifts later is compared with it, so it must be a fair sample,
            missing values included. Of more than 50,000 rows so many are drawn by chance, always the same ones.
            Columns that the model doesn't know are left out.
        name: The model's name, shared by all its versions, such as `fraud`.
        folder: Where the bundle goes; must not exist yet. None: a folder `<name>-bundle` beside the notebook.
        labels: What to call the classes, in the model's order, where it knows them as 0, 1, … only. None: as the
            model calls them.
        tolerance: Largest difference between native and ONNX answers to accept: of probabilities as it is, of a
            regression relative to the larger of 1 and the answer.
        origin: What it was trained on and how it did in its evaluation, where no MLflow run tells; and what its
            answers must do when a row changes.

    Raises:
        PackagingRefusedError: The model can't be converted, or answers otherwise than the native one; the message
            says what helps.
        FileExistsError: The folder holds another bundle.
    """
    if not _NAME.fullmatch(name):
        raise PackagingRefusedError(
            f"name {name!r} can't name a model; use up to 50 lower-case letters, digits and dashes, a letter first"
        )
    # Before the long work: what can't be told is refused at once.
    provenance = find_provenance(model, origin)
    expectations = read_declared(origin.expectations)
    build = _build_from_onnx if isinstance(model, str | Path) else _build_from_fitted
    built = build(model, sample, labels=labels, tolerance=tolerance)
    require_fit(expectations, built.signature)
    target = Path(folder) if folder is not None else Path(f"{name}-bundle")
    files = _files(built) | {PROVENANCE_NAME: _json(provenance)}
    if expectations:
        files[EXPECTATIONS_NAME] = _json(expectations)
    digest = write_bundle(target, files, model=name, created_by=CREATED_BY)
    return Bundle(
        path=target,
        digest=digest,
        model=name,
        created_at=datetime.now(UTC),
        built_by=find_builder(),
        provenance=provenance,
    )


@dataclass(frozen=True, slots=True)
class _Built:
    """What a bundle is written from."""

    content: bytes
    """Of the ONNX model."""
    signature: Signature
    sample: Sample
    answers: Answers
    """Of the ONNX model to the whole sample: what the predictor will answer."""


def _build_from_fitted(
    model: Any,  # noqa: ANN401 - any fitted model
    data: SampleData,
    *,
    labels: Sequence[Any] | None,
    tolerance: float,
) -> _Built:
    native = native_model(model, labels)
    sample = read_sample(data, native.feature_names)
    sample = _with_nullability(sample, nullable_features(native, sample))
    content = convert_model(native, sample)
    signature = build_signature(native, sample, tolerance)
    answers = compare_with_native(native, ConvertedModel(content, signature), sample, tolerance=tolerance)
    return _Built(content, signature, sample, answers)


def _build_from_onnx(
    path: str | Path, data: SampleData, *, labels: Sequence[Any] | None, tolerance: float
) -> _Built:
    proto = check_graph(Path(path).read_bytes())
    sample = read_sample(data, expected_columns(proto))
    content, signature, sample = adopt_onnx(proto, sample, labels=labels, tolerance=tolerance)
    return _Built(content, signature, sample, ConvertedModel(content, signature).answer(sample))


def _files(built: _Built) -> dict[str, bytes]:
    places = golden_places(built.sample, built.answers)
    rows = built.sample.with_frame(built.sample.frame.iloc[places].reset_index(drop=True))
    golden = build_golden(rows, {name: values[places] for name, values in built.answers.items()})
    baseline = build_baseline(
        built.sample.features, built.sample.columns(), built.answers, built.signature.task
    )
    return {
        MODEL_NAME: built.content,
        SIGNATURE_NAME: _json(built.signature),
        BASELINE_NAME: _json(baseline),
        GOLDEN_NAME: _json(golden),
    }


def build_signature(native: NativeModel, sample: Sample, tolerance: float) -> Signature:
    """Puts together what callers must know."""
    return Signature(
        task=native.meaning.task,
        features=sample.features,
        inputs=input_tensors(sample.features),
        outputs=output_tensors(native.meaning),
        classes=native.meaning.class_names(),
        tolerance=tolerance,
    )


def compare_with_native(
    native: NativeModel, converted: ConvertedModel, sample: Sample, *, tolerance: float
) -> Answers:
    """Asks both about every row, then about rows in which each nullable feature is missing.

    Gives the ONNX answers to the sample: what the predictor will answer, golden rows included.

    Raises:
        PackagingRefusedError: They differ by more than the tolerance; names the worst row.
    """
    answers = converted.answer(sample)
    _require_same(
        compare_answers(native.answer(sample), answers, tolerance=tolerance), tolerance, "of the sample"
    )
    nullable = [feature.name for feature in sample.features if feature.nullable]
    for names in ([name] for name in nullable):
        gapped = with_missing(sample, names)
        difference = compare_answers(native.answer(gapped), converted.answer(gapped), tolerance=tolerance)
        _require_same(difference, tolerance, f"of the sample with '{names[0]}' made missing")
    return answers


def _require_same(difference: Difference, tolerance: float, which: str) -> None:
    if difference.largest <= tolerance:
        return
    raise PackagingRefusedError(
        f"the converted model answers otherwise than the native one: row {difference.row} {which} gives "
        f"{difference.onnx} instead of {difference.native}, a difference of {difference.largest:.3g} where at most "
        f"{tolerance:g} is accepted; give a larger tolerance if that is harmless"
    )


def _with_nullability(sample: Sample, nullable: frozenset[str]) -> Sample:
    features = tuple(
        msgspec.structs.replace(feature, nullable=feature.name in nullable) for feature in sample.features
    )
    return Sample(sample.frame, features, sample.as_matrix)


def _json(content: msgspec.Struct | tuple[msgspec.Struct, ...]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content, order="deterministic"), indent=1)
