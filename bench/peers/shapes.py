#!/usr/bin/env python3
"""Writes networks with random weights, for measuring what a size costs: nobody trained them, so they classify nothing.

    python shapes.py --out FOLDER

For each: <name>.onnx, <name>-x.npy (samples) and <name>-calibration.npy. Seeds are fixed.

    dense-4m    1024 inputs, four layers of 1024 with ReLU, 10 outputs                            4,208,650 parameters
    cnn-264k    3 x 32 x 32; 5 x 5 convolutions to 12 and 32 channels, each with ReLU and 2 x 2     264,204 parameters
                max pooling; layers of 256, 182 and 10
    gpt2        GPT-2: 12 layers of 12 heads and 768 channels, 50257 tokens, tied head;           123,665,664 parameters
                with the 16 positions that 16 tokens read instead of 1024. About 500 MB
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 7
SAMPLES = 64


class Network:
    """A chain of layers under construction."""

    def __init__(self, name, shape):
        self.name, self.shape = name, shape
        self.random = np.random.default_rng(SEED)
        self.nodes, self.constants, self.parameters = [], [], 0
        self.last = "x"

    def add(self, operator, *constants, **attributes):
        """Appends a node that reads the last one's output and constants."""
        step = len(self.nodes)
        names = [f"{operator.lower()}{step}_{index}" for index in range(len(constants))]
        self.constants += [numpy_helper.from_array(value, name) for value, name in zip(constants, names)]
        self.parameters += sum(value.size for value in constants)
        output = f"{operator.lower()}{step}"
        self.nodes.append(helper.make_node(operator, [self.last, *names], [output], **attributes))
        self.last = output

    def weights(self, *shape):
        """Normal weights and uniform biases that keep activations of one size from layer to layer."""
        inputs = int(np.prod(shape[1:]))
        weights = self.random.normal(0, (2 / inputs) ** 0.5, shape)
        return weights.astype(np.float32), self.random.uniform(-0.1, 0.1, shape[0]).astype(np.float32)

    def dense(self, inputs, outputs, relu=True):
        self.add("Gemm", *self.weights(outputs, inputs), transB=1)
        if relu:
            self.add("Relu")

    def convolution(self, channels, outputs):
        self.add("Conv", *self.weights(outputs, channels, 5, 5), kernel_shape=[5, 5])
        self.add("Relu")
        self.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])

    def save(self, folder):
        outputs = self.constants[-1].dims[0]
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *self.shape])],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, ["batch", outputs])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, folder / f"{self.name}.onnx")
        for kind in ("x", "calibration"):
            samples = self.random.random((SAMPLES, *self.shape), np.float32)
            np.save(folder / f"{self.name}-{kind}.npy", samples)
        print(f"{self.name}: {self.parameters:,} parameters")


def dense_4m():
    network = Network("dense-4m", (1024,))
    for _ in range(4):
        network.dense(1024, 1024)
    network.dense(1024, 10, relu=False)
    return network


def cnn_264k():
    network = Network("cnn-264k", (3, 32, 32))
    network.convolution(3, 12)
    network.convolution(12, 32)
    network.add("Flatten", axis=1)
    network.dense(32 * 5 * 5, 256)
    network.dense(256, 182)
    network.dense(182, 10, relu=False)
    return network


class Gpt2:
    """GPT-2's graph with weights drawn as its authors drew them before training: normal, residual projections smaller."""

    tokens, length, layers, heads, width = 50257, 16, 12, 12, 768
    name = "gpt2"

    def __init__(self):
        self.random = np.random.default_rng(SEED)
        self.nodes, self.constants, self.parameters = [], [], 0

    def constant(self, value):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def weights(self, *shape, deviation=0.02):
        self.parameters += int(np.prod(shape))
        return self.constant(self.random.normal(0, deviation, shape).astype(np.float32))

    def filled(self, value, size):
        self.parameters += size
        return self.constant(np.full(size, value, np.float32))

    def add(self, operator, *inputs, **attributes):
        output = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def norm(self, x):
        return self.add("LayerNormalization", x, self.filled(1, self.width), self.filled(0, self.width), epsilon=1e-5)

    def dense(self, x, inputs, outputs, deviation=0.02):
        product = self.add("MatMul", x, self.weights(inputs, outputs, deviation=deviation))
        return self.add("Add", product, self.filled(0, outputs))

    def attend(self, x):
        head = self.width // self.heads
        split = self.constant(np.array([0, self.length, self.heads, head]))
        joined = self.constant(np.array([0, self.length, self.width]))
        later = np.triu(np.full((self.length, self.length), -np.inf, np.float32), 1)

        def heads(order):
            dense = self.dense(x, self.width, self.width)
            return self.add("Transpose", self.add("Reshape", dense, split), perm=order)

        q, k, v = heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])
        scale = self.constant(np.array(head**-0.5, np.float32))
        scores = self.add("Mul", self.add("MatMul", q, k), scale)
        shares = self.add("Softmax", self.add("Add", scores, self.constant(later)), axis=-1)
        mixed = self.add("Transpose", self.add("MatMul", shares, v), perm=[0, 2, 1, 3])
        return self.dense(self.add("Reshape", mixed, joined), self.width, self.width, self.residual)

    def graph(self):
        self.residual = 0.02 / (2 * self.layers) ** 0.5
        table = self.weights(self.tokens, self.width)
        x = self.add("Add", self.add("Gather", table, "x"), self.weights(self.length, self.width, deviation=0.01))
        for _ in range(self.layers):
            x = self.add("Add", x, self.attend(self.norm(x)))
            hidden = self.add("Gelu", self.dense(self.norm(x), self.width, 4 * self.width), approximate="tanh")
            x = self.add("Add", x, self.dense(hidden, 4 * self.width, self.width, self.residual))
        head = self.add("Transpose", table, perm=[1, 0])
        return self.add("MatMul", self.norm(x), head)

    def save(self, folder):
        logits = self.graph()
        shape = ["batch", self.length]
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info("x", TensorProto.INT64, shape)],
            [helper.make_tensor_value_info(logits, TensorProto.FLOAT, [*shape, self.tokens])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(model)
        onnx.save(model, folder / f"{self.name}.onnx")
        for kind in ("x", "calibration"):
            samples = self.random.integers(0, self.tokens, (8, self.length)).astype(np.float32)
            np.save(folder / f"{self.name}-{kind}.npy", samples)
        print(f"{self.name}: {self.parameters:,} parameters")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for network in (dense_4m(), cnn_264k(), Gpt2()):
        network.save(folder)
