"""Robustness: whether a model answers rows with gaps and unseen values, and refuses those that it can't answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tidegate.columns import BRIEF, InvalidInput
from tidegate.gate_report import Finding
from tidegate.signature import FeatureKind
from tidegate.verdict import Verdict
from tidegate_gates.asking import Columns, answer_each, say_briefly
from tidegate_gates.trial_rows import TrialRows
from tidegate_serving.model import Model

FEATURES_TOLD: Final = 20
"""Of those that fail; a report is bounded."""
UNSEEN: Final = "never seen before"
_TEXTS: Final = (FeatureKind.STRING, FeatureKind.CATEGORY)


def hold_robustness(model: Model, rows: TrialRows) -> Iterator[Finding]:
    """Asks for rows in which a feature is missing or has a value that nobody has seen."""
    features = model.signature.features
    nullable = [one.name for one in features if one.nullable]
    missing = [found for name in nullable for found in _hold_answered(model, rows, [name], None)]
    if len(nullable) > 1:
        missing += _hold_answered(model, rows, nullable, None)
    good = f"rows are answered without {_each(nullable, 'that may be missing')}"
    good += ", and without all of them" if len(nullable) > 1 else ""
    yield from _tell("missing values", good if nullable else "no feature may be missing", missing)
    texts = [one.name for one in features if one.kind in _TEXTS]
    unseen = [found for name in texts for found in _hold_answered(model, rows, [name], UNSEEN)]
    good = f"rows are answered with an unseen value in {_each(texts, 'of text')}"
    yield from _tell("unseen values", good if texts else "no feature is text", unseen)
    needed = [one.name for one in features if not one.nullable]
    let_through = [found for name in needed for found in _hold_refused(model, rows, name)]
    good = f"rows are refused without {_each(needed, 'that must be there')}"
    yield from _tell(
        "values that must be there", good if needed else "every feature may be missing", let_through
    )


def _each(names: Sequence[str], which: str) -> str:
    return f"each of {len(names)} features {which}" if len(names) > 1 else f"the feature {which}"


def _hold_answered(
    model: Model, rows: TrialRows, names: Sequence[str], value: str | None
) -> Iterator[Finding]:
    """What a user would get who sends this; nothing, if that is an answer."""
    _, reasons = answer_each(model, _fill(rows, names, value))
    if reasons:
        who = names[0] if len(names) == 1 else "all that may be missing"
        what = f"without {who}" if value is None else f"with '{value}' as {who}"
        words = f"{what}, {len(reasons)} of {len(rows)} golden rows are not answered: {next(iter(reasons.values()))}"
        yield Finding(f"{who}, {'missing' if value is None else 'unseen'}", Verdict.BAD, words)


def _hold_refused(model: Model, rows: TrialRows, name: str) -> Iterator[Finding]:
    """An answer would mean nothing, since the model never met such a row; a refusal has to say so."""
    try:
        model.encode(_fill(rows, [name], None))
    except InvalidInput as refusal:
        if refusal.field == name[:BRIEF]:
            return
        words = f"a row without {name} is refused for another reason: {say_briefly(refusal)}"
    else:
        words = f"a row without {name}, which must be there, is answered"
    yield Finding(f"{name}, missing", Verdict.BAD, words)


def _fill(rows: TrialRows, names: Sequence[str], value: str | None) -> Columns:
    return {**rows.columns, **{name: [value] * len(rows) for name in names}}


def _tell(subject: str, good: str, bad: Sequence[Finding]) -> Iterator[Finding]:
    if not bad:
        yield Finding(subject, Verdict.GOOD, good)
    yield from bad[:FEATURES_TOLD]
    if len(bad) > FEATURES_TOLD:
        yield Finding(subject, Verdict.BAD, f"{len(bad) - FEATURES_TOLD} more features are like these")
