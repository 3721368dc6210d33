//! Decisions of random trees: every format's own rule, computed here, gives the leaf that the imported model reaches.

mod common;
mod forests;

use ciro_zkml_model::{Model, Values};
use common::floats;
use forests::{
    imported, lightgbm, lightgbm_kind, lightgbm_tree, onnx, rooted, shaped, xgboost, Decision,
    COLUMNS, LIGHTGBM_HEADER,
};
use proptest::prelude::*;

/// Values around which comparisons could go wrong.
const SPECIAL: [f32; 16] = [
    0.0,
    -0.0,
    1e-45,
    -1e-45,
    f32::MIN_POSITIVE,
    1e-35,
    -1e-35,
    1.1e-35,
    -1.1e-35,
    1.0,
    -1.0,
    0.1,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
];

fn near_special() -> impl Strategy<Value = f32> {
    let special = prop::sample::select(SPECIAL.to_vec());
    let near = (special, -1..2).prop_map(|(value, step)| match step {
        -1 => value.next_down(),
        0 => value,
        _ => value.next_up(),
    });
    prop_oneof![4 => near, 1 => any::<f32>()]
}

/// Thresholds that `f32` has, and their neighbours in `f64`.
fn threshold() -> impl Strategy<Value = f64> {
    let near = (near_special(), -1..2).prop_map(|(value, step)| match step {
        -1 => f64::from(value).next_down(),
        0 => value.into(),
        _ => f64::from(value).next_up(),
    });
    let near = near.prop_filter("thresholds are numbers", |value| !value.is_nan());
    prop_oneof![8 => near, 1 => prop::sample::select(vec![1e300, -1e300, 0.1, 1e39])]
}

fn row() -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![5 => near_special(), 1 => Just(f32::NAN)];
    proptest::collection::vec(value, COLUMNS)
}

/// Trees grown by splitting one leaf after another.
fn tree() -> impl Strategy<Value = Vec<Decision>> {
    let decision = (
        0..COLUMNS,
        threshold(),
        any::<u8>(),
        any::<prop::sample::Index>(),
    );
    proptest::collection::vec(decision, 0..12).prop_map(|splits| {
        let mut tree: Vec<Decision> = vec![];
        for (column, threshold, kind, leaf) in splits {
            let new = tree.len() as i64;
            let leaf = !(leaf.index(tree.len() + 1) as i64);
            for child in tree.iter_mut().flat_map(|decision| &mut decision.children) {
                if *child == leaf {
                    *child = new;
                }
            }
            tree.push(Decision {
                column,
                threshold,
                kind,
                children: [leaf, !(new + 1)],
            });
        }
        tree
    })
}

/// The number of the leaf that a row reaches.
fn walk(tree: &[Decision], row: &[f32], first: impl Fn(&Decision, f32) -> bool) -> f32 {
    let mut at = if tree.is_empty() { -1 } else { 0 };
    while let Some(decision) = usize::try_from(at).ok().map(|at| &tree[at]) {
        at = decision.children[usize::from(!first(decision, row[decision.column]))];
    }
    !at as f32
}

/// The value that the imported model gives for a row; leaves have their numbers as values.
fn value(model: &Model, row: &[f32]) -> f32 {
    match model.dequantise(&model.run(&model.quantise(row).unwrap()).unwrap()) {
        Values::Float(values) => values[0],
        Values::Class(_) => panic!("a regression says values"),
    }
}

fn lightgbm_goes_left(decision: &Decision, value: f32) -> bool {
    let kind = lightgbm_kind(decision);
    let (default_left, missing) = (kind & 2 != 0, kind >> 2);
    let mut value = f64::from(value);
    if value.is_nan() && missing != 2 {
        value = 0.0;
    }
    let zero = f64::from(1e-35_f32);
    match (missing == 1 && value.abs() <= zero) || (missing == 2 && value.is_nan()) {
        true => default_left,
        false => value <= decision.threshold,
    }
}

