"""Decision trees of any library, as one node of ONNX: the sum of a leaf a tree, for each row and target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tidegate.packaging.graph import Graph

_LEAF: Final = -1


@dataclass(slots=True)
class TreeTable:
    """Nodes of one tree as they are added; node 0 is the root.

    `true` is where a row goes for which the node's comparison holds; a missing value goes to `true` if
    `missing_true` says so, else to `false`.
    """

    feature: list[int] = field(default_factory=list)
    mode: list[str] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    false: list[int] = field(default_factory=list)
    missing_true: list[bool] = field(default_factory=list)
    leaves: dict[int, dict[int, float]] = field(default_factory=dict)
    """By node: weight by target."""

    def reserve(self) -> int:
        """Adds an empty node, to be filled when its children are known."""
        self.feature.append(0)
        self.mode.append("LEAF")
        self.threshold.append(0.0)
        self.true.append(0)
        self.false.append(0)
        self.missing_true.append(False)
        return len(self.feature) - 1

    def set_leaf(self, node: int, weights: dict[int, float]) -> None:
        """Makes the node a leaf that adds `weights` (by target)."""
        self.leaves[node] = weights

    def set_split(
        self,
        node: int,
        feature: int,
        *,
        mode: str,
        threshold: float,
        true: int,
        false: int,
        missing_true: bool,
    ) -> None:
        """Makes the node a comparison `value <mode> threshold`."""
        self.feature[node], self.mode[node], self.threshold[node] = feature, mode, threshold
        self.true[node], self.false[node], self.missing_true[node] = true, false, missing_true

    def set_membership(
        self,
        node: int,
        feature: int,
        *,
        members: Sequence[int],
        inside: int,
        outside: int,
        missing_inside: bool,
    ) -> None:
        """Makes the node a set membership: a chain of equalities that share `inside` as their child.

        ONNX Runtime knows these chains, and folds them into one comparison.
        """
        for member in members[:-1]:
            following = self.reserve()
            self.set_split(
                node,
                feature,
                mode="BRANCH_EQ",
                threshold=float(member),
                true=inside,
                false=following,
                missing_true=missing_inside,
            )
            node = following
        self.set_split(
            node,
            feature,
            mode="BRANCH_EQ",
            threshold=float(members[-1]),
            true=inside,
            false=outside,
            missing_true=missing_inside,
        )


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Trees whose leaves are added up, over base values."""

    trees: tuple[TreeTable, ...]
    targets: int
    base_values: tuple[float, ...] = ()
    aggregate: Literal["SUM", "AVERAGE"] = "SUM"


def add_ensemble(graph: Graph, ensemble: Ensemble, tensor: str, *, double: bool) -> str:
    """Adds the ensemble; gives the name of its float32 output of shape [rows, targets].

    Args:
        graph: Where to.
        ensemble: The trees.
        tensor: The features, of the precision that the library itself compares in.
        double: Whether that is float64. Comparing in the other precision would send rows that lie between a
            threshold and its rounded value down the other branch.
    """
    attributes = _node_attributes(ensemble) | _leaf_attributes(ensemble, double=double)
    thresholds = np.concatenate([np.asarray(tree.threshold) for tree in ensemble.trees])
    if double:
        attributes["nodes_values_as_tensor"] = _doubles(thresholds)
    else:
        attributes["nodes_values"] = thresholds.astype(np.float32)
    return graph.add(
        "TreeEnsembleRegressor",
        tensor,
        domain="ai.onnx.ml",
        n_targets=ensemble.targets,
        aggregate_function=ensemble.aggregate,
        post_transform="NONE",
        **attributes,
    )


def float32_below(thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gives the largest float32 ≤ each threshold: x ≤ threshold then says the same for every float32 x."""
    rounded = thresholds.astype(np.float32)
    too_large = rounded.astype(np.float64) > thresholds
    rounded[too_large] = np.nextafter(rounded[too_large], np.float32(-np.inf))
    return rounded.astype(np.float64)


def _node_attributes(ensemble: Ensemble) -> dict[str, Any]:
    trees = ensemble.trees
    return {
        "nodes_treeids": [number for number, tree in enumerate(trees) for _ in tree.feature],
        "nodes_nodeids": [node for tree in trees for node in range(len(tree.feature))],
        "nodes_featureids": [feature for tree in trees for feature in tree.feature],
        "nodes_modes": [mode for tree in trees for mode in tree.mode],
        "nodes_truenodeids": [node for tree in trees for node in tree.true],
        "nodes_falsenodeids": [node for tree in trees for node in tree.false],
        "nodes_missing_value_tracks_true": [int(flag) for tree in trees for flag in tree.missing_true],
    }


def _leaf_attributes(ensemble: Ensemble, *, double: bool) -> dict[str, Any]:
    leaves = [
        (number, node, target, weight)
        for number, tree in enumerate(ensemble.trees)
        for node, weights in sorted(tree.leaves.items())
        for target, weight in weights.items()
    ]
    numbers, nodes, targets, weights = zip(*leaves, strict=True)
    attributes: dict[str, Any] = {
        "target_treeids": list(numbers),
        "target_nodeids": list(nodes),
        "target_ids": list(targets),
    }
    if double:
        attributes["target_weights_as_tensor"] = _doubles(weights)
        if ensemble.base_values:
            attributes["base_values_as_tensor"] = _doubles(ensemble.base_values)
    else:
        attributes["target_weights"] = list(weights)
        if ensemble.base_values:
            attributes["base_values"] = list(ensemble.base_values)
    return attributes


def _doubles(values: Sequence[float] | NDArray[np.float64]) -> Any:  # noqa: ANN401 - a TensorProto
    return helper.make_tensor("values", TensorProto.DOUBLE, [len(values)], list(values))
