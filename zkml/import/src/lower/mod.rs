//! From the nodes of the file's graph to the float network.
//!
//! Every name of the graph stands for a [`Value`]. Movements of data, functions of one value and scalings by one number
//! only change how a value is read off its tensor ([`Wire`]); a node of the network is made once something needs the
//! tensor itself.

mod axes;
mod call;
mod choice;
mod classifier;
mod constant;
mod elementwise;
mod image;
mod linear;
mod mask;
mod movement;
mod norm;
mod product;
mod wire;

use std::collections::HashMap;

use ciro_zkml_model::{Head, MAX_NODES, MAX_PARAMETERS};

use crate::{
    fold::{end_linear, fold},
    function::{Function, Step},
    graph::Needed,
    network::{Linear, Network, Node, Op},
    onnx::{data_type, NodeProto, ValueInfoProto},
    sequence::Product,
    split::split,
    tensor::{product, Tensor},
    ImportError,
};
use call::{Call, Problem};
use norm::Row;
use wire::{Value, Wire};

/// Most multiplications for one sample.
const MAX_PRODUCTS: u64 = 1 << 33;
/// Most values of all tensors of one sample together.
const MAX_VALUES: u64 = 1 << 28;

/// A graph's nodes on their way into a [`Network`].
pub(crate) struct Lowering {
    opset: i64,
    /// The input's batch axis, if its size is fixed.
    batch: Option<i64>,
    /// Whether the input holds whole numbers.
    integers: bool,
    network: Network,
    values: HashMap<String, Value>,
    /// Functions of tensors that are nodes already: the tensor, the function, and the node's tensor.
    applied: Vec<(usize, Function, usize)>,
    /// Tensors that hold something of the rows of a wire.
    rows: Vec<(usize, Row, Wire)>,
    parameters: u64,
    products: u64,
    elements: u64,
    notes: Vec<String>,
}

/// The float network of a graph and what is read from it.
pub(crate) struct Lowered {
    pub network: Network,
    pub output_shape: Vec<usize>,
    pub head: Head,
    pub notes: Vec<String>,
}

/// The float network of a graph.
pub(crate) fn lower(needed: &Needed, opset: i64) -> Result<Lowered, ImportError> {
    let mut lowering = Lowering::new(needed.input, opset)?;
    for constant in &needed.constants {
        let tensor = Tensor::read(constant).map_err(|problem| {
            ImportError::Graph(format!("constant '{}': {problem}", constant.name))
        })?;
        lowering
            .values
            .insert(constant.name.clone(), Value::constant(tensor));
    }
    refuse_recurrent(needed)?;
    for node in &needed.nodes {
        lowering.apply(node)?;
    }
    let output = lowering.values.remove(needed.output);
    let output = output.ok_or_else(|| {
        ImportError::Graph(format!(
            "the output '{}' is never computed; export the model again",
            needed.output
        ))
    })?;
    lowering.finish(output)
}

/// Refuses recurrent networks for what they are, before the movements that exporters put around their operators.
fn refuse_recurrent(needed: &Needed) -> Result<(), ImportError> {
    let is_recurrent = |node: &&&NodeProto| matches!(&*node.op_type, "LSTM" | "GRU" | "RNN");
    match needed.nodes.iter().find(is_recurrent) {
        Some(node) => Err(Problem::from(
            "its state goes from step to step, which is not supported; use attention or convolutions",
        )
        .at(node)),
        None => Ok(()),
    }
}

