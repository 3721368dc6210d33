//! ONNX graphs around a tree ensemble: from the input through a scaler to the trees, and from them to the first output.

use std::collections::HashMap;

use ciro_zkml_model::Model;

use super::{
    attributes, ensemble,
    forest::{FloatNode, Forest},
};
use crate::{
    graph::{attribute, int},
    onnx::{data_type, GraphProto, NodeProto, TensorProto, ValueInfoProto},
    ImportError, Options, Report,
};

/// Whether the graph has trees.
pub(crate) fn is_tree_graph(graph: &GraphProto) -> bool {
    graph.node.iter().any(is_ensemble)
}

fn is_ensemble(node: &NodeProto) -> bool {
    node.domain == "ai.onnx.ml"
        && matches!(
            node.op_type.as_str(),
            "TreeEnsemble" | "TreeEnsembleClassifier" | "TreeEnsembleRegressor"
        )
}

/// Imports a graph that has trees.
pub(crate) fn import_onnx(
    graph: &GraphProto,
    options: &Options,
) -> Result<(Model, Report), ImportError> {
    let mut ensembles = graph.node.iter().filter(|node| is_ensemble(node));
    let node = ensembles
        .next()
        .ok_or_else(|| ImportError::Graph("the graph has no trees".into()))?;
    if let Some(second) = ensembles.next() {
        let problem = "the graph has a second tree ensemble; export a model with one";
        return Err(ImportError::node(second, problem));
    }
    let forest = ensemble::read(node)?;
    let names = Names::new(graph);
    names.check_end(node)?;
    let mut forest = names.start(node, forest)?;
    let left_out = graph.output.iter().skip(1);
    forest.notes.extend(left_out.map(|output| {
        format!(
            "output '{}' is left out: a model has one output",
            output.name
        )
    }));
    forest.into_model(options)
}

/// What the graph's names stand for.
struct Names<'a> {
    constants: HashMap<&'a str, &'a TensorProto>,
    producers: HashMap<&'a str, &'a NodeProto>,
    inputs: HashMap<&'a str, &'a ValueInfoProto>,
    outputs: &'a [ValueInfoProto],
}

/// Arithmetic on a sample before the trees: each value, and a constant of all columns or of its own.
struct Step {
    operation: fn(f32, f32) -> f32,
    constants: Vec<f32>,
}

impl Step {
    fn apply(&self, column: usize, value: f32) -> f32 {
        let constant = match self.constants.as_slice() {
            [constant] => Some(constant),
            constants => constants.get(column),
        };
        // Only columns that the sample has are asked for.
        constant.map_or(value, |constant| (self.operation)(value, *constant))
    }
}

