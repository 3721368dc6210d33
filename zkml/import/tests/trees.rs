//! The committed trees of XGBoost, LightGBM and scikit-learn: the same leaves and classes, values within the bound.

mod common;

use std::collections::HashMap;

use ciro_zkml_import::{import, Options, Report};
use ciro_zkml_model::{Head, Model, Op, Trees, Values};
use common::{array, read};
use proptest::prelude::*;

/// Every committed file, with the data that it is tested on and the number of its outputs.
const FILES: [(&str, &str, usize); 23] = [
    ("xgboost-cancer.json", "cancer", 2),
    ("xgboost-cancer.ubj", "cancer", 2),
    ("xgboost-digits.ubj", "digits", 10),
    ("xgboost-diabetes.json", "diabetes", 1),
    ("xgboost-missing.ubj", "missing", 2),
    ("xgboost-dart.json", "wine", 3),
    ("xgboost-poisson.ubj", "diabetes", 1),
    ("lightgbm-cancer.txt", "cancer", 2),
    ("lightgbm-wine.txt", "wine", 3),
    ("lightgbm-diabetes.txt", "diabetes", 1),
    ("lightgbm-missing.txt", "missing", 2),
    ("lightgbm-zero.txt", "zero", 2),
    ("lightgbm-forest.txt", "wine", 3),
    ("forest-iris.onnx", "iris", 3),
    ("forest-cancer.onnx", "cancer", 2),
    ("extra-wine.onnx", "wine", 3),
    ("tree-iris.onnx", "iris", 3),
    ("boosting-wine.onnx", "wine", 3),
    ("boosting-cancer.onnx", "cancer", 2),
    ("boosting-diabetes.onnx", "diabetes", 1),
    ("extra-targets.onnx", "targets", 2),
    ("pipeline-wine.onnx", "wine", 3),
    ("histogram-missing.onnx", "missing", 2),
];

fn load(file: &str) -> (Model, Report) {
    let options = Options {
        name: file.into(),
        preset: 0,
    };
    let (model, report) = import(&read(&format!("trees/{file}")), &[], &options).unwrap();
    assert_eq!(model.validate().unwrap(), report.bounds, "{file}");
    assert_eq!((report.samples, report.agreement), (0, 1.0), "{file}");
    (model, report)
}

fn trees(model: &Model) -> &Trees {
    match model.nodes.as_slice() {
        [node] => match &node.op {
            Op::Trees(trees) => trees,
            _ => panic!("the node is no tree"),
        },
        _ => panic!("there is one node"),
    }
}

/// The values are the library's, up to the proven error and the roundings of a sum of `f32`.
fn check_values(file: &str, expected: &[f64], model: &Model, report: &Report, out: &[i32]) {
    assert_eq!(out.len(), expected.len(), "{file}");
    let single = f64::from(report.output_range) * 2_f64.powi(-24);
    let bound = f64::from(report.max_error) + single * (trees(model).trees.len() + 2) as f64;
    let scale = f64::from(model.output.scale);
    let errors = out
        .iter()
        .zip(expected)
        .map(|(&acc, value)| (f64::from(acc) * scale - value).abs());
    let worst = errors.fold(0.0, f64::max);
    println!(
        "{file}: worst error {worst:.2e}, allowed {bound:.2e}, range {}",
        report.output_range
    );
    assert!(
        worst <= bound,
        "{file}: a value differs by {worst}, allowed {bound}"
    );
}

/// The tree nodes and the library's leaves are one to one, on every row and in every tree.
fn check_leaves(file: &str, leaves: &[u16], model: &Model, input: &[i8]) {
    let trees = &trees(model).trees;
    let rows = leaves.len() / trees.len();
    let samples = input.chunks_exact(model.inputs());
    assert_eq!(
        (rows * trees.len(), rows),
        (leaves.len(), samples.len()),
        "{file}"
    );
    let mut pairs = vec![(HashMap::new(), HashMap::new()); trees.len()];
    for (sample, leaves) in samples.zip(leaves.chunks_exact(trees.len())) {
        let sample: Vec<i32> = sample.iter().map(|&rank| rank.into()).collect();
        for ((tree, &leaf), (to_node, to_leaf)) in trees.iter().zip(leaves).zip(&mut pairs) {
            let node = tree.path(&sample).last().unwrap();
            assert_eq!(
                *to_node.entry(leaf).or_insert(node),
                node,
                "{file}: leaf {leaf}"
            );
            assert_eq!(
                *to_leaf.entry(node).or_insert(leaf),
                leaf,
                "{file}: node {node}"
            );
        }
    }
}

