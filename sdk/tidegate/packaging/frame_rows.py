"""DataFrames a part at a time: fair rows of a large one, and parts put together as pandas would have read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tidegate.packaging.fair_rows import MOST_ROWS, Trait, draw

_CELLS_AT_ONCE: Final = 2**20


def rows_at_once(columns: int) -> int:
    """How many rows to look at together: a power of two, about a million cells, which are 8 MB of numbers.

    pandas itself finds the types of a CSV file in pieces of so many rows, or of half as many. Where parts consist of
    whole pieces, a column that begins with numbers and goes on with texts is mixed in the very rows that
    `pandas.read_csv` mixes.
    """
    return 1 << ((_CELLS_AT_ONCE // max(1, columns)).bit_length() or 1) - 1


@dataclass(frozen=True, slots=True)
class FrameRows:
    """Rows of a DataFrame."""

    frame: pd.DataFrame

    def __len__(self) -> int:
        """How many they are."""
        return len(self.frame)

    def traits(self) -> Iterator[tuple[Trait, NDArray[np.bool_]]]:
        """Gaps decide which features may be missing; dtypes, and types of objects, decide what a column is."""
        absent = self.frame.isna().to_numpy()
        for place, dtype in enumerate(self.frame.dtypes):
            gaps = absent[:, place]
            if gaps.any():
                yield (place, None), gaps
            if not gaps.all():
                yield (place, str(dtype)), ~gaps
            if pd.api.types.is_object_dtype(dtype):
                kinds = [type(value) for value in self.frame.iloc[:, place]]
                for kind in set(kinds):
                    yield (place, kind), np.array([one is kind for one in kinds])

    def take(self, places: NDArray[np.intp]) -> FrameRows:
        """Gives the rows at these places."""
        return FrameRows(self.frame.iloc[places])


def draw_frame(frame: pd.DataFrame, most: int = MOST_ROWS) -> pd.DataFrame:
    """Gives a fair sample of the rows; the frame itself where it has no more than `most`."""
    if len(frame) <= most:
        return frame
    step = rows_at_once(frame.shape[1])
    slices = (FrameRows(frame.iloc[begin : begin + step]) for begin in range(0, len(frame), step))
    drawn, _ = draw(slices, most)
    return join_frames([part.frame for part in drawn])


def join_frames(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Puts parts of the same columns under each other, with the types that `pandas.read_csv` gives to the whole."""
    if len(parts) == 1:
        return parts[0]
    dtypes = np.array([part.dtypes for part in parts], dtype=object)
    differ = (dtypes != dtypes[0]).any(axis=0)
    alike, others = (np.flatnonzero(mask).tolist() for mask in (~differ, differ))
    joined = pd.concat([part.iloc[:, alike] for part in parts], ignore_index=True)
    if not others:
        return joined
    columns = [_join_column([part.iloc[:, place] for part in parts]) for place in others]
    return pd.concat([joined, *columns], axis=1).iloc[:, np.argsort([*alike, *others])]


def _join_column(parts: Sequence[pd.Series[Any]]) -> pd.Series[Any]:
    joined = pd.concat(parts, ignore_index=True)
    if not pd.api.types.is_object_dtype(joined.dtype):
        return joined
    # Texts and, in a part without any value, NaN: these are objects now. Where pandas makes a table of such objects it
    # finds that they are texts, so they are given to it once more.
    return pd.Series(joined.to_numpy(), name=joined.name)