impl<'a> Names<'a> {
    fn new(graph: &'a GraphProto) -> Self {
        let outputs =
            |node: &'a NodeProto| node.output.iter().map(move |name| (name.as_str(), node));
        let constant = |node: &'a NodeProto| {
            let value = attribute(node, "value").filter(|_| node.op_type == "Constant")?;
            Some((node.output.first()?.as_str(), value.t.as_ref()?))
        };
        let initializers = graph
            .initializer
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor));
        Self {
            constants: initializers
                .chain(graph.node.iter().filter_map(constant))
                .collect(),
            producers: graph.node.iter().flat_map(outputs).collect(),
            inputs: graph
                .input
                .iter()
                .map(|input| (input.name.as_str(), input))
                .collect(),
            outputs: &graph.output,
        }
    }

    /// Checks that the first output is the ensemble's, by another name or form at most.
    fn check_end(&self, ensemble: &NodeProto) -> Result<(), ImportError> {
        let mut name = self
            .outputs
            .first()
            .map_or("", |output| output.name.as_str());
        for _ in 0..=self.producers.len() {
            let node = self.producers.get(name).ok_or_else(|| {
                ImportError::Graph(format!(
                    "the output '{name}' does not come from the trees; export the whole model"
                ))
            })?;
            if std::ptr::eq(*node, ensemble) {
                return Ok(());
            }
            let is_label = ensemble.op_type == "TreeEnsembleClassifier";
            let keeps_values = || is_label || is_float(int(node, "to", 0));
            name = match (node.domain.as_str(), node.op_type.as_str()) {
                ("", "Identity" | "Reshape" | "Flatten" | "Squeeze") | ("ai.onnx.ml", "ZipMap") => {
                    first_input(node)
                }
                ("", "Cast") if keeps_values() => first_input(node),
                ("", "Cast") => {
                    return Err(ImportError::node(
                        node,
                        "it rounds the trees' sums; export without it",
                    ))
                }
                _ => return Err(ImportError::node(node, "it is not supported after trees")),
            };
        }
        Err(ImportError::Graph(
            "the graph has a cycle; export the model again".into(),
        ))
    }

    /// Follows the trees' input back to the graph's, and moves what lies between into the trees' thresholds.
    fn start(&self, ensemble: &NodeProto, mut forest: Forest) -> Result<Forest, ImportError> {
        let mut name = first_input(ensemble);
        let (mut steps, mut doubles) = (vec![], false);
        let mut seen = 0;
        while let Some(node) = self.producers.get(name) {
            let (next, own) = self.steps(node)?;
            steps.extend(own.into_iter().rev());
            doubles |= node.op_type == "Cast" && int(node, "to", 0) == i64::from(data_type::DOUBLE);
            name = next;
            seen += 1;
            if seen > self.producers.len() {
                return Err(ImportError::node(
                    node,
                    "the graph has a cycle; export the model again",
                ));
            }
        }
        steps.reverse();
        let input = self
            .inputs
            .get(name)
            .filter(|_| !self.constants.contains_key(name))
            .ok_or_else(|| {
                ImportError::Graph(format!(
                    "the trees depend on '{name}', which is no input of the graph; export all"
                ))
            })?;
        let tensor = input
            .r#type
            .as_ref()
            .and_then(|kind| kind.tensor_type.as_ref());
        doubles |= tensor.is_some_and(|tensor| tensor.elem_type == data_type::DOUBLE);
        if doubles && !steps.is_empty() {
            let problem = "it follows arithmetic in double precision; export with float32 inputs";
            return Err(ImportError::node(ensemble, problem));
        }

        forest.columns = columns(input, &forest)?;
        let fits =
            |step: &Step| step.constants.len() == 1 || step.constants.len() == forest.columns;
        if !steps.iter().all(fits) {
            let problem = format!(
                "the arithmetic before it does not fit samples of {} values",
                forest.columns
            );
            return Err(ImportError::node(ensemble, problem));
        }
        if !steps.is_empty() {
            move_into_thresholds(&mut forest, &steps);
            forest.notes.push(
                "the arithmetic before the trees is moved into their thresholds; it stays exact"
                    .into(),
            );
        }
        Ok(forest)
    }

    /// The operand of a node before the trees, and what it does to it.
    fn steps(&self, node: &'a NodeProto) -> Result<(&'a str, Vec<Step>), ImportError> {
        let first = first_input(node);
        match (node.domain.as_str(), node.op_type.as_str()) {
            ("", "Identity") => Ok((first, vec![])),
            ("", "Cast") if is_float(int(node, "to", 0)) => Ok((first, vec![])),
            ("", "Cast") => Err(ImportError::node(node, "it rounds the trees' input; export without it")),
            ("ai.onnx.ml", "Scaler") => {
                let list = |name| attribute(node, name).map_or(&[][..], |attribute| &attribute.floats);
                let offset = step(node, |x, offset| x - offset, list("offset"))?;
                let scale = step(node, |x, scale| x * scale, list("scale"))?;
                Ok((first, offset.into_iter().chain(scale).collect()))
            }
            ("", "Add" | "Sub" | "Mul" | "Div") => {
                let second = node.input.get(1).map_or("", String::as_str);
                // A constant may come first where the order does not matter.
                let commutes = matches!(node.op_type.as_str(), "Add" | "Mul");
                let (operand, constant) = match commutes && self.constants.contains_key(first) {
                    true => (second, first),
                    false => (first, second),
                };
                let values = self.constants.get(constant).and_then(|tensor| floats(tensor));
                let values = values.ok_or_else(|| {
                    ImportError::node(node, "it must combine the trees' input with float32 constants, one a column")
                })?;
                let operation: fn(f32, f32) -> f32 = match node.op_type.as_str() {
                    "Add" => |x, y| x + y,
                    "Sub" => |x, y| x - y,
                    "Mul" => |x, y| x * y,
                    _ => |x, y| x / y,
                };
                Ok((operand, step(node, operation, &values)?.into_iter().collect()))
            }
            ("ai.onnx.ml", "Normalizer") => Err(ImportError::node(
                node,
                "it mixes the columns before the trees, whose decisions would not be exact; train without it, or \
                 normalise the samples before they reach the model",
            )),
            _ => Err(ImportError::node(
                node,
                "it is not supported before trees; supported: Scaler, Add, Sub, Mul, Div by constants, Cast, Identity",
            )),
        }
    }
}

