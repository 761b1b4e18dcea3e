"""What a predictor tells of the bundle that it has loaded: as much of it as a ModelVersion's status has room for.

The bounds are those of the status: thousands of versions lie in one API server and are listed together. What is left
out is counted beside.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

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
