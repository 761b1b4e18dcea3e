"""What changed between two versions is told in the words of who has to decide about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sdk.versions import feature, known, provenance, signature

from tidegate.bundle import File, Manifest
from tidegate.comparing.known_version import Build
from tidegate.comparing.versions import compare, name_gaps
from tidegate.loaded import Input, LoadedBundle, LoadedSignature, tell_bundle
from tidegate.signature import FeatureKind, Task, Tensor

OLD, NEW = "a" * 40, "b" * 40
REPOSITORY = "https://git.example.com/fraud"
AGE = feature("age", nullable=True)
COUNTRY = feature("country", kind=FeatureKind.CATEGORY, categories=("de", "fr"))


def told(before, after):
    """The changes as (group, what, said)."""
    return [(str(change.group), change.what, change.said) for change in compare(before, after)]


def told_of(before, after):
    """The changes of a provenance."""
    return told(known(provenance=provenance(**before)), known(provenance=provenance(**after)))


def test_a_version_and_itself_do_not_differ():
    assert compare(known(), known("fraud-8")) == ()


def test_other_bytes_are_a_change_though_nothing_else_is_known():
    assert told(known(), known(digest="sha256:" + "cd" * 32)) == [
        ("bundle", "digest", "sha256:abababababab → sha256:cdcdcdcdcdcd")
    ]


def test_two_commits_are_a_range_that_git_takes():
    before = {"git": {"repository": REPOSITORY, "commit": OLD}}
    after = {"git": {"repository": REPOSITORY, "commit": NEW, "dirty": True}}
    assert told_of(before, after) == [
        ("code", "commit", "aaaaaaa..bbbbbbb"),
        ("code", "state", "as committed → with changes that are in no commit"),
    ]


def test_a_commit_that_is_known_of_one_version_only_is_told_whole():
    git = {"repository": REPOSITORY, "commit": NEW}
    assert told_of({}, {"git": git})[0] == ("code", "commit", NEW)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("0.91", "0.93", [("metrics", "auc", "0.91 → 0.93 (+0.02)")]),
        ("0.9", "0.90", []),
        ("0.9", "nan", [("metrics", "auc", "0.9 → nan")]),
        ("1e999999999", "-9e999999999", [("metrics", "auc", "1e999999999 → -9e999999999")]),
        ("good", "better", [("metrics", "auc", "good → better")]),
    ],
)
def test_a_metric_is_told_with_its_difference(before, after, said):
    metrics = [{"metrics": [{"name": "auc", "value": value}]} for value in (before, after)]
    assert told_of(*metrics) == said


def test_packages_are_added_removed_and_changed():
    before = {"packages": [{"name": "pandas", "version": "2.3"}, {"name": "python", "version": "3.12"}]}
    after = {"packages": [{"name": "polars", "version": "1.2"}, {"name": "python", "version": "3.13"}]}
    changes = compare(known(provenance=provenance(**before)), known(provenance=provenance(**after)))
    assert [(change.what, change.before, change.after) for change in changes] == [
        ("pandas", "2.3", None),
        ("python", "3.12", "3.13"),
        ("polars", None, "1.2"),
    ]


def test_data_is_told_by_rows_time_and_digest():
    before = {"data": [{"uri": "s3://lake", "rows": 1000, "begin": "2026-01", "digest": "sha256:1"}]}
    after = {"data": [{"uri": "s3://lake", "rows": 1200, "begin": "2026-02", "digest": "sha256:2"}]}
    assert told_of(before, after) == [
        ("data", "s3://lake, digest", "sha256:1 → sha256:2"),
        ("data", "s3://lake, rows", "1,000 → 1,200 (+200)"),
        ("data", "s3://lake, time", "2026-01 to ? → 2026-02 to ?"),
    ]


def test_data_that_came_and_went_is_told_with_what_is_known_of_it():
    before, after = {"data": [{"uri": "s3://a", "rows": 5}]}, {"data": [{"uri": "s3://b"}, {"uri": "s3://b"}]}
    assert told_of(before, after) == [
        ("data", "s3://a", "5 rows"),
        ("data", "s3://b", "nothing more is known of it"),
        ("data", "s3://b (2)", "nothing more is known of it"),
    ]


def test_features_are_told_by_what_a_caller_notices():
    country = feature("country", kind=FeatureKind.CATEGORY, categories=("de", "es"))
    before = known(signature=signature(AGE, COUNTRY, feature("income")))
    after = known(signature=signature(feature("age"), country, feature("debt")))
    assert told(before, after) == [
        ("features", "age, nullable", "may be missing → must be there"),
        ("features", "country, categories", "es"),
        ("features", "country, categories", "fr"),
        ("features", "income", "number, must be there"),
        ("features", "debt", "number, must be there"),
    ]


def test_many_new_categories_are_counted():
    many = feature("country", kind=FeatureKind.CATEGORY, categories=tuple(f"c{n}" for n in range(20)))
    bare = feature("country", kind=FeatureKind.CATEGORY)
    ((_, _, said),) = told(known(signature=signature(bare)), known(signature=signature(many)))
    assert said == "c0, c1, c2, c3, c4, c5, c6, c7 and 12 more"


def test_the_signature_is_told_by_task_classes_and_tensors():
    before = known(signature=signature(AGE))
    after = known(
        signature=signature(
            AGE, task=Task.MULTICLASS, classes=("a", "b", "c"), inputs=(Tensor("x", "FP64", 1),)
        )
    )
    assert told(before, after) == [
        ("signature", "task", "binary → multiclass"),
        ("signature", "classes", "no, yes → a, b, c"),
        ("signature", "input x", "FP32, 1 wide → FP64, 1 wide"),
    ]


def test_files_are_told_with_their_sizes():
    before = known(files={"model.onnx": File("0" * 64, 1000), "golden.json": File("0" * 64, 5)})
    after = known(files={"model.onnx": File("1" * 64, 2000), "golden.json": File("1" * 64, 5)})
    assert told(before, after) == [
        ("files", "model.onnx", "1,000 bytes → 2,000 bytes"),
        ("files", "golden.json", "5 bytes, other ones"),
    ]


def test_who_built_it_and_when_is_told():
    before = known(build=Build("tidegate 1", "ana", "2026-01-01T00:00:00Z"))
    after = known(build=Build("tidegate 1", "ci 41", "2026-02-01T00:00:00Z"))
    assert told(before, after) == [
        ("built", "by", "ana → ci 41"),
        ("built", "at", "2026-01-01T00:00:00Z → 2026-02-01T00:00:00Z"),
    ]


def loaded(size=1_000, **parts):
    """What a ModelVersion's status tells."""
    whole = {"task": "binary", "inputs": (), "input_count": 0, "outputs": (), "output_count": 0}
    return LoadedBundle("sha256:1", "tidegate.io/bundle/v1alpha1", size, LoadedSignature(**whole | parts))