/// A step with the given constants, if there are any. It must keep different values apart, infinite ones included.
fn step(
    node: &NodeProto,
    operation: fn(f32, f32) -> f32,
    constants: &[f32],
) -> Result<Option<Step>, ImportError> {
    let keeps_apart = |constant: f32| {
        constant.is_finite()
            && operation(f32::INFINITY, constant).is_infinite()
            && !operation(0.0, constant).is_nan()
    };
    if !constants.iter().all(|constant| keeps_apart(*constant)) {
        return Err(ImportError::node(
            node,
            "a scale is 0, or a constant infinite or not a number; train again",
        ));
    }
    Ok((!constants.is_empty()).then(|| Step {
        operation,
        constants: constants.to_vec(),
    }))
}

/// The number of values of a sample.
fn columns(input: &ValueInfoProto, forest: &Forest) -> Result<usize, ImportError> {
    let tensor = input
        .r#type
        .as_ref()
        .and_then(|kind| kind.tensor_type.as_ref());
    let shape = tensor
        .and_then(|tensor| tensor.shape.as_ref())
        .map(|shape| shape.dim.as_slice());
    match shape {
        Some([_, columns]) if columns.dim_value.is_some() => {
            let columns = columns
                .dim_value
                .and_then(|size| usize::try_from(size).ok());
            Ok(columns.unwrap_or(0))
        }
        Some([_, _]) | None => Ok(forest.used_columns()),
        Some(axes) => Err(ImportError::Graph(format!(
            "the input '{}' has {} axes; trees need a batch axis and one of features",
            input.name,
            axes.len()
        ))),
    }
}

/// Turns decisions about what the steps make of a column into the same decisions about the column.
fn move_into_thresholds(forest: &mut Forest, steps: &[Step]) {
    for node in forest.trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
        if let FloatNode::Branch(branch) = node {
            let column = branch.column as usize;
            let map = |value| {
                steps
                    .iter()
                    .fold(value, |value, step| step.apply(column, value))
            };
            let (cut, falls) = branch.cut.before(map);
            branch.cut = cut;
            if falls {
                *branch = branch.swapped();
            }
        }
    }
}

/// The elements of a float tensor that lie along the last axis.
fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    let elements = attributes::elements(tensor).filter(|_| tensor.data_type == data_type::FLOAT)?;
    let along_last = elements.len() == 1 || tensor.dims.last() == Some(&(elements.len() as i64));
    // They were floats before they were widened.
    along_last.then(|| elements.into_iter().map(|value| value as f32).collect())
}

fn first_input(node: &NodeProto) -> &str {
    node.input.first().map_or("", String::as_str)
}

fn is_float(kind: i64) -> bool {
    kind == i64::from(data_type::FLOAT) || kind == i64::from(data_type::DOUBLE)
}
