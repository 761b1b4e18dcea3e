"""Feature findings: how the values of each feature differ from the sample's, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tidegate.contents import Contents
from tidegate.gate_report import Finding
from tidegate.gates import Leakage, MissingValues, OutsideSample
from tidegate.quantities import parse_share
from tidegate.signature import Feature, FeatureKind, Task
from tidegate.verdict import Verdict
from tidegate_gates.allowance import allow_beyond_range, allow_of_share, expect_unseen
from tidegate_gates.leakage import Power
from tidegate_gates.survey import Survey

FEATURES_TOLD: Final = 20
"""The worst of them; a report is bounded."""
_NUMBERS: Final = (FeatureKind.NUMBER, FeatureKind.INTEGER)


@dataclass(frozen=True, slots=True)
class Looked:
    """One feature, looked at in one way."""

    feature: str
    figure: float
    most: float
    """What the figure may be."""
    message: str
    """What is said of it if it is more."""


def judge_missing(wanted: MissingValues, contents: Contents, found: Survey) -> Iterator[Finding]:
    """Whether values are missing more often than they may, or not as in the sample."""
    sample, looked, held = contents.baseline, list[Looked](), list[Looked]()
    for feature in _choose(contents, found, wanted.except_for):
        name, absent = feature.name, sample.features[feature.name].missing
        share, usual = found.columns[name].missing / found.rows, absent / sample.rows
        chance = allow_of_share(absent, sample.rows)
        figures = f"'{name}' is missing in {_show(share)} of the rows"
        limit = _tell_limit(wanted.change, chance, sample.rows)
        words = f"{figures} and in {_show(usual)} of the sample's; a change of {limit}"
        looked.append(Looked(name, abs(share - usual), parse_share(wanted.change) + chance, words))
        if wanted.at_most is not None:
            words = f"{figures}; at most {wanted.at_most} is wanted"
            held.append(Looked(name, share, parse_share(wanted.at_most), words))
    yield from _tell(
        "missing", held, "of no feature more than {share} of the values are missing ('{feature}')"
    )
    good = (
        "no feature is missing in a share that differs from the sample's by more than {share} ('{feature}')"
    )
    yield from _tell("change of missing", looked, good)


def judge_range(wanted: OutsideSample, contents: Contents, found: Survey) -> Iterator[Finding]:
    """Whether numbers are such as the sample has."""
    looked = []
    for feature in _choose(contents, found, wanted.except_for):
        name, sample = feature.name, contents.baseline.features[feature.name]
        values = contents.baseline.rows - sample.missing
        if feature.kind not in _NUMBERS or sample.lowest is None or sample.highest is None:
            continue
        share, chance = _share_of_strange(found, name), allow_beyond_range(values)
        words = (
            f"{_show(share)} of the values of '{name}' lie outside of {sample.lowest:g} to {sample.highest:g}, the "
            f"range of the sample, such as {found.columns[name].strange.example}; "
            f"{_tell_limit(wanted.at_most, chance, values)}"
        )
        looked.append(Looked(name, share, parse_share(wanted.at_most) + chance, words))
    good = "of no feature more than {share} of the values lie outside of the sample's range ('{feature}')"
    yield from _tell("range", looked, good)


def judge_unseen(wanted: OutsideSample, contents: Contents, found: Survey) -> Iterator[Finding]:
    """Whether texts are such as the sample has."""
    looked = []
    for feature in _choose(contents, found, wanted.except_for):
        name, sample = feature.name, contents.baseline.features[feature.name]
        values = contents.baseline.rows - sample.missing
        if feature.kind in _NUMBERS or not values:
            continue
        are_all_known = feature.kind is FeatureKind.CATEGORY
        usual = expect_unseen(sample, contents.baseline.rows, are_all_known=are_all_known)
        share, example = _share_of_strange(found, name), found.columns[name].strange.example
        limit = _tell_limit(wanted.at_most, usual, values)
        known = f"none of the {len({*feature.categories, *sample.values})} that the bundle has of its sample"
        words = f"{_show(share)} of the values of '{name}' are {known}, such as '{example}'; {limit}"
        looked.append(Looked(name, share, parse_share(wanted.at_most) + usual, words))
    good = "of no feature more than {share} of the values are unseen ('{feature}')"
    yield from _tell("unseen", looked, good)


def judge_leakage(wanted: Leakage, task: Task, powers: Mapping[str, Power]) -> Iterator[Finding]:
    """Whether a feature alone tells the label."""
    looked = [
        Looked(
            name,
            power.at_least,
            float(wanted.at_most),
            f"'{name}' alone tells {power.value:.3f} of the label ({_explain(task, power)}), {power.at_least:.3f} at "
            f"least; at most {wanted.at_most} is wanted: leave it out, or put it into exceptFor if it is known before "
            "the label is",
        )
        for name, power in powers.items()
        if name not in wanted.except_for
    ]
    good = "no feature alone surely tells more than {figure:.3f} of the label ('{feature}')"
    yield from _tell("leakage", looked, good)


def _explain(task: Task, power: Power) -> str:
    if task is Task.BINARY:
        return f"an area under the ROC curve of {(1 + power.value) / 2:.4f}"
    if task is Task.MULTICLASS:
        return "as a share of the mistakes of always naming the most frequent one"
    return "as a share of the variance of its rank"


def _choose(contents: Contents, found: Survey, except_for: Sequence[str]) -> Iterator[Feature]:
    for feature in contents.signature.features:
        if feature.name in found.columns and feature.name not in except_for:
            yield feature


def _share_of_strange(found: Survey, name: str) -> float:
    column = found.columns[name]
    values = found.rows - column.missing - column.unfit.rows
    return column.strange.rows / values if values else 0.0


def _tell(subject: str, looked: Sequence[Looked], good: str) -> Iterator[Finding]:
    """A finding of each feature that is not as is wanted, or one that has the largest figure of all."""
    if not looked:
        return
    bad = [one for one in looked if one.figure > one.most]
    bad.sort(key=lambda one: one.most - one.figure)
    for one in bad[:FEATURES_TOLD]:
        yield Finding(f"{subject}, {one.feature}", Verdict.BAD, one.message)
    if len(bad) > FEATURES_TOLD:
        left = f"{len(bad) - FEATURES_TOLD} more features, none of them worse than these"
        yield Finding(f"{subject}, other features", Verdict.BAD, left)
    if not bad:
        top = max(looked, key=lambda one: one.figure)
        words = good.format(share=_show(top.figure), figure=top.figure, feature=top.feature)
        yield Finding(subject, Verdict.GOOD, words)


def _tell_limit(limit: str, chance: float, values: int) -> str:
    words = f"at most {limit} is wanted, and {100 * chance:.2g} % more for what chance does"
    return f"{words} in a sample of {values:,}"


def _show(share: float) -> str:
    return f"{100 * share:.3g} %"
