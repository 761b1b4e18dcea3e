"""The comparison of two versions of a model: what changed from one to the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from enum import StrEnum
from typing import Final

from tidegate.bundle import File
from tidegate.known_version import Build, KnownVersion
from tidegate.provenance import Data, Git, Provenance
from tidegate.signature import Feature, Signature, Tensor

SHORT_COMMIT: Final = 7  # as git shortens them
SHORT_DIGEST: Final = len("sha256:") + 12  # no two bundles of a team share these
CATEGORIES_LISTED: Final = 8  # more of them are counted: countries are 250


class Group(StrEnum):
    """What a change is about, in the order in which changes are told."""

    BUNDLE = "bundle"
    CODE = "code"
    RUN = "run"
    DATA = "data"
    FEATURES = "features"
    SIGNATURE = "signature"
    METRICS = "metrics"
    PACKAGES = "packages"
    FILES = "files"
    BUILD = "built"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same in both versions."""

    group: Group
    what: str
    """Such as commit, a package's name, or `age, nullable`."""
    before: str | None
    """None: it was not there."""
    after: str | None
    """None: it is there no longer."""
    said: str
    """Both of them, or the one that there is, as a person reads them."""


def compare(before: KnownVersion, after: KnownVersion) -> tuple[Change, ...]:
    """Gives what changed, group by group; empty: nothing of what both of them tell."""
    old, new = before.provenance, after.provenance
    return (
        *_compare_bundles(before, after),
        *_compare_code(old.git, new.git),
        *_changed(Group.RUN, "run", old.run or None, new.run or None),
        *_compare_data(old, new),
        *_compare_signatures(before.signature, after.signature),
        *_compare_metrics(old, new),
        *_compare_packages(old, new),
        *_compare_files(before.files, after.files),
        *_compare_builds(before.build, after.build),
    )


def name_gaps(before: KnownVersion, after: KnownVersion) -> tuple[str, ...]:
    """Gives what could not be compared, one sentence for each thing that only one of them tells, or neither."""
    return (
        *_gap(
            "features, signature and files", "a bundle", [v for v in (before, after) if v.signature is None]
        ),
        *_gap("who built it and when", "a ModelVersion", [v for v in (before, after) if v.build is None]),
    )


def _gap(what: str, where: str, silent: list[KnownVersion]) -> Iterator[str]:
    names = " nor ".join(version.name for version in silent)
    if silent:
        told = f"{'neither ' if len(silent) > 1 else ''}{names}{'' if len(silent) > 1 else ' does not'}"
        yield f"not compared: {what}; {where} tells that, {told}"


def _changed(
    group: Group, what: str, before: str | None, after: str | None, *, said: str = ""
) -> Iterator[Change]:
    """One change, or none if there is none."""
    if before != after:
        there = [value for value in (before, after) if value is not None]
        yield Change(group, what, before, after, said if said and len(there) > 1 else " → ".join(there))


def _compare_bundles(before: KnownVersion, after: KnownVersion) -> Iterator[Change]:
    yield from _changed(Group.BUNDLE, "model", before.model, after.model)
    short = f"{before.digest[:SHORT_DIGEST]} → {after.digest[:SHORT_DIGEST]}"
    yield from _changed(Group.BUNDLE, "digest", before.digest, after.digest, said=short)
    if before.source is not None and after.source is not None:
        yield from _changed(Group.BUNDLE, "source", before.source, after.source)


def _compare_code(before: Git | None, after: Git | None) -> Iterator[Change]:
    old, new = before.commit if before else None, after.commit if after else None
    span = f"{(old or '')[:SHORT_COMMIT]}..{(new or '')[:SHORT_COMMIT]}"
    yield from _changed(Group.CODE, "commit", old, new, said=span)
    yield from _changed(
        Group.CODE, "repository", before.repository if before else None, after.repository if after else None
    )
    yield from _changed(Group.CODE, "state", _say_dirty(before), _say_dirty(after))


def _say_dirty(git: Git | None) -> str | None:
    if git is None:
        return None
    return "with changes that are in no commit" if git.dirty else "as committed"


def _compare_data(before: Provenance, after: Provenance) -> Iterator[Change]:
    old, new = _by_uri(before.data), _by_uri(after.data)
    for uri in _in_order(old, new):
        one, other = old.get(uri), new.get(uri)
        if one is None or other is None:
            yield from _changed(Group.DATA, uri, _say_data(one), _say_data(other))
            continue
        yield from _changed(Group.DATA, f"{uri}, digest", one.digest or None, other.digest or None)
        yield from _changed(
            Group.DATA, f"{uri}, rows", _say_rows(one), _say_rows(other), said=_say_growth(one, other)
        )
        yield from _changed(Group.DATA, f"{uri}, time", _say_times(one), _say_times(other))


def _by_uri(data: Iterable[Data]) -> dict[str, Data]:
    """By URI; one that is named again has its number behind it."""
    found: dict[str, Data] = {}
    for one in data:
        again = sum(other.uri == one.uri for other in found.values())
        found[f"{one.uri} ({again + 1})" if again else one.uri] = one
    return found


