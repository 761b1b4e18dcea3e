"""Golden rows: inputs with the answers of the version when it was built, asked again before it serves."""

from __future__ import annotations

import msgspec

Value = float | int | str | bool | None


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A few rows and what the model answered to them."""

    features: tuple[str, ...]
    """Names of the columns, as in the signature."""
    rows: tuple[tuple[Value, ...], ...]
    """One inner tuple a row; null is a missing value."""
    outputs: dict[str, tuple[tuple[Value, ...], ...]]
    """By output name, one inner tuple a row (of width 1 where the output has no second axis)."""
