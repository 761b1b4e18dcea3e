"""The comparison: what changed from one version of a model to another, as far as both of them tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from tidegate.provenance import Data, Provenance
from tidegate.signature import Feature, Signature

ABSENT: Final = "–"
"""What stands for a thing that one of the two does not have."""


@dataclass(frozen=True, slots=True)
class Version:
    """What is known of one version: from its bundle all, from a ModelVersion what its spec tells."""

    name: str
    digest: str
    provenance: Provenance
    built_by: str = ""
    created_at: str = ""
    signature: Signature | None = None
    """None: a ModelVersion has none."""
    files: Mapping[str, int] | None = None
    """Sizes in bytes by file name; none: a ModelVersion does not tell."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same."""

    group: str
    """Such as code, data, features, metrics, packages, files."""
    subject: str
    before: str
    after: str


def compare_versions(before: Version, after: Version) -> tuple[Change, ...]:
    """All that changed, group by group; empty: nothing that either tells."""
    if before.digest == after.digest:
        return ()
    old, new = before.provenance, after.provenance
    return (
        *_compare("code", _tell_code(old), _tell_code(new)),
        *_compare("origin", _tell_origin(before), _tell_origin(after)),
        *_compare("data", _tell_data(old.data), _tell_data(new.data)),
        *_compare("metrics", {m.name: m.value for m in old.metrics}, {m.name: m.value for m in new.metrics}),
        *_compare_signatures(before.signature, after.signature),
        *_compare(
            "packages", {p.name: p.version for p in old.packages}, {p.name: p.version for p in new.packages}
        ),
        *_compare_files(before.files, after.files),
    )


def _compare(group: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for subject in dict.fromkeys((*before, *after)):
        old, new = before.get(subject, ABSENT), after.get(subject, ABSENT)
        if old != new:
            yield Change(group, subject, old, new)


def _tell_code(provenance: Provenance) -> dict[str, str]:
    git = provenance.git
    if git is None:
        return {}
    commit = git.commit + (" and changes that are in no commit" if git.dirty else "")
    return {"repository": git.repository, "commit": commit}


def _tell_origin(version: Version) -> dict[str, str]:
    told = {"run": version.provenance.run, "built by": version.built_by, "built at": version.created_at}
    return {subject: value for subject, value in told.items() if value}


def _tell_data(data: Iterable[Data]) -> dict[str, str]:
    return {each.uri: ", ".join(_tell_one(each)) or "named" for each in data}


def _tell_one(data: Data) -> Iterator[str]:
    if data.rows is not None:
        yield f"{data.rows:,} rows"
    if data.begin or data.end:
        yield f"{data.begin or '?'} to {data.end or '?'}"
    if data.digest:
        yield data.digest


def _compare_signatures(before: Signature | None, after: Signature | None) -> Iterator[Change]:
    if before is None or after is None:
        return
    yield from _compare("signature", {"task": before.task}, {"task": after.task})
    yield from _compare("signature", _tell_outputs(before), _tell_outputs(after))
    yield from _compare(
        "features",
        {feature.name: _tell_feature(feature) for feature in before.features},
        {feature.name: _tell_feature(feature) for feature in after.features},
    )


def _tell_outputs(signature: Signature) -> dict[str, str]:
    told = {output.name: f"{output.datatype} of width {output.width or 1}" for output in signature.outputs}
    return told | ({"classes": ", ".join(signature.classes)} if signature.classes else {})


def _tell_feature(feature: Feature) -> str:
    words = [str(feature.kind), "may be missing" if feature.nullable else "never missing"]
    return ", ".join([*words, *(["of " + ", ".join(feature.categories)] if feature.categories else [])])


def _compare_files(before: Mapping[str, int] | None, after: Mapping[str, int] | None) -> Iterator[Change]:
    if before is not None and after is not None:
        yield from _compare(
            "files",
            {name: f"{size:,} bytes" for name, size in before.items()},
            {name: f"{size:,} bytes" for name, size in after.items()},
        )


def read_spec(name: str, spec: Mapping[str, object]) -> Version:
    """A version from the spec of its ModelVersion.

    Raises:
        msgspec.ValidationError: It is no such spec.
    """
    told = msgspec.convert(spec, _Spec)
    return Version(name, told.digest, told.provenance, told.provenance.built_by, told.provenance.created_at)


class _SpecProvenance(Provenance, frozen=True, forbid_unknown_fields=False, rename="camel"):
    """As `operator/api` has it; a field that we don't know belongs to a newer version than we are."""

    builder: str = ""
    built_by: str = ""
    created_at: str = ""


class _Spec(msgspec.Struct, frozen=True):
    digest: str
    provenance: _SpecProvenance = _SpecProvenance()
