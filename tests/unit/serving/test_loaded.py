"""What a predictor tells of its bundle: all of a usual one, and of a huge one as much as a status can hold."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.serving.bundles import SIGNATURE
from tests.unit.serving.conftest import Server, Start

from tidegate.bundle import File, Manifest
from tidegate.loaded import (
    BUNDLE_PATH,
    CATEGORIES_TOLD,
    CATEGORY_BYTES_TOLD,
    INPUTS_TOLD,
    LARGEST_ANSWER_BYTES,
    LONGEST_TEXT,
    LoadedBundle,
    tell_bundle,
)
from tidegate.signature import Feature, FeatureKind, Signature, Task, Tensor


def manifest(*sizes: int) -> Manifest:
    files = {f"file-{place}": File(sha256="0" * 64, size=size) for place, size in enumerate(sizes)}
    return Manifest(model="fraud", files=files, created_by="tidegate")


def tell(signature: Signature) -> LoadedBundle:
    return tell_bundle(manifest(1), signature, digest="sha256:1")


def category(name: str, *categories: str) -> Feature:
    return Feature(name, FeatureKind.CATEGORY, tensor=name, column=0, nullable=False, categories=categories)


def signature_of(*features: Feature, classes: tuple[str, ...] = ()) -> Signature:
    return Signature(Task.MULTICLASS, features, (), (Tensor("probabilities", "FP32", 3),), classes)


def test_a_predictor_that_is_ready_tells_what_it_has_loaded(server: Server, bundle: tuple[Path, str]) -> None:
    folder, digest = bundle
    told = httpx.get(server.url + BUNDLE_PATH).json()
    files = [path for path in folder.iterdir() if path.name != "tidegate.json"]
    assert told == {
        "digest": digest,
        "format": "tidegate.io/bundle/v1alpha1",
        "size": sum(path.stat().st_size for path in files),
        "signature": {
            "task": "regression",
            "inputs": [
                {"name": "amount", "kind": "number", "datatype": "FP64", "shape": [-1], "nullable": True},
                {"name": "visits", "kind": "integer", "datatype": "INT64", "shape": [-1], "nullable": False},
                {
                    "name": "country",
                    "kind": "category",
                    "datatype": "BYTES",
                    "shape": [-1],
                    "nullable": False,
                    "categories": ["DE", "FR"],
                    "categoryCount": 2,
                },
            ],
            "inputCount": 3,
            "outputs": [{"name": "prediction", "datatype": "FP32", "shape": [-1]}],
            "outputCount": 1,
        },
    }


def test_one_that_has_loaded_nothing_yet_says_so(start_server: Start) -> None:
    server = start_server("http://127.0.0.1:9/nowhere", "sha256:" + "0" * 64, retry_seconds=60)
    server.until_status(BUNDLE_PATH, 503)


def test_the_inputs_are_those_of_the_protocols_metadata(server: Server) -> None:
    told = httpx.get(server.url + BUNDLE_PATH).json()["signature"]["inputs"]
    known = httpx.get(f"{server.url}/v2/models/fraud").json()["inputs"]
    assert [{key: one[key] for key in ("name", "datatype", "shape")} for one in told] == known


def test_the_size_is_that_of_all_files() -> None:
    assert tell_bundle(manifest(3, 4), SIGNATURE, digest="sha256:1").size == 7


def test_a_matrix_is_told_with_its_second_axis() -> None:
    assert tell(signature_of(category("a"))).signature.outputs[0].shape == (-1, 3)


def test_what_is_too_much_is_cut_and_counted() -> None:
    long = "x" * (LONGEST_TEXT + 1)
    many = tuple(str(number) for number in range(CATEGORIES_TOLD + 1))
    told = tell(signature_of(category(long, *many), *map(category, many * 5), classes=many)).signature
    assert told.inputs[0].name == "x" * (LONGEST_TEXT - 1) + "…"
    assert (told.inputs[0].categories, told.inputs[0].category_count) == (many[:-1], CATEGORIES_TOLD + 1)
    assert (told.classes, told.class_count) == (many[:-1], CATEGORIES_TOLD + 1)
    assert (len(told.inputs), told.input_count) == (INPUTS_TOLD, 1 + 5 * len(many))


def test_long_lists_of_categories_leave_room_for_short_ones_after_them() -> None:
    long = tuple(f"{number:0100}" for number in range(CATEGORIES_TOLD))
    told = tell(signature_of(*(category(str(place), *long) for place in range(5)), category("sex", "f", "m")))
    shown = [bool(one.categories) for one in told.signature.inputs]
    assert shown == [True, True, True, False, False, True]
    assert [one.category_count for one in told.signature.inputs] == [CATEGORIES_TOLD] * 5 + [2]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=60)), max_size=8), st.lists(TEXT, max_size=60))
def test_whatever_a_bundle_holds_its_reader_takes_the_answer(
    features: list[tuple[str, list[str]]], classes: list[str]
) -> None:
    signature = signature_of(*(category(name, *texts) for name, texts in features), classes=tuple(classes))
    told = tell(signature)
    answer = msgspec.json.encode(told)
    assert len(answer) <= LARGEST_ANSWER_BYTES
    assert msgspec.json.decode(answer, type=LoadedBundle) == told


@pytest.mark.parametrize("letter", ["x", "\u20ac", "\U0001f600", "\x01", '"'])
def test_the_largest_answer_is_one_that_is_read(letter: str) -> None:
    texts = (letter * LONGEST_TEXT,) * CATEGORIES_TOLD
    features = [category(letter * LONGEST_TEXT, *texts) for _ in range(INPUTS_TOLD)]
    told = tell(signature_of(*features, classes=texts))
    assert sum(len(text.encode()) for one in told.signature.inputs for text in one.categories) <= (
        CATEGORY_BYTES_TOLD
    )
    assert len(msgspec.json.encode(told)) <= LARGEST_ANSWER_BYTES