impl Lowering {
    fn new(input: &ValueInfoProto, opset: i64) -> Result<Self, ImportError> {
        let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
        let shape = tensor.and_then(|t| t.shape.as_ref());
        let dims: Vec<Option<i64>> = shape
            .iter()
            .flat_map(|s| s.dim.iter().map(|dim| dim.dim_value))
            .collect();
        let invalid = || {
            ImportError::Graph(format!(
                "the input '{}' has no usable shape; export with a batch axis first and fixed sizes after it",
                input.name
            ))
        };
        let (&batch, sample) = dims.split_first().ok_or_else(invalid)?;
        let axis = |dim: &Option<i64>| {
            dim.and_then(|size| usize::try_from(size).ok())
                .filter(|&size| size > 0)
        };
        let shape: Vec<usize> = sample
            .iter()
            .map(axis)
            .collect::<Option<_>>()
            .ok_or_else(invalid)?;
        if shape.is_empty() {
            return Err(invalid());
        }
        let mut lowering = Self {
            opset,
            batch: batch.filter(|&size| size > 0),
            integers: tensor.is_some_and(|tensor| {
                [data_type::INT32, data_type::INT64].contains(&tensor.elem_type)
            }),
            network: Network {
                shape: shape.clone(),
                ..Default::default()
            },
            values: HashMap::new(),
            applied: vec![],
            rows: vec![],
            parameters: 0,
            products: 0,
            elements: 0,
            notes: vec![],
        };
        lowering.reserve_elements(product(&shape).map_or(u64::MAX, |elements| elements as u64))?;
        lowering
            .values
            .insert(input.name.clone(), Value::Tensor(Wire::new(0, shape)));
        Ok(lowering)
    }

    /// Evaluates the next node.
    fn apply(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let value = |name: &String| self.values.get(name).cloned();
        let mut call = Call {
            node,
            operands: node.input.iter().map(value).collect(),
            opset: self.opset,
        };
        let values = self
            .values_of(&mut call)
            .map_err(|problem| problem.at(node))?;
        for (name, value) in node.output.iter().zip(values) {
            self.values.insert(name.clone(), value);
        }
        Ok(())
    }

    /// What a node makes.
    fn values_of(&mut self, call: &mut Call) -> Result<Vec<Value>, Problem> {
        self.softmax_made(call)?;
        let counts_batch = count_batch(call)?;
        let mut values = self.evaluate(call)?;
        for wire in values.iter_mut().filter_map(Value::wire_mut) {
            wire.counts_batch |= counts_batch;
            *wire = wire.clone().without_batch();
        }
        Ok(values)
    }

    fn evaluate(&mut self, call: &Call) -> Result<Vec<Value>, Problem> {
        let one = |value: Result<Value, Problem>| value.map(|value| vec![value]);
        match (call.domain(), call.op()) {
            ("", "Constant") => one(constant::literal(call.node)),
            ("", "ConstantOfShape") => one(constant::filled(call)),
            ("", "Identity" | "Cast" | "CastLike" | "Dropout") => one(self.unchanged(call)),
            ("", "Shape") => one(self.shape(call)),
            ("", "Range") => one(mask::range(call)),
            ("", "Expand") => one(self.expanded(call)),
            ("", "Trilu") => one(self.triangle(call)),
            ("", "Gather") if call.constant(0).is_ok() && call.wire(1).is_ok() => {
                one(self.embedding(call))
            }
            (
                "",
                "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "Slice" | "Gather",
            ) => one(self.movement(call)),
            ("", "DepthToSpace" | "SpaceToDepth") => one(self.movement(call)),
            ("", "Split") => self.split(call),
            ("", "Concat") => one(self.concat(call)),
            ("", "Gemm") => one(self.gemm(call)),
            ("", "MatMul") => one(self.matmul(call)),
            ("", "Conv") => one(self.conv(call)),
            ("", "Pad") => one(self.pad(call)),
            ("", "MaxPool") => one(self.max_pool(call)),
            ("", "AveragePool") => one(self.average_pool(call)),
            ("", "GlobalAveragePool" | "GlobalMaxPool") => one(self.global_pool(call)),
            ("", "ReduceMean" | "ReduceSum") => one(self.reduce(call)),
            (_, "LayerNormalization" | "RMSNormalization" | "SimplifiedLayerNormalization") => {
                one(self.normalization(call))
            }
            ("", "LpNormalization") => one(self.unit(call)),
            ("", "BatchNormalization") => one(self.batch_normalization(call)),
            ("", "Mod") if call.all_constant() => one(self.arithmetic(call)),
            ("", "Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" | "Pow" | "Sum") => {
                one(self.arithmetic(call))
            }
            ("", op) if elementwise::is_function(op) => one(self.function(call)),
            ("", op) if mask::is_condition(op) && call.all_constant() => {
                mask::condition(call).and_then(|tensor| one(self.made(tensor)))
            }
            ("", "Greater" | "Less") => one(self.compared(call)),
            ("", "Where") => one(self.chosen(call)),
            ("", "QuantizeLinear") => one(self.quantize(call)),
            ("", "DequantizeLinear") => one(self.dequantize(call)),
            ("", "Softmax" | "LogSoftmax") => one(self.softmax(call)),
            ("", "ArgMax") => one(self.arg_max(call)),
            ("ai.onnx.ml", "Scaler") => one(self.scaler(call)),
            ("ai.onnx.ml", "ZipMap") => call.value(0).map(|value| vec![value.clone()]),
            ("ai.onnx.ml", "ArrayFeatureExtractor") => one(self.array_feature_extractor(call)),
            ("ai.onnx.ml", "LabelEncoder") => one(self.label_encoder(call)),
            ("ai.onnx.ml", "LinearClassifier") => self.linear_classifier(call),
            ("ai.onnx.ml", "SVMClassifier") => self.svm_classifier(call),
            ("ai.onnx.ml", "LinearRegressor") => one(self.linear_regressor(call)),
            ("ai.onnx.ml", "SVMRegressor") => one(self.svm_regressor(call)),
            _ => Err(call.refusal()),
        }
    }

