"""What a data scientist declared of a model's answers, as it goes into the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tidegate.expectations import Expectation, find_misfit
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.signature import Signature


def read_declared(declared: Sequence[Expectation | Mapping[str, Any]]) -> tuple[Expectation, ...]:
    """The expectations as the bundle has them, whether they were written as objects or as mappings.

    Raises:
        PackagingRefusedError: One is none; the sentence says which, and what is wrong with it.
    """
    read = []
    for place, one in enumerate(declared):
        try:
            # A struct that is made by its constructor has not been looked at; what is converted has.
            read.append(msgspec.convert(msgspec.to_builtins(one), Expectation))
        except (msgspec.ValidationError, TypeError) as error:
            raise PackagingRefusedError(f"expectations[{place}] is none: {error}") from error
    return tuple(read)


def require_fit(expectations: Sequence[Expectation], signature: Signature) -> None:
    """Looks whether the model has what its expectations speak of.

    Raises:
        PackagingRefusedError: It has not. Without this, nobody would learn of a misspelt feature before a gate did.
    """
    for place, one in enumerate(expectations):
        if misfit := find_misfit(one, signature):
            raise PackagingRefusedError(f"expectations[{place}] can't be held: {misfit}")
