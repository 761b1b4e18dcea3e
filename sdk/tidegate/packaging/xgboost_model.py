"""XGBoost models, read from the JSON that the booster saves; it compares in float32.

onnxmltools stops at column names that aren't f0, f1, …, and knows no categorical splits.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any, Final

import numpy as np

from tidegate.packaging.answers import (
    Answer,
    binary_probabilities,
    flat,
    softmax_probabilities,
)
from tidegate.packaging.encoders import category_text, lookup
from tidegate.packaging.graph import Graph, Part, Value
from tidegate.packaging.refusal import PackagingRefusedError
from tidegate.packaging.trees import Ensemble, TreeTable, add_ensemble

_LOG_LINK: Final = {"count:poisson", "reg:gamma", "reg:tweedie"}
_LOGISTIC: Final = {"binary:logistic", "reg:logistic"}
_IDENTITY: Final = {
    "reg:squarederror",
    "reg:linear",
    "reg:absoluteerror",
    "reg:pseudohubererror",
    "reg:quantileerror",
    "reg:squaredlogerror",
}
_SOFTMAX: Final = {"multi:softprob", "multi:softmax"}


def convert_xgboost(graph: Graph, model: Any, value: Value) -> Answer:  # noqa: ANN401
    """Adds the trees of an XGBClassifier, XGBRegressor or Booster, and its link."""
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    learner = json.loads(booster.save_raw("json"))["learner"]
    objective = learner["objective"]["name"]
    ensemble = _ensemble(
        learner, objective, getattr(model, "best_iteration", None) if _stopped(booster) else None
    )
    value = _encoded(graph, value, learner)
    # What an infinity or a missing marker of DMatrix would be is never sent: callers send null.
    tensor = graph.to_float32(graph.numbers(value, type(model).__name__))
    scores = add_ensemble(graph, ensemble, tensor, double=False)
    if objective in _SOFTMAX:
        return Answer(probabilities=softmax_probabilities(graph, scores))
    if objective == "binary:logistic":
        return Answer(probabilities=binary_probabilities(graph, scores))
    if objective == "reg:logistic":
        return Answer(prediction=graph.add("Sigmoid", flat(graph, scores)))
    if objective in _LOG_LINK:
        return Answer(prediction=graph.add("Exp", flat(graph, scores)))
    return Answer(prediction=flat(graph, scores))


def _stopped(booster: Any) -> bool:  # noqa: ANN401
    return booster.attr("best_iteration") is not None


def _ensemble(learner: dict[str, Any], objective: str, best_iteration: int | None) -> Ensemble:
    if objective not in _LOG_LINK | _LOGISTIC | _IDENTITY | _SOFTMAX:
        raise PackagingRefusedError(
            f"XGBoost's objective {objective} can't be converted; use a logistic, softprob, squarederror, "
            "absoluteerror, poisson, gamma or tweedie one"
        )
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree":
        raise PackagingRefusedError(
            f"XGBoost's booster {booster['name']} can't be converted; train with booster='gbtree'"
        )
    trees, owners = booster["model"]["trees"], booster["model"]["tree_info"]
    targets = max(1, int(learner["learner_model_param"]["num_class"]))
    if int(learner["learner_model_param"]["num_target"]) > 1:
        raise PackagingRefusedError(
            "XGBoost with several targets can't be converted; train one model a target"
        )
    if best_iteration is not None:
        parallel = int(booster["model"]["gbtree_model_param"]["num_parallel_tree"])
        trees = trees[: (best_iteration + 1) * targets * parallel]
    return Ensemble(
        trees=tuple(_tree(tree, owner) for tree, owner in zip(trees, owners, strict=False)),
        targets=targets,
        base_values=_base_values(learner["learner_model_param"]["base_score"], objective, targets),
    )


def _base_values(text: str, objective: str, targets: int) -> tuple[float, ...]:
    # A number up to XGBoost 3.0, then one a target in brackets; in the scale of the answer.
    scores = [float(score) for score in text.strip("[]").split(",")]
    scores = scores * targets if len(scores) == 1 else scores
    if objective in _LOGISTIC:
        return tuple(math.log(score / (1 - score)) for score in scores)
    if objective in _LOG_LINK:
        return tuple(math.log(score) for score in scores)
    return tuple(scores)


def _encoded(graph: Graph, value: Value, learner: dict[str, Any]) -> Value:
    """Turns text columns into the category codes of training; unseen ones count as missing."""
    columns: list[Part] = []
    categories = _categories(learner)
    for index, part in enumerate(graph.columns(value)):
        if not part.text:
            columns.append(part)
            continue
        if index not in categories:
            raise PackagingRefusedError(
                f"feature {index} of the XGBoost model is text, but the model has no categories for it; "
                "train with enable_categorical=True on a pandas category column"
            )
        known = categories[index]
        codes = [float(code) for code in range(len(known))]
        columns.append(Part(lookup(graph, part, known, targets=codes, unseen=math.nan), 1))
    return tuple(columns) if any(part.text for part in value) else value


def _categories(learner: dict[str, Any]) -> dict[int, list[str]]:
    """Reads the categories of each column, stored as Arrow does: bytes end to end, with their offsets."""
    stored = learner["gradient_booster"]["model"].get("cats") or {}
    found: dict[int, list[str]] = {}
    for index, column in enumerate(stored.get("enc", ())):
        if not column.get("values"):
            continue
        if "offsets" in column:
            raw = bytes(np.asarray(column["values"], dtype=np.int8).view(np.uint8))
            bounds = column["offsets"]
            found[index] = [raw[start:end].decode() for start, end in pairwise(bounds)]
        else:
            found[index] = [category_text(value) for value in column["values"]]
    return found


def _tree(tree: dict[str, Any], target: int) -> TreeTable:
    table = TreeTable()
    sets = dict(
        zip(
            tree["categories_nodes"],
            zip(tree["categories_segments"], tree["categories_sizes"], strict=True),
            strict=True,
        )
    )
    for _ in tree["left_children"]:
        table.reserve()
    for node, (left, right) in enumerate(zip(tree["left_children"], tree["right_children"], strict=True)):
        feature, default_left = tree["split_indices"][node], bool(tree["default_left"][node])
        if left == -1:
            table.set_leaf(node, {target: tree["split_conditions"][node]})
        elif node in sets:
            start, size = sets[node]
            # Members go right; what is missing goes the default way.
            table.set_membership(
                node,
                feature,
                members=tree["categories"][start : start + size],
                inside=right,
                outside=left,
                missing_inside=not default_left,
            )
        else:
            table.set_split(
                node,
                feature,
                mode="BRANCH_LT",
                threshold=tree["split_conditions"][node],
                true=left,
                false=right,
                missing_true=default_left,
            )
    return table
