#!/usr/bin/env python3
"""Trains the example trees and writes what the importer's tests, the demo and the benchmarks read.

    pip install -r requirements.txt xgboost==3.2.0 lightgbm==4.7.0
    python trees.py

All data sets are those that scikit-learn carries. Seeds are fixed and training runs on one thread, so another run of
the same versions writes the same trees.

Models, in trees/ (.json and .ubj XGBoost, .txt LightGBM, .onnx scikit-learn by skl2onnx):
    xgboost-cancer     binary, 100 trees of depth up to 6, in both formats  forest-iris        random forest, 100 trees
    xgboost-digits     10 classes                                           forest-cancer      binary random forest
    xgboost-diabetes   regression                                           extra-wine         extremely random trees
    xgboost-missing    binary, a sixth of the values missing                tree-iris          one decision tree
    xgboost-dart       3 classes, dropout                                   boosting-wine      boosting, 3 classes
    xgboost-poisson    counts, log link                                     boosting-cancer    boosting, binary
    lightgbm-cancer    binary                                               boosting-diabetes  boosting, regression
    lightgbm-wine      3 classes                                            extra-targets      regression of two targets
    lightgbm-diabetes  regression                                           pipeline-wine      scaler and random forest
    lightgbm-missing   binary, a sixth of the values missing                histogram-missing  boosting, values missing
    lightgbm-zero      binary, zeros count as missing
    lightgbm-forest    random forest: an average

Data, in trees/ (row-major, first axis the batch):
    <name>-test-x.npy             float32, held-out rows
    <name>-test-y.npy             int64 labels or float32 targets
    edges-test-x.npy              float32, rows of 30 values for cancer, missing and zero: thresholds of the models and
                                  their neighbours, zeros, tiny and infinite values, NaN; XGBoost gets NaN for infinity
    expected/<model>-values.npy   float64, one value for each output: what the library computes before its last function
    expected/<model>-class.npy    int64, the library's answer, for classifiers
    expected/<model>-leaves.npy   uint16, the leaf of each row in each tree, for XGBoost and LightGBM
    expected/<model>-edges.npy    the same for the edges; the class (int64) for .onnx
"""

import json
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxruntime
import skl2onnx.common.tree_ensemble
import xgboost
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).parent / "trees"
SEED = 7


def save(name, array):
    np.save(HERE / f"{name}.npy", np.ascontiguousarray(array))


def save_expected(name, values, label=None, leaves=None):
    """Saves what a library says of the test rows, one column for each output."""
    save(f"expected/{name}-values", values.reshape(len(values), -1).astype(np.float64))
    if label is not None:
        save(f"expected/{name}-class", label.astype(np.int64))
    if leaves is not None:
        save(f"expected/{name}-leaves", leaves.reshape(len(values), -1).astype(np.uint16))


def split(name, x, y, rows=None):
    """Splits a data set, saves the test part and returns both."""
    x, integer = x.astype(np.float32), np.issubdtype(y.dtype, np.integer)
    train_x, test_x, train_y, test_y = train_test_split(
        x, y, test_size=0.25, random_state=SEED, stratify=y if integer else None
    )
    test_x, test_y = test_x[:rows], test_y[:rows]
    save(f"{name}-test-x", test_x)
    save(f"{name}-test-y", test_y.astype(np.int64 if integer else np.float32))
    return train_x, test_x, train_y, test_y


def with_holes(x, hole):
    """A copy in which a sixth of the values is `hole`."""
    holes = np.random.default_rng(SEED).random(x.shape) < 1 / 6
    return np.where(holes, hole, x)


def margins(values):
    """Two outputs of a binary classifier: 0, and the value of the second class."""
    return np.stack([np.zeros(len(values)), values], axis=1)


def report(name, label, y):
    print(f"{name}: accuracy {np.mean(label == y):.4f} on {len(y)} rows")


def train_xgboost(name, data, rounds, formats=("json",), **parameters):
    train_x, test_x, train_y, test_y = data
    parameters = {"seed": SEED, "nthread": 1, "tree_method": "exact", **parameters}
    booster = xgboost.train(parameters, xgboost.DMatrix(train_x, train_y), rounds)
    for extension in formats:
        booster.save_model(HERE / f"{name}.{extension}")
    rows = xgboost.DMatrix(test_x)
    values = booster.predict(rows, output_margin=True)
    leaves = booster.predict(rows, pred_leaf=True)
    label = None
    if parameters["objective"] == "multi:softmax":
        label = booster.predict(rows)
    elif parameters["objective"] == "multi:softprob":
        label = booster.predict(rows).argmax(axis=1)
    elif parameters["objective"].startswith("binary"):
        label = booster.predict(rows) > 0.5
        values = margins(values)
    if label is not None:
        report(name, label, test_y)
    save_expected(name, values, label, leaves)