fn onnx_holds(decision: &Decision, value: f32) -> bool {
    let threshold = decision.threshold as f32;
    let holds = match decision.kind & 3 {
        0 => value <= threshold,
        1 => value < threshold,
        2 => value >= threshold,
        _ => value > threshold,
    };
    holds || (value.is_nan() && decision.kind >> 2 & 1 == 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn lightgbm_decisions_are_exact(tree in tree(), rows in proptest::collection::vec(row(), 8)) {
        let model = imported(lightgbm(&tree).as_bytes()).unwrap();
        for row in rows {
            prop_assert_eq!(value(&model, &row), walk(&tree, &row, lightgbm_goes_left), "{:?}", row);
        }
    }

    #[test]
    fn xgboost_decisions_are_exact(tree in tree(), rows in proptest::collection::vec(row(), 8)) {
        let model = imported(xgboost(&tree).as_bytes()).unwrap();
        for row in rows {
            let leaf = walk(&tree, &row, |decision, value| match value.is_nan() {
                true => decision.kind & 1 == 1,
                false => value < decision.threshold as f32,
            });
            prop_assert_eq!(value(&model, &row), leaf, "{:?}", row);
        }
    }

    #[test]
    fn onnx_decisions_are_exact(tree in tree(), rows in proptest::collection::vec(row(), 8)) {
        let model = imported(&onnx(&tree, shaped()).bytes()).unwrap();
        let newest = imported(&rooted(&tree).bytes()).unwrap();
        for row in rows {
            let leaf = walk(&tree, &row, onnx_holds);
            prop_assert_eq!(value(&model, &row), leaf, "{:?}", row);
            prop_assert_eq!(value(&newest, &row), leaf, "{:?}", row);
        }
    }

    /// A scaler, with negative scales too, and further arithmetic.
    #[test]
    fn arithmetic_before_the_trees_is_exact(
        tree in tree(),
        rows in proptest::collection::vec(row(), 8),
        offset in proptest::collection::vec(-2.0_f32..2.0, COLUMNS),
        scale in proptest::collection::vec(prop_oneof![-3.0_f32..-0.01, 0.01_f32..3.0, Just(1e-30)], COLUMNS),
        divisor in prop_oneof![-2.0_f32..-0.1, 0.1_f32..2.0],
    ) {
        let before = shaped()
            .floats("divisor", &[1], &[divisor])
            .node("ai.onnx.ml:Scaler", &[""], vec![floats("offset", &offset), floats("scale", &scale)])
            .node("Div", &["", "divisor"], vec![]);
        let model = imported(&onnx(&tree, before).bytes()).unwrap();
        for row in rows {
            let scaled: Vec<f32> =
                (0..COLUMNS).map(|column| (row[column] - offset[column]) * scale[column] / divisor).collect();
            prop_assert_eq!(value(&model, &row), walk(&tree, &scaled, onnx_holds), "{:?}", row);
        }
    }

    /// More thresholds on a column than one ranked input has.
    #[test]
    fn many_thresholds_of_one_column(
        mut thresholds in proptest::collection::vec(-1000.0_f64..1000.0, 256..700),
        probes in proptest::collection::vec(-1100.0_f32..1100.0, 20),
    ) {
        thresholds.push(0.25);
        let stump = |(index, &threshold): (usize, &f64)| {
            lightgbm_tree(index, &[Decision { column: 1, threshold, kind: 8, children: [-1, -2] }], &[0.0, 1.0])
        };
        let trees: String = thresholds.iter().enumerate().map(stump).collect();
        let model = imported(format!("{LIGHTGBM_HEADER}{trees}end of trees\n").as_bytes()).unwrap();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        prop_assert_eq!(model.inputs(), thresholds.len().div_ceil(255));
        for probe in probes.into_iter().chain([0.25, f32::INFINITY, f32::NEG_INFINITY]) {
            let above = thresholds.iter().filter(|threshold| f64::from(probe) > **threshold).count();
            prop_assert_eq!(value(&model, &[0.0, probe, 0.0]), above as f32);
        }
    }
}

#[test]
fn xgboost_sums_start_from_the_base_score() {
    let start = |objective: &str, score: &str| {
        let file = xgboost(&[])
            .replace("reg:squarederror", objective)
            .replace("[0E0]", score);
        let model = imported(file.as_bytes()).unwrap();
        let out = model
            .run(&model.quantise(&[0.0; COLUMNS]).unwrap())
            .unwrap();
        f64::from(*out.last().unwrap()) * f64::from(model.output.scale)
    };
    for (objective, score, expected) in [
        ("reg:absoluteerror", "[2.5E0]", 2.5),
        ("binary:logistic", "2.5E-1", (1.0_f64 / 3.0).ln()),
        ("binary:logitraw", "[3E-1]", 0.3),
        ("count:poisson", "[2E0]", 2.0_f64.ln()),
    ] {
        let found = start(objective, score);
        assert!(
            (found - expected).abs() < 1e-6,
            "{objective}: {found} for {expected}"
        );
    }
}