    /// The network, once all nodes are evaluated.
    fn finish(mut self, output: Value) -> Result<Lowered, ImportError> {
        let (mut wire, head) = match output {
            Value::Class(wire, labels) => (wire, Head::ArgMax { labels }),
            Value::Probabilities(wire) => (wire, Head::Values),
            Value::Softmax(wire) => {
                self.note_left_out("Softmax");
                (wire, Head::Values)
            }
            Value::Tensor(wire) => (self.without_sigmoid(wire), Head::Values),
            Value::Constant(_) | Value::Padded(..) | Value::Quantised(..) => {
                return Err(ImportError::Graph(
                    "the output is no tensor that a model can end with; export the model again"
                        .into(),
                ))
            }
        };
        let cut = wire
            .function
            .without_last(Step::Relu)
            .filter(|_| head == Head::Values);
        let head = if cut.is_some() { Head::Relu } else { head };
        wire.function = cut.unwrap_or(wire.function);
        let nothing = ImportError::Graph(
            "the graph computes nothing; it needs at least one Gemm or MatMul".into(),
        );
        if wire.tensor == 0 && wire.function.is_identity() && head == Head::Values {
            return Err(nothing);
        }
        if wire.counts_batch {
            return Err(ImportError::Graph(
                "the output's first axis is not the batch, or mixes it with others; export with the batch axis first".into(),
            ));
        }
        let output_shape = wire.shape.clone();
        let last = self.any_shape(&wire).map_err(Problem::anywhere)?;
        // The nodes after it are none that it needs.
        self.network.nodes.truncate(last);
        if self
            .network
            .linear(last)
            .is_none_or(|linear| !linear.function.is_identity())
        {
            end_linear(&mut self.network);
        }
        self.check_tokens()?;
        fold(&mut self.network);
        split(&mut self.network);
        match self.network.is_finite() {
            true => Ok(Lowered {
                network: self.network,
                output_shape,
                head,
                notes: self.notes,
            }),
            false => Err(ImportError::Graph(
                "a weight or bias is infinite or not a number; train the model again".into(),
            )),
        }
    }

    /// Checks that tokens are read by embeddings alone.
    fn check_tokens(&self) -> Result<(), ImportError> {
        let embeds = |node: &Node| matches!(node.op, Op::Embedding(_));
        let reads = self
            .network
            .nodes
            .iter()
            .filter(|node| node.sources.contains(&0));
        match self.network.vocabulary.is_none() || reads.into_iter().all(embeds) {
            true => Ok(()),
            false => Err(ImportError::Graph(
                "the input holds tokens, yet something else than an embedding (Gather) computes with them".into(),
            )),
        }
    }

    /// Leaves out a Sigmoid at the end.
    fn without_sigmoid(&mut self, wire: Wire) -> Wire {
        match wire.function.without_last(Step::Sigmoid) {
            Some(function) => {
                self.note_left_out("Sigmoid");
                Wire { function, ..wire }
            }
            None => wire,
        }
    }

