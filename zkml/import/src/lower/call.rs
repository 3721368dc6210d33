//! A node of the graph with the values of its operands.

use crate::{graph::attribute, onnx::NodeProto, tensor::Tensor, ImportError};

use super::wire::{Value, Wire};

/// Why a node cannot be evaluated.
pub(super) enum Problem {
    /// A clause about the node.
    Clause(String),
    /// The operator is not one the importer knows.
    Unsupported,
    /// An error that names what it is about.
    Error(ImportError),
}

impl From<String> for Problem {
    fn from(clause: String) -> Self {
        Problem::Clause(clause)
    }
}

impl From<&str> for Problem {
    fn from(clause: &str) -> Self {
        Problem::Clause(clause.into())
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        Problem::Error(error)
    }
}

impl Problem {
    /// The error that names the node.
    pub fn at(self, node: &NodeProto) -> ImportError {
        match self {
            Problem::Clause(clause) => ImportError::node(node, clause),
            Problem::Unsupported => ImportError::unsupported(node),
            Problem::Error(error) => error,
        }
    }

    /// The error where there is no node to name.
    pub fn anywhere(self) -> ImportError {
        match self {
            Problem::Clause(clause) => ImportError::Graph(clause),
            Problem::Unsupported => ImportError::Graph("the output is not supported".into()),
            Problem::Error(error) => error,
        }
    }
}

/// A node and its operands' values; `None` where an optional operand is left out.
pub(super) struct Call<'a> {
    pub node: &'a NodeProto,
    pub operands: Vec<Option<Value>>,
    pub opset: i64,
}

impl<'a> Call<'a> {
    pub fn op(&self) -> &'a str {
        &self.node.op_type
    }

    /// The operator set; empty for the standard one.
    pub fn domain(&self) -> &'a str {
        match self.node.domain.as_str() {
            "ai.onnx" => "",
            domain => domain,
        }
    }

    pub fn has(&self, index: usize) -> bool {
        matches!(self.operands.get(index), Some(Some(_)))
    }

    pub fn value(&self, index: usize) -> Result<&Value, Problem> {
        match self.operands.get(index) {
            Some(Some(value)) => Ok(value),
            _ => Err("an operand is missing; export the model again".into()),
        }
    }

    /// An operand that depends on the input.
    pub fn wire(&self, index: usize) -> Result<Wire, Problem> {
        match self.value(index)? {
            Value::Tensor(wire) => Ok(wire.clone()),
            Value::Constant(_) => Err("both operands are constant; fold constants on export".into()),
            Value::Softmax(_) | Value::Probabilities(_) | Value::Class(..) => {
                Err("this operator is not supported after LogSoftmax, a classifier or ArgMax".into())
            }
            Value::Padded(..) => Err("this operator is not supported after Pad; only Conv and AveragePool are".into()),
            Value::Quantised(..) => Err(
                "it computes with quantised values; export with QuantizeLinear and DequantizeLinear around each operator (QDQ)".into(),
            ),
        }
    }

    pub fn constant(&self, index: usize) -> Result<&Tensor, Problem> {
        match self.value(index)? {
            Value::Constant(tensor) => Ok(tensor),
            _ => {
                let name = self.node.input.get(index).map_or("", String::as_str);
                Err(format!("'{name}' is not a constant; fold constants on export").into())
            }
        }
    }

    pub fn all_constant(&self) -> bool {
        (0..self.operands.len()).all(|index| self.constant(index).is_ok())
    }

    /// A constant that may be left out.
    pub fn optional(&self, index: usize) -> Result<Option<&Tensor>, Problem> {
        if self.has(index) {
            self.constant(index).map(Some)
        } else {
            Ok(None)
        }
    }

    pub fn int(&self, name: &str, default: i64) -> i64 {
        crate::graph::int(self.node, name, default)
    }

    pub fn float(&self, name: &str, default: f32) -> f32 {
        crate::graph::float(self.node, name, default)
    }

    pub fn text(&self, name: &str) -> String {
        attribute(self.node, name).map_or(String::new(), |attribute| {
            String::from_utf8_lossy(&attribute.s).into()
        })
    }

    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        attribute(self.node, name).map(|attribute| attribute.ints.clone())
    }

    pub fn floats(&self, name: &str) -> &'a [f32] {
        attribute(self.node, name).map_or(&[], |attribute| &attribute.floats)
    }

    /// A list of integers: an attribute in old operator sets, an operand in newer ones.
    pub fn list(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>, Problem> {
        match self.ints(name) {
            Some(list) => Ok(Some(list)),
            None => Ok(self
                .optional(index)?
                .cloned()
                .map(Tensor::into_ints)
                .transpose()?),
        }
    }

    /// Why an operator that the importer does not know is refused.
    pub fn refusal(&self) -> Problem {
        match (self.domain(), self.op()) {
            ("", "GroupNormalization" | "InstanceNormalization") => {
                "it divides by a norm over several positions, which is not supported; use LayerNormalization".into()
            }
            ("ai.onnx.ml", "Normalizer") => {
                "it divides by a norm of the sample, which is not supported; normalise the inputs before the model".into()
            }
            _ => Problem::Unsupported,
        }
    }
}