def _say_data(data: Data | None) -> str | None:
    if data is None:
        return None
    rows = _say_rows(data)
    parts = (f"{rows} rows" if rows else None, _say_times(data), data.digest[:SHORT_DIGEST] or None)
    return ", ".join(part for part in parts if part) or "nothing more is known of it"


def _say_rows(data: Data) -> str | None:
    return None if data.rows is None else f"{data.rows:,}"


def _say_growth(before: Data, after: Data) -> str:
    if before.rows is None or after.rows is None:
        return ""
    return f"{before.rows:,} → {after.rows:,} ({after.rows - before.rows:+,})"


def _say_times(data: Data) -> str | None:
    return f"{data.begin or '?'} to {data.end or '?'}" if data.begin or data.end else None


def _compare_signatures(before: Signature | None, after: Signature | None) -> Iterator[Change]:
    if before is None or after is None:
        return
    yield from _compare_features(before, after)
    yield from _changed(Group.SIGNATURE, "task", before.task, after.task)
    old_classes, new_classes = ", ".join(before.classes), ", ".join(after.classes)
    yield from _changed(Group.SIGNATURE, "classes", old_classes or None, new_classes or None)
    for kind, old, new in (
        ("input", before.inputs, after.inputs),
        ("output", before.outputs, after.outputs),
    ):
        one, other = _describe_tensors(old), _describe_tensors(new)
        for name in _in_order(one, other):
            yield from _changed(Group.SIGNATURE, f"{kind} {name}", one.get(name), other.get(name))
    yield from _changed(Group.SIGNATURE, "tolerance", f"{before.tolerance:g}", f"{after.tolerance:g}")


def _describe_tensors(tensors: Iterable[Tensor]) -> dict[str, str]:
    return {
        tensor.name: f"{tensor.datatype}, {f'{tensor.width} wide' if tensor.width else 'one a row'}"
        for tensor in tensors
    }


def _compare_features(before: Signature, after: Signature) -> Iterator[Change]:
    old = {feature.name: feature for feature in before.features}
    new = {feature.name: feature for feature in after.features}
    for name in _in_order(old, new):
        one, other = old.get(name), new.get(name)
        if one is None or other is None:
            yield from _changed(Group.FEATURES, name, _say_feature(one), _say_feature(other))
            continue
        yield from _changed(Group.FEATURES, f"{name}, kind", one.kind, other.kind)
        yield from _changed(Group.FEATURES, f"{name}, nullable", _say_nullable(one), _say_nullable(other))
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
    yield from _changed(Group.FEATURES, f"{name}, categories", None, _say_list(come))
    yield from _changed(Group.FEATURES, f"{name}, categories", _say_list(gone), None)


def _say_list(values: tuple[str, ...]) -> str | None:
    """Values as they are, and how many more there are."""
    more = len(values) - CATEGORIES_LISTED
    return ", ".join(values[:CATEGORIES_LISTED]) + (f" and {more} more" if more > 0 else "") or None


def _compare_metrics(before: Provenance, after: Provenance) -> Iterator[Change]:
    old = {metric.name: metric.value for metric in before.metrics}
    new = {metric.name: metric.value for metric in after.metrics}
    for name in _in_order(old, new):
        one, other = old.get(name), new.get(name)
        difference = _subtract(one, other)
        if difference == 0:
            continue  # 0.90 and 0.9
        said = f"{one} → {other}" + (f" ({difference:+})" if difference is not None else "")
        yield from _changed(Group.METRICS, name, one, other, said=said)


def _subtract(before: str | None, after: str | None) -> Decimal | None:
    """The difference of two figures; none where one is not there, or is no finite number."""
    try:
        one, other = Decimal(before or ""), Decimal(after or "")
        return other - one if one.is_finite() and other.is_finite() else None
    except DecimalException:
        return None


def _compare_packages(before: Provenance, after: Provenance) -> Iterator[Change]:
    old = {package.name: package.version for package in before.packages}
    new = {package.name: package.version for package in after.packages}
    for name in _in_order(old, new):
        yield from _changed(Group.PACKAGES, name, old.get(name), new.get(name))


def _compare_files(before: Mapping[str, File] | None, after: Mapping[str, File] | None) -> Iterator[Change]:
    if before is None or after is None:
        return
    for name in _in_order(before, after):
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        if one and other and one.size == other.size:
            yield Change(Group.FILES, name, _say_size(one), _say_size(other), f"{_say_size(one)}, other ones")
            continue
        yield from _changed(Group.FILES, name, _say_size(one), _say_size(other))


def _say_size(file: File | None) -> str | None:
    return None if file is None else f"{file.size:,} bytes"


def _compare_builds(before: Build | None, after: Build | None) -> Iterator[Change]:
    if before is None or after is None:
        return
    yield from _changed(Group.BUILD, "by", before.by or None, after.by or None)
    yield from _changed(Group.BUILD, "at", before.at or None, after.at or None)
    yield from _changed(Group.BUILD, "with", before.program or None, after.program or None)


def _in_order(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """The names of both: those of the earlier one as it has them, then the new ones."""
    return [*before, *(name for name in after if name not in before)]