    fn note_left_out(&mut self, op: &str) {
        self.notes.push(format!(
            "{op} at the end is left out: the outputs are the values before it, which rank the same"
        ));
    }

    /// Appends a node and returns its tensor.
    fn push(&mut self, sources: Vec<usize>, shape: Vec<usize>, op: Op) -> Result<usize, Problem> {
        at_most(
            "the number of nodes",
            self.network.nodes.len() as u64 + 1,
            MAX_NODES,
        )?;
        let node = Node { sources, shape, op };
        let elements = product(&node.shape).map_or(u64::MAX, |elements| elements as u64);
        self.reserve_elements(elements)?;
        if let Op::Linear(linear) = &node.op {
            let weights: usize = linear.maps.iter().map(|map| map.weights().len()).sum();
            self.reserve_parameters((weights + linear.bias.len()) as u64)?;
            let per_channel = weights.checked_div(linear.bias.len()).unwrap_or(0) as u64;
            self.reserve_products(per_channel.saturating_mul(elements))?;
        }
        let (parameters, depth) = match &node.op {
            Op::Product(product) => (product.bias.len(), self.depth(&node)),
            Op::Attend => (0, self.depth(&node)),
            Op::Constant(values) | Op::Embedding(values) => (values.len(), 0),
            _ => (0, 0),
        };
        self.reserve_parameters(parameters as u64)?;
        self.reserve_products((depth as u64).saturating_mul(elements))?;
        self.network.nodes.push(node);
        Ok(self.network.nodes.len())
    }

    /// Number of terms of the sums of a product of tensors.
    fn depth(&self, node: &Node) -> usize {
        let first = node.sources.first().copied().unwrap_or(0);
        Product::depth(self.network.tensor_shape(first))
    }

    fn reserve_products(&mut self, count: u64) -> Result<(), ImportError> {
        self.products = self.products.saturating_add(count);
        let what = "the number of multiplications for a sample";
        at_most(what, self.products, MAX_PRODUCTS)
    }

    /// Counts parameters before they are made.
    fn reserve_parameters(&mut self, count: u64) -> Result<(), ImportError> {
        self.parameters = self.parameters.saturating_add(count);
        at_most("the number of parameters", self.parameters, MAX_PARAMETERS)
    }

    fn reserve_elements(&mut self, count: u64) -> Result<(), ImportError> {
        self.elements = self.elements.saturating_add(count);
        at_most(
            "the number of values of all tensors of a sample",
            self.elements,
            MAX_VALUES,
        )
    }

    /// The axis along which a tensor's channels lie.
    fn axis_of(&self, tensor: usize) -> usize {
        let rank = self.network.tensor_shape(tensor).len();
        match self.network.linear(tensor) {
            Some(Linear { axis, .. }) => *axis,
            None if rank == 3 => 0,
            None => rank.saturating_sub(1),
        }
    }
}

/// If one operand's shape counts the batch, makes all of them count it.
fn count_batch(call: &mut Call) -> Result<bool, Problem> {
    let op = call.op();
    let mut wires: Vec<&mut Wire> = call
        .operands
        .iter_mut()
        .flatten()
        .filter_map(Value::wire_mut)
        .collect();
    let counts_batch = wires.iter().any(|wire| wire.counts_batch);
    let follows = matches!(
        op,
        "Transpose"
            | "Reshape"
            | "Unsqueeze"
            | "Squeeze"
            | "Gather"
            | "Slice"
            | "Split"
            | "Shape"
            | "Identity"
            | "Cast"
            | "Dropout"
            | "MatMul"
            | "Gemm"
            | "Softmax"
            | "Add"
            | "Sub"
            | "Mul"
            | "Div"
    );
    if counts_batch && !follows {
        return Err(
            "the batch axis does not come first there, which is supported inside attention only"
                .into(),
        );
    }
    if counts_batch {
        wires.iter_mut().for_each(|wire| **wire = wire.with_batch());
    }
    Ok(counts_batch)
}

fn at_most(what: &'static str, found: u64, limit: u64) -> Result<(), ImportError> {
    match found <= limit {
        true => Ok(()),
        false => Err(ImportError::TooLarge { what, found, limit }),
    }
}
