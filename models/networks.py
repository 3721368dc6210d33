#!/usr/bin/env python3
"""Trains the example networks and writes what the importer's tests, the demo and the benchmarks read.

    pip install -r requirements.txt
    python networks.py [names..]

The digits come from where train.py has them, with the same split, so `mnist-*.npy` and `digits-*.npy` are the data of
most models here. The `shapes` are drawn: a square, a disc, a cross or stripes in random colours on noise, 3 x 16 x 16.
Seeds are fixed, so another run differs at most by the last bits of floating point.

Models (ONNX, dynamic batch axis), in networks/:
    lenet.onnx        LeNet-5 on MNIST, 1 x 28 x 28: 61,706 parameters
    lenet-qdq.onnx    the same, quantised by onnxruntime: QuantizeLinear and DequantizeLinear around each operator
    lenet-tanh.onnx   a small LeNet with tanh, sigmoid and mean pools on the 8 x 8 digits
    conv1d.onnx       one-dimensional convolutions over the rows of the 8 x 8 digits
    resnet.onnx       a residual block with batch normalisation and a strided skip, on shapes
    mobilenet.onnx    depthwise and pointwise convolutions with ReLU6, on shapes
    logistic.onnx     LogisticRegression on the digits
    svm.onnx          LinearSVC on the digits
    svm-binary.onnx   SVC with a linear kernel on the digits: above 4?
    regression.onnx   Ridge regression of the digit's number

Data, in networks/:
    shapes-calibration.npy, shapes-test-x.npy, shapes-test-y.npy   as in train.py
    <model>-expected.npy    float32, onnxruntime's scores or values on the test rows
    <model>-labels.npy      int64, onnxruntime's labels, where the model says labels
"""

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC, LinearSVC
from torch import nn

import train

HERE = Path(__file__).parent / "networks"
SEED = train.SEED


def save(name, array):
    np.save(HERE / name, np.ascontiguousarray(array))


def run(model, outputs, x):
    # As the file says, operator by operator: fused integer kernels round in ways of their own.
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(outputs, {session.get_inputs()[0].name: x})


