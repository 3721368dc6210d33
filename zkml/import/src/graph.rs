//! The way from the graph's input to its first output.

use std::collections::HashMap;

use ciro_zkml_model::MAX_RANK;

use crate::{
    onnx::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto},
    tensor::Tensor,
    ImportError,
};

/// Most constant operators followed from a use of a constant to its elements.
const CONSTANT_DEPTH: usize = 16;

/// A graph with its names resolved.
pub(crate) struct Graph<'a> {
    initializers: HashMap<&'a str, &'a TensorProto>,
    producers: HashMap<&'a str, &'a NodeProto>,
    inputs: HashMap<&'a str, &'a ValueInfoProto>,
    outputs: &'a [ValueInfoProto],
}

/// The nodes from the input to the first output.
pub(crate) struct Path<'a> {
    pub input: &'a ValueInfoProto,
    pub nodes: Vec<&'a NodeProto>,
    /// The graph's other outputs, which the model leaves out.
    pub left_out: Vec<&'a str>,
}

impl<'a> Graph<'a> {
    pub fn new(graph: &'a GraphProto) -> Self {
        let producers = graph
            .node
            .iter()
            .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)));
        Self {
            initializers: graph
                .initializer
                .iter()
                .map(|tensor| (tensor.name.as_str(), tensor))
                .collect(),
            producers: producers.filter(|(name, _)| !name.is_empty()).collect(),
            inputs: graph
                .input
                .iter()
                .map(|input| (input.name.as_str(), input))
                .collect(),
            outputs: &graph.output,
        }
    }

    /// Walks from the first output back to the input. Every operator on the way has one operand that is not constant.
    pub fn path(&self) -> Result<Path<'a>, ImportError> {
        let (first, others) = self.outputs.split_first().ok_or_else(|| {
            ImportError::Graph("the graph has no outputs; export the model again".into())
        })?;
        let mut name = first.name.as_str();
        let mut nodes = Vec::new();
        while let Some(&node) = self.producers.get(name) {
            if nodes.len() >= self.producers.len() {
                return Err(ImportError::node(
                    node,
                    "the graph has a cycle; export the model again",
                ));
            }
            name = self.operand(node)?;
            nodes.push(node);
        }
        nodes.reverse();
        match self.inputs.get(name) {
            Some(&input) if !self.initializers.contains_key(name) => {
                Ok(Path { input, nodes, left_out: others.iter().map(|output| output.name.as_str()).collect() })
            }
            _ => Err(ImportError::Graph(format!(
                "the output '{}' depends on '{name}', which is no input of the graph; export the whole model",
                first.name
            ))),
        }
    }

    /// The operand of a node that is not constant.
    fn operand(&self, node: &'a NodeProto) -> Result<&'a str, ImportError> {
        let data = |index: usize| {
            let name = node.input.get(index).map(String::as_str);
            name.filter(|name| !name.is_empty())
                .ok_or_else(|| ImportError::node(node, "an operand is missing"))
        };
        match (node.domain.as_str(), node.op_type.as_str()) {
            ("", "Add" | "Sub" | "Mul" | "Div" | "MatMul") => {
                let (a, b) = (data(0)?, data(1)?);
                match (self.is_constant(a), self.is_constant(b)) {
                    (true, false) => Ok(b),
                    (false, true) => Ok(a),
                    (true, true) => Err(ImportError::node(node, "both operands are constant; fold constants on export")),
                    (false, false) => Err(ImportError::node(
                        node,
                        "both operands depend on the input; only constant weights and a single path are supported",
                    )),
                }
            }
            ("ai.onnx.ml", "ArrayFeatureExtractor") => data(1),
            ("", "Concat") => self.binary_probability(node),
            (
                "",
                "Gemm" | "Relu" | "Flatten" | "Reshape" | "Identity" | "Cast" | "Dropout"
                | "Softmax" | "LogSoftmax" | "Sigmoid" | "ArgMax",
            )
            | ("ai.onnx.ml", "Scaler" | "ZipMap") => data(0),
            _ => Err(ImportError::unsupported(node)),
        }
    }

    /// `p` of a `Concat(Sub(1, p), p)`: how scikit-learn's binary classifiers write the two classes' probabilities.
    fn binary_probability(&self, node: &'a NodeProto) -> Result<&'a str, ImportError> {
        let [negative, positive] = node.input.as_slice() else {
            return Err(ImportError::unsupported(node));
        };
        let complement = self
            .producers
            .get(negative.as_str())
            .filter(|node| node.op_type == "Sub");
        match complement.map(|node| node.input.as_slice()) {
            Some([one, p]) if p == positive && self.is_one(one) => Ok(positive),
            _ => Err(ImportError::unsupported(node)),
        }
    }

    fn is_one(&self, name: &str) -> bool {
        let values = self.constant(name).and_then(Tensor::into_floats);
        values.is_ok_and(|values| values == [1.0])
    }

    /// Whether a name stands for a constant that [`Graph::constant`] reads.
    pub fn is_constant(&self, name: &str) -> bool {
        let mut name = name;
        for _ in 0..CONSTANT_DEPTH {
            if self.initializers.contains_key(name) {
                return true;
            }
            match self.producers.get(name) {
                Some(node) if node.op_type == "Constant" => return true,
                Some(node) if is_view(node) => name = node.input.first().map_or("", String::as_str),
                _ => return false,
            }
        }
        false
    }

    /// The constant a name stands for; the error is a clause about it.
    pub fn constant(&self, name: &str) -> Result<Tensor, String> {
        let mut transposed = false;
        let mut source = name;
        for _ in 0..CONSTANT_DEPTH {
            let tensor = match (self.initializers.get(source), self.producers.get(source)) {
                (Some(tensor), _) => Tensor::read(tensor),
                (None, Some(node)) if node.op_type == "Constant" => constant_node(node),
                (None, Some(node)) if is_view(node) => {
                    transposed ^= node.op_type == "Transpose";
                    source = node.input.first().map_or("", String::as_str);
                    continue;
                }
                _ => break,
            };
            let tensor = tensor.map_err(|problem| format!("constant '{name}': {problem}"))?;
            return match transposed {
                false => Ok(tensor),
                true => {
                    let (rows, columns, values) = tensor.into_matrix(true)?;
                    Ok(Tensor {
                        dims: vec![rows, columns],
                        ..Tensor::floats(&values)
                    })
                }
            };
        }
        Err(format!(
            "'{name}' is not a constant; fold constants on export"
        ))
    }

    /// The shape a Reshape asks for, 0 standing for an axis that stays.
    ///
    /// Besides constants this reads `Concat(.. Shape(x) .., constants)`, PyTorch's way to write "keep the batch axis".
    pub fn reshape_target(&self, name: &str) -> Result<Vec<i64>, String> {
        let Some(concat) = self
            .producers
            .get(name)
            .filter(|node| node.op_type == "Concat")
        else {
            return self.constant(name)?.into_ints();
        };
        if concat.input.len() > MAX_RANK + 1 {
            return Err(format!("the shape '{name}' has too many axes"));
        }
        let mut target = Vec::new();
        for (position, part) in concat.input.iter().enumerate() {
            match position == 0 && self.is_batch_size(part) {
                true => target.push(0),
                false => target.extend(self.constant(part)?.into_ints()?),
            }
        }
        Ok(target)
    }

    /// Whether a name stands for `Unsqueeze(Gather(Shape(..), 0))`.
    fn is_batch_size(&self, name: &str) -> bool {
        let producer =
            |name: &str, op: &str| self.producers.get(name).filter(|node| node.op_type == op);
        let operand =
            |node: &'a NodeProto, index: usize| node.input.get(index).map_or("", String::as_str);
        let gather =
            producer(name, "Unsqueeze").and_then(|node| producer(operand(node, 0), "Gather"));
        gather.is_some_and(|node| {
            let index = self.constant(operand(node, 1)).and_then(Tensor::into_ints);
            index.is_ok_and(|index| index == [0]) && producer(operand(node, 0), "Shape").is_some()
        })
    }
}

/// Whether a node hands a constant on unchanged, or transposed.
fn is_view(node: &NodeProto) -> bool {
    matches!(node.op_type.as_str(), "Identity" | "Cast" | "Transpose")
}

/// The value of a Constant node.
fn constant_node(node: &NodeProto) -> Result<Tensor, String> {
    let [value] = node.attribute.as_slice() else {
        return Err("a Constant must have one value".into());
    };
    match (value.name.as_str(), &value.t) {
        ("value", Some(tensor)) => Tensor::read(tensor),
        ("value_float", _) => Ok(Tensor::floats(&[value.f]).scalar()),
        ("value_floats", _) => Ok(Tensor::floats(&value.floats)),
        ("value_int", _) => Ok(Tensor::ints(&[value.i]).scalar()),
        ("value_ints", _) => Ok(Tensor::ints(&value.ints)),
        (other, _) => Err(format!(
            "a Constant with attribute '{other}' is not supported"
        )),
    }
}

/// The attribute of a node, if it has it.
pub(crate) fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name == name)
}

/// An integer attribute of a node, or the operator's default.
pub(crate) fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).map_or(default, |attribute| attribute.i)
}

/// A number attribute of a node, or the operator's default.
pub(crate) fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    attribute(node, name).map_or(default, |attribute| attribute.f)
}
