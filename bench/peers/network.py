"""Brings an ONNX file to the form that is proved: one sample, and the values before the last softmax."""

import numpy as np
import onnx
import onnxruntime
from onnx import helper

# What turns the outputs of a classifier into probabilities and labels. Neither engine proves it.
HEAD = {"ArgMax", "LogSoftmax", "Sigmoid", "Softmax"}
PASSING = {"ArrayFeatureExtractor", "Cast", "Identity", "LabelEncoder", "Reshape", "ZipMap"}
WINDOWS = {"AveragePool", "Conv", "MaxPool"}


def tail(graph):
    """The nodes after the last layer: those of the head, and what only passes their values on."""
    nodes, consumed = [], set()
    for node in reversed(graph.node):
        if node.op_type in HEAD | PASSING and not consumed.intersection(node.output):
            nodes.append(node)
        else:
            consumed.update(node.input)
    return nodes if any(node.op_type in HEAD for node in nodes) else []


def without_head(model):
    """Cuts the graph after the last layer."""
    graph = model.graph
    after = tail(graph)
    if not after:
        return
    made = {name for node in graph.node if node not in after for name in node.output}
    last = {name for node in after for name in node.input if name in made}
    if len(last) != 1:
        raise SystemExit(f"the graph has no single tensor before its labels and probabilities, but {sorted(last)}")
    (output,) = last
    for node in after:
        graph.node.remove(node)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None))
    used = {name for node in graph.node for name in node.input}
    for constant in [constant for constant in graph.initializer if constant.name not in used]:
        graph.initializer.remove(constant)


def spell_out(model):
    """Writes the default attributes of windows, which EZKL wants to read."""
    for node in model.graph.node:
        given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        if node.op_type not in WINDOWS or "kernel_shape" not in given or "auto_pad" in given:
            continue
        axes = len(given["kernel_shape"])
        defaults = {"strides": [1] * axes, "pads": [0] * 2 * axes}
        if node.op_type != "AveragePool":
            defaults["dilations"] = [1] * axes
        if node.op_type == "Conv":
            defaults["group"] = 1
        for name, value in defaults.items():
            if name not in given:
                node.attribute.append(helper.make_attribute(name, value))


def single(path):
    """The network of a file, for one sample, without its head."""
    model = onnx.load(path)
    without_head(model)
    spell_out(model)
    constants = {constant.name for constant in model.graph.initializer}
    for value in [*model.graph.input, *model.graph.output]:
        if value.name not in constants and value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model)


def outputs(model, x):
    """onnxruntime's outputs for each sample, one row each."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    entry = session.get_inputs()[0]
    return np.stack([session.run(None, {entry.name: sample.reshape(entry.shape)})[0].reshape(-1) for sample in x])


def classes(values):
    """The class with the largest value; of a single output, whether it is positive."""
    return values.argmax(axis=1) if values.shape[1] > 1 else (values[:, 0] > 0).astype(np.int64)
