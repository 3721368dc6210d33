//! What networks may not contain: every refusal names the operator and its node and says why.

mod common;

use ciro_zkml_import::onnx::{ModelProto, TensorProto};
use common::{array, floats, import, int, ints, read, spread, text, Builder};
use proptest::prelude::*;
use prost::Message;

/// A graph on images of 2 x 5 x 5 with weights of a convolution.
fn image() -> Builder {
    Builder::new(&[2, 5, 5]).floats("w", &[2, 2, 3, 3], &[0.5; 36])
}

/// A graph on two values with a matrix.
fn flat() -> Builder {
    Builder::new(&[2]).floats("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0])
}

/// Checks that the last node is refused with its name and these words.
fn says(mut builder: Builder, words: &str) {
    let last = builder.graph().node.last().unwrap().clone();
    let error = builder.import(&spread(4, 50)).unwrap_err().to_string();
    assert!(
        error.contains(&last.op_type) && error.contains(&format!("(node '{}')", last.name)),
        "{error}"
    );
    assert!(error.contains(words), "{error}");
}

#[test]
fn operators_that_come_later() {
    for op in ["LSTM", "GRU", "RNN"] {
        says(
            flat().node(op, &["", "w"], vec![]),
            "its state goes from step to step",
        );
    }
    for op in ["Resize", "ConvTranspose", "MatMulInteger", "If"] {
        says(
            flat().node(op, &["", "w"], vec![]),
            "is not supported; supported: Gemm, MatMul, Conv",
        );
    }
    says(
        image().node("InstanceNormalization", &["", "w", "w"], vec![]),
        "it divides by a norm over several positions",
    );
    says(
        flat().node("ai.onnx.ml:Normalizer", &[""], vec![]),
        "normalise the inputs before the model",
    );
    let inside = flat()
        .node("LogSoftmax", &[""], vec![])
        .node("MatMul", &["", "w"], vec![]);
    says(inside, "not supported after LogSoftmax");
}

/// A graph on three positions of two channels whose output are the scores of each pair.
fn scores() -> Builder {
    Builder::new(&[3, 2])
        .node("Transpose", &["x"], vec![ints("perm", &[0, 2, 1])])
        .node("MatMul", &["x", ""], vec![])
}

#[test]
fn transformers() {
    says(
        scores().node("Softmax", &[""], vec![int("axis", 1)]),
        "use the last one",
    );
    says(
        scores().node("MatMul", &["", "y0"], vec![]),
        "do not fit together",
    );
    says(
        scores().node("Gather", &["x", ""], vec![int("axis", 1)]),
        "is not a constant",
    );
    says(
        scores().floats("gain", &[3], &[1.0; 3]).node(
            "LayerNormalization",
            &["", "gain"],
            vec![int("axis", 1)],
        ),
        "only norms along the last axis",
    );
    let mask = |builder: Builder, dims: &[i64], hidden: f32| {
        let count = dims.iter().product::<i64>() as usize;
        let values: Vec<f32> = (0..count).map(|at| (at % 2) as f32).collect();
        builder
            .floats("mask", dims, &values)
            .floats("hidden", &[], &[hidden])
            .node("Where", &["mask", "hidden", ""], vec![])
    };
    says(mask(scores(), &[3, 3], 0.0), "can only hide scores");
    says(
        mask(
            scores().node("Relu", &[""], vec![]),
            &[3, 3],
            f32::NEG_INFINITY,
        ),
        "on products of matrices only",
    );
    let heads = Builder::new(&[2, 3, 3])
        .node("MatMul", &["x", "x"], vec![])
        .floats(
            "mask",
            &[2, 3, 3],
            &(0..18).map(|at| at as f32).collect::<Vec<_>>(),
        )
        .node("Add", &["", "mask"], vec![]);
    says(heads, "the same for all heads");
    says(
        scores()
            .node("Div", &["", "y1"], vec![])
            .node("Div", &["y1", "x"], vec![]),
        "it divides by a computed value",
    );
}

#[test]
fn tokens_are_only_looked_up() {
    let tokens = |width: i64| {
        let mut builder = Builder::new(&[3])
            .floats("table", &[4, width], &vec![0.5; 4 * width as usize])
            .floats("other", &[5, width], &vec![0.5; 5 * width as usize]);
        let input = builder.graph().input[0].r#type.as_mut().unwrap();
        input.tensor_type.as_mut().unwrap().elem_type = 7;
        builder.node("Gather", &["table", "x"], vec![])
    };
    let says = |builder: Builder, words: &str| {
        let error = builder.import(&[0.0, 1.0, 3.0]).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let two = tokens(2)
        .node("Gather", &["other", "x"], vec![])
        .node("Add", &["", "y0"], vec![]);
    says(two, "all of one vocabulary");
    let both = tokens(1)
        .ints("column", &[0, 3, 1])
        .node("Reshape", &["x", "column"], vec![])
        .node("Add", &["", "y0"], vec![]);
    says(both, "something else than an embedding");
}

#[test]
fn convolutions() {
    let conv = |attributes| image().node("Conv", &["", "w"], attributes);
    says(conv(vec![int("group", 2)]), "do not fit 2 channels");
    says(conv(vec![int("group", 0)]), "do not fit 2 channels");
    says(
        conv(vec![ints("pads", &[3, 0, 0, 0])]),
        "must be smaller than the window",
    );
    says(
        conv(vec![ints("pads", &[-1, 0, 0, 0])]),
        "are not supported",
    );
    says(
        conv(vec![ints("strides", &[0, 1])]),
        "no size of a window or step",
    );
    says(
        conv(vec![ints("strides", &[1])]),
        "does not fit samples of shape",
    );
    says(
        conv(vec![ints("dilations", &[3, 3])]),
        "does not fit an image",
    );
    says(conv(vec![text("auto_pad", "ODD")]), "auto_pad ODD");
    says(
        image().node("Conv", &["", "x"], vec![]),
        "'x' is not a constant",
    );
    says(flat().node("Conv", &["", "w"], vec![]), "are no images");
    let even = image().floats("even", &[2, 2, 2, 2], &[0.5; 16]);
    let attributes = vec![ints("dilations", &[2, 2]), ints("pads", &[1, 1, 1, 1])];
    says(
        even.node("Conv", &["", "even"], attributes),
        "must have odd sizes",
    );
    let short = image().floats("b", &[3], &[0.0; 3]);
    says(short.node("Conv", &["", "w", "b"], vec![]), "does not fit");
    says(
        image().node(
            "BatchNormalization",
            &["", "w", "w", "w", "w"],
            vec![int("training_mode", 1)],
        ),
        "training mode",
    );
}

#[test]
fn pools_and_pads() {
    let kernel = || ints("kernel_shape", &[2, 2]);
    let mut indices = image().node("MaxPool", &[""], vec![kernel()]);
    indices.graph().node[0].output.push("indices".into());
    says(indices, "second output");
    says(image().node("MaxPool", &[""], vec![]), "no kernel_shape");
    let rounded = vec![kernel(), ints("strides", &[2, 2]), int("ceil_mode", 1)];
    says(image().node("MaxPool", &[""], rounded), "ceil_mode");
    let inside = vec![kernel(), ints("pads", &[1, 1, 0, 0])];
    says(
        image().node("AveragePool", &[""], inside),
        "count_include_pad=1 or no pads",
    );
    let pad = |pads: &[i64], attributes| {
        image()
            .ints("pads", pads)
            .node("Pad", &["", "pads"], attributes)
    };
    says(
        pad(&[0, 0, 1, 1, 0, 0, 1, 1], vec![text("mode", "reflect")]),
        "mode reflect",
    );
    says(
        pad(&[0, 1, 1, 1, 0, 0, 1, 1], vec![]),
        "only the height and width",
    );
    says(pad(&[0, 0, 1, 1], vec![]), "only the height and width");
    let border = || pad(&[0, 0, 1, 1, 0, 0, 1, 1], vec![]);
    says(
        border().node("MaxPool", &[""], vec![kernel()]),
        "not supported after Pad",
    );
    let ones = image()
        .ints("pads", &[0, 0, 1, 1, 0, 0, 1, 1])
        .floats("one", &[], &[1.0]);
    says(ones.node("Pad", &["", "pads", "one"], vec![]), "only zeros");
}

#[test]
fn arithmetic_and_functions() {
    says(
        image()
            .floats("slope", &[2, 1, 1], &[0.1, 0.2])
            .node("PRelu", &["", "slope"], vec![]),
        "only one slope",
    );
    says(
        flat()
            .floats("four", &[], &[4.0])
            .node("Pow", &["", "four"], vec![]),
        "only powers of",
    );
    says(
        flat()
            .floats("limits", &[2], &[0.0, 1.0])
            .node("Max", &["", "limits"], vec![]),
        "only one limit",
    );
    says(
        flat()
            .floats("a", &[], &[1.0])
            .floats("b", &[], &[0.0])
            .node("Clip", &["", "a", "b"], vec![]),
        "leave nothing",
    );
    let sum = image()
        .node("Conv", &["", "w"], vec![])
        .node("Add", &["", "x"], vec![]);
    says(sum, "do not fit together");
    says(
        flat()
            .node("MatMul", &["", "w"], vec![])
            .node("Div", &["", "x"], vec![]),
        "it divides by a computed value",
    );
}

#[test]
fn choices() {
    let compared = || {
        flat()
            .floats("one", &[], &[1.0])
            .node("Less", &["", "one"], vec![])
    };
    let masked =
        compared()
            .floats("last", &[2, 2], &[1.0; 4])
            .node("MatMul", &["x", "last"], vec![]);
    says(
        masked.node("Where", &["y0", "", "one"], vec![]),
        "masks must be constant",
    );
    says(
        flat().node("Greater", &["", "w"], vec![]),
        "only single numbers",
    );
}

#[test]
fn movements() {
    says(
        image()
            .node("Transpose", &[""], vec![ints("perm", &[1, 0, 2, 3])])
            .node("Relu", &[""], vec![]),
        "the batch axis does not come first",
    );
    says(
        image().node("Transpose", &[""], vec![ints("perm", &[0, 1, 1, 2])]),
        "is no order",
    );
    says(
        image().ints("at", &[0]).node("Gather", &["", "at"], vec![]),
        "mixes samples",
    );
    says(
        image()
            .ints("at", &[7])
            .node("Gather", &["", "at"], vec![int("axis", 1)]),
        "an index lies outside",
    );
    says(image().node("ReduceMean", &[""], vec![]), "mixes samples");
    says(
        image().node("ReduceMean", &[""], vec![ints("axes", &[0])]),
        "mixes samples",
    );
    says(
        image().node("ReduceMean", &[""], vec![ints("axes", &[4])]),
        "there is no axis 4",
    );
    says(
        image()
            .ints("sizes", &[3, 1])
            .node("Split", &["", "sizes"], vec![int("axis", 1)]),
        "its parts do not divide",
    );
    let wide =
        image()
            .node("Conv", &["", "w"], vec![])
            .node("Concat", &["", "x"], vec![int("axis", 1)]);
    says(wide, "cannot be joined");
    says(
        image().node("Concat", &["", "w"], vec![int("axis", 1)]),
        "with a constant",
    );
    says(
        image().node("DepthToSpace", &[""], vec![int("blocksize", 3)]),
        "do not divide into its blocks",
    );
    let nothing = image()
        .ints("from", &[9])
        .ints("to", &[9])
        .ints("axis", &[2]);
    says(
        nothing.node("Slice", &["", "from", "to", "axis"], vec![]),
        "nothing is left",
    );
}

#[test]
fn quantised_values() {
    let integers = |data_type: i32| TensorProto {
        name: "zero".into(),
        data_type,
        int32_data: vec![0],
        ..Default::default()
    };
    let with = |data_type: i32| {
        let mut graph = flat()
            .floats("scale", &[], &[0.1])
            .floats("scales", &[2], &[0.1, 0.2]);
        graph.graph().initializer.push(integers(data_type));
        graph
    };
    says(
        with(5).node("QuantizeLinear", &["", "scale", "zero"], vec![]),
        "quantise to 8 bits",
    );
    says(
        with(3).node("QuantizeLinear", &["", "scales"], vec![]),
        "per tensor",
    );
    says(
        with(3).node("DequantizeLinear", &["", "scale"], vec![]),
        "is not quantised",
    );
    let bare = with(3)
        .node("QuantizeLinear", &["", "scale", "zero"], vec![])
        .node("MatMul", &["", "w"], vec![]);
    says(bare, "around each operator (QDQ)");
}

#[test]
fn linear_models() {
    let machine = |kernel: &str, classes: &[i64]| {
        let attributes = vec![
            text("kernel_type", kernel),
            ints("classlabels_ints", classes),
            floats("coefficients", &[1.0]),
            floats("support_vectors", &[1.0, 2.0]),
            floats("rho", &[0.0]),
        ];
        flat().node("ai.onnx.ml:SVMClassifier", &[""], attributes)
    };
    says(machine("RBF", &[0, 1]), "kernel RBF");
    says(
        machine("LINEAR", &[0, 1, 2]),
        "only machines of two classes",
    );
    let transformed = vec![
        floats("coefficients", &[1.0, 2.0]),
        text("post_transform", "LOGISTIC"),
    ];
    says(
        flat().node("ai.onnx.ml:LinearRegressor", &[""], transformed),
        "post_transform LOGISTIC",
    );
    let misfit = vec![floats("coefficients", &[1.0; 3])];
    says(
        flat().node("ai.onnx.ml:LinearRegressor", &[""], misfit),
        "do not fit 2 inputs",
    );
    let unlabelled = vec![floats("coefficients", &[1.0; 4])];
    says(
        flat().node("ai.onnx.ml:LinearClassifier", &[""], unlabelled),
        "no labels",
    );
    says(
        flat().node("ai.onnx.ml:LabelEncoder", &[""], vec![]),
        "only the labels of a classifier",
    );
}

#[test]
fn a_second_input_is_refused() {
    let mut graph = flat().node("Add", &["", "other"], vec![]);
    let mut other = graph.graph().input[0].clone();
    other.name = "other".into();
    graph.graph().input.push(other);
    let error = graph.import(&[0.0; 2]).unwrap_err().to_string();
    assert!(error.contains("a model has one input"), "{error}");
}

/// The work for one sample is limited before any is done.
#[test]
fn too_much_work_is_refused() {
    let side = 4096;
    let graph = Builder::new(&[1, side, side]).floats("w", &[1, 1, 31, 31], &[0.5; 961]);
    let graph = graph.node("Conv", &["", "w"], vec![]);
    let error = graph.import(&[0.0]).unwrap_err().to_string();
    assert!(
        error.contains("the number of multiplications for a sample"),
        "{error}"
    );
}

const NAMES: [&str; 10] = [
    "encoder",
    "encoder-rms",
    "nanogpt",
    "conv1d",
    "lenet-qdq",
    "lenet-tanh",
    "resnet",
    "mobilenet",
    "logistic",
    "regression",
];

/// Calibration samples enough for any of them.
fn calibration(name: &str) -> Vec<f32> {
    let (file, samples) = match name {
        "resnet" | "mobilenet" => ("networks/shapes-calibration.npy", 2 * 3 * 16 * 16),
        "lenet-qdq" => ("mnist-calibration.npy", 2 * 784),
        "nanogpt" => ("networks/nanogpt-calibration.npy", 64),
        _ => ("digits-calibration.npy", 4 * 64),
    };
    let mut values: Vec<f32> = array(file);
    values.truncate(samples);
    values
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Changed and cut files import or are refused; nothing panics, and what imports is valid.
    #[test]
    fn mutated_files_never_panic(
        name in prop::sample::select(NAMES.to_vec()),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut file = read(&format!("networks/{name}.onnx"));
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        if let Ok((model, _)) = import(&file, &calibration(name)) {
            prop_assert!(model.validate().is_ok());
        }
    }

    /// The structure changed instead of the bytes: operators, operands, attributes, shapes and constants.
    #[test]
    fn mutated_graphs_never_panic(
        name in prop::sample::select(NAMES.to_vec()),
        changes in proptest::collection::vec(
            (0..7_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), -3..40_i64),
            1..5,
        ),
    ) {
        const OPERATORS: [&str; 34] = [
            "Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean", "Transpose", "Slice", "Gather", "Concat",
            "Split", "Pad", "BatchNormalization", "Add", "Mul", "Sigmoid", "Clip", "Unsqueeze", "Squeeze", "Shape",
            "ConstantOfShape", "DequantizeLinear", "QuantizeLinear", "DepthToSpace", "MatMul",
            "LayerNormalization", "RMSNormalization", "LpNormalization", "Softmax", "Where", "Div", "Pow", "Expand", "Trilu",
            "Range",
        ];
        const LISTS: [&str; 8] = ["pads", "strides", "dilations", "kernel_shape", "axes", "perm", "split", "starts"];
        let mut proto = ModelProto::decode(read(&format!("networks/{name}.onnx")).as_slice()).unwrap();
        let graph = proto.graph.as_mut().unwrap();
        for (kind, a, b, number) in changes {
            let (from, to) = (a.index(graph.node.len()), b.index(graph.node.len()));
            match kind {
                0 => graph.node[to].op_type = OPERATORS[a.index(OPERATORS.len())].into(),
                1 => graph.node[to].input = graph.node[from].input.clone(),
                2 => graph.node[to].attribute.push(int(["axis", "group", "keepdims", "ceil_mode"][a.index(4)], number)),
                3 => {
                    let list = ints(LISTS[a.index(LISTS.len())], &[number, 1, number, 2][..1 + b.index(4)]);
                    graph.node[to].attribute.insert(0, list);
                }
                _ if graph.initializer.is_empty() => {}
                4 => {
                    let at = a.index(graph.initializer.len());
                    graph.initializer[at].dims.reverse();
                }
                5 => {
                    let at = a.index(graph.initializer.len());
                    graph.initializer[at].dims.push(number);
                }
                _ => {
                    let at = a.index(graph.initializer.len());
                    let raw = &mut graph.initializer[at].raw_data;
                    if !raw.is_empty() {
                        let at = b.index(raw.len());
                        raw[at] = number as u8;
                    }
                }
            }
        }
        if let Ok((model, _)) = import(&proto.encode_to_vec(), &calibration(name)) {
            prop_assert!(model.validate().is_ok());
        }
    }
}