def fit(network, x, y, epochs, rate=2e-3):
    """Trains a classifier with Adam on batches of 64, the rate falling to 0."""
    torch.manual_seed(SEED)
    for module in network.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    steps = epochs * (len(x) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4 * rate, steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64)[: len(x) // 64]:
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def to_model(network, x, input_name="image", opset=None):
    """A torch network as ONNX, traced on the first rows of x."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            network,
            (torch.from_numpy(x[:2]),),
            path,
            input_names=[input_name],
            output_names=["logits"],
            opset_version=opset,
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


def export(name, network, x, y, input_name="image", opset=None):
    """Saves a torch network and its logits on the test rows."""
    model = to_model(network, x, input_name, opset)
    finish(name, model, x, y)
    return model


def finish(name, model, x, y):
    onnx.checker.check_model(model)
    onnx.save(model, HERE / f"{name}.onnx")
    (scores,) = run(model, [model.graph.output[0].name], x)
    save(f"{name}-expected.npy", scores)
    operators = sorted({node.op_type for node in model.graph.node})
    print(f"{name}: accuracy {np.mean(scores.argmax(axis=-1) == y):.4f} on {len(y)} rows; {' '.join(operators)}")


def digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    return train_test_split(x, y, test_size=0.25, random_state=SEED, stratify=y)


def mnist():
    x, y = train.mnist()
    train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.1, random_state=SEED, stratify=y)
    return train_x, test_x[:256], train_y, test_y[:256]


def shapes(rows, seed):
    """Images of 3 x 16 x 16 and which of four shapes each shows."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 4, rows)
    x = random.normal(0, 0.1, (rows, 3, 16, 16))
    row, column = np.mgrid[:16, :16]
    for image, shape in zip(x, y):
        top, left = random.uniform(5, 10, 2)
        size = random.uniform(3, 5)
        down, right = np.abs(row - top), np.abs(column - left)
        mask = [
            np.maximum(down, right) < size,
            np.hypot(down, right) < size,
            (np.minimum(down, right) < 1) & (np.maximum(down, right) < size),
            ((row + column + int(top)) % 4 < 2) & (np.maximum(down, right) < size),
        ][shape]
        image += random.choice([-1, 1], (3, 1, 1)) * random.uniform(0.3, 1, (3, 1, 1)) * mask
    return x.astype(np.float32), y


class Residual(nn.Module):
    """Two convolutions beside a strided 1 x 1 convolution."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.long = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.long(x) + self.short(x))


def pool_and_classify(channels, classes):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


def train_resnet():
    (x, y), (test_x, test_y) = shapes(3000, 1), shapes(96, 2)
    stem = [nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    network = nn.Sequential(*stem, Residual(8, 8), Residual(8, 16), *pool_and_classify(16, 4))
    save("shapes-calibration.npy", x[:48])
    save("shapes-test-x.npy", test_x)
    save("shapes-test-y.npy", test_y)
    export("resnet", fit(network, x, y, 12), test_x, test_y)


def train_mobilenet():
    (x, y), (test_x, test_y) = shapes(3000, 1), shapes(96, 2)

    def separable(inputs, outputs, stride):
        depthwise = nn.Conv2d(inputs, inputs, 3, stride=stride, padding=1, groups=inputs, bias=False)
        pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        return [depthwise, nn.BatchNorm2d(inputs), nn.ReLU6(), pointwise, nn.BatchNorm2d(outputs), nn.ReLU6()]

    stem = [nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()]
    network = nn.Sequential(*stem, *separable(8, 16, 2), *separable(16, 32, 2), *pool_and_classify(32, 4))
    export("mobilenet", fit(network, x, y, 12), test_x, test_y)


def train_conv1d():
    train_x, test_x, train_y, test_y = digits()
    network = nn.Sequential(
        nn.Conv1d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(128, 10),
    )
    export("conv1d", fit(network, train_x.reshape(-1, 8, 8), train_y, 30), test_x.reshape(-1, 8, 8), test_y)


def train_lenet_tanh():
    train_x, test_x, train_y, test_y = digits()
    network = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(64, 32),
        nn.Sigmoid(),
        nn.Linear(32, 10),
    )
    export("lenet-tanh", fit(network, train_x.reshape(-1, 1, 8, 8), train_y, 40), test_x.reshape(-1, 1, 8, 8), test_y)


def train_lenet():
    train_x, test_x, train_y, test_y = mnist()
    train_x, test_x = train_x.reshape(-1, 1, 28, 28), test_x.reshape(-1, 1, 28, 28)
    network = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    model = export("lenet", fit(network, train_x, train_y, 8), test_x, test_y)

    class Samples(CalibrationDataReader):
        samples = iter(train_x[:256].reshape(-1, 1, 1, 28, 28))

        def get_next(self):
            sample = next(self.samples, None)
            return None if sample is None else {"image": sample}

    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, quantised = (Path(folder) / f"{name}.onnx" for name in ("plain", "prepared", "quantised"))
        onnx.save(model, plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantised,
            Samples(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        model = onnx.load(quantised)
    del model.graph.value_info[:]
    finish("lenet-qdq", model, test_x, test_y)


def train_linear():
    """The linear models of scikit-learn: labels, and the scores behind them."""
    train_x, test_x, train_y, test_y = digits()
    above, test_above = (train_y > 4).astype(np.int64), (test_y > 4).astype(np.int64)
    models = {
        "logistic": (LogisticRegression(max_iter=2000), train_y, test_y),
        "svm": (LinearSVC(random_state=SEED), train_y, test_y),
        "svm-binary": (SVC(kernel="linear"), above, test_above),
        "regression": (Ridge(), train_y.astype(np.float32), test_y),
    }
    for name, (model, y, expected) in models.items():
        model.fit(train_x, y)
        classifier = hasattr(model, "decision_function")
        options = {"zipmap": False} if name in ("logistic", "svm-binary") else None
        exported = to_onnx(model, train_x[:1], options=options)
        onnx.checker.check_model(exported)
        onnx.save(exported, HERE / f"{name}.onnx")
        (first,) = run(exported, [exported.graph.output[0].name], test_x)
        scores = model.decision_function(test_x) if classifier else first
        save(f"{name}-expected.npy", scores.astype(np.float32))
        if classifier:
            save(f"{name}-labels.npy", first.astype(np.int64))
        operators = sorted({node.op_type for node in exported.graph.node})
        print(f"{name}: accuracy {np.mean(np.round(first).ravel() == expected):.4f}; {' '.join(operators)}")


MODELS = {
    "lenet": train_lenet,
    "lenet-tanh": train_lenet_tanh,
    "conv1d": train_conv1d,
    "resnet": train_resnet,
    "mobilenet": train_mobilenet,
    "linear": train_linear,
}

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(2)
    HERE.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MODELS:
        MODELS[name]()
