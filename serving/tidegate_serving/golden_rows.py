"""Golden rows: asked again on the very machine that will serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from tidegate.columns import Columns, InvalidInput
from tidegate.golden import Golden, Value
from tidegate.pod import StartFailure
from tidegate.signature import Signature
from tidegate_serving.errors import CannotStart, NotFinite
from tidegate_serving.model import Answers, Model

Outputs = Mapping[str, Sequence[Sequence[Value]]]
"""By output name, the values of each row."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An answer that is another one than was wanted."""

    row: int
    output: str
    wanted: str
    """As sentences show it."""
    got: str


def require_golden(model: Model) -> None:
    """Asks the golden rows again.

    Numbers may differ by the signature's tolerance, times the number itself where that is larger than one. A label
    may differ where its probability ties with another one's.

    Raises:
        CannotStart: An answer differs, or there is none.
    """
    found = find_difference(model.signature, model.golden.outputs, _ask(model))
    if found:
        raise CannotStart(
            StartFailure.GOLDEN_MISMATCH,
            f"golden row {found.row}: {found.output} is {found.got} here, but was {found.wanted} when the version was "
            f"built (tolerance {model.signature.tolerance:g})",
        )


def find_difference(signature: Signature, wanted: Outputs, answers: Answers) -> Difference | None:
    """Gives the first answer that is another one than is wanted, by the signature's tolerance."""
    tied = _tied_rows(wanted, signature.tolerance)
    for output, answer in zip(signature.outputs, answers, strict=True):
        for row, (want, got) in enumerate(zip(wanted[output.name], _rows(answer), strict=True)):
            if all(_close(one, other, signature.tolerance) for one, other in zip(want, got, strict=True)):
                continue
            if row not in tied or isinstance(want[0], float):
                return Difference(row, output.name, _shown(want), _shown(got))
    return None


def outputs_of(signature: Signature, answers: Answers) -> Outputs:
    """Gives answers in the form in which golden rows have theirs."""
    return {
        output.name: tuple(tuple(row) for row in _rows(answer))
        for output, answer in zip(signature.outputs, answers, strict=True)
    }


def golden_columns(golden: Golden) -> Columns:
    """Gives the rows as columns, as a caller would send them."""
    return {name: [row[place] for row in golden.rows] for place, name in enumerate(golden.features)}


def _ask(model: Model) -> Answers:
    try:
        return model.answer(model.encode(golden_columns(model.golden)))
    except (InvalidInput, NotFinite) as error:
        raise CannotStart(
            StartFailure.GOLDEN_MISMATCH, f"the golden rows could not be answered: {error}"
        ) from error
    except Exception as error:  # ONNX Runtime's exceptions share no public base
        reason = f"the model fails on its golden rows: {str(error)[:300]}"
        if "bad_alloc" in reason or "allocate memory" in reason:
            reason = (
                "the model needs more memory for its golden rows than there is; raise "
                "spec.serving.resources.limits.memory"
            )
        raise CannotStart(StartFailure.MODEL_INVALID, reason) from error


def _tied_rows(wanted: Outputs, tolerance: float) -> set[int]:
    tied = set()
    for row, shares in enumerate(wanted.get("probabilities", ())):
        ordered = sorted(float(share or 0) for share in shares)
        if len(ordered) > 1 and ordered[-1] - ordered[-2] <= 2 * tolerance:
            tied.add(row)
    return tied


def _rows(answer: NDArray[Any]) -> Sequence[Sequence[Value]]:
    rows: list[list[Value]] = answer.reshape(len(answer), -1).tolist()
    return rows


def _close(want: Value, have: Value, tolerance: float) -> bool:
    if isinstance(want, int | float) and isinstance(have, float):
        return abs(have - want) <= tolerance * max(1.0, abs(want))
    return want == have


def _shown(values: Sequence[Value]) -> str:
    return ", ".join(f"{value:.8g}" if isinstance(value, float) else repr(value) for value in values[:5])
