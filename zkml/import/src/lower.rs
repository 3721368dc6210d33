//! From graph nodes to the float network.

use ciro_zkml_model::{Activation, Head, MAX_PARAMETERS, MAX_RANK};

use crate::{
    graph::{attribute, float, int, Graph},
    network::Network,
    onnx::{data_type, NodeProto, ValueInfoProto},
    tensor::{product, Data, Tensor},
    ImportError,
};

/// What the nodes so far compute.
enum Stage {
    /// The network's values.
    Values,
    /// Probabilities that rank like the network's values; `logistic` if each is for itself.
    Probabilities { logistic: bool },
    /// The label of the largest value.
    Class { labels: Vec<i64> },
}

/// A graph's nodes on their way into a [`Network`].
pub(crate) struct Lowering<'a> {
    graph: &'a Graph<'a>,
    opset: i64,
    /// The input's batch axis, if its size is fixed.
    batch: Option<i64>,
    /// Shape of one sample; no axis is 0.
    shape: Vec<usize>,
    network: Network,
    stage: Stage,
    notes: Vec<String>,
}

/// The float network of a graph and what is read from it.
pub(crate) struct Lowered {
    pub network: Network,
    pub output_shape: Vec<usize>,
    pub head: Head,
    pub notes: Vec<String>,
}

impl<'a> Lowering<'a> {
    pub fn new(
        graph: &'a Graph<'a>,
        opset: i64,
        input: &ValueInfoProto,
    ) -> Result<Self, ImportError> {
        let shape = input
            .r#type
            .as_ref()
            .and_then(|t| t.tensor_type.as_ref())
            .and_then(|t| t.shape.as_ref());
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
        let elements = product(&shape).map_or(u64::MAX, |elements| elements as u64);
        if shape.is_empty() {
            return Err(invalid());
        }
        if elements > MAX_PARAMETERS {
            let what = "the number of values of an input sample";
            return Err(ImportError::TooLarge {
                what,
                found: elements,
                limit: MAX_PARAMETERS,
            });
        }
        let batch = batch.filter(|&size| size > 0);
        Ok(Self {
            graph,
            opset,
            batch,
            shape,
            network: Network::default(),
            stage: Stage::Values,
            notes: vec![],
        })
    }

    /// Shape of one sample of the values so far.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The network, once all nodes are applied.
    pub fn finish(mut self) -> Result<Lowered, ImportError> {
        self.network.flush()?;
        let Some(last) = self.network.layers.last() else {
            return Err(ImportError::Graph(
                "the graph computes nothing; it needs at least one Gemm or MatMul".into(),
            ));
        };
        let head = match (self.stage, last.activation) {
            (Stage::Class { labels }, _) => Head::ArgMax { labels },
            (_, Activation::Relu) => Head::Relu,
            (_, Activation::Identity) => Head::Values,
        };
        match self.network.is_finite() {
            true => Ok(Lowered {
                network: self.network,
                output_shape: self.shape,
                head,
                notes: self.notes,
            }),
            false => Err(ImportError::Graph(
                "a weight or bias is infinite or not a number; train the model again".into(),
            )),
        }
    }

    /// Applies the next node on the path.
    pub fn apply(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        match (&self.stage, node.op_type.as_str()) {
            (_, "Identity" | "ZipMap") => Ok(()),
            (_, "Dropout") => self.dropout(node),
            (Stage::Class { .. }, "Cast" | "Reshape" | "Flatten") => Ok(()),
            (Stage::Class { .. }, "ArrayFeatureExtractor") => self.labels(node),
            (_, "Cast") => cast(node),
            (_, "Flatten") => self.flatten(node),
            (_, "Reshape") => self.reshape(node),
            (Stage::Values | Stage::Probabilities { .. }, "ArgMax") => self.arg_max(node),
            (Stage::Probabilities { logistic: true }, "Concat") => self.binary(node),
            (Stage::Values, "Gemm") => self.gemm(node),
            (Stage::Values, "MatMul") => self.matmul(node),
            (Stage::Values, "Add" | "Sub" | "Mul" | "Div") => self.elementwise(node),
            (Stage::Values, "Scaler") => self.scaler(node),
            (Stage::Values, "Relu") => self.network.relu(self.width()),
            (Stage::Values, "Softmax" | "LogSoftmax" | "Sigmoid") => self.probabilities(node),
            _ => Err(ImportError::node(
                node,
                "this operator is not supported after Softmax, Sigmoid or ArgMax",
            )),
        }
    }

    /// Number of values of one sample.
    fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The constant operand `index` of a node.
    fn constant(&self, node: &NodeProto, index: usize) -> Result<Tensor, ImportError> {
        let name = node.input.get(index).map_or("", String::as_str);
        self.graph
            .constant(name)
            .map_err(|problem| ImportError::node(node, problem))
    }

