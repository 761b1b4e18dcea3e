"""Tells of the bundle that was loaded, cut to what a ModelVersion's status has room for."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.bundle import Manifest
from tidegate.loaded import (
    CATEGORIES_TOLD,
    CATEGORY_BYTES_TOLD,
    INPUTS_TOLD,
    LONGEST_TEXT,
    OUTPUTS_TOLD,
    Input,
    LoadedBundle,
    LoadedSignature,
    Output,
)
from tidegate.signature import Feature, Signature, Tensor
from tidegate_serving.v2 import SENT_AS


def tell_bundle(manifest: Manifest, signature: Signature, *, digest: str) -> LoadedBundle:
    """Gives what is told of a bundle."""
    return LoadedBundle(
        digest=digest,
        format=manifest.format,
        size=sum(file.size for file in manifest.files.values()),
        signature=LoadedSignature(
            task=signature.task,
            inputs=tuple(_tell_inputs(signature.features[:INPUTS_TOLD])),
            input_count=len(signature.features),
            outputs=tuple(_tell_output(output) for output in signature.outputs[:OUTPUTS_TOLD]),
            output_count=len(signature.outputs),
            classes=_cut_all(signature.classes),
            class_count=len(signature.classes),
        ),
    )


def _tell_inputs(features: tuple[Feature, ...]) -> Iterator[Input]:
    """The first ones with their categories, as long as there is room for these."""
    room = CATEGORY_BYTES_TOLD
    for feature in features:
        categories = _cut_all(feature.categories)
        size = sum(len(category.encode()) for category in categories)
        told = categories if size <= room else ()
        room -= size if told else 0
        yield Input(
            name=_cut(feature.name),
            kind=feature.kind,
            datatype=SENT_AS[feature.kind],
            shape=(-1,),
            nullable=feature.nullable,
            categories=told,
            category_count=len(feature.categories),
        )


def _tell_output(output: Tensor) -> Output:
    shape = (-1, output.width) if output.width else (-1,)
    return Output(name=_cut(output.name), datatype=_cut(output.datatype), shape=shape)


def _cut_all(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_cut(text) for text in texts[:CATEGORIES_TOLD])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
