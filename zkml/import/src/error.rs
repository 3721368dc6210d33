//! Why a file cannot be imported.

use ciro_zkml_model::ModelError;
use thiserror::Error;

use crate::onnx::NodeProto;

/// The operators the importer knows, as its errors name them.
pub const SUPPORTED: &str = "Gemm, MatMul, Conv, MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool, ReduceMean, ReduceSum, \
     BatchNormalization, LayerNormalization, RMSNormalization, LpNormalization, Softmax, Add, Sub, Mul, Div, Sum, Max, Min, Pow, Neg, Relu, Clip, LeakyRelu, PRelu, Sigmoid, Tanh, \
     HardSigmoid, HardSwish, Elu, Selu, Celu, Softplus, Softsign, Gelu, Erf, Mish, Swish, Exp, Log, Sqrt, Abs, Reciprocal, Greater, Less, Where, Flatten, Reshape, \
     Squeeze, Unsqueeze, Transpose, Slice, Split, Concat, Gather, Pad, DepthToSpace, SpaceToDepth, Identity, Cast, Dropout, \
     Constant, ConstantOfShape, Shape, Range, Expand, Trilu, QuantizeLinear, DequantizeLinear, Scaler, LinearRegressor, LinearClassifier, \
     SVMRegressor, SVMClassifier, TreeEnsembleClassifier, TreeEnsembleRegressor, \
     and at the end LogSoftmax, ArgMax, ArrayFeatureExtractor, LabelEncoder, ZipMap";

/// Why a file cannot be imported. The text says what to do about it.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are not a file of a format that the importer reads.
    #[error("the file is no model that can be read ({0}); export the model again")]
    Malformed(String),
    /// The file, or the model it describes, is too large.
    #[error("{what} is {found}, above the limit of {limit}; use a smaller model")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        found: u64,
        /// The largest size accepted.
        limit: u64,
    },
    /// The graph as a whole is not one the importer reads.
    #[error("{0}")]
    Graph(String),
    /// An operator is not supported.
    #[error("operator {op} (node '{node}') is not supported; supported: {SUPPORTED}")]
    Unsupported {
        /// The operator, with its domain if it is not a standard one.
        op: String,
        /// The node's name.
        node: String,
    },
    /// A supported operator is used in a way that is not.
    #[error("operator {op} (node '{node}'): {problem}")]
    Node {
        /// The operator.
        op: String,
        /// The node's name.
        node: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The calibration samples do not fit the model.
    #[error("calibration data: {0}")]
    Calibration(String),
    /// The quantised model is refused.
    #[error("the quantised model is refused: {0}")]
    Model(#[from] ModelError),
}

impl ImportError {
    pub(crate) fn unsupported(node: &NodeProto) -> Self {
        let op = match node.domain.as_str() {
            "" => node.op_type.clone(),
            domain => format!("{domain}.{}", node.op_type),
        };
        ImportError::Unsupported {
            op,
            node: name(node),
        }
    }

    pub(crate) fn node(node: &NodeProto, problem: impl Into<String>) -> Self {
        ImportError::Node {
            op: node.op_type.clone(),
            node: name(node),
            problem: problem.into(),
        }
    }
}

/// The node's name, or the name of its first output if it has none.
fn name(node: &NodeProto) -> String {
    match node.name.is_empty() {
        false => node.name.clone(),
        true => node.output.first().cloned().unwrap_or_default(),
    }
}
