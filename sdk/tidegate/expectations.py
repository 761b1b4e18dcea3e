"""Expectations: what an answer may do when one feature of a row changes, declared by who knows the subject.

They are the invariance and directional expectations of Ribeiro et al., Beyond Accuracy: Behavioral Testing of NLP
Models with CheckList (ACL 2020).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec

from tidegate.bundle import EXPECTATIONS_NAME
from tidegate.signature import Feature, FeatureKind, Signature, Task

Value = float | int | bool | str

MOVE: Final = r"^[+-]?[0-9]{1,12}(\.[0-9]{1,12})?%?$"
MARGIN: Final = r"^[0-9]{1,12}(\.[0-9]{1,12})?$"
EXCEPTIONS: Final = r"^[0-9]{1,2}(\.[0-9]{1,4})?%$"

_NUMBERS: Final = (FeatureKind.NUMBER, FeatureKind.INTEGER)
_BOOLEANS: Final = {"true": True, "false": False}
_NAMES_TOLD: Final = 10


class Reaction(StrEnum):
    """What an answer may do."""

    SAME = "Same"  # stay as it is
    NOT_LOWER = "NotLower"  # stay, or rise
    NOT_HIGHER = "NotHigher"  # stay, or fall


_DIRECTED: Final = (Reaction.NOT_LOWER, Reaction.NOT_HIGHER)


class Expectation(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"
):
    """What happens to the answer when one feature of a row changes, and nothing else."""

    feature: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    """Which one changes."""
    answer: Reaction
    """What the answer may do: Same, NotLower or NotHigher."""
    by: Annotated[str, msgspec.Meta(pattern=MOVE)] | None = None
    """How far a number moves, such as "10%", "-500" or "-10%"; a whole number by one at least. Default: it does not
    move, but takes other values."""
    to: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=256)], ...], msgspec.Meta(max_length=20)] = ()
    """Values that it takes, one after the other, such as ["Anna", "Mehmet"]; numbers are written as text. Default:
    the categories that the model knows, true and false, or else the values that other rows have."""
    of: Annotated[str, msgspec.Meta(max_length=256)] = ""
    """The class whose probability is meant. Default: of two classes the second; of more, Same means each of them."""
    tolerance: Annotated[str, msgspec.Meta(pattern=MARGIN)] | None = None
    """Difference that is still the same, in the unit of the answer, such as "0.01". Default: the tolerance of the
    bundle's signature, times the answer where that is a number larger than 1."""
    exceptions: Annotated[str, msgspec.Meta(pattern=EXCEPTIONS)] = "0%"
    """Share of the rows that may do otherwise. Default: 0%, none."""

    def __post_init__(self) -> None:
        """Msgspec makes a validation error of this."""
        if self.by and self.to:
            raise ValueError(f"the expectation of '{self.feature}' has by or to, not both")
        if self.answer in _DIRECTED and not (self.by or self.to):
            raise ValueError(f"the expectation of '{self.feature}' needs by, such as \"10%\", or to")
        if self.by and not re.search("[1-9]", self.by):
            raise ValueError(f"the expectation of '{self.feature}' has by: {self.by}, which moves nothing")

    def __str__(self) -> str:
        """The change, as a sentence's subject."""
        if self.by:
            return f"{self.feature} by {self.by}"
        return f"{self.feature} to {' or '.join(self.to)}" if self.to else f"{self.feature} changed"


def parse_value(text: str, feature: Feature) -> Value:
    """The value that a text stands for.

    Raises:
        ValueError: It is none of the feature's kind; one sentence.
    """
    try:
        match feature.kind:
            case FeatureKind.NUMBER:
                return _parse_finite(text)
            case FeatureKind.INTEGER:
                return int(text)
            case FeatureKind.BOOLEAN:
                return _BOOLEANS[text.lower()]
            case FeatureKind.STRING | FeatureKind.CATEGORY:
                return text
    except (ValueError, KeyError) as error:
        raise ValueError(f"'{text}' is no value of '{feature.name}', of the kind {feature.kind}") from error


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def find_misfit(expectation: Expectation, signature: Signature) -> str:
    """One sentence on what a model does not have that an expectation speaks of; empty: it can be held."""
    features = {feature.name: feature for feature in signature.features}
    feature = features.get(expectation.feature)
    if feature is None:
        known = _name_some(features)
        return f"there is no feature '{expectation.feature}' to change; the model takes {known}"
    if expectation.by and feature.kind not in _NUMBERS:
        why = f"'{feature.name}' is of the kind {feature.kind}, which does not move"
        return f"{expectation}: {why}; write to instead of by"
    try:
        for text in expectation.to:
            parse_value(text, feature)
    except ValueError as error:
        return str(error)
    return _find_unmeant(expectation, signature)


def _find_unmeant(expectation: Expectation, signature: Signature) -> str:
    if expectation.of and expectation.of not in signature.classes:
        known = _name_some(signature.classes) or "a number"
        return f"{expectation}: the model answers {known}, and no class '{expectation.of}'"
    if expectation.answer in _DIRECTED and signature.task is Task.MULTICLASS and not expectation.of:
        classes = _name_some(signature.classes)
        return f"{expectation}: {expectation.answer} needs of, the class that is meant: {classes}"
    return ""


def _name_some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _NAMES_TOLD
    return ", ".join(listed[:_NAMES_TOLD]) + (f" and {more} more" if more > 0 else "")


def read_expectations(bundle: Path) -> tuple[Expectation, ...]:
    """What a bundle's files declare; empty: nothing is declared there.

    Raises:
        ValueError: The file can't be read; one sentence.
    """
    path = bundle / EXPECTATIONS_NAME
    if not path.is_file():
        return ()
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Expectation, ...])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path.name} can't be read: {str(error)[:300]}") from error