def listed(name, categories, count=None, **parts):
    whole = {"kind": "category", "datatype": "BYTES", "shape": (-1,), "nullable": False} | parts
    return Input(name, categories=categories, category_count=count or len(categories), **whole)


def told_by_statuses(before, after):
    """The changes between two ModelVersions with these inputs."""
    parts = ({"inputs": one, "input_count": len(one)} for one in (before, after))
    return told(*(known(loaded=loaded(**part)) for part in parts))


def test_two_model_versions_are_compared_by_what_predictors_told_of_them():
    before = (listed("country", ("de", "fr")), listed("age", (), kind="number"))
    after = (listed("country", ("de", "es")), listed("age", (), kind="number", nullable=True))
    assert told_by_statuses(before, after) == [
        ("features", "country, categories", "es"),
        ("features", "country, categories", "fr"),
        ("features", "age, nullable", "must be there → may be missing"),
    ]


def test_a_list_that_is_cut_in_a_status_is_compared_by_its_length():
    before, after = listed("country", ("de", "fr"), 50), listed("country", ("at", "de"), 51)
    assert told_by_statuses((before,), (after,)) == [("features", "country, categories", "50 → 51")]
    assert told_by_statuses((before,), (listed("country", ("de",)),)) == [
        ("features", "country, categories", "50 → 1")
    ]


def test_of_features_that_are_cut_in_a_status_those_of_both_are_compared():
    shown = [tuple(listed(name, (), kind="number") for name in names) for names in ("ab", "bc")]
    before, after = (
        known(loaded=loaded(inputs=one, input_count=n)) for one, n in zip(shown, (9, 8), strict=True)
    )
    assert told(before, after) == [("features", "features", "9 → 8")]


def test_changes_of_a_status_are_grouped_as_all_others():
    before = known(loaded=loaded(10, inputs=(listed("x", ("a",), 7),), input_count=1))
    after = known(loaded=loaded(20, inputs=(listed("x", ("a",), 8),), input_count=1, task="regression"))
    assert told(before, after) == [
        ("features", "x, categories", "7 → 8"),
        ("signature", "task", "binary → regression"),
        ("files", "all together", "10 bytes → 20 bytes"),
    ]


def test_a_bundle_and_the_model_version_that_was_made_of_it_do_not_differ():
    whole = signature(AGE, COUNTRY)
    told_of_it = tell_bundle(Manifest("fraud", {}, "tidegate"), whole, digest="sha256:1")
    assert compare(known(signature=whole, loaded=told_of_it, files={}), known(loaded=told_of_it)) == ()


def test_what_only_one_of_them_tells_is_no_change_but_a_gap():
    bundle = known("b", signature=signature(AGE), loaded=loaded(), files={})
    version = known(build=Build())
    assert compare(bundle, version) == ()
    assert name_gaps(bundle, version) == (
        "not compared: features and signature; a bundle or a loaded ModelVersion tells that, fraud-7 does not",
        "not compared: single files and what the graph takes; a bundle tells that, fraud-7 does not",
        "not compared: who built it and when; a ModelVersion tells that, b does not",
    )
    assert name_gaps(version, version)[1].endswith("a bundle tells that, neither fraud-7 nor fraud-7")


values = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", "nan", "x", "1e400"]))


@given(values, values)
def test_any_two_versions_can_be_compared_and_back_again(before, after):
    """What is added one way is removed the other way."""

    def version(figures):
        named = [{"name": name, "value": value} for name, value in figures.items()]
        packages = [{"name": name, "version": value} for name, value in figures.items()]
        return known(provenance=provenance(metrics=named, packages=packages))

    there = compare(version(before), version(after))
    back = compare(version(after), version(before))
    assert {(c.group, c.what, c.before, c.after) for c in there} == {
        (c.group, c.what, c.after, c.before) for c in back
    }