    /// The constant operand `index` of a node, one value for each value of a sample.
    fn spread(&self, node: &NodeProto, index: usize) -> Result<Vec<f32>, ImportError> {
        let constant = self.constant(node, index)?;
        constant
            .broadcast(&self.shape)
            .map_err(|problem| ImportError::node(node, problem))
    }

    /// Whether an axis of the whole tensor, batch included, is the only axis of the sample larger than 1.
    fn is_last_axis(&self, axis: i64) -> bool {
        let last = self.shape.len() as i64;
        (axis == last || axis == -1) && self.shape.last() == Some(&self.width())
    }

    fn gemm(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        if int(node, "transA", 0) != 0 {
            return Err(ImportError::node(
                node,
                "transA is not supported; transpose the input instead",
            ));
        }
        let weights = self
            .constant(node, 1)?
            .into_matrix(int(node, "transB", 0) != 0);
        let (rows, columns, mut weights) =
            weights.map_err(|problem| ImportError::node(node, problem))?;
        let alpha = float(node, "alpha", 1.0);
        weights.iter_mut().for_each(|weight| *weight *= alpha);
        self.dense(node, rows, columns, weights)?;
        if node.input.get(2).is_some_and(|name| !name.is_empty()) {
            let beta = float(node, "beta", 1.0);
            let bias: Vec<f32> = self
                .spread(node, 2)?
                .iter()
                .map(|bias| beta * bias)
                .collect();
            self.network.offset(&bias);
        }
        Ok(())
    }

    fn matmul(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let weights = self.constant(node, 1)?.into_matrix(false);
        let (rows, columns, weights) =
            weights.map_err(|problem| ImportError::node(node, problem))?;
        self.dense(node, rows, columns, weights)
    }

    fn dense(
        &mut self,
        node: &NodeProto,
        rows: usize,
        columns: usize,
        weights: Vec<f32>,
    ) -> Result<(), ImportError> {
        if self.width() != rows || self.shape.last() != Some(&rows) || columns == 0 {
            let problem = format!(
                "a {rows} x {columns} matrix does not fit samples of shape {:?}; flatten them before the layer",
                self.shape
            );
            return Err(ImportError::node(node, problem));
        }
        self.network.matmul(rows, columns, weights)?;
        self.shape.pop();
        self.shape.push(columns);
        Ok(())
    }

    fn elementwise(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        // Exactly one operand is constant, or the node would not be on the path.
        let first = node
            .input
            .first()
            .is_some_and(|name| self.graph.is_constant(name));
        let values = self.spread(node, usize::from(!first))?;
        let each = |f: fn(f32) -> f32| values.iter().map(|&value| f(value)).collect::<Vec<_>>();
        match (node.op_type.as_str(), first) {
            ("Add", _) => self.network.offset(&values),
            ("Mul", _) => self.network.scale(&values),
            ("Sub", false) => self.network.offset(&each(|value| -value)),
            ("Sub", true) => {
                self.network.scale(&each(|_| -1.0));
                self.network.offset(&values);
            }
            ("Div", false) => self.network.scale(&each(|value| 1.0 / value)),
            _ => {
                return Err(ImportError::node(
                    node,
                    "only division by a constant is supported",
                ))
            }
        }
        Ok(())
    }

    fn scaler(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let values = |name: &str| match attribute(node, name)
            .map_or(&[][..], |attribute| &attribute.floats)
        {
            [] => Ok(None),
            floats => Tensor::floats(floats).broadcast(&self.shape).map(Some),
        };
        let problem = |problem| ImportError::node(node, problem);
        let (offset, scale) = (
            values("offset").map_err(problem)?,
            values("scale").map_err(problem)?,
        );
        if let Some(offset) = offset {
            self.network
                .offset(&offset.iter().map(|value| -value).collect::<Vec<_>>());
        }
        if let Some(scale) = scale {
            self.network.scale(&scale);
        }
        Ok(())
    }

    fn dropout(&self, node: &NodeProto) -> Result<(), ImportError> {
        let training = match node.input.get(2) {
            Some(name) if !name.is_empty() => {
                let mode = self
                    .constant(node, 2)?
                    .into_ints()
                    .map_err(|problem| ImportError::node(node, problem))?;
                mode != [0]
            }
            _ => false,
        };
        match training {
            true => Err(ImportError::node(
                node,
                "it is in training mode; export the model for inference",
            )),
            false => Ok(()),
        }
    }

    fn flatten(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let axis = int(node, "axis", 1);
        if axis != 1 && axis != -(self.shape.len() as i64) {
            return Err(ImportError::node(
                node,
                format!("axis {axis} mixes samples; flatten from axis 1"),
            ));
        }
        self.shape = vec![self.width()];
        Ok(())
    }

