"""What changed in the signature: features, classes and outputs, and what the graph takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Final

import msgspec

from tidegate.comparing.change import Change, Group, changed, in_order
from tidegate.loaded import Input, LoadedSignature, recall_signature
from tidegate.signature import Feature, Signature, Tensor

CATEGORIES_LISTED: Final = 8  # more of them are counted: countries are 250


def compare_signatures(before: Signature, after: Signature) -> Iterator[Change]:
    """Gives the changes between two signatures that are known whole."""
    yield from _compare_features(before, after)
    yield from changed(Group.SIGNATURE, "task", before.task, after.task)
    old_classes, new_classes = ", ".join(before.classes), ", ".join(after.classes)
    yield from changed(Group.SIGNATURE, "classes", old_classes or None, new_classes or None)
    for kind, old, new in (
        ("input", before.inputs, after.inputs),
        ("output", before.outputs, after.outputs),
    ):
        one, other = _describe_tensors(old), _describe_tensors(new)
        for name in in_order(one, other):
            yield from changed(Group.SIGNATURE, f"{kind} {name}", one.get(name), other.get(name))
    yield from changed(Group.SIGNATURE, "tolerance", f"{before.tolerance:g}", f"{after.tolerance:g}")


def compare_told(before: LoadedSignature, after: LoadedSignature) -> Iterator[Change]:
    """Gives the changes between two signatures that statuses tell.

    A list that is cut in one of them is compared by its length alone: a new value shifts another one out of sight,
    which is not gone for that.
    """
    yield from compare_signatures(
        recall_signature(_keep_whole(before, after)), recall_signature(_keep_whole(after, before))
    )
    yield from _compare_lengths(
        Group.FEATURES, "features", *((one.inputs, one.input_count) for one in (before, after))
    )
    others = {one.name: one for one in after.inputs}
    for one in before.inputs:
        if other := others.get(one.name):
            lists = ((feature.categories, feature.category_count) for feature in (one, other))
            yield from _compare_lengths(Group.FEATURES, f"{one.name}, categories", *lists)
    yield from _compare_lengths(
        Group.SIGNATURE, "classes", *((one.classes, one.class_count) for one in (before, after))
    )


def _keep_whole(told: LoadedSignature, beside: LoadedSignature) -> LoadedSignature:
    """One of two signatures, without what is cut in either of them."""
    peers = {one.name: one for one in beside.inputs}
    all_features = not any(_is_cut(one.inputs, one.input_count) for one in (told, beside))
    return msgspec.structs.replace(
        told,
        inputs=tuple(
            _drop_cut(one, peers.get(one.name, one))
            for one in told.inputs
            if all_features or one.name in peers
        ),
        classes=() if any(_is_cut(one.classes, one.class_count) for one in (told, beside)) else told.classes,
    )


def _drop_cut(feature: Input, peer: Input) -> Input:
    cut = any(_is_cut(one.categories, one.category_count) for one in (feature, peer))
    return msgspec.structs.replace(feature, categories=()) if cut else feature


def _is_cut(shown: Sized, count: int) -> bool:
    return len(shown) < count


def _compare_lengths(
    group: Group, what: str, before: tuple[Sized, int], after: tuple[Sized, int]
) -> Iterator[Change]:
    if _is_cut(*before) or _is_cut(*after):
        yield from changed(group, what, f"{before[1]:,}", f"{after[1]:,}")


def _describe_tensors(tensors: Iterable[Tensor]) -> dict[str, str]:
    return {
        tensor.name: f"{tensor.datatype}, {f'{tensor.width} wide' if tensor.width else 'one a row'}"
        for tensor in tensors
    }


def _compare_features(before: Signature, after: Signature) -> Iterator[Change]:
    old = {feature.name: feature for feature in before.features}
    new = {feature.name: feature for feature in after.features}
    for name in in_order(old, new):
        one, other = old.get(name), new.get(name)
        if one is None or other is None:
            yield from changed(Group.FEATURES, name, _say_feature(one), _say_feature(other))
            continue
        yield from changed(Group.FEATURES, f"{name}, kind", one.kind, other.kind)
        yield from changed(Group.FEATURES, f"{name}, nullable", _say_nullable(one), _say_nullable(other))
        yield from _compare_categories(name, one, other)


def _say_feature(feature: Feature | None) -> str | None:
    if feature is None:
        return None
    count = f" of {len(feature.categories)}" if feature.categories else ""
    return f"{feature.kind}{count}, {_say_nullable(feature)}"


def _say_nullable(feature: Feature) -> str:
    return "may be missing" if feature.nullable else "must be there"


def _compare_categories(name: str, before: Feature, after: Feature) -> Iterator[Change]:
    gone = tuple(value for value in before.categories if value not in after.categories)
    come = tuple(value for value in after.categories if value not in before.categories)
    yield from changed(Group.FEATURES, f"{name}, categories", None, _say_list(come))
    yield from changed(Group.FEATURES, f"{name}, categories", _say_list(gone), None)


def _say_list(values: tuple[str, ...]) -> str | None:
    """Values as they are, and how many more there are."""
    more = len(values) - CATEGORIES_LISTED
    return ", ".join(values[:CATEGORIES_LISTED]) + (f" and {more} more" if more > 0 else "") or None
