"""Whether a version is what was packaged: what pods say now, then what was said before, then what records tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.pod import StartFailure
from tidegate_operator.plan.facts import PodFact, Trouble
from tidegate_operator.plan.users import DeploymentFact, Record, Refused
from tidegate_operator.plan.verification import (
    LOADED,
    NOT_LOADED,
    WORDS_KEPT,
    Evidence,
    Verified,
    VerifiedReason,
    verify,
)

TERMINAL = [failure for failure in StartFailure if failure.terminal]
OUTSIDE = [failure for failure in StartFailure if not failure.terminal]


def failed(reason: StartFailure, message: str = "model.onnx has another hash") -> PodFact:
    return PodFact("p", ready=False, trouble=Trouble.START_FAILED, reason=reason, message=message)


def said(reason: str, message: str = "model.onnx has another hash") -> Verified:
    return Verified("False", reason, message)


READY, STARTING = PodFact("p", ready=True), PodFact("p", ready=False)
CRASHING = PodFact("p", ready=False, trouble=Trouble.OUT_OF_MEMORY, reason="OOMKilled")
CHANGED, WRONG = failed(StartFailure.DIGEST_MISMATCH), failed(StartFailure.GOLDEN_MISMATCH)
SERVED = Record("fraud-r1", "u1", "sha256:1", promoted=True)
TAKEN_BACK = DeploymentFact(
    "fraud", "u1", "v2", refused=(Refused("v1", "sha256:1", "GoldenMismatch", "row 3 differs"),)
)


def look(*predictors: PodFact, before: Verified | None = None, records=(), deployments=()) -> Verified:
    return verify(Evidence("v1", "sha256:1", predictors, records, deployments), before)


STORIES = [
    ("nobody has tried", look(), NOT_LOADED),
    ("a pod starts", look(STARTING), NOT_LOADED),
    ("one has no memory, which says nothing of the bytes", look(CRASHING), NOT_LOADED),
    ("one has loaded it", look(STARTING, READY), LOADED),
    ("its pods are gone", look(before=LOADED), LOADED),
    ("a golden row is answered otherwise", look(WRONG), said("GoldenMismatch")),
    ("those pods are gone", look(before=said("GoldenMismatch")), said("GoldenMismatch")),
    ("it was mended, such as by more memory", look(READY, before=said("ModelInvalid")), LOADED),
    ("too little memory elsewhere takes nothing back", look(failed(StartFailure.MODEL_INVALID), before=LOADED), LOADED),
    ("one that is ready outweighs it", look(READY, failed(StartFailure.MODEL_INVALID)), LOADED),
    ("a file was replaced while others serve", look(READY, CHANGED, before=LOADED), said("DigestMismatch")),
    ("and those that serve are left", look(READY, before=said("DigestMismatch")), LOADED),
    ("it served before anybody wrote it down", look(records=(SERVED,)), LOADED),
    ("it served with other bytes", look(records=(replace(SERVED, digest="sha256:2"),)), NOT_LOADED),
    ("it was tried and never served", look(records=(replace(SERVED, promoted=False),)), NOT_LOADED),
    ("it was taken back unwritten", look(deployments=(TAKEN_BACK,)), said("GoldenMismatch", "row 3 differs")),
    ("which nobody asks once it is loaded", look(READY, deployments=(TAKEN_BACK,)), LOADED),
    ("nor after that", look(before=LOADED, deployments=(TAKEN_BACK,)), LOADED),
    ("one that served outweighs a refusal", look(records=(SERVED,), deployments=(TAKEN_BACK,)), LOADED),
    ("but no last word of a pod", look(before=said("DigestMismatch"), records=(SERVED,)), said("DigestMismatch")),
]  # fmt: skip


@pytest.mark.parametrize(("found", "wanted"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES])
def test_a_story(found: Verified, wanted: Verified) -> None:
    assert found == wanted


@pytest.mark.parametrize("failure", TERMINAL)
def test_what_the_bytes_are_to_blame_for_is_told_in_the_predictors_words(failure: StartFailure) -> None:
    assert look(failed(failure, "model.onnx can't be loaded")) == said(failure, "model.onnx can't be loaded")


@pytest.mark.parametrize("failure", OUTSIDE)
def test_a_store_that_is_away_says_nothing_of_the_bytes(failure: StartFailure) -> None:
    assert look(failed(failure)) == NOT_LOADED
    assert look(failed(failure), before=said("DigestMismatch")) == said("DigestMismatch")


@pytest.mark.parametrize("reason", ["ErrorRate", "OutOfMemory", "GateFailed", "SourceDenied"])
def test_what_traffic_or_gates_found_is_no_matter_of_the_bytes(reason: str) -> None:
    refused = Refused("v1", "sha256:1", reason, "9.8 % against 0.2 %")
    assert look(deployments=(replace(TAKEN_BACK, refused=(refused,)),)) == NOT_LOADED


@pytest.mark.parametrize("other", [{"model_version": "v2"}, {"digest": "sha256:2"}])
def test_what_another_version_was_taken_back_for_is_not_held_against_this_one(other: dict[str, str]) -> None:
    refused = replace(TAKEN_BACK.refused[0], **other)
    assert look(deployments=(replace(TAKEN_BACK, refused=(refused,)),)) == NOT_LOADED


def test_a_sentence_is_bounded_and_text() -> None:
    words = look(failed(StartFailure.BUNDLE_INVALID, "\ud800" + "x" * 5000)).message
    assert len(words) == WORDS_KEPT
    words.encode()


POD = st.sampled_from([READY, STARTING, CRASHING, *map(failed, StartFailure)])
REST = st.fixed_dictionaries(
    {
        "records": st.sampled_from([(), (SERVED,)]),
        "deployments": st.sampled_from([(), (TAKEN_BACK,)]),
    }
)
BEFORE = st.none() | st.sampled_from([LOADED, NOT_LOADED, *map(said, TERMINAL)])


@given(st.lists(POD), BEFORE, REST, st.randoms())
def test_a_second_look_at_the_same_says_the_same(pods, before, rest, order):
    """Else the condition would come and go, with a write for each."""
    first = look(*pods, before=before, **rest)
    assert look(*order.sample(pods, len(pods)), before=first, **rest) == first


@given(st.lists(POD), BEFORE, REST)
def test_what_was_known_once_is_never_unknown_again(pods, before, rest):
    found = look(*pods, before=before, **rest)
    assert found.status != "Unknown" or before in (None, NOT_LOADED)
    assert found.reason in {*VerifiedReason, *TERMINAL}


@given(st.lists(POD), BEFORE)
def test_nothing_is_verified_that_no_predictor_has_ever_loaded(pods, before):
    found = look(*pods, before=before)
    assert found.status != "True" or READY in pods or before == LOADED
