//! What the TreeEnsemble operators of ONNX make of leaf values: classes, starts, averages. The expected answers are
//! onnxruntime's.

mod common;

use ciro_zkml_import::{import, onnx::AttributeProto, Options, Report};
use ciro_zkml_model::{Head, Model, Values};
use common::{floats, ints, text, Builder};

fn strings(name: &str, strings: &[&str]) -> AttributeProto {
    let strings = strings
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    AttributeProto {
        name: name.into(),
        strings,
        ..Default::default()
    }
}

/// The attributes of trees `x <= 0`, all alike, whose leaves 1 and 2 have values `(node, output, value)`.
fn stumps(prefix: &str, trees: usize, weights: &[(i64, i64, f32)]) -> Vec<AttributeProto> {
    let ids: Vec<i64> = (0..trees as i64).collect();
    let each = |values: [i64; 3]| ids.iter().flat_map(|_| values).collect::<Vec<_>>();
    let every = || {
        ids.iter()
            .flat_map(|tree| weights.iter().map(move |weight| (*tree, *weight)))
    };
    vec![
        ints(
            "nodes_treeids",
            &ids.iter().flat_map(|tree| [*tree; 3]).collect::<Vec<_>>(),
        ),
        ints("nodes_nodeids", &each([0, 1, 2])),
        ints("nodes_featureids", &each([0; 3])),
        strings("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"].repeat(trees)),
        floats("nodes_values", &vec![0.0; 3 * trees]),
        ints("nodes_truenodeids", &each([1, 0, 0])),
        ints("nodes_falsenodeids", &each([2, 0, 0])),
        ints(
            &format!("{prefix}_treeids"),
            &every().map(|(tree, _)| tree).collect::<Vec<_>>(),
        ),
        ints(
            &format!("{prefix}_nodeids"),
            &every().map(|(_, weight)| weight.0).collect::<Vec<_>>(),
        ),
        ints(
            &format!("{prefix}_ids"),
            &every().map(|(_, weight)| weight.1).collect::<Vec<_>>(),
        ),
        floats(
            &format!("{prefix}_weights"),
            &every().map(|(_, weight)| weight.2).collect::<Vec<_>>(),
        ),
    ]
}

fn builder(op: &str, attributes: Vec<AttributeProto>, more: Vec<AttributeProto>) -> Builder {
    let attributes = attributes.into_iter().chain(more).collect();
    Builder::new(&[1]).node(&format!("ai.onnx.ml:{op}"), &[""], attributes)
}

fn imported(builder: &Builder) -> (Model, Report) {
    import(&builder.bytes(), &[], &Options::default()).unwrap()
}

/// What the model says of -1 and 1.
fn answers(model: &Model) -> Values {
    let input = model.quantise(&[-1.0, 1.0]).unwrap();
    model.dequantise(&model.run(&input).unwrap())
}

/// The labels for -1 and 1 of a classifier with the labels 10, 11 and so on.
fn labels(classes: i64, weights: &[(i64, i64, f32)], more: Vec<AttributeProto>) -> Vec<i64> {
    let names: Vec<i64> = (10..10 + classes).collect();
    let attributes = [stumps("class", 1, weights), more].concat();
    let (model, _) = imported(&builder(
        "TreeEnsembleClassifier",
        attributes,
        vec![ints("classlabels_int64s", &names)],
    ));
    match answers(&model) {
        Values::Class(labels) => labels,
        Values::Float(_) => panic!("a classifier says classes"),
    }
}

