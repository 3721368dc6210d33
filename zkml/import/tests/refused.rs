//! What is refused, with which words, and that nothing panics.

mod common;

use ciro_zkml_import::{onnx::ModelProto, ImportError, Options};
use ciro_zkml_model::{ModelError, Quantity};
use common::{array, float, import, int, read, Builder};
use proptest::prelude::*;
use prost::Message;

const X: [f32; 4] = [0.5, -1.0, 1.0, 0.25];

/// A graph on two inputs with a 2 x 2 matrix.
fn graph() -> Builder {
    Builder::new(&[2]).floats("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0])
}

fn refusal(builder: &Builder) -> String {
    builder.import(&X).unwrap_err().to_string()
}

#[test]
fn an_unknown_operator_is_named_with_its_node() {
    let resize = graph()
        .node("MatMul", &["", "w"], vec![])
        .node("Resize", &[""], vec![]);
    let error = resize.import(&X).unwrap_err();
    assert_eq!(
        error,
        ImportError::Unsupported {
            op: "Resize".into(),
            node: "Resize_node".into()
        }
    );
    assert!(error.to_string().starts_with(
        "operator Resize (node 'Resize_node') is not supported; supported: Gemm, MatMul"
    ));
    let binary = graph().node("ai.onnx.ml:Binarizer", &[""], vec![]);
    assert!(refusal(&binary).contains("ai.onnx.ml.Binarizer"));
    // A standard name in a foreign domain is another operator.
    assert!(refusal(&graph().node("com.example:Relu", &[""], vec![])).contains("com.example.Relu"));
}

#[test]
fn a_supported_operator_in_an_unsupported_role_is_explained() {
    let matmul = || graph().node("MatMul", &["", "w"], vec![]);
    let says = |builder: Builder, words: &str| {
        let text = refusal(&builder);
        assert!(text.contains(words), "{text}");
    };
    says(
        graph().node("Gemm", &["", "w"], vec![int("transA", 1)]),
        "transA is not supported",
    );
    says(graph().node("MatMul", &["w", ""], vec![]), "not a constant");
    says(
        matmul().node("Div", &["", "x"], vec![]),
        "it divides by a computed value",
    );
    says(
        matmul().node("Div", &["w", ""], vec![]),
        "does not fit samples of shape [2]",
    );
    says(
        graph()
            .floats("s", &[2], &[1.0, 2.0])
            .node("Div", &["s", ""], vec![]),
        "only division by a constant",
    );
    says(
        graph()
            .floats("s", &[3], &[1.0; 3])
            .node("Add", &["", "s"], vec![]),
        "does not fit samples of shape [2]",
    );
    says(
        graph()
            .floats("v", &[3, 1], &[1.0; 3])
            .node("MatMul", &["", "v"], vec![]),
        "flatten them before the layer",
    );
    says(
        graph().node("Flatten", &[""], vec![int("axis", 0)]),
        "mixes samples",
    );
    says(
        graph()
            .ints("t", &[2, -1])
            .node("Reshape", &["", "t"], vec![]),
        "does not keep the batch axis",
    );
    says(
        graph().ints("t", &[-1]).node("Reshape", &["", "t"], vec![]),
        "does not keep the batch axis",
    );
    says(
        graph()
            .ints("t", &[-1, -1])
            .node("Reshape", &["", "t"], vec![]),
        "does not keep the batch axis",
    );
    says(
        graph()
            .ints("t", &[0, 3])
            .node("Reshape", &["", "t"], vec![]),
        "does not keep the batch axis",
    );
    says(
        matmul().node("Softmax", &[""], vec![int("axis", 0)]),
        "axis 0 is not supported",
    );
    says(
        matmul().node("ArgMax", &[""], vec![]),
        "axis 0 is not supported",
    );
    says(
        matmul().node("Cast", &[""], vec![int("to", 7)]),
        "a cast to element type 7",
    );
    says(
        matmul()
            .node("LogSoftmax", &[""], vec![])
            .node("MatMul", &["", "w"], vec![]),
        "not supported after LogSoftmax",
    );
    says(
        matmul().node("Concat", &["", "w"], vec![int("axis", 1)]),
        "operator Concat",
    );
    says(
        graph()
            .ints("on", &[1])
            .node("Dropout", &["", "", "on"], vec![]),
        "training mode",
    );
    says(graph(), "computes nothing");
}

#[test]
fn graphs_that_are_not_whole_are_refused() {
    let mut none = graph();
    none.0.graph = None;
    assert!(refusal(&none).contains("it holds no graph"));
    let mut old = graph();
    old.0.opset_import[0].version = 6;
    assert!(refusal(&old).contains("operator set 6 is too old"));
    let mut headless = graph();
    headless.graph().output.clear();
    assert!(refusal(&headless).contains("no outputs"));
    let mut dangling = graph();
    dangling.graph().output[0].name = "elsewhere".into();
    assert!(refusal(&dangling).contains("depends on 'elsewhere'"));
    let mut cycle = graph()
        .node("Relu", &[""], vec![])
        .node("Relu", &[""], vec![]);
    cycle.graph().node[0].input[0] = "y1".into();
    assert!(refusal(&cycle).contains("cycle"));
    let mut shapeless = graph();
    shapeless.graph().input[0].r#type = None;
    assert!(refusal(&shapeless).contains("no usable shape"));
    assert!(refusal(&Builder::new(&[])).contains("no usable shape"));
    assert!(refusal(&Builder::new(&[2, 0])).contains("no usable shape"));
    assert!(matches!(
        Builder::new(&[1 << 40, 1 << 40]).import(&X),
        Err(ImportError::TooLarge { .. })
    ));
    let mut external = graph().node("MatMul", &["", "w"], vec![]);
    external.graph().initializer[0].data_location = 1;
    assert!(refusal(&external).contains("another file"));
    let infinite = graph()
        .floats("zero", &[1], &[0.0])
        .node("Div", &["", "zero"], vec![])
        .node("MatMul", &["", "w"], vec![]);
    assert!(refusal(&infinite).contains("infinite or not a number"));
    assert!(matches!(
        import(b"\xff\xff\xff", &X),
        Err(ImportError::Malformed(_))
    ));
}

#[test]
fn calibration_must_fit_the_input() {
    let graph = graph().node("MatMul", &["", "w"], vec![]);
    let says = |calibration: &[f32], words: &str| {
        let text = graph.import(calibration).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    };
    says(
        &[],
        "this model needs calibration samples: give --calibrate",
    );
    says(
        &[1.0; 3],
        "it has 3 values, but one sample of shape [2] has 2",
    );
    says(&[1.0, f32::NAN], "value 1 is infinite or not a number");
    says(&[1e-44, 0.0], "cannot be quantised");
    says(&[f32::MAX, 0.0], "overflows floating point");
}

#[test]
fn a_layer_too_wide_for_the_field_is_refused() {
    let width = 70_000;
    let wide = Builder::new(&[width]).floats("w", &[width, 1], &vec![1.0; width as usize]);
    let error = wide
        .node("MatMul", &["", "w"], vec![])
        .import(&vec![1.0; width as usize])
        .unwrap_err();
    let ImportError::Model(ModelError::Overflow { node, quantity, .. }) = error else {
        panic!("{error}")
    };
    assert_eq!((node, quantity), (0, Quantity::Accumulator));
}

#[test]
fn a_bias_out_of_proportion_is_refused() {
    let lopsided = graph().floats("b", &[2], &[1e12, 0.0]).node(
        "Gemm",
        &["", "w", "b"],
        vec![float("beta", 1.0)],
    );
    assert!(refusal(&lopsided).contains("a bias is too large"));
}

/// A small file cannot ask for a large network by using one constant many times.
#[test]
fn repeated_constants_count_each_time() {
    let side = 1024;
    let mut graph =
        Builder::new(&[side]).floats("w", &[side, side], &vec![0.0; (side * side) as usize]);
    for _ in 0..260 {
        graph = graph.node("MatMul", &["", "w"], vec![]);
    }
    let error = graph.import(&vec![1.0; side as usize]).unwrap_err();
    assert!(matches!(
        error,
        ImportError::TooLarge {
            what: "the number of parameters",
            ..
        }
    ));
}

#[test]
fn options_are_checked() {
    let bytes = graph().node("MatMul", &["", "w"], vec![]).bytes();
    let options = Options {
        name: "x".repeat(65),
        preset: 1,
    };
    let error = ciro_zkml_import::import(&bytes, &X, &options).unwrap_err();
    assert!(matches!(
        error,
        ImportError::Model(ModelError::TooLarge { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Changed, cut and spliced files import or are refused; nothing panics, and what imports is valid.
    #[test]
    fn mutated_files_never_panic(
        name in prop::sample::select(vec!["digits", "digits-torch", "digits-pipeline", "digits-binary"]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut file = read(&format!("{name}.onnx"));
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        let calibration: Vec<f32> = array("digits-calibration.npy");
        if let Ok((model, _)) = import(&file, &calibration[..64 * 4]) {
            prop_assert!(model.validate().is_ok());
        }
    }

    /// The structure changed instead of the bytes: operators, operands, attributes, shapes and sizes.
    #[test]
    fn mutated_graphs_never_panic(
        name in prop::sample::select(vec!["digits", "digits-torch", "digits-pipeline", "digits-binary"]),
        changes in proptest::collection::vec((0..6_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), -2..66_i64), 1..5),
    ) {
        let mut proto = ModelProto::decode(read(&format!("{name}.onnx")).as_slice()).unwrap();
        let graph = proto.graph.as_mut().unwrap();
        for (kind, a, b, number) in changes {
            let (from, to) = (a.index(graph.node.len()), b.index(graph.node.len()));
            let tensor = a.index(graph.initializer.len());
            match kind {
                0 => graph.node[to].op_type = graph.node[from].op_type.clone(),
                1 => graph.node[to].input = graph.node[from].input.clone(),
                2 => graph.node[to].attribute.push(int(["axis", "to", "transB", "allowzero"][from % 4], number)),
                3 => graph.initializer[tensor].dims = vec![number],
                4 => graph.initializer[tensor].dims.push(number),
                _ => {
                    let values = &mut graph.initializer[tensor].float_data;
                    if !values.is_empty() {
                        let at = b.index(values.len());
                        values[at] = f32::from_bits((number as u32) << 25);
                    }
                }
            }
        }
        let calibration: Vec<f32> = array("digits-calibration.npy");
        if let Ok((model, _)) = import(&proto.encode_to_vec(), &calibration[..64 * 4]) {
            prop_assert!(model.validate().is_ok());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = import(&bytes, &X);
    }
}
