"""What keeps a version from serving is one sentence that does not flap, costs stable nothing, and goes when mended."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.cluster import causes
from tests.cluster.causes import Cause, deploy, uri_of
from tests.cluster.place import FIRST_SERVES, MENDED, NAMED, Place
from tests.cluster.witness import Witness, witness

STRETCH_SECONDS = 15
"""How long all causes last together, after the last of them was named and its timeout was over."""
TIMEOUT = "not ready 20s after its start (spec.serving.startup.timeout): "
GOES_ON = "; it goes on by itself when that is mended"
STORE = "s3://models/income/income-2"
RETRY = "; apply another version, or try it again with the annotation tidegate.io/retry"

CAUSES = {
    "missing": Cause(causes.do_nothing, causes.enter_version),
    "other-model": Cause(causes.enter_other_model, causes.name_another),
    "denied": Cause(causes.deny, causes.mend_keys),
    "silent": Cause(causes.hang, causes.answer),
    "changed": Cause(causes.change_file, causes.do_nothing),
    "too-few": Cause(causes.take_file, causes.bring_file),
    "too-many": Cause(causes.add_file, causes.do_nothing),
    "no-secret": Cause(causes.leave_out_secret, causes.mend_keys),
    "no-image": Cause(causes.lose_image, causes.bring_image),
    "no-node": Cause(causes.fill_node, causes.empty_node),
    "no-label": Cause(causes.take_label, causes.give_label),
}

# The reason and the sentence while the cause lasts. Names of pods and hashes are left out.
SAID = {
    "missing": (
        "ModelVersionNotFound",
        "there is no ModelVersion missing in namespace conditions (spec.modelVersion); apply it, or name another one",
    ),
    "other-model": (
        "OtherModel",
        (
            "ModelVersion other-model is a version of model churn, this is a deployment of income; "
            "name a version of income in spec.modelVersion, or set spec.model"
        ),
    ),
    "denied": (
        "SourceDenied",
        (
            f"denied starts: {TIMEOUT}reading tidegate.json from {STORE} is denied; mend the keys in Secret "
            f"denied{GOES_ON}"
        ),
    ),
    "silent": (
        "SourceUnreachable",
        f"silent starts: {TIMEOUT}tidegate.json can't be read from {STORE}: no answer{GOES_ON}",
    ),
    "changed": (
        "RolledBack",
        (
            "changed was taken back, DigestMismatch: baseline.json has SHA-256 …, but tidegate.json says … "
            f"(in {uri_of('changed')}){RETRY}"
        ),
    ),
    "too-few": (
        "SourceNotFound",
        f"too-few starts: {TIMEOUT}there is no golden.json in {uri_of('too-few')}{GOES_ON}",
    ),
    "no-secret": (
        "SecretMissing",
        (
            f"no-secret starts: {TIMEOUT}there is no Secret no-secret with keys in it (spec.source.secretRef of the "
            f"ModelVersion); create it with the keys of {STORE}, such as AWS_ACCESS_KEY_ID{GOES_ON}"
        ),
    ),
    "no-image": ("ImagePull", f"no-image starts: {TIMEOUT}the image of pod … can't be pulled: "),
    "no-node": (
        "Unschedulable",
        (
            f"no-node starts: {TIMEOUT}no node takes pod …: 0/1 nodes are available: 1 Insufficient memory; "
            f"lower spec.serving.resources.requests, or make room{GOES_ON}"
        ),
    ),
    "no-label": (
        "Unschedulable",
        (
            f"no-label starts: {TIMEOUT}no node takes pod …: 0/1 nodes are available: 1 node(s) didn't match Pod's "
            f"node affinity/selector; label a node as spec.serving.nodeSelector wants it, or change that{GOES_ON}"
        ),
    ),
}
# Phase and reason, each as long as it lasted once: nothing comes and goes.
SEEN = {
    "missing": [("Serving", "ModelVersionNotFound")],
    "other-model": [("Serving", "OtherModel")],
    "changed": [("Starting", "Starting"), ("RolledBack", "RolledBack")],
    "too-many": [("Starting", "Starting"), ("Mirroring", "Progressing"), ("Mirroring", "WaitingForTraffic")],
}
MENDABLE = [name for name in SAID if name != "changed"]


@dataclass
class Told:
    """What all ModelDeployments of the story went through."""

    pods_before: dict[str, tuple[str, int]] = field(default_factory=dict)
    pods_after: dict[str, tuple[str, int]] = field(default_factory=dict)
    while_it_lasted: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    held: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    afterwards: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    failures: list[Any] = field(default_factory=list)


@pytest.fixture(scope="module")
def told(shared_place: Place) -> Told:
    """All causes at once, each with a ModelDeployment of its own: serve, spoil, wait a while, mend."""
    place, story = shared_place, Told()
    place.register("income-1")
    for name in CAUSES:
        deploy(place, name, "income-1")
    for name in CAUSES:
        place.until(FIRST_SERVES, lambda view: view.ready, name=name)
    for name, cause in CAUSES.items():
        cause.spoil(place, name)
    stable = {name: place.view(name).revisions["income-1"] for name in CAUSES}
    story.pods_before = read_pods(place, stable)
    with witness(place.kubectl) as seen, place.traffic(name="denied") as load:
        last(place, seen, story)
        mend(place, seen, story)
    story.pods_after = read_pods(place, stable)
    story.failures = list(load.book.tell_failures())
    return story


def last(place: Place, seen: Witness, story: Told) -> None:
    """Spoilt versions are deployed, and for a while nothing is done about them."""
    half = {"memory": f"{causes.more_than_half(place)}Ki"}
    asked = {
        "no-node": {"resources": {"requests": half, "limits": half}},
        "no-label": {"nodeSelector": {causes.POOL: "no-label"}},
    }
    for name in CAUSES:
        deploy(place, name, name, **asked.get(name, {}))
    for name, (reason, _) in SAID.items():
        seen.until(NAMED, name, reason)
    time.sleep(STRETCH_SECONDS)  # what is awaited is that nothing happens
    story.while_it_lasted = {name: seen.phases_of(name) for name in CAUSES}
    story.held = {name: seen.holds_of(name) for name in CAUSES}
    story.messages = {name: seen.message_of(name) for name in CAUSES}


def mend(place: Place, seen: Witness, story: Told) -> None:
    for name, cause in CAUSES.items():
        cause.mend(place, name)
    for name in MENDABLE:
        place.until(MENDED, lambda view: bool(view.mirror or view.weight or view.ready), name=name)
    story.afterwards = {name: seen.phases_of(name)[len(story.while_it_lasted[name]) :] for name in CAUSES}


def read_pods(place: Place, revisions: dict[str, str]) -> dict[str, tuple[str, int]]:
    """The pod of each stable revision, and how often it restarted."""
    found = {}
    for name, revision in revisions.items():
        (pod,) = place.kubectl.find("pods", f"tidegate.io/revision={revision}")
        found[name] = (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
    return found


def without_names(message: str) -> str:
    """The sentence without the names of pods and without hashes."""
    return re.sub(r"\b[0-9a-f]{64}\b", "…", re.sub(r"\bpod [a-z0-9-]+", "pod …", message))


@pytest.mark.parametrize("name", SAID)
def test_the_cause_is_named_in_one_sentence(told: Told, name: str) -> None:
    reason, sentence = SAID[name]
    assert told.while_it_lasted[name][-1][1] == reason
    assert without_names(told.messages[name]).startswith(sentence)


@pytest.mark.parametrize("name", CAUSES)
def test_nothing_flaps_while_it_lasts(told: Told, name: str) -> None:
    reason = SAID.get(name, ("", ""))[0]
    usual = [("Starting", "Starting"), ("Starting", reason), ("Failed", reason)]
    assert told.while_it_lasted[name] == [("Serving", "Serving"), *SEEN.get(name, usual)]
    assert len(told.held[name]) == len(set(told.held[name])), "a condition came and went"


def test_stable_is_untouched_and_serves(told: Told) -> None:
    assert told.pods_after == told.pods_before
    assert told.failures == []


@pytest.mark.parametrize("name", MENDABLE)
def test_what_is_mended_is_gone(told: Told, name: str) -> None:
    """At the next try, and what could not start goes on to its trial."""
    reasons = [reason for _, reason in told.afterwards[name]]
    assert SAID[name][0] not in reasons
    assert "Progressing" in reasons


def test_a_file_that_was_changed_stays_taken_back(told: Told) -> None:
    assert told.afterwards["changed"] == []