def train_lightgbm(name, data, rounds, **parameters):
    train_x, test_x, train_y, test_y = data
    fixed = {"seed": SEED, "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
    booster = lightgbm.train({**fixed, **parameters}, lightgbm.Dataset(train_x, train_y), rounds)
    booster.save_model(HERE / f"{name}.txt")
    values = booster.predict(test_x, raw_score=True)
    if parameters.get("boosting") == "rf":
        values /= rounds  # raw scores are sums, what the last function sees are averages
    leaves = booster.predict(test_x, pred_leaf=True)
    label = None
    if parameters["objective"] == "multiclass":
        label = booster.predict(test_x).argmax(axis=1)
    elif parameters["objective"] == "binary":
        label = booster.predict(test_x) > 0.5
        values = margins(values)
    if label is not None:
        report(name, label, test_y)
    save_expected(name, values, label, leaves)


def train_onnx(name, model, data, values):
    """Trains and exports a scikit-learn model; `values` finds its outputs before the last function."""
    train_x, test_x, train_y, test_y = data
    model.fit(train_x, train_y)
    options = {"zipmap": False} if hasattr(model, "predict_proba") else None
    exported = to_onnx(model, train_x[:1], options=options, target_opset={"": 17, "ai.onnx.ml": 3})
    onnx.checker.check_model(exported)
    onnx.save(exported, HERE / f"{name}.onnx")
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    answer, *scores = session.run(None, {session.get_inputs()[0].name: test_x})
    expected = values(model, test_x, *scores)
    label = None
    if hasattr(model, "predict_proba"):
        label = model.predict(test_x)
        report(name, label, test_y)
        assert np.array_equal(answer, label), f"{name}: onnxruntime and scikit-learn disagree"
    else:
        assert np.allclose(answer.reshape(expected.shape), expected, rtol=1e-4), f"{name}: onnxruntime disagrees"
    save_expected(name, expected, label)


def probabilities(model, x, shares):
    """What a forest's vote adds up to in onnxruntime; with two classes the second one's share less one half."""
    return margins(shares[:, 1] - 0.5) if shares.shape[1] == 2 else shares


def sums_of_trees(model, x, _):
    """The sums of a boosting classifier, which the exported model turns into probabilities."""
    sums = model.decision_function(x)
    return margins(sums) if sums.ndim == 1 else sums


def predictions(model, x):
    return model.predict(x)


def thresholds(columns):
    """All numbers that the trained XGBoost and LightGBM files of so many columns compare each column with."""
    found = [[] for _ in range(columns)]
    for path in sorted(HERE.glob("xgboost-*")):
        model = json.loads(xgboost.Booster(model_file=path).save_raw("json"))["learner"]
        if int(model["learner_model_param"]["num_feature"]) == columns:
            booster = model["gradient_booster"]
            for tree in booster.get("gbtree", booster)["model"]["trees"]:
                for column, value, left in zip(tree["split_indices"], tree["split_conditions"], tree["left_children"]):
                    if left != -1:
                        found[column].append(value)
    for path in sorted(HERE.glob("lightgbm-*")):
        if f"max_feature_idx={columns - 1}\n" in path.read_text():
            for tree in path.read_text().split("\nTree=")[1:]:
                entries = dict(line.split("=", 1) for line in tree.splitlines() if "=" in line)
                if entries.get("split_feature"):
                    for column, value in zip(entries["split_feature"].split(), entries["threshold"].split()):
                        found[int(column)].append(float(value))
    return found


def edges(rows, columns):
    """Rows of values at which comparisons could go wrong."""
    random = np.random.default_rng(SEED)
    special = [0.0, -0.0, 1e-45, -1e-45, 1e-35, -1e-35, 1.1e-35, -1.1e-35, 3e38, -3e38, np.inf, -np.inf, np.nan]
    x = np.empty((rows, columns), np.float32)
    for column, values in enumerate(thresholds(columns)):
        near = np.array([0.0, *values], np.float32)
        near = np.concatenate([near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))])
        usual = random.choice(near, rows)
        x[:, column] = np.where(random.random(rows) < 0.3, random.choice(np.array(special, np.float32), rows), usual)
    return x


def save_edges():
    """Saves the edges, and the leaves or classes in which they end."""
    x = edges(120, 30)
    save("edges-test-x", x)
    finite = xgboost.DMatrix(np.where(np.isinf(x), np.float32(np.nan), x))
    for name in ["xgboost-cancer.json", "xgboost-missing.ubj"]:
        leaves = xgboost.Booster(model_file=HERE / name).predict(finite, pred_leaf=True)
        save(f"expected/{name.split('.')[0]}-edges", leaves.astype(np.uint16))
    for name in ["lightgbm-cancer", "lightgbm-missing", "lightgbm-zero"]:
        leaves = lightgbm.Booster(model_file=HERE / f"{name}.txt").predict(x, pred_leaf=True)
        save(f"expected/{name}-edges", leaves.astype(np.uint16))
    for name in ["forest-cancer", "boosting-cancer", "histogram-missing"]:
        session = onnxruntime.InferenceSession(HERE / f"{name}.onnx")
        save(f"expected/{name}-edges", session.run(None, {session.get_inputs()[0].name: x})[0])


