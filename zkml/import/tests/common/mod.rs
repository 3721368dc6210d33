//! The example models and their data, and small ONNX files made by hand.
#![allow(dead_code)] // each test file uses a part

use std::{fs, path::PathBuf};

use ciro_zkml_import::{
    onnx::{
        AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
        TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
    },
    ImportError, Options, Report,
};
use ciro_zkml_model::{Head, Linear, Model, Op};
use prost::Message;

/// Reads a file of the repository's `models` folder.
pub fn read(file: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../models")
        .join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads an array of the repository's `models` folder.
pub fn array<T: npyz::Deserialize>(file: &str) -> Vec<T> {
    let bytes = read(file);
    npyz::NpyFile::new(bytes.as_slice())
        .unwrap()
        .into_vec()
        .unwrap()
}

/// Imports with default options.
pub fn import(bytes: &[u8], calibration: &[f32]) -> Result<(Model, Report), ImportError> {
    let options = Options {
        name: "test".into(),
        preset: 0,
    };
    ciro_zkml_import::import(bytes, calibration, &options)
}

/// The linear nodes of a model.
pub fn linears(model: &Model) -> Vec<&Linear> {
    let mut linears = Vec::new();
    for node in &model.nodes {
        if let Op::Linear(linear) = &node.op {
            linears.push(linear);
        }
    }
    linears
}

/// `count` samples of `width` values between -1 and 1, without an obvious pattern.
pub fn spread(count: usize, width: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count * width).map(|_| next()).collect()
}

/// Imports a graph and compares its values with `expected` on every sample, within `bound` times the largest.
pub fn compare(
    builder: &Builder,
    samples: &[f32],
    bound: f32,
    expected: impl Fn(&[f32]) -> Vec<f32>,
) -> Model {
    let (model, report) = builder
        .import(samples)
        .unwrap_or_else(|error| panic!("{error}"));
    let expected: Vec<f32> = samples.chunks(model.columns()).flat_map(expected).collect();
    let range = expected.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    let out = model.run(&model.quantise(samples).unwrap()).unwrap();
    assert_eq!(out.len(), expected.len());
    for (index, (&acc, expected)) in out.iter().zip(&expected).enumerate() {
        let acc = if model.output.head == Head::Relu {
            acc.max(0)
        } else {
            acc
        };
        let value = acc as f32 * model.output.scale;
        let error = (value - expected).abs();
        assert!(
            error <= bound * range,
            "value {index}: {value} instead of {expected}\n{report}"
        );
    }
    assert!(report.max_error <= bound * range, "{report}");
    model
}

/// A graph under construction: input `x`, output the last node's `y`.
#[derive(Clone, Default)]
pub struct Builder(pub ModelProto);

impl Builder {
    /// A graph with a dynamic batch axis and the given sample shape.
    pub fn new(shape: &[i64]) -> Self {
        let batch = DimensionProto {
            dim_value: None,
            dim_param: Some("batch".into()),
        };
        let sample = shape.iter().map(|&size| DimensionProto {
            dim_value: Some(size),
            dim_param: None,
        });
        let shape = TensorShapeProto {
            dim: [batch].into_iter().chain(sample).collect(),
        };
        let tensor = TensorTypeProto {
            elem_type: 1,
            shape: Some(shape),
        };
        let r#type = Some(TypeProto {
            tensor_type: Some(tensor),
        });
        let graph = GraphProto {
            input: vec![ValueInfoProto {
                name: "x".into(),
                r#type,
            }],
            output: vec![ValueInfoProto {
                name: "x".into(),
                r#type: None,
            }],
            ..Default::default()
        };
        let opset_import = vec![OperatorSetIdProto {
            domain: String::new(),
            version: 17,
        }];
        Self(ModelProto {
            ir_version: 8,
            graph: Some(graph),
            opset_import,
            ..Default::default()
        })
    }

    pub fn graph(&mut self) -> &mut GraphProto {
        self.0.graph.as_mut().unwrap()
    }

    /// Appends a node whose operand `""` is the output so far; it becomes the graph's output.
    pub fn node(mut self, op: &str, operands: &[&str], attribute: Vec<AttributeProto>) -> Self {
        let graph = self.graph();
        let output = format!("y{}", graph.node.len());
        let so_far = std::mem::replace(&mut graph.output[0].name, output.clone());
        let input = operands.iter().map(|&name| {
            if name.is_empty() {
                so_far.clone()
            } else {
                name.into()
            }
        });
        let (domain, op_type) = op.split_once(':').unwrap_or(("", op));
        graph.node.push(NodeProto {
            input: input.collect(),
            output: vec![output],
            name: format!("{op_type}_node"),
            op_type: op_type.into(),
            attribute,
            domain: domain.into(),
        });
        self
    }

    /// Adds a float constant.
    pub fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        self.graph().initializer.push(TensorProto {
            dims: dims.to_vec(),
            data_type: 1,
            float_data: values.to_vec(),
            name: name.into(),
            ..Default::default()
        });
        self
    }

    /// Adds an integer constant, as raw bytes.
    pub fn ints(mut self, name: &str, values: &[i64]) -> Self {
        self.graph().initializer.push(TensorProto {
            dims: vec![values.len() as i64],
            data_type: 7,
            raw_data: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            name: name.into(),
            ..Default::default()
        });
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    pub fn import(&self, calibration: &[f32]) -> Result<(Model, Report), ImportError> {
        import(&self.bytes(), calibration)
    }
}

/// An integer attribute.
pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        i,
        ..Default::default()
    }
}

/// A number attribute.
pub fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        f,
        ..Default::default()
    }
}

/// A list of numbers.
pub fn floats(name: &str, floats: &[f32]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        floats: floats.to_vec(),
        ..Default::default()
    }
}

/// A list of integers.
pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        ints: ints.to_vec(),
        ..Default::default()
    }
}

/// A text.
pub fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        s: text.as_bytes().to_vec(),
        ..Default::default()
    }
}

/// A committed model with its test set.
pub struct Example {
    pub model: Model,
    pub report: Report,
    /// Test samples, quantised.
    pub input: Vec<i8>,
    pub labels: Vec<i64>,
    /// onnxruntime's scores or values on the test set.
    pub expected: Vec<f32>,
}

/// Imports the model in `file`, and reads the test set `data` and the scores that are `expected`.
pub fn example(file: &str, data: &str, expected: &str) -> Example {
    let calibration: Vec<f32> = array(&format!("{data}-calibration.npy"));
    let (model, report) = import(&read(file), &calibration).unwrap();
    println!("{file}: {report}{:?}", report.bounds.quantised);
    assert_eq!(model.validate().unwrap(), report.bounds);
    let x: Vec<f32> = array(&format!("{data}-test-x.npy"));
    Example {
        input: model.quantise(&x).unwrap(),
        labels: array(&format!("{data}-test-y.npy")),
        expected: array(expected),
        model,
        report,
    }
}

/// Position of the first largest value.
pub fn largest<T: PartialOrd>(row: &[T]) -> i64 {
    (1..row.len()).fold(
        0,
        |best, index| if row[index] > row[best] { index } else { best },
    ) as i64
}

/// The share of hits.
pub fn share(hits: impl Iterator<Item = bool>) -> f32 {
    let hits: Vec<bool> = hits.collect();
    hits.iter().filter(|&&hit| hit).count() as f32 / hits.len() as f32
}
