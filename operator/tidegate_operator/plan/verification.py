"""Verification: whether a ModelVersion's bytes are what was packaged, as far as a predictor has told.

Each predictor holds every file against its hash, the list of these against the digest, and its own answers against the
golden rows, before it is ready. So one that is ready has proven it, for good: the digest fixes the bytes. What its
source holds may change all the same, and then no new pod can load it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from tidegate.pod import StartFailure
from tidegate_operator.plan.facts import PodFact, Trouble
from tidegate_operator.plan.users import DeploymentFact, Record

WORDS_KEPT: Final = 1024
"""Characters of a sentence: the status of thousands of versions is kept in memory."""


class VerifiedReason(StrEnum):
    """Reasons of the condition Verified; one that is False has the predictor's own, a `StartFailure`."""

    LOADED = "Loaded"  # a predictor has loaded it
    NOT_LOADED = "NotLoaded"  # none has tried to, or what it met has nothing to do with the bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """What the condition Verified says."""

    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who can tell of a version."""

    version: str
    digest: str
    predictors: tuple[PodFact, ...] = ()
    """Those that were to load it; a ready one has."""
    records: tuple[Record, ...] = ()
    deployments: tuple[DeploymentFact, ...] = ()


LOADED: Final = Verified(
    "True",
    VerifiedReason.LOADED,
    "a predictor has loaded it: every file has the hash that spec.digest stands for, and the golden rows were answered "
    "as they were when it was packaged",
)
NOT_LOADED: Final = Verified("Unknown", VerifiedReason.NOT_LOADED, "no predictor has loaded it yet")


def verify(evidence: Evidence, before: Verified | None) -> Verified:
    """What the evidence says, in the light of what was said before.

    What pods say comes first, and is forgotten with them; what was said stands until one says otherwise. Records and
    refusals are asked where nothing was: they tell what an operator that has ended saw and did not write down.
    """
    failures = sorted(_find_failures(evidence), key=lambda failure: (failure.reason, failure.message))
    changed = [failure for failure in failures if failure.reason == StartFailure.DIGEST_MISMATCH]
    told = before if before and before.status != NOT_LOADED.status else None
    if changed:
        # Others may be ready with the right bytes still; the next one will not be.
        return changed[0]
    if any(pod.ready for pod in evidence.predictors):
        return LOADED
    if failures and not (told and told.status == LOADED.status):
        return failures[0]
    return told or _recall(evidence)


def _find_failures(evidence: Evidence) -> Iterator[Verified]:
    for pod in evidence.predictors:
        if not pod.ready and pod.trouble is Trouble.START_FAILED and StartFailure(pod.reason).terminal:
            yield _refuse(pod.reason, pod.message)


def _recall(evidence: Evidence) -> Verified:
    """What was seen of it once: a version that served was loaded, and one that was taken back may have been wrong."""
    if any(record.promoted and record.digest == evidence.digest for record in evidence.records):
        return LOADED
    terminal = {failure for failure in StartFailure if failure.terminal}
    for deployment in evidence.deployments:
        for entry in reversed(deployment.refused):
            same = (entry.model_version, entry.digest) == (evidence.version, evidence.digest)
            if same and entry.reason in terminal:
                return _refuse(entry.reason, entry.message)
    return NOT_LOADED


def _refuse(reason: str, message: str) -> Verified:
    # Half a surrogate pair, which a pod may have written, is no text.
    words = message[:WORDS_KEPT].encode(errors="replace").decode()
    return Verified("False", reason, words)
