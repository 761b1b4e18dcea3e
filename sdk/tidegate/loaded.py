"""What a predictor tells of the bundle that it has loaded: as much of it as a ModelVersion's status has room for.

The bounds are those of the status: thousands of versions lie in one API server and are listed together. What is left
out is counted beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from tidegate.bundle import Manifest
from tidegate.signature import SENT_AS, Feature, FeatureKind, Signature, Task, Tensor

BUNDLE_PATH: Final = "/internal/bundle"

INPUTS_TOLD: Final = 200
OUTPUTS_TOLD: Final = 20
CATEGORIES_TOLD: Final = 50
"""Of one input, and of the classes that are answered."""
CATEGORY_BYTES_TOLD: Final = 16 << 10
"""Of all inputs together: with 200 long lists a version would be as large as two hundred others."""
LONGEST_TEXT: Final = 100
"""Characters of a name, a category or a class; a longer one ends with …"""
LARGEST_ANSWER_BYTES: Final = 320 << 10
"""More than all of it comes to, of letters that JSON writes with six."""

Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
Texts = Annotated[tuple[Text, ...], msgspec.Meta(max_length=CATEGORIES_TOLD)]
Shape = Annotated[tuple[int, ...], msgspec.Meta(max_length=2)]
"""The sizes of the axes; -1 is the rows, of which there are as many as a request has."""
Count = Annotated[int, msgspec.Meta(ge=0)]


class Input(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One feature as callers send it."""

    name: Text
    kind: Text
    """A `tidegate.signature.FeatureKind`."""
    datatype: Text
    """In the words of the Open Inference Protocol, such as FP64."""
    shape: Shape
    nullable: bool
    """Whether the model was built to answer rows in which it is missing."""
    categories: Texts = ()
    category_count: Count = 0
    """How many there are, those left out included."""


class Output(msgspec.Struct, frozen=True):
    """One output as callers get it."""

    name: Text
    datatype: Text
    shape: Shape


class LoadedSignature(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a model takes and answers."""

    task: Text
    inputs: Annotated[tuple[Input, ...], msgspec.Meta(max_length=INPUTS_TOLD)]
    input_count: Count
    outputs: Annotated[tuple[Output, ...], msgspec.Meta(max_length=OUTPUTS_TOLD)]
    output_count: Count
    classes: Texts = ()
    class_count: Count = 0


class LoadedBundle(msgspec.Struct, frozen=True):
    """A bundle of which every file has the hash that its digest says, and whose golden rows were answered."""

    digest: Text
    format: Text
    """That of its manifest, such as tidegate.io/bundle/v1alpha1."""
    size: Count
    """Bytes of all files that the manifest lists."""
    signature: LoadedSignature


def tell_bundle(manifest: Manifest, signature: Signature, *, digest: str) -> LoadedBundle:
    """Gives what a predictor tells of a bundle."""
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


def recall_signature(told: LoadedSignature) -> Signature:
    """Gives the signature that was told: as callers see the model, so without what its graph takes, and cut.

    Raises:
        ValueError: It speaks of a task or a kind of feature that this release does not know.
    """
    return Signature(
        task=Task(told.task),
        features=tuple(
            Feature(
                name=one.name,
                kind=FeatureKind(one.kind),
                tensor="",
                column=0,
                nullable=one.nullable,
                categories=one.categories,
            )
            for one in told.inputs
        ),
        inputs=(),
        outputs=tuple(
            Tensor(one.name, one.datatype, one.shape[1] if len(one.shape) > 1 else 0) for one in told.outputs
        ),
        classes=told.classes,
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
