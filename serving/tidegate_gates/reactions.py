"""Reactions: whether answers do what is expected when one feature of a row changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tidegate.expectations import Expectation, Reaction, find_misfit
from tidegate.gate_report import Finding
from tidegate.quantities import parse_share
from tidegate.signature import Task
from tidegate.verdict import Verdict
from tidegate_gates.asking import answer_each
from tidegate_gates.changes import Change, plan_changes
from tidegate_gates.estimate import Floats
from tidegate_gates.trial_rows import TrialRows
from tidegate_serving.model import Model

_OTHERWISE: Final = {
    Reaction.SAME: "otherwise",
    Reaction.NOT_LOWER: "lower",
    Reaction.NOT_HIGHER: "higher",
}


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Rows before and after they changed."""

    changes: Sequence[Change]
    before: Floats
    """Changes × figures, of those figures that the expectation is about."""
    after: Floats
    """NaN where the changed row is not answered."""
    reasons: dict[int, str]
    """Why it is not, by change."""


def hold_expectation(expectation: Expectation, model: Model, rows: TrialRows, before: Floats) -> Finding:
    """Asks for the changed rows, and judges what came.

    Args:
        expectation: What is expected.
        model: Of whom.
        rows: Rows that it answers.
        before: What it answers to them.
    """
    subject = f"{expectation}: {expectation.answer}"
    if misfit := find_misfit(expectation, model.signature):
        return Finding(subject, Verdict.NOT_ENOUGH, misfit)
    feature = next(one for one in model.signature.features if one.name == expectation.feature)
    changes = plan_changes(expectation, feature, rows.columns[feature.name])
    if not changes:
        words = f"{expectation}: none of {len(rows):,} rows has a value of {feature.name} that this changes"
        return Finding(subject, Verdict.NOT_ENOUGH, f"{words}; give other values (to) or other rows (data)")
    changed = dict(rows.pick([one.row for one in changes]).columns)
    changed[feature.name] = [one.after for one in changes]
    after, reasons = answer_each(model, changed)
    figures = _choose_figures(expectation, model)
    asked = Asked(changes, before[[one.row for one in changes]][:, figures], after[:, figures], reasons)
    return judge_reaction(expectation, asked, rows, model.signature.tolerance)


def _choose_figures(expectation: Expectation, model: Model) -> slice:
    """Of two classes the second is the one that a score speaks of; that both stay the same says no more."""
    classes = model.signature.classes
    if expectation.of:
        place = classes.index(expectation.of)
        return slice(place, place + 1)
    return slice(-1, None) if model.signature.task is Task.BINARY else slice(None)


def judge_reaction(expectation: Expectation, asked: Asked, rows: TrialRows, tolerance: float) -> Finding:
    """What the answers say. Pure."""
    harm = _find_harm(expectation, asked, tolerance)
    tried = {one.row for one in asked.changes}
    broken = {one.row for one, amount in zip(asked.changes, harm, strict=True) if amount > 0}
    # Without the slack, 29 of 100 would be more than 29%.
    held = len(broken) <= parse_share(expectation.exceptions) * len(tried) + 1e-9
    for_whom = f" for {expectation.of}" if expectation.of else ""
    way = f"answered {_OTHERWISE[expectation.answer]}{for_whom}{' or not at all' if asked.reasons else ''}"
    many = f"{len(broken):,} are" if len(broken) > 1 else "1 is" if broken else "none is"
    words = f"{expectation}: of {len(tried):,} rows {many} {way}"
    if broken:
        allowed = f"{expectation.exceptions} of them" if parse_share(expectation.exceptions) else "none"
        words += f", {_show_worst(expectation, asked, rows, int(np.argmax(harm)))}; {allowed} may be"
    return Finding(f"{expectation}: {expectation.answer}", Verdict.GOOD if held else Verdict.BAD, words)


def _find_harm(expectation: Expectation, asked: Asked, tolerance: float) -> Floats:
    """By change, how much further than is accepted the answer went; infinite where there is none."""
    rise = asked.after - asked.before
    wrong = {Reaction.SAME: np.abs(rise), Reaction.NOT_LOWER: -rise, Reaction.NOT_HIGHER: rise}
    if expectation.tolerance is not None:
        accepted: Floats | float = float(expectation.tolerance)
    else:
        accepted = tolerance * np.maximum(1.0, np.abs(asked.before))
    harm: Floats = np.max(wrong[expectation.answer] - accepted, axis=1)
    return np.where(np.isnan(harm), np.inf, harm)


def _show_worst(expectation: Expectation, asked: Asked, rows: TrialRows, place: int) -> str:
    change = asked.changes[place]
    value = _show(rows.columns[expectation.feature][change.row])
    with_what = f"{expectation.feature} {_show(change.after)} instead of {value}"
    if place in asked.reasons:
        return f"{rows.names[change.row]} not at all ({with_what}: {asked.reasons[place]})"
    figure = int(np.argmax(np.abs(asked.after[place] - asked.before[place])))
    before, after = asked.before[place, figure], asked.after[place, figure]
    return f"{rows.names[change.row]} with {after:.4g} instead of {before:.4g} ({with_what})"


def _show(value: object) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)[:100]
