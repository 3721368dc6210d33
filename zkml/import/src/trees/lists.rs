//! The trees of ONNX's TreeEnsemble operators: parallel lists of nodes, and of values of leaves.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ciro_zkml_model::{Missing, MAX_PARAMETERS};

use super::{
    attributes::{ints, numbers, strings},
    forest::{Branch, FloatNode, FloatTree},
    ranks::Cut,
};
use crate::{onnx::NodeProto, ImportError};

/// How a branch compares its column with its value.
#[derive(Clone, Copy)]
enum Comparison {
    AtMost,
    Below,
    AtLeast,
    Above,
}

impl Comparison {
    fn named(name: &str) -> Option<Self> {
        match name {
            "BRANCH_LEQ" => Some(Self::AtMost),
            "BRANCH_LT" => Some(Self::Below),
            "BRANCH_GTE" => Some(Self::AtLeast),
            "BRANCH_GT" => Some(Self::Above),
            _ => None,
        }
    }

    /// By its number in the newest operator.
    fn numbered(number: f64) -> Option<Self> {
        match number {
            0.0 => Some(Self::AtMost),
            1.0 => Some(Self::Below),
            2.0 => Some(Self::AtLeast),
            3.0 => Some(Self::Above),
            _ => None,
        }
    }

    /// The branch that goes to `yes` where the comparison holds, or where the value is missing if `tracks` says so.
    fn branch(
        self,
        column: i64,
        value: f64,
        tracks: bool,
        [yes, no]: [usize; 2],
    ) -> Option<Branch> {
        let branch = Branch {
            column: u32::try_from(column).ok()?,
            cut: match self {
                Self::AtMost | Self::Above => Cut::at_most(value)?,
                Self::Below | Self::AtLeast => Cut::below(value)?,
            },
            missing: if tracks { Missing::Low } else { Missing::High },
            low: yes,
            high: no,
        };
        Some(match self {
            Self::AtMost | Self::Below => branch,
            Self::AtLeast | Self::Above => branch.swapped(),
        })
    }
}

/// One value of a leaf: the node, the output, the value.
type Weight = (usize, u32, f64);

/// The outputs that some tree gives a value in each of its leaves.
pub(super) type Covered = BTreeSet<u32>;

/// The trees of TreeEnsembleClassifier and TreeEnsembleRegressor, whose leaf attributes begin with `prefix`.
pub(super) fn trees(
    node: &NodeProto,
    prefix: &str,
) -> Result<(Vec<FloatTree>, Covered), ImportError> {
    let problem = |text: String| ImportError::node(node, text);
    let tree_ids = ints(node, "nodes_treeids");
    let [node_ids, features, yes, no] = [
        "nodes_nodeids",
        "nodes_featureids",
        "nodes_truenodeids",
        "nodes_falsenodeids",
    ]
    .map(|name| ints(node, name));
    let tracks = ints(node, "nodes_missing_value_tracks_true");
    let (modes, values) = (strings(node, "nodes_modes"), numbers(node, "nodes_values")?);
    let count = tree_ids.len();
    let lengths = [
        node_ids.len(),
        features.len(),
        yes.len(),
        no.len(),
        modes.len(),
        values.len(),
    ];
    if count == 0 || lengths.iter().any(|&length| length != count) {
        return Err(problem(
            "its lists of nodes are empty or of different lengths".into(),
        ));
    }

    // Where each node is: its tree, and its index there. The first node of a tree is its root.
    let mut numbers_of_trees = HashMap::new();
    let mut places = HashMap::with_capacity(count);
    let mut sizes: Vec<usize> = vec![];
    for (&tree, &id) in tree_ids.iter().zip(node_ids) {
        let number = *numbers_of_trees.entry(tree).or_insert(sizes.len());
        if number == sizes.len() {
            sizes.push(0);
        }
        let size = sizes
            .get_mut(number)
            .ok_or_else(|| problem("it has too many trees".into()))?;
        if places.insert((tree, id), (number, *size)).is_some() {
            return Err(problem(format!(
                "tree {tree} has two nodes with the number {id}"
            )));
        }
        *size += 1;
    }

    let mut trees: Vec<FloatTree> = sizes
        .iter()
        .map(|_| FloatTree {
            outputs: vec![],
            nodes: vec![],
        })
        .collect();
    for index in 0..count {
        let at = |list: &[i64]| list.get(index).copied().unwrap_or(0);
        let (tree, mode) = (at(tree_ids), modes.get(index).map_or("", String::as_str));
        let child = |list: &[i64]| {
            let place = places.get(&(tree, at(list)));
            place
                .map(|place| place.1)
                .ok_or_else(|| problem(format!("tree {tree} names a node that does not exist")))
        };
        let float_node = match Comparison::named(mode) {
            _ if mode == "LEAF" => FloatNode::Leaf(vec![]),
            None => {
                let text = format!(
                    "mode {mode} is not supported; only comparisons with <=, <, >= and > are"
                );
                return Err(problem(text));
            }
            Some(comparison) => {
                let value = values.get(index).copied().unwrap_or(f64::NAN);
                let tracks = tracks.get(index).is_some_and(|tracks| *tracks == 1);
                let branch =
                    comparison.branch(at(features), value, tracks, [child(yes)?, child(no)?]);
                let text = || {
                    problem(format!(
                        "tree {tree} compares a feature or value that is none"
                    ))
                };
                FloatNode::Branch(branch.ok_or_else(text)?)
            }
        };
        let number = numbers_of_trees.get(&tree).copied().unwrap_or(0);
        if let Some(tree) = trees.get_mut(number) {
            tree.nodes.push(float_node);
        }
    }
    fill(node, prefix, &places, trees)
}

