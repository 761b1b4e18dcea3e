"""ModelVersion: the cluster's record of one bundle, which never changes."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from tidegate_operator.api.fields import Digest, ModelName, Name, SourceUri, refuse_unless
from tidegate_operator.api.resource import Resource, Written
from tidegate_operator.api.version_status import ModelVersionStatus

Text = Annotated[str, Field(max_length=1024)]
ShortText = Annotated[str, Field(max_length=256)]
Time = Annotated[str, Field(max_length=32)]


class SecretReference(Written):
    """A Secret of the ModelVersion's own namespace."""

    name: Name
    """Name of the Secret. It is mounted only into the pods that load this version."""


class Source(Written):
    """Where a bundle lies."""

    uri: SourceUri
    """URI of the bundle's folder, such as s3://models/fraud/7. Schemes: s3, gs, az, http, https, file, pvc
    (pvc://claim/folder).
    """
    secret_ref: SecretReference | None = None
    """Secret with the store's credentials, its keys named as the store's own tools name them, such as
    AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS or AZURE_STORAGE_KEY. Default: none, the store is read
    anonymously.
    """


class GitCommit(Written):
    """The code that trained the model."""

    repository: Text
    """URL of the repository, such as https://git.example.com/fraud.git."""
    commit: Annotated[str, Field(max_length=64)]
    """The commit's full hash."""
    dirty: bool = False
    """Whether tracked files had changes that are in no commit. Default: false."""


class DataReference(Written):
    """Data that the model was trained on."""

    uri: Text
    """Where the data lies, such as s3://lake/transactions/2026-01."""
    digest: Annotated[str, Field(max_length=128)] | None = None
    """What identifies its bytes, such as sha256:… or a table snapshot. Default: none."""
    rows: Annotated[int, Field(ge=0)] | None = None
    """How many rows it has. Default: not known."""
    begin: Time | None = None
    """Time of its first row (RFC 3339). Default: not known."""
    end: Time | None = None
    """Time of its last row (RFC 3339). Default: not known."""


class Package(Written):
    """A library that the model was made with."""

    name: ShortText
    """Its name, such as scikit-learn."""
    version: ShortText
    """Its version, such as 1.9.0."""


class Metric(Written):
    """A figure of the evaluation that the model's makers did."""

    name: ShortText
    """Its name, such as auc."""
    value: Annotated[str, Field(max_length=32)]
    """A decimal number, written as text, such as "0.913"."""


class Provenance(Written):
    """Where a model came from."""

    git: GitCommit | None = None
    """The code that trained the model. Default: none."""
    run: Text | None = None
    """The training run, as your tracker names it, such as a URL. Default: none."""
    data: Annotated[tuple[DataReference, ...], Field(max_length=32)] = ()
    """The data that the model was trained on, at most 32 entries. Default: none."""
    packages: Annotated[tuple[Package, ...], Field(max_length=256)] = ()
    """The libraries that the model was made with, at most 256 entries. Default: none."""
    metrics: Annotated[tuple[Metric, ...], Field(max_length=128)] = ()
    """Figures of the evaluation that the model's makers did, at most 128 entries. Default: none."""
    builder: Text | None = None
    """The program that made the bundle, such as "tidegate 0.1.0". Default: none."""
    built_by: Text | None = None
    """The person or pipeline that made the bundle. Default: none."""
    created_at: Time | None = None
    """When the bundle was made (RFC 3339, such as 2026-01-31T12:00:00Z). Default: none."""


class ModelVersionSpec(Written):
    """One bundle: which model it is a version of, where it lies, and what its bytes must be. It never
    changes; a changed bundle is a new ModelVersion.
    """

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "self == oldSelf",
                (
                    "a ModelVersion never changes, since what was tested is what must be served; "
                    "apply the changed bundle as a ModelVersion of another name"
                ),
            )
        )
    )

    model: ModelName
    """The model that this is a version of, such as fraud. A ModelDeployment serves versions of one model
    only.
    """
    source: Source
    """Where the bundle lies."""
    digest: Digest
    """SHA-256 of the bundle's tidegate.json, as `tidegate package` printed it: sha256: and 64 hexadecimal
    digits. A bundle with another digest is never served.
    """
    signature: Annotated[str, Field(max_length=65536)] | None = None
    """Who vouches for the bundle: the text of its model.sig, as `tidegate sign` wrote it (an OpenSSF model
    signature, some 3 KiB). It is over every file of the bundle, tidegate.json among them, and so over the digest.
    `tidegate manifest` and `tidegate package` print it with the rest. Default: none, nobody vouches for it.
    """
    provenance: Provenance | None = None
    """Where the model came from, for people who ask later. Default: none."""


class ModelVersion(Resource):
    """ModelVersion is the record of one bundle: where it lies, its digest and its provenance. Its spec never
    changes, and Tidegate never deletes it.
    """

    model_config = ConfigDict(
        json_schema_extra=refuse_unless(
            (
                "self.metadata.name.size() <= 63",
                "choose a metadata.name of at most 63 characters, such as fraud-7; pods are labelled with it",
            )
        )
    )

    spec: ModelVersionSpec
    """The bundle. It never changes."""
    status: ModelVersionStatus = ModelVersionStatus()
    """What is so. Only the operator writes it."""
