"""ModelVersion: the cluster's record of one bundle, which never changes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from tidegate_operator.api.fields import Digest, Name, Text
from tidegate_operator.api.resource import Metadata, SeenPart, SpecPart

Uri = Annotated[
    str,
    StringConstraints(pattern=r"^(s3|gs|az|http|https|file|pvc)://[^\s]+$", min_length=6, max_length=1024),
]


class SecretReference(SpecPart):
    """A Secret in the same namespace."""

    name: Name = Field(description="Name of the Secret.")


class Source(SpecPart):
    """Where the bundle lies."""

    uri: Uri = Field(
        description="Folder of the bundle: s3://bucket/path, gs://, az://, http(s)://, file:// or "
        "pvc://claim/path. Example: s3://models/fraud/7."
    )
    secret_ref: SecretReference | None = Field(
        default=None,
        description="Secret whose keys open the store, such as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
        "AWS_REGION and AWS_ENDPOINT_URL. It is mounted only into the pods of this version. Default: none.",
    )


class Git(SpecPart):
    """The commit that the version was built from."""

    repository: Text = Field(description="URL of the repository.")
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$", max_length=64)] = Field(
        description="The commit's hash, 7 to 64 hexadecimal digits."
    )


class Data(SpecPart):
    """A data set that the version was built on."""

    uri: Text = Field(description="Where the data set lies.")
    digest: Digest | None = Field(default=None, description="SHA-256 of its bytes. Default: none.")


class Provenance(SpecPart):
    """Where the version comes from."""

    git: Git | None = Field(default=None, description="The commit it was built from. Default: none.")
    run: Text | None = Field(default=None, description="URL or id of the training run. Default: none.")
    data: Annotated[tuple[Data, ...], Field(max_length=20)] = Field(
        default=(), description="Data sets it was built on, at most 20. Default: none."
    )
    builder: Text | None = Field(default=None, description="The program that built it. Default: none.")
    created_at: Annotated[str, Field(max_length=32)] | None = Field(
        default=None,
        description="When it was built, RFC 3339. Default: none.",
        json_schema_extra={"format": "date-time"},
    )


class ModelVersionSpec(SpecPart):
    """One immutable bundle of a model."""

    model: Name = Field(
        description="The model that this is a version of; a ModelDeployment serves versions of one model. "
        "Example: fraud."
    )
    source: Source = Field(description="Where the bundle lies.")
    digest: Digest = Field(
        description="SHA-256 of the bundle's tidegate.json, as `sha256:` and 64 hexadecimal digits; a predictor "
        "loads nothing else. `tidegate verify BUNDLE` prints it."
    )
    provenance: Provenance | None = Field(
        default=None, description="Where the version comes from. Default: none."
    )


class ModelVersion(SeenPart):
    """A version as the API server keeps it."""

    metadata: Metadata
    spec: ModelVersionSpec
