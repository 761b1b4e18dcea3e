"""Bodies that can't be read: what the caller is told about them."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tidegate_serving.errors import Refusal

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a body may raise."""

_AT_A_PLACE: Final = re.compile(r"(?P<what>.*) - at `\$\.?(?P<place>.*)`", re.DOTALL)


def explain_unreadable(body: bytes, error: Exception) -> Refusal:
    """Gives the refusal of a body, with the place in it where there is one."""
    why, place = _explain(body, error)
    at = f" at {place}" if place else ""
    return Refusal(400, f"the body is not what this path takes: {why}{at}", field=place)


def _explain(body: bytes, error: Exception) -> tuple[str, str]:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8", ""
    if isinstance(error, RecursionError):
        return "it is nested too deeply", ""
    if isinstance(error, msgspec.ValidationError):
        found = _AT_A_PLACE.fullmatch(str(error))
        what, place = (found["what"], found["place"]) if found else (str(error), "")
        return what[0].lower() + what[1:].replace("`", "'"), place
    if not body.strip():
        return "it is empty", ""
    # What json.dumps of Python writes for the values that JSON has no word for.
    if b"NaN" in body or b"Infinity" in body:
        return "NaN and Infinity are not JSON; send null where a value is missing", ""
    return str(error), ""
