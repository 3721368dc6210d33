//! Trees made by hand in the formats of their libraries.
#![allow(dead_code)] // each test file uses a part

use ciro_zkml_import::{
    import,
    onnx::{data_type, AttributeProto, TensorProto},
    ImportError, Options,
};
use ciro_zkml_model::Model;

use crate::common::{floats, int, ints, Builder};

pub const COLUMNS: usize = 3;

/// A branch of a tree; `kind` means what the format makes of it.
#[derive(Clone, Debug)]
pub struct Decision {
    pub column: usize,
    pub threshold: f64,
    pub kind: u8,
    /// Where it leads, left or yes first: a branch, or a leaf's number with its bits negated.
    pub children: [i64; 2],
}

pub fn imported(bytes: &[u8]) -> Result<Model, ImportError> {
    import(bytes, &[], &Options::default()).map(|(model, _)| model)
}

pub fn list<T: ToString>(separator: &str, values: impl Iterator<Item = T>) -> String {
    values
        .map(|value| value.to_string())
        .collect::<Vec<_>>()
        .join(separator)
}

pub const LIGHTGBM_HEADER: &str = "tree\nversion=v4\nnum_class=1\n\
     num_tree_per_iteration=1\nmax_feature_idx=2\nobjective=regression\n";

pub fn lightgbm_tree(index: usize, tree: &[Decision], leaves: &[f64]) -> String {
    let words = |f: fn(&Decision) -> String| list(" ", tree.iter().map(f));
    format!(
        "\nTree={index}\nnum_leaves={}\nnum_cat=0\nsplit_feature={}\nthreshold={}\ndecision_type={}\nleft_child={}\n\
         right_child={}\nleaf_value={}\nis_linear=0\nshrinkage=1\n\n",
        leaves.len(),
        words(|decision| decision.column.to_string()),
        words(|decision| format!("{:e}", decision.threshold)),
        words(|decision| lightgbm_kind(decision).to_string()),
        words(|decision| decision.children[0].to_string()),
        words(|decision| decision.children[1].to_string()),
        list(" ", leaves.iter()),
    )
}

pub fn lightgbm(tree: &[Decision]) -> String {
    let leaves: Vec<f64> = (0..=tree.len()).map(|leaf| leaf as f64).collect();
    format!(
        "{LIGHTGBM_HEADER}{}end of trees\n",
        lightgbm_tree(0, tree, &leaves)
    )
}

/// No categories; missing values are none, zeros or NaN.
pub fn lightgbm_kind(decision: &Decision) -> u8 {
    decision.kind & 2 | (((decision.kind >> 2) % 3) << 2)
}

/// XGBoost's arrays: branches keep their numbers, leaves follow them.
pub fn xgboost(tree: &[Decision]) -> String {
    let leaves = tree.len() + 1;
    let child = |child: i64| {
        if child < 0 {
            !child + tree.len() as i64
        } else {
            child
        }
    };
    let with_leaves = |branches: Vec<String>, leaf: fn(usize) -> String| {
        list(",", branches.into_iter().chain((0..leaves).map(leaf)))
    };
    let each = |f: &dyn Fn(&Decision) -> String| tree.iter().map(f).collect::<Vec<_>>();
    format!(
        r#"{{"learner":{{"attributes":{{}},"objective":{{"name":"reg:squarederror"}},
           "learner_model_param":{{"base_score":"[0E0]","num_class":"0","num_feature":"3","num_target":"1"}},
           "gradient_booster":{{"name":"gbtree","model":{{"tree_info":[0],"trees":[{{
           "left_children":[{}],"right_children":[{}],"split_indices":[{}],"split_conditions":[{}],"default_left":[{}],
           "split_type":[0],"tree_param":{{"size_leaf_vector":"1"}}}}]}}}}}},"version":[3,0,0]}}"#,
        with_leaves(
            each(&|decision| child(decision.children[0]).to_string()),
            |_| "-1".into()
        ),
        with_leaves(
            each(&|decision| child(decision.children[1]).to_string()),
            |_| "-1".into()
        ),
        with_leaves(each(&|decision| decision.column.to_string()), |_| "0"
            .into()),
        with_leaves(
            each(&|decision| json_number(decision.threshold as f32)),
            |leaf| leaf.to_string()
        ),
        with_leaves(each(&|decision| (decision.kind & 1).to_string()), |_| "0"
            .into()),
    )
}

pub fn json_number(value: f32) -> String {
    match value.is_finite() {
        true => format!("{value:e}"),
        false => format!("{value}").replace("inf", "Infinity"),
    }
}

pub fn strings(name: &str, strings: Vec<&str>) -> AttributeProto {
    let strings = strings.into_iter().map(Into::into).collect();
    AttributeProto {
        name: name.into(),
        strings,
        ..Default::default()
    }
}

pub const MODES: [&str; 4] = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"];