/// Gives the leaves their values.
fn fill(
    node: &NodeProto,
    prefix: &str,
    places: &HashMap<(i64, i64), (usize, usize)>,
    mut trees: Vec<FloatTree>,
) -> Result<(Vec<FloatTree>, Covered), ImportError> {
    let problem = |text: &str| ImportError::node(node, text);
    let [tree_ids, node_ids, outputs] =
        ["treeids", "nodeids", "ids"].map(|name| ints(node, &format!("{prefix}_{name}")));
    let values = numbers(node, &format!("{prefix}_weights"))?;
    if [node_ids.len(), outputs.len(), values.len()]
        .iter()
        .any(|&length| length != tree_ids.len())
    {
        return Err(problem("its lists of leaf values are of different lengths"));
    }
    let mut weights: Vec<Vec<Weight>> = trees.iter().map(|_| vec![]).collect();
    for (((&tree, &id), &output), &value) in tree_ids.iter().zip(node_ids).zip(outputs).zip(&values)
    {
        let place = places.get(&(tree, id));
        let &(number, index) =
            place.ok_or_else(|| problem("a leaf value belongs to a node that does not exist"))?;
        let output =
            u32::try_from(output).map_err(|_| problem("a leaf value belongs to no output"))?;
        if let Some(weights) = weights.get_mut(number) {
            weights.push((index, output, value));
        }
    }
    let mut budget = MAX_PARAMETERS as usize;
    let mut covered = Covered::new();
    for (tree, weights) in trees.iter_mut().zip(weights) {
        covered.extend(fill_leaves(tree, weights, &mut budget).map_err(problem)?);
    }
    Ok((trees, covered))
}

/// Turns a tree's values, each of one leaf and output, into lists of one value for each output of the tree.
fn fill_leaves(
    tree: &mut FloatTree,
    mut weights: Vec<Weight>,
    budget: &mut usize,
) -> Result<Covered, &'static str> {
    // Values at branches are never read.
    weights.retain(|&(index, ..)| matches!(tree.nodes.get(index), Some(FloatNode::Leaf(_))));
    weights.sort_unstable_by_key(|&(index, output, _)| (index, output));
    let keys = || weights.iter().map(|&(index, output, _)| (index, output));
    if keys().zip(keys().skip(1)).any(|(key, next)| key == next) {
        return Err("a leaf has two values for one output");
    }
    let mut counts = BTreeMap::new();
    for &(_, output, _) in &weights {
        *counts.entry(output).or_insert(0_usize) += 1;
    }
    tree.outputs = match counts.is_empty() {
        true => vec![0],
        false => counts.keys().copied().collect(),
    };
    let size = tree.nodes.len().saturating_mul(tree.outputs.len());
    *budget = budget
        .checked_sub(size)
        .ok_or("it has too many nodes and outputs; use a smaller model")?;
    let mut leaves = 0;
    for node in &mut tree.nodes {
        if let FloatNode::Leaf(values) = node {
            *values = vec![0.0; tree.outputs.len()];
            leaves += 1;
        }
    }
    for (index, output, value) in weights {
        let slot = tree.outputs.binary_search(&output).unwrap_or(0);
        if let Some(FloatNode::Leaf(values)) = tree.nodes.get_mut(index) {
            if let Some(place) = values.get_mut(slot) {
                *place = value;
            }
        }
    }
    let covered = counts.into_iter().filter(|(_, count)| *count == leaves);
    Ok(covered.map(|(output, _)| output).collect())
}

