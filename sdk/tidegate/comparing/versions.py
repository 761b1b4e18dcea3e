"""The comparison of two versions of a model: what changed from one to the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, DecimalException
from typing import Final

from tidegate.bundle import File
from tidegate.comparing.change import Change, Group, changed, in_order
from tidegate.comparing.known_version import Build, KnownVersion
from tidegate.comparing.signatures import compare_signatures, compare_told
from tidegate.provenance import Data, Git, Provenance

SHORT_COMMIT: Final = 7  # as git shortens them
SHORT_DIGEST: Final = len("sha256:") + 12  # no two bundles of a team share these
_ORDER: Final = {group: place for place, group in enumerate(Group)}


def compare(before: KnownVersion, after: KnownVersion) -> tuple[Change, ...]:
    """Gives what changed, group by group; empty: nothing of what both of them tell."""
    old, new = before.provenance, after.provenance
    changes = (
        *_compare_bundles(before, after),
        *_compare_code(old.git, new.git),
        *changed(Group.RUN, "run", old.run or None, new.run or None),
        *_compare_data(old, new),
        *_compare_signatures(before, after),
        *_compare_metrics(old, new),
        *_compare_packages(old, new),
        *_compare_files(before, after),
        *_compare_builds(before.build, after.build),
    )
    return tuple(sorted(changes, key=lambda change: _ORDER[change.group]))


def name_gaps(before: KnownVersion, after: KnownVersion) -> tuple[str, ...]:
    """Gives what could not be compared, one sentence for each thing that only one of them tells, or neither."""
    versions = (before, after)
    return (
        *_gap(
            "features and signature",
            "a bundle or a loaded ModelVersion tells that",
            [version for version in versions if version.loaded is None],
        ),
        *_gap(
            "single files and what the graph takes",
            "a bundle tells that",
            [v for v in versions if v.files is None],
        ),
        *_gap("who built it and when", "a ModelVersion tells that", [v for v in versions if v.build is None]),
    )


def _gap(what: str, where: str, silent: list[KnownVersion]) -> Iterator[str]:
    names = " nor ".join(version.name for version in silent)
    if silent:
        told = f"{'neither ' if len(silent) > 1 else ''}{names}{'' if len(silent) > 1 else ' does not'}"
        yield f"not compared: {what}; {where}, {told}"


def _compare_bundles(before: KnownVersion, after: KnownVersion) -> Iterator[Change]:
    yield from changed(Group.BUNDLE, "model", before.model, after.model)
    short = f"{before.digest[:SHORT_DIGEST]} → {after.digest[:SHORT_DIGEST]}"
    yield from changed(Group.BUNDLE, "digest", before.digest, after.digest, said=short)
    if before.source is not None and after.source is not None:
        yield from changed(Group.BUNDLE, "source", before.source, after.source)


def _compare_code(before: Git | None, after: Git | None) -> Iterator[Change]:
    old, new = before.commit if before else None, after.commit if after else None
    span = f"{(old or '')[:SHORT_COMMIT]}..{(new or '')[:SHORT_COMMIT]}"
    yield from changed(Group.CODE, "commit", old, new, said=span)
    yield from changed(
        Group.CODE, "repository", before.repository if before else None, after.repository if after else None
    )
    yield from changed(Group.CODE, "state", _say_dirty(before), _say_dirty(after))


def _say_dirty(git: Git | None) -> str | None:
    if git is None:
        return None
    return "with changes that are in no commit" if git.dirty else "as committed"


def _compare_data(before: Provenance, after: Provenance) -> Iterator[Change]:
    old, new = _by_uri(before.data), _by_uri(after.data)
    for uri in in_order(old, new):
        one, other = old.get(uri), new.get(uri)
        if one is None or other is None:
            yield from changed(Group.DATA, uri, _say_data(one), _say_data(other))
            continue
        yield from changed(Group.DATA, f"{uri}, digest", one.digest or None, other.digest or None)
        yield from changed(
            Group.DATA, f"{uri}, rows", _say_rows(one), _say_rows(other), said=_say_growth(one, other)
        )
        yield from changed(Group.DATA, f"{uri}, time", _say_times(one), _say_times(other))


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


def _compare_signatures(before: KnownVersion, after: KnownVersion) -> Iterator[Change]:
    """All of two bundles; of a ModelVersion what its status tells, and of a bundle beside it as much."""
    if before.signature and after.signature:
        yield from compare_signatures(before.signature, after.signature)
    elif before.loaded and after.loaded:
        yield from compare_told(before.loaded.signature, after.loaded.signature)


def _compare_metrics(before: Provenance, after: Provenance) -> Iterator[Change]:
    old = {metric.name: metric.value for metric in before.metrics}
    new = {metric.name: metric.value for metric in after.metrics}
    for name in in_order(old, new):
        one, other = old.get(name), new.get(name)
        difference = _subtract(one, other)
        if difference == 0:
            continue  # 0.90 and 0.9
        said = f"{one} → {other}" + (f" ({difference:+})" if difference is not None else "")
        yield from changed(Group.METRICS, name, one, other, said=said)


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
    for name in in_order(old, new):
        yield from changed(Group.PACKAGES, name, old.get(name), new.get(name))


def _compare_files(before: KnownVersion, after: KnownVersion) -> Iterator[Change]:
    if before.files is None or after.files is None:
        if before.loaded and after.loaded:
            sizes = (f"{version.size:,} bytes" for version in (before.loaded, after.loaded))
            yield from changed(Group.FILES, "all together", *sizes)
        return
    for name in in_order(before.files, after.files):
        one, other = before.files.get(name), after.files.get(name)
        if one == other:
            continue
        if one and other and one.size == other.size:
            yield Change(Group.FILES, name, _say_size(one), _say_size(other), f"{_say_size(one)}, other ones")
            continue
        yield from changed(Group.FILES, name, _say_size(one), _say_size(other))


def _say_size(file: File | None) -> str | None:
    return None if file is None else f"{file.size:,} bytes"


def _compare_builds(before: Build | None, after: Build | None) -> Iterator[Change]:
    if before is None or after is None:
        return
    yield from changed(Group.BUILD, "by", before.by or None, after.by or None)
    yield from changed(Group.BUILD, "at", before.at or None, after.at or None)
    yield from changed(Group.BUILD, "with", before.program or None, after.program or None)
