//! The TreeEnsemble operators of ONNX: what their sums start from and mean.

use std::collections::BTreeSet;

use ciro_zkml_model::Head;

use super::{
    attributes::{ints, numbers, string, strings},
    forest::{FloatNode, FloatTree, Forest},
    lists,
};
use crate::{
    graph::{attribute, int},
    onnx::NodeProto,
    ImportError,
};

/// Most outputs of an ensemble.
const MAX_OUTPUTS: usize = 1 << 16;

/// Reads the ensemble of a node; the number of columns is left at 0.
pub(super) fn read(node: &NodeProto) -> Result<Forest, ImportError> {
    match node.op_type.as_str() {
        "TreeEnsembleClassifier" => classifier(node),
        "TreeEnsembleRegressor" => {
            let (trees, _) = lists::trees(node, "target")?;
            let aggregate = string(node, "aggregate_function").unwrap_or_else(|| "SUM".into());
            let base = numbers(node, "base_values")?;
            regressor(node, trees, base, &aggregate)
        }
        _ => {
            let aggregate = match int(node, "aggregate_function", 1) {
                0 => "AVERAGE",
                1 => "SUM",
                _ => "MIN or MAX",
            };
            let trees = lists::rooted_trees(node)?;
            regressor(node, trees, vec![], aggregate)
        }
    }
}

fn classifier(node: &NodeProto) -> Result<Forest, ImportError> {
    let mut notes = vec![];
    let names = strings(node, "classlabels_strings");
    let labels = match names.is_empty() {
        true => ints(node, "classlabels_int64s").to_vec(),
        false => {
            let list = names.join(", ");
            notes.push(format!(
                "labels are strings; the output is their index in [{list}]"
            ));
            (0..names.len() as i64).collect()
        }
    };
    let classes = labels.len();
    if !(2..=MAX_OUTPUTS).contains(&classes) {
        return Err(ImportError::node(
            node,
            format!("it has {classes} class labels; it must have two or more"),
        ));
    }
    let (trees, covered) = lists::trees(node, "class")?;
    let base = numbers(node, "base_values")?;
    notes.push("the scores of the classes are left out: the answer is the label".into());
    let used: BTreeSet<u32> = trees
        .iter()
        .flat_map(|tree| tree.outputs.iter().copied())
        .collect();
    let mut forest = Forest {
        columns: 0,
        base,
        trees,
        head: Head::Values,
        notes,
    };
    if classes == 2 && used.len() == 1 {
        binary(node, &mut forest, labels, used.contains(&0))?;
        return Ok(forest);
    }
    // A class without a score is never the answer, where a 0 in its place could be among negative scores.
    if forest.base.is_empty() && covered.len() < classes && !forest.is_positive() {
        let problem = "not every leaf has a score for its class, and scores are negative; export with base_values";
        return Err(ImportError::node(node, problem));
    }
    forest.base = full_base(node, forest.base, classes)?;
    forest.head = Head::ArgMax { labels };
    Ok(forest)
}

/// Two classes with one score: the second wins if that is above 0, or above one half if it is a probability.
fn binary(
    node: &NodeProto,
    forest: &mut Forest,
    labels: Vec<i64>,
    of_first: bool,
) -> Result<(), ImportError> {
    // Where the score counts as the first class's, so does the first start. Runtimes disagree about the other case.
    let start = match forest.base.first() {
        None => 0.0,
        Some(start) if of_first => *start,
        Some(_) => {
            return Err(ImportError::node(
                node,
                "it has base_values for a score of class 1; use class 0",
            ))
        }
    };
    let is_logistic = string(node, "post_transform").is_some_and(|name| name == "LOGISTIC");
    let threshold = match (forest.is_positive(), is_logistic) {
        (true, false) => 0.5,
        (true, true) => {
            let note = "no leaf is negative: onnxruntime compares such scores with 0.5 for its label, not with 0";
            forest.notes.push(note.into());
            0.0
        }
        (false, _) => 0.0,
    };
    forest.base = vec![start - threshold];
    forest
        .trees
        .iter_mut()
        .for_each(|tree| tree.outputs = vec![0]);
    forest.make_binary(labels);
    if threshold > 0.0 {
        forest
            .notes
            .push("the second output is the second class's score less one half".into());
    }
    Ok(())
}

fn regressor(
    node: &NodeProto,
    mut trees: Vec<FloatTree>,
    base: Vec<f64>,
    aggregate: &str,
) -> Result<Forest, ImportError> {
    let outputs = usize::try_from(int(node, "n_targets", 1)).unwrap_or(0);
    if !(1..=MAX_OUTPUTS).contains(&outputs) {
        return Err(ImportError::node(
            node,
            format!("it has {outputs} targets; it must have at least one"),
        ));
    }
    match aggregate {
        "SUM" => {}
        "AVERAGE" => {
            let count = trees.len() as f64;
            for node in trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
                if let FloatNode::Leaf(values) = node {
                    values.iter_mut().for_each(|value| *value /= count);
                }
            }
        }
        other => {
            let problem =
                format!("aggregate_function {other} is not supported; only sums and averages are");
            return Err(ImportError::node(node, problem));
        }
    }
    let base = full_base(node, base, outputs)?;
    let transformed = match attribute(node, "post_transform") {
        Some(transform) if transform.s.is_empty() => transform.i != 0,
        Some(transform) => transform.s != b"NONE",
        None => false,
    };
    let note = "the post_transform at the end is left out: the outputs are the sums before it";
    let notes = transformed.then(|| note.into()).into_iter().collect();
    Ok(Forest {
        columns: 0,
        base,
        trees,
        head: Head::Values,
        notes,
    })
}

/// The start of each output's sum.
fn full_base(node: &NodeProto, base: Vec<f64>, outputs: usize) -> Result<Vec<f64>, ImportError> {
    if !base.is_empty() && base.len() != outputs {
        let problem = format!("it has {} base_values for {outputs} outputs", base.len());
        return Err(ImportError::node(node, problem));
    }
    if base.iter().any(|value| !value.is_finite()) {
        return Err(ImportError::node(
            node,
            "a base value is infinite or not a number",
        ));
    }
    Ok(match base.is_empty() {
        true => vec![0.0; outputs],
        false => base,
    })
}
