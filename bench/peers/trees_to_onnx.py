#!/usr/bin/env python3
"""Writes decision trees as ONNX of plain operators, which EZKL takes: the same trees, as comparisons and products.

    python trees_to_onnx.py --model forest-iris.onnx --input iris-test-x.npy --out forest.onnx --out-input forest-x.npy
    python trees_to_onnx.py --model xgboost-cancer.json --input cancer-test-x.npy --out ...

Reads a TreeEnsembleClassifier (scikit-learn through skl2onnx) or an XGBoost model of one or two classes in JSON.

Every comparison that the trees make is made once. A leaf is reached if all branches above it went its way: with 1 for
each branch that went low, +1 in the matrix for those that should have and -1 for those that should not, the sum is the
number of the former exactly at that leaf. The leaves reached choose the values to add up.

What the trees are added to is part of the first tree's leaves. EZKL 23 takes the ones that `Equal` gives for smaller
numbers, so that all its outputs are too small by one factor: the largest stays the largest, but a term added later
would count too much.

The inputs are not features but their ranks among the thresholds that the trees compare them with, as in our own proofs:
small integers, so that fixed-point numbers decide exactly as the trees do. `--raw` leaves the features as they are.
"""

import argparse
import json
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Branch:
    """Goes to `low` if the feature is less than the threshold, otherwise to `high`."""

    feature: int
    threshold: float
    low: object
    high: object


@dataclass
class Leaf:
    """One value for each output."""

    values: np.ndarray


@dataclass
class Forest:
    """Trees whose leaves add up, and what they are added to."""

    trees: list
    base: np.ndarray


def read_onnx(path):
    """A forest out of a TreeEnsembleClassifier, which compares `x <= t`."""
    nodes = [node for node in onnx.load(path).graph.node if node.op_type == "TreeEnsembleClassifier"]
    if len(nodes) != 1:
        raise SystemExit(f"{path} has {len(nodes)} TreeEnsembleClassifier nodes; give a file with one")
    at = {attribute.name: helper.get_attribute_value(attribute) for attribute in nodes[0].attribute}
    outputs = len(at["classlabels_int64s"])
    if set(at["nodes_modes"]) - {b"BRANCH_LEQ", b"LEAF"}:
        raise SystemExit(f"{path} has branches other than BRANCH_LEQ")
    values = {}
    names = ("class_treeids", "class_nodeids", "class_ids", "class_weights")
    for tree, node, output, weight in zip(*(at[name] for name in names)):
        values.setdefault((tree, node), np.zeros(outputs))[output] += weight
    index = {key: row for row, key in enumerate(zip(at["nodes_treeids"], at["nodes_nodeids"]))}

    def build(tree, node):
        row = index[tree, node]
        if at["nodes_modes"][row] == b"LEAF":
            return Leaf(values.get((tree, node), np.zeros(outputs)))
        return Branch(
            at["nodes_featureids"][row],
            float(np.nextafter(np.float64(at["nodes_values"][row]), np.inf)),
            build(tree, at["nodes_truenodeids"][row]),
            build(tree, at["nodes_falsenodeids"][row]),
        )

    base = np.array(at.get("base_values", [0.0] * outputs))
    return Forest([build(tree, 0) for tree in sorted(set(at["nodes_treeids"]))], base)


def read_xgboost(path):
    """A binary classifier out of XGBoost's JSON, which compares `x < t`. Its outputs are 0 and the margin."""
    learner = json.loads(path.read_text())["learner"]
    if learner["objective"]["name"] != "binary:logistic":
        raise SystemExit(f"{path} is {learner['objective']['name']}; only binary:logistic is read")
    probability = float(learner["learner_model_param"]["base_score"].strip("[]"))

    def build(tree, node):
        value = float(np.float32(tree["split_conditions"][node]))
        if tree["left_children"][node] < 0:
            return Leaf(np.array([0.0, value]))
        low, high = build(tree, tree["left_children"][node]), build(tree, tree["right_children"][node])
        return Branch(tree["split_indices"][node], value, low, high)

    trees = [build(tree, 0) for tree in learner["gradient_booster"]["model"]["trees"]]
    return Forest(trees, np.array([0.0, log(probability / (1 - probability))]))


def branches(node):
    """The branches of a tree, each before those below it."""
    return [node, *branches(node.low), *branches(node.high)] if isinstance(node, Branch) else []


def leaves(node, path=()):
    """The leaves of a tree, each with the branches above it and whether it lies on their low side."""
    if isinstance(node, Leaf):
        return [(node, path)]
    return leaves(node.low, (*path, (node, True))) + leaves(node.high, (*path, (node, False)))


def to_ranks(forest, x):
    """Replaces thresholds and features by ranks. `x < t` says that fewer thresholds are at most `x` than up to `t`."""
    every = [branch for tree in forest.trees for branch in branches(tree)]
    ranked = np.zeros_like(x)
    for feature in {branch.feature for branch in every}:
        thresholds = np.unique([branch.threshold for branch in every if branch.feature == feature])
        ranked[:, feature] = np.searchsorted(thresholds, x[:, feature].astype(np.float64), side="right")
        for branch in every:
            if branch.feature == feature:
                branch.threshold = float(np.searchsorted(thresholds, branch.threshold) + 1)
    return ranked