#[test]
fn one_score_for_two_classes() {
    let probability = [(1, 0, 0.3), (2, 0, 0.7)];
    let margin = [(1, 0, -0.3), (2, 0, 0.3)];
    let base = |values: &[f32]| vec![floats("base_values", values)];
    assert_eq!(labels(2, &probability, vec![]), [10, 11]);
    assert_eq!(labels(2, &margin, vec![]), [10, 11]);
    assert_eq!(labels(2, &probability, base(&[0.4])), [11, 11]);
    assert_eq!(labels(2, &probability, base(&[-0.4])), [10, 10]);
    assert_eq!(labels(2, &margin, base(&[0.4])), [11, 11]);
    assert_eq!(labels(2, &margin, base(&[-0.4])), [10, 10]);
    assert_eq!(labels(2, &margin, base(&[-0.1, 0.4])), [10, 11]);
    assert_eq!(labels(2, &[(1, 1, -0.3), (2, 1, 0.3)], vec![]), [10, 11]);
    assert_eq!(labels(2, &[(1, 1, 0.3), (2, 1, 0.7)], vec![]), [10, 11]);
    let logistic = |base| {
        vec![
            text("post_transform", "LOGISTIC"),
            floats("base_values", &[base]),
        ]
    };
    assert_eq!(labels(2, &margin, logistic(0.4)), [11, 11]);
    // The probabilities that onnxruntime says, not its label, which it takes from the sum.
    assert_eq!(labels(2, &probability, logistic(-0.4)), [10, 11]);
}

#[test]
fn one_score_for_each_class() {
    let three = [
        (1, 0, 0.2),
        (1, 1, 0.7),
        (1, 2, 0.1),
        (2, 0, 0.1),
        (2, 1, 0.4),
        (2, 2, 0.5),
    ];
    assert_eq!(labels(3, &three, vec![]), [11, 12]);
    assert_eq!(
        labels(3, &three, vec![floats("base_values", &[1.0, 0.0, 0.0])]),
        [10, 10]
    );
    assert_eq!(labels(3, &[(1, 1, 0.2), (2, 2, 0.3)], vec![]), [11, 12]);
    assert_eq!(
        labels(
            2,
            &[(1, 0, 0.8), (1, 1, 0.2), (2, 0, 0.3), (2, 1, 0.7)],
            vec![]
        ),
        [10, 11]
    );

    let holes = stumps("class", 1, &[(1, 1, -0.8), (2, 2, -0.3)]);
    let holes = builder(
        "TreeEnsembleClassifier",
        holes,
        vec![ints("classlabels_int64s", &[0, 1, 2])],
    );
    let error = import(&holes.bytes(), &[], &Options::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("not every leaf has a score for its class"),
        "{error}"
    );
}

#[test]
fn labels_that_are_strings_become_indices() {
    let attributes = stumps("class", 1, &[(1, 0, -1.0), (2, 0, 1.0)]);
    let named = builder(
        "TreeEnsembleClassifier",
        attributes,
        vec![strings("classlabels_strings", &["no", "yes"])],
    );
    let (model, report) = imported(&named);
    assert_eq!(model.output.head, Head::ArgMax { labels: vec![0, 1] });
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("their index in [no, yes]")),
        "{:?}",
        report.notes
    );
}

#[test]
fn sums_and_averages_of_several_targets() {
    let weights = [(1, 0, 1.0), (1, 1, 4.0), (2, 0, 2.0), (2, 1, -4.0)];
    let values = |more: Vec<AttributeProto>| {
        let base = vec![
            common::int("n_targets", 2),
            floats("base_values", &[0.5, 0.25]),
        ];
        let attributes = [stumps("target", 4, &weights), base].concat();
        answers(&imported(&builder("TreeEnsembleRegressor", attributes, more)).0)
    };
    assert_eq!(values(vec![]), Values::Float(vec![4.5, 16.25, 8.5, -15.75]));
    let average = vec![text("aggregate_function", "AVERAGE")];
    assert_eq!(values(average), Values::Float(vec![1.5, 4.25, 2.5, -3.75]));
}

#[test]
fn the_step_is_the_finest_that_fits() {
    let (model, report) = imported(&builder(
        "TreeEnsembleRegressor",
        stumps("target", 3, &[(1, 0, 100.0), (2, 0, -1.0)]),
        vec![],
    ));
    // 300 needs 9 bits before the point and fills 29.
    assert_eq!(model.output.scale, 2.0_f32.powi(-20));
    assert_eq!(report.output_range, 300.0);
    assert_eq!(report.max_error, 4.0 * 2.0_f32.powi(-21));
    assert!(model.validate().unwrap().output() < 1 << 29);
}