/// The trees of the operator TreeEnsemble, which share lists of branches and of leaves.
pub(super) fn rooted_trees(node: &NodeProto) -> Result<Vec<FloatTree>, ImportError> {
    let problem = |text: &str| ImportError::node(node, text);
    let lists = [
        "nodes_featureids",
        "nodes_truenodeids",
        "nodes_trueleafs",
        "nodes_falsenodeids",
        "nodes_falseleafs",
    ];
    let [features, yes, yes_leaf, no, no_leaf] = lists.map(|name| ints(node, name));
    let tracks = ints(node, "nodes_missing_value_tracks_true");
    let (modes, splits) = (
        numbers(node, "nodes_modes")?,
        numbers(node, "nodes_splits")?,
    );
    let (targets, values) = (ints(node, "leaf_targetids"), numbers(node, "leaf_weights")?);
    let lengths = [
        yes.len(),
        yes_leaf.len(),
        no.len(),
        no_leaf.len(),
        modes.len(),
        splits.len(),
    ];
    if lengths.iter().any(|&length| length != features.len()) || targets.len() != values.len() {
        return Err(problem("its lists are of different lengths"));
    }
    let roots = ints(node, "tree_roots");
    let mut budget = MAX_PARAMETERS as usize;
    let mut trees = Vec::with_capacity(roots.len());
    for &root in roots {
        // Each branch and leaf that the root leads to gets a place when it is first named; then the branches are read.
        let mut places = HashMap::from([((root, false), 0)]);
        let mut named = vec![(root, false)];
        let mut tree = FloatTree {
            outputs: vec![],
            nodes: vec![],
        };
        let mut weights = vec![];
        while let Some(&(id, is_leaf)) = named.get(tree.nodes.len()) {
            budget = budget
                .checked_sub(1)
                .ok_or_else(|| problem("its trees share too many nodes"))?;
            let index = usize::try_from(id)
                .map_err(|_| problem("it names a node with a negative number"))?;
            let missing =
                || problem("it names a node that does not exist, or compares what is no number");
            if is_leaf {
                let (target, value) = targets
                    .get(index)
                    .zip(values.get(index))
                    .ok_or_else(missing)?;
                let output =
                    u32::try_from(*target).map_err(|_| problem("a leaf belongs to no output"))?;
                weights.push((tree.push(FloatNode::Leaf(vec![])), output, *value));
                continue;
            }
            let at = |list: &[i64]| list.get(index).copied();
            let mut child = |ids: &[i64], leaves: &[i64]| {
                let key = (at(ids)?, at(leaves)? != 0);
                Some(*places.entry(key).or_insert_with(|| {
                    named.push(key);
                    named.len() - 1
                }))
            };
            let children = child(yes, yes_leaf)
                .zip(child(no, no_leaf))
                .ok_or_else(missing)?;
            let mode = modes.get(index).copied().unwrap_or(f64::NAN);
            let comparison = Comparison::numbered(mode).ok_or_else(|| {
                problem("it has a mode that is not supported; only <=, <, >= and > are")
            })?;
            let value = splits.get(index).copied().unwrap_or(f64::NAN);
            let tracks = at(tracks).is_some_and(|tracks| tracks != 0);
            let column = at(features).ok_or_else(missing)?;
            let branch = comparison
                .branch(column, value, tracks, children.into())
                .ok_or_else(missing)?;
            tree.push(FloatNode::Branch(branch));
        }
        fill_leaves(&mut tree, weights, &mut budget).map_err(problem)?;
        trees.push(tree);
    }
    Ok(trees)
}
