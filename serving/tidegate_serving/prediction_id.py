"""The prediction id: names one answer for as long as its outcome may take to arrive."""

from __future__ import annotations

import random
import time

# Seeded by the system: two pods of one image must never draw the same ids. Drawing each from the system costs 3×.
_SEED = random.SystemRandom().getrandbits(128)
_chance = random.Random(_SEED)  # noqa: S311 - unique, not secret


def new_prediction_id() -> str:
    """Gives a UUID of version 7 (RFC 9562): 48 bits of milliseconds, 74 random bits; sorts by time."""
    milliseconds = time.time_ns() // 1_000_000
    chance = _chance.getrandbits(74)
    number = milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | (chance & (1 << 62) - 1)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
