//! Which trees are refused, with which words.

mod common;
mod forests;

use ciro_zkml_import::onnx::AttributeProto;
use common::{floats, int};
use forests::{imported, lightgbm, onnx, shaped, xgboost, Decision};

/// One branch at 0.5 of the first column.
fn stump() -> Vec<Decision> {
    vec![Decision {
        column: 0,
        threshold: 0.5,
        kind: 0,
        children: [-1, -2],
    }]
}

fn says(bytes: &[u8], words: &str) {
    let text = imported(bytes).unwrap_err().to_string();
    assert!(text.contains(words), "{text}");
}

#[test]
fn what_xgboost_files_are_refused() {
    let file = xgboost(&stump());
    let changed = |from: &str, to: &str| {
        assert!(file.contains(from), "{from}");
        file.replace(from, to).into_bytes()
    };
    says(b"{\"model\":1}", "no entry 'learner'");
    says(
        &changed("reg:squarederror", "multi:other"),
        "objective 'multi:other' is not supported",
    );
    says(
        &changed("\"name\":\"gbtree\"", "\"name\":\"gblinear\""),
        "linear model",
    );
    says(
        &changed("\"split_type\":[0]", "\"split_type\":[1]"),
        "categorical",
    );
    says(
        &changed("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"3\""),
        "hold a vector",
    );
    says(
        &changed("\"left_children\":[1,", "\"left_children\":[0,"),
        "tree 0 has a cycle",
    );
    says(
        &changed("\"left_children\":[1,", "\"left_children\":[9,"),
        "names a node that does not exist",
    );
    says(
        &changed("\"split_conditions\":[5e-1,", "\"split_conditions\":[NaN,"),
        "neither branch nor leaf",
    );
    says(
        &changed("[5e-1,0,1]", "[5e-1,0,Infinity]"),
        "infinite or not a number",
    );
    says(
        &changed("\"split_indices\":[0,", "\"split_indices\":[3,"),
        "asks for feature 3 where there are 3",
    );
    says(
        &changed("\"tree_info\":[0]", "\"tree_info\":[2]"),
        "adds to output 2 of 1",
    );
    says(
        &changed("reg:squarederror", "count:poisson"),
        "base_score is outside",
    );
    says(
        &changed("\"version\":[3,0,0]}", "\"version\":[3,0,0]"),
        "comma is missing",
    );
    says(
        &"[".repeat(100).replacen('[', "{\"a\":", 1).into_bytes(),
        "nested too deep",
    );
}

#[test]
fn what_lightgbm_files_are_refused() {
    let file = lightgbm(&stump());
    let changed = |from: &str, to: &str| {
        assert!(file.contains(from), "{from}");
        file.replace(from, to).into_bytes()
    };
    says(
        &changed("decision_type=0", "decision_type=1"),
        "categorical",
    );
    says(
        &changed("decision_type=0", "decision_type=12"),
        "missing values in an unknown way",
    );
    says(&changed("is_linear=0", "is_linear=1"), "linear trees");
    says(
        &changed("objective=regression", "objective=mystery"),
        "objective 'mystery'",
    );
    says(
        &changed("threshold=5e-1", "threshold=nan"),
        "tree 0: a threshold is not a number",
    );
    says(
        &changed("leaf_value=0 1", "leaf_value=0 inf"),
        "infinite or not a number",
    );
    says(
        &changed("leaf_value=0 1", "leaf_value=0"),
        "different lengths",
    );
    says(&changed("left_child=-1", "left_child=0"), "cycle");
    says(&changed("left_child=-1", "left_child=-9"), "does not exist");
    says(
        &changed("split_feature=0", "split_feature=x"),
        "not a list of numbers",
    );
    says(
        &changed("max_feature_idx=2", "max_feature_idx=-1"),
        "'max_feature_idx' is missing",
    );
    says(
        &changed("leaf_value=0 1", "leaf_value=1e308 -1e308"),
        "too large",
    );
}

#[test]
fn what_onnx_trees_are_refused() {
    let with = |name: &str, change: &dyn Fn(&mut AttributeProto)| {
        let mut builder = onnx(&stump(), shaped());
        let node = builder.graph().node.last_mut().unwrap();
        match node
            .attribute
            .iter_mut()
            .find(|attribute| attribute.name == name)
        {
            Some(attribute) => change(attribute),
            None => {
                let mut attribute = int(name, 0);
                change(&mut attribute);
                node.attribute.push(attribute);
            }
        }
        builder.bytes()
    };
    says(
        &with("nodes_modes", &|modes| {
            modes.strings[0] = b"BRANCH_EQ".to_vec()
        }),
        "mode BRANCH_EQ is not supported",
    );
    says(
        &with("aggregate_function", &|function| {
            function.s = b"MAX".to_vec()
        }),
        "MAX is not supported",
    );
    says(&with("nodes_truenodeids", &|ids| ids.ints[0] = 0), "cycle");
    says(
        &with("nodes_truenodeids", &|ids| ids.ints[0] = 9),
        "does not exist",
    );
    says(
        &with("nodes_values", &|values| values.floats[0] = f32::NAN),
        "compares a feature or value that is none",
    );
    says(
        &with("target_weights", &|weights| {
            weights.floats[0] = f32::INFINITY
        }),
        "infinite or not a number",
    );
    says(
        &with("target_nodeids", &|ids| ids.ints[0] = 2),
        "two values for one output",
    );
    says(
        &with("nodes_nodeids", &|ids| ids.ints[0] = 1),
        "two nodes with the number 1",
    );
    says(&with("n_targets", &|targets| targets.i = 0), "0 targets");
    says(
        &with("base_values", &|base| base.floats = vec![1.0, 2.0]),
        "2 base_values for 1 outputs",
    );

    let normalised = shaped().node("ai.onnx.ml:Normalizer", &[""], vec![]);
    says(&onnx(&stump(), normalised).bytes(), "mixes the columns");
    let flat = shaped().node(
        "ai.onnx.ml:Scaler",
        &[""],
        vec![floats("scale", &[1.0, 0.0, 1.0])],
    );
    says(&onnx(&stump(), flat).bytes(), "a scale is 0");
    let narrow = shaped().node(
        "ai.onnx.ml:Scaler",
        &[""],
        vec![floats("scale", &[1.0, 2.0])],
    );
    says(
        &onnx(&stump(), narrow).bytes(),
        "does not fit samples of 3 values",
    );
    let rounded = shaped().node("Cast", &[""], vec![int("to", 7)]);
    says(&onnx(&stump(), rounded).bytes(), "rounds the trees' input");
    let followed = onnx(&stump(), shaped()).node("Exp", &[""], vec![]);
    says(&followed.bytes(), "not supported after trees");
    says(
        &onnx(&stump(), onnx(&stump(), shaped())).bytes(),
        "second tree ensemble",
    );
}
