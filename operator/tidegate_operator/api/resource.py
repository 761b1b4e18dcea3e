"""What all resources share: naming of fields, strictness, and the metadata that the operator reads."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "tidegate.io"
VERSION = "v1alpha1"


class SpecPart(BaseModel):
    """A part of a spec: an unknown field is a mistake, and is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class SeenPart(BaseModel):
    """A part of what the API server keeps: fields of a later version are passed over, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Metadata(SeenPart):
    """The metadata that decisions rest on."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
