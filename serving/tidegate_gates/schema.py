"""The schema: what callers send and get, and what they would notice of a change from one version to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from tidegate.signature import SENT_AS, Feature, Signature, Tensor

T = TypeVar("T")


def find_changes(stable: Signature, candidate: Signature) -> tuple[str, ...]:
    """What callers of the stable version would notice, each in a few words; empty: nothing.

    That a feature may be missing now, or that there are more categories, no caller has to know.
    """
    return (*_compare_features(stable, candidate), *_compare_tensors(stable, candidate))


def _compare_features(stable: Signature, candidate: Signature) -> Iterator[str]:
    before = {feature.name: feature for feature in stable.features}
    after = {feature.name: feature for feature in candidate.features}
    yield from _compare("feature", before, after, lambda feature: SENT_AS[feature.kind])
    for name, feature in after.items():
        if name in before and before[name].nullable and not feature.nullable:
            yield f"feature {name} must be there now"
    # Rows of V1 may be lists, and nothing in such a list says which value is which.
    yield from _compare_order("features", list(before), list(after))


def _compare_tensors(stable: Signature, candidate: Signature) -> Iterator[str]:
    before, after = ({one.name: one for one in of.outputs} for of in (stable, candidate))
    yield from _compare("output", before, after, _describe)
    yield from _compare_order("outputs", list(before), list(after))
    if stable.classes != candidate.classes:
        classes = [", ".join(of.classes) or "none" for of in (candidate, stable)]
        yield f"classes are {classes[0]} instead of {classes[1]}"
    # Callers may send whole matrices as the graph takes them.
    before, after = ({one.name: one for one in of.inputs} for of in (stable, candidate))
    yield from _compare("input", before, after, _describe)
    for name in [name for name in before if name in after]:
        columns = (_list_columns(of, name) for of in (stable, candidate))
        yield from _compare_order(f"columns of input {name}", *columns)


def _compare(
    what: str, before: Mapping[str, T], after: Mapping[str, T], describe: Callable[[T], str]
) -> Iterator[str]:
    for name, one in before.items():
        if name not in after:
            yield f"{what} {name} is gone"
        elif describe(one) != describe(after[name]):
            yield f"{what} {name} is {describe(after[name])} instead of {describe(one)}"
    yield from (f"{what} {name} is new" for name in after if name not in before)


def _compare_order(what: str, before: list[str], after: list[str]) -> Iterator[str]:
    if before != after and sorted(before) == sorted(after):
        yield f"{what} are in another order"


def _describe(tensor: Tensor) -> str:
    return f"{tensor.datatype} [rows, {tensor.width}]" if tensor.width else f"{tensor.datatype} [rows]"


def _list_columns(signature: Signature, tensor: str) -> list[str]:
    def place(feature: Feature) -> int:
        return feature.column

    return [feature.name for feature in sorted(signature.features, key=place) if feature.tensor == tensor]
