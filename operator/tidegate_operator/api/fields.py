"""The scalars of our resources: how each is written, what admission says when it is not, and what it means."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.config import JsonDict

from tidegate.quantities import DURATION


def refuse_unless(*rules: tuple[str, str]) -> JsonDict:
    """CEL validations for a CRD: what must hold, and a sentence that says what to write instead.

    The sentences show no values: the API server names the field and its value in front of them.
    """
    return {"x-kubernetes-validations": [{"rule": holds, "message": message} for holds, message in rules]}


def _written_as(
    pattern: str, message: str, *, max_length: int, and_not: str | None = None
) -> tuple[Any, ...]:
    """A string that must match a pattern, with one sentence for both pydantic and the API server.

    The pattern goes into CEL, not into the schema's `pattern`: there the server would answer with the bare
    expression. `and_not` is a pattern that must not match.
    """
    wanted, refused = re.compile(pattern), re.compile(and_not) if and_not else None

    def check(value: str) -> str:
        if not wanted.search(value) or (refused and refused.search(value)):
            msg = f"{value!r}: {message}"
            raise ValueError(msg)
        return value

    cel = f"self.matches({_quote(pattern)})" + (f" && !self.matches({_quote(and_not)})" if and_not else "")
    return AfterValidator(check), Field(
        max_length=max_length, json_schema_extra=refuse_unless((cel, message))
    )


def _quote(pattern: str) -> str:
    return "r'" + pattern + "'"


def _between(least: int, most: int, message: str) -> tuple[Any, ...]:
    """An integer within bounds, which are in CEL for the sake of the sentence too."""

    def check(value: int) -> int:
        if not least <= value <= most:
            msg = f"{value}: {message}"
            raise ValueError(msg)
        return value

    cel = f"{least} <= self && self <= {most}"
    return AfterValidator(check), Field(json_schema_extra=refuse_unless((cel, message)))


Weight = Annotated[
    int,
    *_between(
        1,
        99,
        "write a weight from 1 to 99, in percent; after the last step the candidate gets all traffic by itself",
    ),
]

MirrorShare = Annotated[int, *_between(1, 100, "write a share of the requests from 1 to 100, in percent")]

_ZERO_DURATION = r"^(0+(ms|s|m|h))+$"

Duration = Annotated[
    str, *_written_as(DURATION, 'write a duration such as "30s", "5m" or "1h30m"', max_length=32)
]
"""Units are ms, s, m and h; "0s" is none."""

PositiveDuration = Annotated[
    str,
    *_written_as(
        DURATION,
        'write a duration longer than zero, such as "500ms", "30s" or "1h30m"',
        max_length=32,
        and_not=_ZERO_DURATION,
    ),
]

Percentage = Annotated[
    str,
    *_written_as(
        r"^[0-9]{1,2}(\.[0-9]{1,4})?%$",
        'write a percentage between 0 and 100 with its sign, such as "1%" or "0.5%"',
        max_length=8,
        and_not=r"^0+(\.0+)?%$",
    ),
]
"""More than 0 % and less than 100 %."""

Digest = Annotated[
    str,
    *_written_as(
        r"^sha256:[0-9a-f]{64}$",
        'write the digest that `tidegate package` printed: "sha256:" and 64 lower-case hexadecimal digits',
        max_length=71,
    ),
]

Name = Annotated[
    str,
    *_written_as(
        r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        'write a name of at most 63 lower-case letters, digits, "-" and ".", such as "fraud-7"',
        max_length=63,
    ),
]
"""Names another object; also fits into a label."""

ModelName = Annotated[
    str,
    *_written_as(
        r"^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$",
        'write a model name of at most 63 letters, digits, "-", "_" and ".", such as "fraud"; it is part of a URL',
        max_length=63,
    ),
]

SourceUri = Annotated[
    str,
    *_written_as(
        r"^((s3|gs|az|https?|pvc)://[^/\s?#]+/\S*|file:///\S+)$",
        "write where the bundle lies: a URI that begins with s3://, gs://, az://, http://, https://, file:/// or "
        'pvc://, such as "s3://models/fraud/7" or "pvc://claim/fraud/7"',
        max_length=1024,
    ),
]

Quantity = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(
        max_length=32,
        json_schema_extra={"x-kubernetes-int-or-string": True}
        | refuse_unless(
            (
                "type(self) == int ? self > 0 : (isQuantity(self) && quantity(self).isGreaterThan(quantity('0')))",
                'write a Kubernetes quantity above zero, such as "500m" or "2" for cpu and "512Mi" for memory',
            )
        ),
    ),
]
"""As everywhere in Kubernetes; a bare integer is taken too, since `cpu: 2` is what people write."""