def upwards(threshold):
    """The least 32-bit number from `threshold` on. It parts 32-bit features as `threshold` does."""
    rounded = np.float32(threshold)
    return rounded if float(rounded) >= threshold else np.nextafter(rounded, np.float32(np.inf))


@dataclass
class Matrices:
    """Trees as arrays. All trees have the size of the largest; a leaf that is not there wants a sum that none has."""

    features: np.ndarray  # of each comparison
    thresholds: np.ndarray
    branches: np.ndarray  # the comparison of each branch of each tree
    ways: np.ndarray  # by tree, branch and leaf: 1 if the leaf lies on the low side, -1 on the high side, 0 elsewhere
    sums: np.ndarray  # by tree and leaf
    values: np.ndarray  # by leaf and output


def matrices(forest):
    """The arrays of a forest."""
    trees = [(branches(tree), leaves(tree)) for tree in forest.trees]
    width = max(1, *(len(above) for above, _ in trees))
    height = max(len(below) for _, below in trees)
    comparisons = {(branch.feature, upwards(branch.threshold)): None for above, _ in trees for branch in above}
    index = {comparison: row for row, comparison in enumerate(comparisons)}
    found = Matrices(
        np.array([feature for feature, _ in comparisons]),
        np.array([[threshold for _, threshold in comparisons]], np.float32),
        np.zeros((len(trees), width), np.int64),
        np.zeros((len(trees), width, height), np.float32),
        np.full((len(trees), 1, height), -1 - width, np.float32),
        np.zeros((len(trees), height, len(forest.base)), np.float32),
    )
    for tree, (above, below) in enumerate(trees):
        place = {id(branch): column for column, branch in enumerate(above)}
        for column, branch in enumerate(above):
            found.branches[tree, column] = index[branch.feature, upwards(branch.threshold)]
        for row, (leaf, path) in enumerate(below):
            for branch, low in path:
                found.ways[tree, place[id(branch)], row] = 1 if low else -1
            found.sums[tree, 0, row] = sum(low for _, low in path)
            found.values[tree, row] = leaf.values + (forest.base if tree == 0 else 0)
    return found


def to_onnx(forest, inputs):
    """The graph. Comparisons give 1 or 0."""
    arrays = matrices(forest)
    trees, width, height = arrays.ways.shape
    outputs = len(forest.base)
    constants = {
        "features": arrays.features,
        "thresholds": arrays.thresholds,
        "branches": arrays.branches.reshape(-1),
        "by_tree": np.array([trees, 1, width], np.int64),
        "ways": arrays.ways,
        "sums": arrays.sums,
        "flat": np.array([1, trees * height], np.int64),
        "values": arrays.values.reshape(-1, outputs),
    }
    nodes = [
        helper.make_node("Gather", ["x", "features"], ["compared"], axis=1),
        helper.make_node("Less", ["compared", "thresholds"], ["low"]),
        helper.make_node("Cast", ["low"], ["ones"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["ones", "branches"], ["went_low"], axis=1),
        helper.make_node("Reshape", ["went_low", "by_tree"], ["low_by_tree"]),
        helper.make_node("MatMul", ["low_by_tree", "ways"], ["counts"]),
        helper.make_node("Equal", ["counts", "sums"], ["reached"]),
        helper.make_node("Cast", ["reached"], ["chosen"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["chosen", "flat"], ["leaves"]),
        helper.make_node("MatMul", ["leaves", "values"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "trees",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, outputs])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def walk(forest, row):
    """What the trees say, for the check of the matrices."""
    total = forest.base.astype(np.float64).copy()
    for node in forest.trees:
        while isinstance(node, Branch):
            node = node.low if float(row[node.feature]) < node.threshold else node.high
        total += node.values
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="trees: .onnx or XGBoost's .json")
    parser.add_argument("--input", type=Path, required=True, help="features, as .npy")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--out-input", type=Path, required=True, help="where its inputs go, as .npy")
    parser.add_argument("--raw", action="store_true", help="compare features, not ranks")
    arguments = parser.parse_args()
    forest = (read_onnx if arguments.model.suffix == ".onnx" else read_xgboost)(arguments.model)
    x = np.load(arguments.input).astype(np.float32)
    expected = [walk(forest, row) for row in x]
    inputs = x if arguments.raw else to_ranks(forest, x)
    model = to_onnx(forest, x.shape[1])

    from network import outputs  # needs onnxruntime, which only the check does

    found = outputs(model, inputs)
    if not np.allclose(found, expected, atol=1e-4):
        raise SystemExit(f"the matrices differ from the trees by {np.abs(found - expected).max()}")
    onnx.save(model, arguments.out)
    np.save(arguments.out_input, inputs)
    print(f"{arguments.out.name}: {len(forest.trees)} trees, {len(x)} samples as the trees say")


if __name__ == "__main__":
    main()
