"""A signature is checked once, and again when anything is another that its outcome follows from."""

from __future__ import annotations

import pytest

from tidegate.sealing.check import Trusted
from tidegate_operator.api.model_version import ModelVersion
from tidegate_operator.observe import releases
from tidegate_operator.observe.releases import Releases
from tidegate_operator.plan.release_policy import NotWanted, ReleasePolicies, ReleasePolicy, Releaser

POLICIES = ReleasePolicies((ReleasePolicy(("shop", "bank"), (Releaser("key ml-team", Trusted()),)),))
SPEC = {
    "model": "fraud",
    "source": {"uri": "s3://models/fraud/8"},
    "digest": "sha256:" + "1" * 64,
    "signature": "{",
}
METADATA = {"name": "fraud-8", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"}


def version(**fields: str) -> ModelVersion:
    """A ModelVersion with these fields of its metadata or spec changed."""
    metadata = {name: fields.get(name, value) for name, value in METADATA.items()}
    spec = {name: fields.get(name, value) for name, value in SPEC.items()}
    return ModelVersion.model_validate({"metadata": metadata, "spec": spec})


def test_what_was_found_out_is_remembered():
    known = Releases(POLICIES)
    assert known.check(version()) is known.check(version(name="fraud-9"))


@pytest.mark.parametrize(
    "change",
    [
        {"namespace": "bank"},
        {"digest": "sha256:" + "2" * 64},
        {"signature": "["},
        {"creationTimestamp": "2026-01-02T00:00:00Z"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_an_outcome_follows_from_makes_another_question(change):
    known = Releases(POLICIES)
    assert known.check(version()) is not known.check(version(**change))


def test_another_namespace_may_be_free():
    known = Releases(POLICIES)
    known.check(version())
    assert known.check(version(namespace="elsewhere")) == NotWanted()


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(releases, "_MOST_KNOWN", 3)
    known = Releases(POLICIES)
    for number in range(20):
        known.check(version(digest=f"sha256:{number:064}"))
        assert len(known._known) <= 3