/// A regression whose root stands first and whose other nodes are in reverse.
pub fn onnx(tree: &[Decision], before: Builder) -> Builder {
    let (branches, nodes) = (tree.len() as i64, 2 * tree.len() as i64 + 1);
    let order: Vec<i64> = [0].into_iter().chain((1..nodes).rev()).collect();
    let of = |leaf: i64, f: &dyn Fn(&Decision) -> i64| -> Vec<i64> {
        order
            .iter()
            .map(|&node| tree.get(node as usize).map_or(leaf, f))
            .collect()
    };
    let child = |child: i64| if child < 0 { !child + branches } else { child };
    let modes = order.iter().map(|&node| tree.get(node as usize));
    let values: Vec<f32> = order
        .iter()
        .map(|&node| {
            tree.get(node as usize)
                .map_or(0.0, |decision| decision.threshold as f32)
        })
        .collect();
    let leaves: Vec<i64> = (0..=branches).collect();
    let attributes = vec![
        int("n_targets", 1),
        ints("nodes_treeids", &of(7, &|_| 7)),
        ints("nodes_nodeids", &order),
        ints(
            "nodes_featureids",
            &of(0, &|decision| decision.column as i64),
        ),
        strings(
            "nodes_modes",
            modes
                .map(|decision| decision.map_or("LEAF", |d| MODES[usize::from(d.kind & 3)]))
                .collect(),
        ),
        floats("nodes_values", &values),
        ints(
            "nodes_truenodeids",
            &of(0, &|decision| child(decision.children[0])),
        ),
        ints(
            "nodes_falsenodeids",
            &of(0, &|decision| child(decision.children[1])),
        ),
        ints(
            "nodes_missing_value_tracks_true",
            &of(0, &|decision| i64::from(decision.kind >> 2 & 1)),
        ),
        ints("target_treeids", &vec![7; leaves.len()]),
        ints(
            "target_nodeids",
            &leaves
                .iter()
                .map(|leaf| leaf + branches)
                .collect::<Vec<_>>(),
        ),
        ints("target_ids", &vec![0; leaves.len()]),
        floats(
            "target_weights",
            &leaves.iter().map(|&leaf| leaf as f32).collect::<Vec<_>>(),
        ),
    ];
    before.node("ai.onnx.ml:TreeEnsembleRegressor", &[""], attributes)
}

/// The newest operator, whose branches and leaves have their own numbers; a lone leaf needs a branch.
pub fn rooted(tree: &[Decision]) -> Builder {
    let lone = [Decision {
        column: 0,
        threshold: 0.0,
        kind: 0,
        children: [-1, -1],
    }];
    let branches = if tree.is_empty() { &lone } else { tree };
    let of = |f: &dyn Fn(&Decision) -> i64| branches.iter().map(f).collect::<Vec<_>>();
    let place = |child: i64| if child < 0 { !child } else { child };
    let tensor = |name: &str, t: TensorProto| AttributeProto {
        name: name.into(),
        t: Some(t),
        ..Default::default()
    };
    let dims = vec![branches.len() as i64];
    let modes = branches.iter().map(|decision| decision.kind & 3).collect();
    let splits = branches
        .iter()
        .map(|decision| decision.threshold as f32)
        .collect();
    let weights: Vec<f64> = (0..=tree.len()).map(|leaf| leaf as f64).collect();
    let leaves = vec![weights.len() as i64];
    let attributes = vec![
        int("n_targets", 1),
        ints("tree_roots", &[0]),
        ints("nodes_featureids", &of(&|decision| decision.column as i64)),
        ints(
            "nodes_truenodeids",
            &of(&|decision| place(decision.children[0])),
        ),
        ints(
            "nodes_falsenodeids",
            &of(&|decision| place(decision.children[1])),
        ),
        ints(
            "nodes_trueleafs",
            &of(&|decision| i64::from(decision.children[0] < 0)),
        ),
        ints(
            "nodes_falseleafs",
            &of(&|decision| i64::from(decision.children[1] < 0)),
        ),
        ints(
            "nodes_missing_value_tracks_true",
            &of(&|decision| i64::from(decision.kind >> 2 & 1)),
        ),
        tensor(
            "nodes_modes",
            TensorProto {
                dims: dims.clone(),
                data_type: data_type::UINT8,
                raw_data: modes,
                ..Default::default()
            },
        ),
        tensor(
            "nodes_splits",
            TensorProto {
                dims,
                data_type: data_type::FLOAT,
                float_data: splits,
                ..Default::default()
            },
        ),
        ints("leaf_targetids", &vec![0; weights.len()]),
        tensor(
            "leaf_weights",
            TensorProto {
                dims: leaves,
                data_type: data_type::DOUBLE,
                double_data: weights,
                ..Default::default()
            },
        ),
    ];
    shaped().node("ai.onnx.ml:TreeEnsemble", &[""], attributes)
}

pub fn shaped() -> Builder {
    Builder::new(&[COLUMNS as i64])
}