def write_flags_as_integers():
    """Makes skl2onnx write flags about missing values as integers: protobuf takes no numpy truth values."""
    module = skl2onnx.common.tree_ensemble
    add_node = module.add_node

    def with_integer_flag(*positional, nodes_missing_value_tracks_true=0, **named):
        add_node(*positional, nodes_missing_value_tracks_true=int(nodes_missing_value_tracks_true), **named)

    module.add_node = with_integer_flag


def main():
    (HERE / "expected").mkdir(parents=True, exist_ok=True)
    cancer = split("cancer", *load_breast_cancer(return_X_y=True))
    iris = split("iris", *load_iris(return_X_y=True))
    wine = split("wine", *load_wine(return_X_y=True))
    digits = split("digits", *load_digits(return_X_y=True), rows=120)
    diabetes = split("diabetes", *load_diabetes(return_X_y=True))
    x, y = load_breast_cancer(return_X_y=True)
    missing = split("missing", with_holes(x, np.nan), y)
    # Columns with values on both sides of zero, so that zeros are neither the smallest nor the largest.
    zero = split("zero", with_holes(StandardScaler().fit_transform(x), 0.0), y)
    x, y = load_diabetes(return_X_y=True)
    targets = split("targets", x, np.stack([y, x[:, 2] * 100], axis=1))

    train_xgboost("xgboost-cancer", cancer, 100, ("json", "ubj"), objective="binary:logistic", max_depth=6)
    train_xgboost("xgboost-digits", digits, 6, ("ubj",), objective="multi:softprob", num_class=10, max_depth=4)
    train_xgboost("xgboost-diabetes", diabetes, 30, objective="reg:squarederror", max_depth=3)
    train_xgboost("xgboost-missing", missing, 20, ("ubj",), objective="binary:logistic", max_depth=4)
    train_xgboost(
        "xgboost-dart", wine, 8, objective="multi:softmax", num_class=3, max_depth=3, booster="dart", rate_drop=0.3
    )
    train_xgboost("xgboost-poisson", diabetes, 10, ("ubj",), objective="count:poisson", max_depth=3)

    small = {"num_leaves": 8, "min_data_in_leaf": 5}
    train_lightgbm("lightgbm-cancer", cancer, 40, objective="binary", **small)
    train_lightgbm("lightgbm-wine", wine, 10, objective="multiclass", num_class=3, **small)
    train_lightgbm("lightgbm-diabetes", diabetes, 30, objective="regression", **small)
    train_lightgbm("lightgbm-missing", missing, 20, objective="binary", **small)
    train_lightgbm("lightgbm-zero", zero, 20, objective="binary", zero_as_missing=True, **small)
    bagging = {"bagging_freq": 1, "bagging_fraction": 0.6, "feature_fraction": 0.6}
    train_lightgbm("lightgbm-forest", wine, 15, objective="multiclass", num_class=3, boosting="rf", **bagging, **small)

    train_onnx("forest-iris", RandomForestClassifier(100, random_state=SEED), iris, probabilities)
    train_onnx("forest-cancer", RandomForestClassifier(31, max_depth=6, random_state=SEED), cancer, probabilities)
    train_onnx("extra-wine", ExtraTreesClassifier(30, random_state=SEED), wine, probabilities)
    train_onnx("tree-iris", DecisionTreeClassifier(random_state=SEED), iris, probabilities)
    train_onnx("boosting-wine", GradientBoostingClassifier(n_estimators=15, random_state=SEED), wine, sums_of_trees)
    train_onnx("boosting-cancer", GradientBoostingClassifier(n_estimators=30, random_state=SEED), cancer, sums_of_trees)
    regressor = GradientBoostingRegressor(n_estimators=30, random_state=SEED)
    train_onnx("boosting-diabetes", regressor, diabetes, predictions)
    train_onnx("extra-targets", ExtraTreesRegressor(10, max_depth=5, random_state=SEED), targets, predictions)
    scaled = make_pipeline(StandardScaler(), RandomForestClassifier(40, random_state=SEED))
    train_onnx("pipeline-wine", scaled, wine, probabilities)
    write_flags_as_integers()
    histogram = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=8, random_state=SEED)
    train_onnx("histogram-missing", histogram, missing, sums_of_trees)
    save_edges()


if __name__ == "__main__":
    main()