#[test]
fn every_file_decides_as_its_library() {
    for (file, data, outputs) in FILES {
        let (model, report) = load(file);
        let name = file.rsplit_once('.').unwrap().0;
        let x: Vec<f32> = array(&format!("trees/{data}-test-x.npy"));
        let input = model.quantise(&x).unwrap();
        let out = model.run(&input).unwrap();
        println!(
            "{file}: {} trees, {} inputs, {} nodes",
            trees(&model).trees.len(),
            model.inputs(),
            model.parameters()
        );
        assert_eq!(model.outputs(), outputs, "{file}");
        check_values(
            file,
            &array(&format!("trees/expected/{name}-values.npy")),
            &model,
            &report,
            &out,
        );
        if name.starts_with("xgboost") || name.starts_with("lightgbm") {
            check_leaves(
                file,
                &array(&format!("trees/expected/{name}-leaves.npy")),
                &model,
                &input,
            );
        }
        match &model.output.head {
            Head::ArgMax { .. } => {
                let classes = array(&format!("trees/expected/{name}-class.npy"));
                assert_eq!(model.dequantise(&out), Values::Class(classes), "{file}");
            }
            head => assert_eq!((head, outputs < 3), (&Head::Values, true), "{file}"),
        }
    }
}

/// Thresholds and their neighbours, zeros of both signs, tiny and infinite values, and missing ones in any model.
#[test]
fn decisions_at_the_edges_are_the_library_s() {
    let x: Vec<f32> = array("trees/edges-test-x.npy");
    let finite = |x: &f32| if x.is_infinite() { f32::NAN } else { *x };
    let files = FILES.iter().filter(|(file, data, _)| {
        ["cancer", "missing", "zero"].contains(data) && *file != "xgboost-cancer.ubj"
    });
    for (file, ..) in files {
        let (model, _) = load(file);
        let (name, extension) = file.rsplit_once('.').unwrap();
        let input = match name.starts_with("xgboost") {
            true => model
                .quantise(&x.iter().map(finite).collect::<Vec<_>>())
                .unwrap(),
            false => model.quantise(&x).unwrap(),
        };
        let expected = format!("trees/expected/{name}-edges.npy");
        match extension {
            "onnx" => {
                let said = model.dequantise(&model.run(&input).unwrap());
                assert_eq!(said, Values::Class(array(&expected)), "{file}");
            }
            _ => check_leaves(file, &array(&expected), &model, &input),
        }
    }
}

#[test]
fn both_xgboost_formats_are_one_model() {
    let (mut json, mut ubj) = (load("xgboost-cancer.json").0, load("xgboost-cancer.ubj").0);
    json.name.clear();
    ubj.name.clear();
    assert_eq!(json, ubj);
}

#[test]
fn an_imported_forest_survives_its_file() {
    let model = load("forest-iris.onnx").0;
    assert_eq!(Model::decode_file(&model.encode_file()), Ok(model));
}

#[test]
fn notes_say_what_is_left_out() {
    let notes = |file| load(file).1.notes.join("\n");
    let cancer = notes("xgboost-cancer.json");
    assert!(
        cancer.contains("the logistic function at the end is left out"),
        "{cancer}"
    );
    assert!(
        cancer.contains("decisions are exact; leaf values are rounded to multiples of 2^-"),
        "{cancer}"
    );
    assert!(notes("xgboost-poisson.ubj").contains("exponential function"));
    let pipeline = notes("pipeline-wine.onnx");
    assert!(
        pipeline.contains("moved into their thresholds"),
        "{pipeline}"
    );
    assert!(
        pipeline.contains("output 'probabilities' is left out"),
        "{pipeline}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Changed, cut and spliced files import or are refused; nothing panics, and what imports is valid and runs.
    #[test]
    fn mutated_files_never_panic(
        file in prop::sample::select(vec![
            "xgboost-dart.json", "xgboost-poisson.ubj", "lightgbm-wine.txt", "lightgbm-zero.txt", "tree-iris.onnx",
            "boosting-diabetes.onnx", "histogram-missing.onnx", "extra-targets.onnx",
        ]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        copy in prop::option::weighted(0.2, any::<[prop::sample::Index; 2]>()),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = read(&format!("trees/{file}"));
        // Mostly characters that mean something in texts.
        const MEANING: &[u8] = b"0123456789-+.eE,:[]{}\"= \nNIafnTZ$#";
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = if byte < 200 { MEANING[usize::from(byte) % MEANING.len()] } else { byte };
        }
        if let Some([from, to]) = copy {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let length = 64.min(bytes.len() - from.max(to));
            bytes.copy_within(from..from + length, to);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok((model, report)) = import(&bytes, &[], &Options::default()) {
            prop_assert_eq!(model.validate(), Ok(report.bounds));
            if model.columns() < 1 << 16 {
                let input = model.quantise(&vec![0.5; model.columns()]).unwrap();
                prop_assert!(model.run(&input).is_ok());
            }
        }
    }

    /// Contents that only begin like a file of trees.
    #[test]
    fn random_bytes_never_panic(
        start in prop::sample::select(vec![
            "{\"", "{\"learner\":{", "{L\0\0\0\0\0\0\0\x07learner{", "{#U\x02", "tree\nversion=v4\n", "",
        ]),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [start.as_bytes(), &bytes].concat();
        let _ = import(&bytes, &[0.0], &Options::default());
    }
}