    fn reshape(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let name = node.input.get(1).map_or("", String::as_str);
        let target = self
            .graph
            .reshape_target(name)
            .map_err(|problem| ImportError::node(node, problem))?;
        let keeps_zero = int(node, "allowzero", 0) == 0;
        self.shape = self.reshaped(&target).filter(|_| keeps_zero || !target.contains(&0)).ok_or_else(|| {
            let problem = format!(
                "target {target:?} does not keep the batch axis for samples of shape {:?}; export with a dynamic batch axis",
                self.shape
            );
            ImportError::node(node, problem)
        })?;
        Ok(())
    }

    /// The sample's shape after a Reshape to `target`, if that keeps the batch axis.
    fn reshaped(&self, target: &[i64]) -> Option<Vec<usize>> {
        let (&batch, sample) = target
            .split_first()
            .filter(|(_, sample)| sample.len() <= MAX_RANK)?;
        let resolve = |(index, &axis): (usize, &i64)| match axis {
            0 => self.shape.get(index).copied(),
            _ => usize::try_from(axis).ok(),
        };
        let free = sample.iter().position(|&axis| axis == -1);
        let known = || {
            sample
                .iter()
                .enumerate()
                .filter(|(index, _)| Some(*index) != free)
        };
        let fixed = product(&known().map(resolve).collect::<Option<Vec<_>>>()?)?;
        let rest = self
            .width()
            .checked_div(fixed)
            .filter(|rest| rest * fixed == self.width())?;
        let keeps_batch =
            batch == 0 || Some(batch) == self.batch || (batch == -1 && free.is_none());
        if !keeps_batch || (free.is_none() && rest != 1) {
            return None;
        }
        sample
            .iter()
            .enumerate()
            .map(|axis| {
                if Some(axis.0) == free {
                    Some(rest)
                } else {
                    resolve(axis)
                }
            })
            .collect()
    }

    fn probabilities(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let logistic = node.op_type == "Sigmoid";
        let axis = int(node, "axis", if self.opset < 13 { 1 } else { -1 });
        if !logistic && !self.is_last_axis(axis) {
            return Err(ImportError::node(
                node,
                format!("axis {axis} is not supported; use the last one of a flat sample"),
            ));
        }
        self.stage = Stage::Probabilities { logistic };
        self.notes.push(format!(
            "{} at the end is left out: the outputs are the values before it, which rank the same",
            node.op_type
        ));
        Ok(())
    }

    /// The two classes of a logistic output: class 1 wins if its value is above 0.
    fn binary(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        if self.shape != [1] || !matches!(int(node, "axis", 1), 1 | -1) {
            return Err(ImportError::node(
                node,
                "only the two probabilities of one logistic output can be joined",
            ));
        }
        self.network.end_linear(1)?;
        self.network.prepend_zero();
        self.shape = vec![2];
        self.stage = Stage::Probabilities { logistic: false };
        self.notes.push(
            "the logistic output becomes two: 0 for the first class, its logit for the second"
                .into(),
        );
        Ok(())
    }

    fn arg_max(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let axis = int(node, "axis", 0);
        if !self.is_last_axis(axis) || int(node, "select_last_index", 0) != 0 {
            return Err(ImportError::node(
                node,
                format!("axis {axis} is not supported; use the last one of a flat sample"),
            ));
        }
        self.network.end_linear(self.width())?;
        self.stage = Stage::Class {
            labels: (0..self.width() as i64).collect(),
        };
        Ok(())
    }

    /// The class labels that an index selects from.
    fn labels(&mut self, node: &NodeProto) -> Result<(), ImportError> {
        let classes = self.constant(node, 0)?;
        let labels = match classes.data {
            Data::Text(names) => {
                self.notes.push(format!(
                    "labels are strings; the output is their index in [{}]",
                    names.join(", ")
                ));
                (0..names.len() as i64).collect()
            }
            _ => classes
                .into_ints()
                .map_err(|problem| ImportError::node(node, problem))?,
        };
        if labels.len() != self.width() {
            let problem = format!(
                "there are {} labels for {} outputs",
                labels.len(),
                self.width()
            );
            return Err(ImportError::node(node, problem));
        }
        self.stage = Stage::Class { labels };
        Ok(())
    }
}

/// A Cast between floating-point types changes nothing here.
fn cast(node: &NodeProto) -> Result<(), ImportError> {
    let to = int(node, "to", 0);
    match to == i64::from(data_type::FLOAT) || to == i64::from(data_type::DOUBLE) {
        true => Ok(()),
        false => Err(ImportError::node(
            node,
            format!("a cast to element type {to} inside the network is not supported"),
        )),
    }
}
