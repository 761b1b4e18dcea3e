"""The demo's data: the Adult census, its rows as training tables and as requests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd
from sklearn.model_selection import train_test_split

NUMBERS: Final = ("age", "capital_gain", "capital_loss", "hours_per_week")
WORDS: Final = (
    "workclass",
    "education",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native_country",
)
TARGET: Final = "income"
POSITIVE: Final = ">50K"
NEGATIVE: Final = "<=50K"

_DATA: Final = Path(__file__).parent / "data" / "adult.csv.gz"


@dataclass(frozen=True, slots=True)
class Census:
    """The rows that models are built on, and those that they have never seen: live traffic."""

    train: pd.DataFrame
    held_out: pd.DataFrame


@cache
def read_census() -> Census:
    """Reads all 48,842 rows; a missing word is None, as it comes out of a database."""
    with gzip.open(_DATA) as file:
        frame = pd.read_csv(file, dtype={**dict.fromkeys(NUMBERS, "int64"), **dict.fromkeys(WORDS, "object")})
    frame[list(WORDS)] = frame[list(WORDS)].astype(object).where(frame[list(WORDS)].notna(), None)
    train, held_out = train_test_split(frame, test_size=0.5, random_state=1994, stratify=frame[TARGET])
    return Census(train, held_out)


def columns(frame: pd.DataFrame) -> pd.DataFrame:
    """What a model is given of a table: all but the answer."""
    return frame[[*NUMBERS, *WORDS]]


def requests(frame: pd.DataFrame) -> Iterator[bytes]:
    """One Open Inference Protocol v2 request body a row; a missing value is null."""
    for row in columns(frame).to_dict(orient="records"):
        yield json.dumps({"inputs": [_tensor(name, value) for name, value in row.items()]}).encode()


def _tensor(name: object, value: object) -> dict[str, object]:
    datatype = "INT64" if name in NUMBERS else "BYTES"
    return {"name": name, "shape": [1], "datatype": datatype, "data": [value]}
