//! The nodes that the graph's first output depends on, in the order of their evaluation.

use std::collections::{HashMap, HashSet};

use crate::{
    onnx::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto},
    ImportError,
};

/// A graph with its names resolved.
pub(crate) struct Graph<'a> {
    initializers: HashMap<&'a str, &'a TensorProto>,
    producers: HashMap<&'a str, &'a NodeProto>,
    inputs: HashMap<&'a str, &'a ValueInfoProto>,
    outputs: &'a [ValueInfoProto],
}

/// What the first output needs.
pub(crate) struct Needed<'a> {
    pub output: &'a str,
    pub input: &'a ValueInfoProto,
    pub constants: Vec<&'a TensorProto>,
    /// Every node after those that it reads.
    pub nodes: Vec<&'a NodeProto>,
    /// The graph's other outputs, which the model leaves out.
    pub left_out: Vec<&'a str>,
}

/// A step of the walk back from the output.
enum Visit<'a> {
    Name(&'a str),
    /// All that the node reads has been visited.
    Done(&'a NodeProto),
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

    /// Walks from the first output back to the input.
    pub fn needed(&self) -> Result<Needed<'a>, ImportError> {
        let (first, others) = self.outputs.split_first().ok_or_else(|| {
            ImportError::Graph("the graph has no outputs; export the model again".into())
        })?;
        let output = first.name.as_str();
        let mut visits = vec![Visit::Name(output)];
        let (mut names, mut open) = (HashSet::new(), HashSet::new());
        let (mut inputs, mut constants, mut nodes) = (vec![], vec![], vec![]);
        while let Some(visit) = visits.pop() {
            let name = match visit {
                Visit::Done(node) => {
                    open.remove(&std::ptr::from_ref(node));
                    nodes.push(node);
                    continue;
                }
                Visit::Name(name) => name,
            };
            let producer = self.producers.get(name).copied();
            if let Some(node) = producer.filter(|node| open.contains(&std::ptr::from_ref(*node))) {
                return Err(ImportError::node(
                    node,
                    "the graph has a cycle; export the model again",
                ));
            }
            if name.is_empty() || !names.insert(name) {
                continue;
            }
            match (self.initializers.get(name), producer, self.inputs.get(name)) {
                (Some(tensor), _, _) => constants.push(*tensor),
                (None, Some(node), _) => {
                    let own = node.output.iter().map(String::as_str);
                    names.extend(own);
                    open.insert(std::ptr::from_ref(node));
                    visits.push(Visit::Done(node));
                    visits.extend(node.input.iter().map(|name| Visit::Name(name)));
                }
                (None, None, Some(input)) => inputs.push(*input),
                (None, None, None) => {
                    return Err(ImportError::Graph(format!(
                        "the output '{output}' depends on '{name}', which is no input of the graph; export the whole model"
                    )))
                }
            }
        }
        let left_out = others.iter().map(|output| output.name.as_str()).collect();
        match inputs.as_slice() {
            [input] => Ok(Needed { output, input, constants, nodes, left_out }),
            [] => Err(ImportError::Graph(format!(
                "the output '{output}' depends on no input of the graph; export the whole model"
            ))),
            [a, b, ..] => Err(ImportError::Graph(format!(
                "the output '{output}' depends on the inputs '{}' and '{}'; a model has one input, so join them into one tensor",
                a.name, b.name
            ))),
        }
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
