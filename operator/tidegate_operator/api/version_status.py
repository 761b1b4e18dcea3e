"""The status of a ModelVersion: who uses it, what it takes and answers, and whether its bytes are what was packaged."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from tidegate.loaded import CATEGORIES_TOLD, INPUTS_TOLD, OUTPUTS_TOLD
from tidegate_operator.api.conditions import Condition
from tidegate_operator.api.resource import Seen

USERS_SHOWN: Final = 20


class VersionCondition(StrEnum):
    """The conditions of a ModelVersion."""

    VERIFIED = "Verified"
    """A predictor has loaded it."""
    SIGNED = "Signed"
    """It bears a signature that the release policies want."""


class Place(StrEnum):
    """What a ModelVersion is to a ModelDeployment, the strongest first."""

    SERVING = "Serving"  # it answers requests
    CANDIDATE = "Candidate"  # it is being tried
    WARM = "Warm"  # it answered them, and its pods stay up for rollout.keepWarm
    WANTED = "Wanted"  # the spec asks for it, and it is none of these
    HISTORY = "History"  # it served once, and can come back


class User(Seen):
    """A ModelDeployment that uses this version."""

    name: str
    """Its name."""
    place: Annotated[Place, Field(alias="as")]
    """What the version is to it, the first of these that holds: it answers requests (Serving), is being tried
    (Candidate), has its pods kept up (Warm), is asked for by spec.modelVersion (Wanted), or served once and can come
    back (History).
    """
    revision: str | None = None
    """The revision that it is there, such as fraud-1a2b3c4d, which is also the name of its record, a
    ControllerRevision. Absent for Wanted.
    """


class InputStatus(Seen):
    """A feature, as callers send it."""

    name: str
    """Its name; a long one is cut."""
    kind: str
    """number, integer, boolean, string or category."""
    datatype: str
    """In the words of the Open Inference Protocol, such as FP64."""
    shape: tuple[int, ...]
    """Sizes of its axes; -1 is the rows of a request."""
    nullable: bool
    """Whether the model was built to answer rows in which it is missing."""
    categories: Annotated[tuple[str, ...], Field(max_length=CATEGORIES_TOLD)] = ()
    """The values that were seen in training, the first 50 of them; none where those of all features together are
    too many, and of other kinds.
    """
    category_count: int = 0
    """How many values were seen in training; absent of other kinds."""


class OutputStatus(Seen):
    """An output, as callers get it."""

    name: str
    """Its name."""
    datatype: str
    """In the words of the Open Inference Protocol, such as FP32."""
    shape: tuple[int, ...]
    """Sizes of its axes; -1 is the rows of a request."""


class SignatureStatus(Seen):
    """What the model takes and answers."""

    task: str = ""
    """binary, multiclass or regression."""
    inputs: Annotated[tuple[InputStatus, ...], Field(max_length=INPUTS_TOLD)] = ()
    """The features, the first 200 of them."""
    input_count: int = 0
    """How many features there are."""
    outputs: Annotated[tuple[OutputStatus, ...], Field(max_length=OUTPUTS_TOLD)] = ()
    """The outputs, in the order of the answer, the first 20 of them."""
    output_count: int = 0
    """How many outputs there are."""
    classes: Annotated[tuple[str, ...], Field(max_length=CATEGORIES_TOLD)] = ()
    """The labels that are answered, the first 50 of them; none for a regression."""
    class_count: int = 0
    """How many labels there are."""


class BundleStatus(Seen):
    """What a predictor has told of the bundle. It is read once, since the digest fixes it."""

    format: str | None = None
    """Format of the bundle, such as tidegate.io/bundle/v1alpha1. Absent until a predictor has loaded it."""
    size: int | None = None
    """Bytes of all its files together. Absent until a predictor has loaded it."""
    signature: SignatureStatus | None = None
    """What the model takes and answers. Absent until a predictor that serves has loaded it."""


class ModelVersionStatus(BundleStatus):
    """What is so."""

    observed_generation: int = -1
    """The metadata.generation that this status speaks about; -1 before the first look."""
    used_by: Annotated[tuple[User, ...], Field(max_length=USERS_SHOWN)] = ()
    """The ModelDeployments of its namespace that use it or can go back to it, the first 20 of them: those that it
    serves before the others. It can't be deleted as long as there are any.
    """
    users: int = 0
    """How many ModelDeployments use it or can go back to it."""
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = ()
    """Verified: a predictor has loaded it, so every file is what was packaged. Signed: it bears the signature that
    its namespace wants.
    """
