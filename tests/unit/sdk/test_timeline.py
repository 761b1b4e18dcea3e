"""The timeline tells what records say, and where they are silent what status does."""

from __future__ import annotations

from tests.unit.sdk.versions import model_version

from tidegate.history import HISTORY_ANNOTATION, PROMOTED_ANNOTATION, Place, Stay, write_history
from tidegate.timeline import Record, build_timeline, find_former, read_record

T1, T2, T3 = (f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3))
TRIED = Stay(Place.CANDIDATE, T1, 50, end=T2, requests=900, ended="Promoted", why="all Good")
SERVES = Stay(Place.STABLE, T2, 100)
SERVED = Stay(Place.STABLE, T1, 100, end=T2, ended="Replaced", why="fraud-8 was promoted")


def record(version, *stays, promoted=False):
    return Record(f"r-{version}", version, promoted, stays)


def timeline(*records, status=None, versions=()):
    return build_timeline({"status": status} if status else {}, records, versions)


def rows(*records, **how):
    return [(entry.version, str(entry.place), entry.begin, entry.end) for entry in timeline(*records, **how)]


def test_the_newest_comes_first_whatever_the_order_of_the_records():
    assert rows(record("fraud-7", SERVED), record("fraud-8", TRIED, SERVES)) == [
        ("fraud-8", "stable", T2, None),
        ("fraud-7", "stable", T1, T2),
        ("fraud-8", "candidate", T1, T2),
    ]


def test_a_stay_is_told_with_who_built_the_version_from_which_commit():
    origin = {"git": {"repository": "r", "commit": "abc"}, "builtBy": "ana"}
    known, unknown = timeline(
        record("fraud-7", SERVES), record("gone-1", SERVED), versions=[model_version(**origin)]
    )
    assert (known.commit, known.built_by) == ("abc", "ana")
    assert (unknown.commit, unknown.built_by) == ("", "")


def test_status_fills_what_an_older_operator_did_not_record():
    status = {
        "stable": {"revision": "r-fraud-7", "since": T1},
        "candidate": {"revision": "r-fraud-8", "since": T2},
        "traffic": {"desired": {"candidateWeight": 25}},
        "rejected": [{"revision": "r-fraud-6", "reason": "ErrorRate", "message": "m", "at": T1}],
    }
    candidate, stable, rejected = timeline(
        record("fraud-6"), record("fraud-7"), record("fraud-8"), status=status
    )
    assert (candidate.version, candidate.begin, candidate.share) == ("fraud-8", T2, 25)
    assert (stable.version, stable.begin, stable.share) == ("fraud-7", T1, 100)
    assert (rejected.version, rejected.end, rejected.ended) == ("fraud-6", T1, "ErrorRate")


def test_what_both_tell_is_told_once():
    status = {"stable": {"revision": "r-fraud-8", "since": T2}}
    back = Stay(Place.CANDIDATE, T1, 0, end=T3, ended="ErrorRate", why="m")
    rejection = {"revision": "r-fraud-9", "reason": "ErrorRate", "message": "m", "at": T3}
    told = rows(record("fraud-8", SERVES), record("fraud-9", back), status=status | {"rejected": [rejection]})
    assert told == [("fraud-8", "stable", T2, None), ("fraud-9", "candidate", T1, T3)]


def test_a_record_of_which_nobody_tells_anything_is_shown_all_the_same():
    (entry,) = timeline(record("fraud-3", promoted=True))
    assert (entry.place, entry.begin, entry.share, entry.why) == (
        Place.STABLE,
        "",
        None,
        "its record is older than histories",
    )


def test_the_version_before_is_the_one_that_was_stable_last():
    taken_back = Stay(Place.CANDIDATE, T3, 5, end=T3, ended="ErrorRate")
    entries = timeline(
        record("fraud-3", promoted=True),
        record("fraud-7", SERVED),
        record("fraud-8", TRIED, SERVES),
        record("fraud-9", taken_back),
    )
    assert find_former(entries, "fraud-8") == ("fraud-7",)
    assert find_former(entries[-1:], "fraud-8") == ("fraud-3",)
    assert find_former(timeline(record("fraud-8", SERVES)), "fraud-8") == ()


def test_of_versions_that_served_before_there_were_histories_none_is_taken_for_the_last():
    entries = timeline(record("fraud-4", promoted=True), record("fraud-3", promoted=True), record("fraud-2"))
    assert find_former(entries, "fraud-8") == ("fraud-3", "fraud-4")


def test_a_record_is_read_as_the_operator_writes_it():
    annotations = {HISTORY_ANNOTATION: write_history((SERVED,)), PROMOTED_ANNOTATION: "true"}
    body = {"metadata": {"name": "r", "annotations": annotations}, "data": {"modelVersion": "fraud-7"}}
    assert read_record(body) == Record("r", "fraud-7", True, (SERVED,))  # noqa: FBT003 - by position as above
    assert read_record({"metadata": {"name": "r"}}) == Record("r", "", False, ())  # noqa: FBT003 - as above
