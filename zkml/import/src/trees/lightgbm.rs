//! LightGBM's model files: text, a header and a block of lists for each tree.

use std::{collections::HashMap, str::FromStr};

use ciro_zkml_model::{Head, Missing};

use super::{
    forest::{Branch, FloatNode, FloatTree, Forest},
    ranks::Cut,
};
use crate::ImportError;

/// Bits of a decision's type: the split is categorical; missing values go left.
const CATEGORICAL: u8 = 1;
const DEFAULT_LEFT: u8 = 2;
/// Magnitude up to which a value counts as zero.
const ZERO: f64 = 1e-35_f32 as f64;
/// Most outputs of a model.
const MAX_OUTPUTS: usize = 1 << 16;

/// Reads the trees of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Forest, ImportError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| malformed(format!("its text is not UTF-8: {error}")))?;
    let mut blocks = text.split("\nTree=");
    let header = Block::new(blocks.next().unwrap_or(""));
    let outputs: usize = header.number("num_tree_per_iteration")?;
    if !(1..=MAX_OUTPUTS).contains(&outputs) {
        return Err(malformed(format!("it has {outputs} trees in an iteration")));
    }
    let largest: usize = header.number("max_feature_idx")?;

    let mut trees = Vec::new();
    for (index, block) in blocks.enumerate() {
        let block = block.split("\nend of trees").next().unwrap_or("");
        let nodes = nodes(&Block::new(block));
        let nodes = nodes.map_err(|error| match error {
            ImportError::Malformed(problem) => malformed(format!("tree {index}: {problem}")),
            other => other,
        })?;
        trees.push(FloatTree {
            outputs: vec![(index % outputs) as u32],
            nodes,
        });
    }
    if header.has("average_output") {
        average(&mut trees, outputs);
    }
    let mut forest = Forest {
        columns: largest.saturating_add(1),
        base: vec![0.0; outputs],
        trees,
        head: Head::Values,
        notes: vec![],
    };
    finish(&mut forest, header.entry("objective").unwrap_or("custom"))?;
    Ok(forest)
}

/// Divides all leaves by the number of iterations: a random forest's trees are averaged.
fn average(trees: &mut [FloatTree], outputs: usize) {
    let iterations = (trees.len() / outputs).max(1) as f64;
    for node in trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
        if let FloatNode::Leaf(values) = node {
            values.iter_mut().for_each(|value| *value /= iterations);
        }
    }
}

/// Sets what is read from the sums, as the objective and its parameters say.
fn finish(forest: &mut Forest, objective: &str) -> Result<(), ImportError> {
    let mut words = objective.split_ascii_whitespace();
    let name = words.next().unwrap_or("custom");
    let outputs = forest.base.len();
    let transform = match name {
        "binary" | "multiclassova" | "cross_entropy" => Some("logistic function"),
        "multiclass" => Some("softmax"),
        "poisson" | "gamma" | "tweedie" => Some("exponential function"),
        "cross_entropy_lambda" => Some("function log(1 + exp(x))"),
        "regression" if words.any(|word| word == "sqrt") => Some("square"),
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank"
        | "rank_xendcg" | "custom" => None,
        other => {
            let problem =
                format!("LightGBM objective '{other}' is not supported; train with a standard one");
            return Err(ImportError::Graph(problem));
        }
    };
    if let Some(transform) = transform {
        let note =
            format!("the {transform} at the end is left out: the outputs are the sums before it");
        forest.notes.push(note);
    }
    match name {
        "binary" => forest.make_binary(vec![0, 1]),
        "multiclass" | "multiclassova" => {
            forest.head = Head::ArgMax {
                labels: (0..outputs as i64).collect(),
            }
        }
        _ => {}
    }
    Ok(())
}

/// The entries of a part of the file, one a line.
struct Block<'a>(HashMap<&'a str, &'a str>);

impl<'a> Block<'a> {
    fn new(text: &'a str) -> Self {
        let entry = |line: &'a str| line.trim().split_once('=').unwrap_or((line.trim(), ""));
        Self(text.lines().map(entry).collect())
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    fn entry(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied()
    }

    /// The numbers of an entry; none if it is missing.
    fn numbers<T: FromStr>(&self, key: &str) -> Result<Vec<T>, ImportError> {
        let words = self.entry(key).unwrap_or("").split_ascii_whitespace();
        let numbers: Result<_, _> = words.map(str::parse).collect();
        numbers.map_err(|_| malformed(format!("its entry '{key}' is not a list of numbers")))
    }

    /// The number of an entry that has one.
    fn number<T: FromStr>(&self, key: &str) -> Result<T, ImportError> {
        let number = self.entry(key).and_then(|text| text.trim().parse().ok());
        number.ok_or_else(|| malformed(format!("its entry '{key}' is missing or not a number")))
    }
}

/// The nodes of a tree: its branches, then its leaves, then what its branches need besides.
fn nodes(tree: &Block) -> Result<Vec<FloatNode>, ImportError> {
    if tree
        .entry("is_linear")
        .is_some_and(|flag| flag.trim() != "0")
    {
        return Err(refused(
            "linear trees are not supported; train with linear_tree=false",
        ));
    }
    let (columns, kinds) = (
        tree.numbers::<u32>("split_feature")?,
        tree.numbers::<u8>("decision_type")?,
    );
    let (left, right) = (
        tree.numbers::<i64>("left_child")?,
        tree.numbers::<i64>("right_child")?,
    );
    let thresholds = tree.numbers::<f64>("threshold")?;
    let leaves = tree.numbers::<f64>("leaf_value")?;
    let branches = columns.len();
    let lengths = [
        kinds.len(),
        left.len(),
        right.len(),
        thresholds.len(),
        leaves.len().saturating_sub(1),
    ];
    if leaves.is_empty() || lengths.iter().any(|&length| length != branches) {
        return Err(malformed("its lists have different lengths"));
    }
    let leaf = |value: &f64| FloatNode::Leaf(vec![*value]);
    // Places for the branches, so that they have their indices; all are filled below.
    let places = (0..branches).map(|_| FloatNode::Leaf(vec![]));
    let mut tree = FloatTree {
        outputs: vec![0],
        nodes: places.chain(leaves.iter().map(leaf)).collect(),
    };

    let rows = columns
        .iter()
        .zip(&kinds)
        .zip(&thresholds)
        .zip(left.iter().zip(&right));
    for (index, (((&column, &kind), &threshold), (&left, &right))) in rows.enumerate() {
        let child = |child: i64| match usize::try_from(child) {
            Ok(branch) => branch,
            // A leaf's bits are those of its number, negated.
            Err(_) => {
                usize::try_from(!child).map_or(usize::MAX, |leaf| leaf.saturating_add(branches))
            }
        };
        let (left, right) = (child(left), child(right));
        let split = split(kind, threshold)?;
        // The last question first: each goes on to the one after it if it is not answered.
        let mut next = right;
        for (position, answer) in split.iter().enumerate().rev() {
            let goal = if answer.left { left } else { right };
            let branch = FloatNode::Branch(Branch {
                column,
                cut: answer.cut,
                missing: answer.missing,
                low: goal,
                high: next,
            });
            match (position, tree.nodes.get_mut(index)) {
                (0, Some(place)) => *place = branch,
                _ => next = tree.push(branch),
            }
        }
    }
    Ok(tree.nodes)
}

/// One of a chain of questions: values below a cut go left or right, others on to the next; after the last, right.
struct Answer {
    cut: Cut,
    missing: Missing,
    left: bool,
}

/// The questions that decide as a split does.
fn split(kind: u8, threshold: f64) -> Result<Vec<Answer>, ImportError> {
    if kind & CATEGORICAL != 0 {
        return Err(refused(
            "categorical splits are not supported; encode categories as numbers or columns of 0 and 1 before training",
        ));
    }
    let default_left = kind & DEFAULT_LEFT != 0;
    let at = Cut::at_most(threshold).ok_or_else(|| malformed("a threshold is not a number"))?;
    let one = |cut, low| {
        vec![Answer {
            cut,
            missing: if low { Missing::Low } else { Missing::High },
            left: true,
        }]
    };
    match kind >> 2 & 3 {
        // A missing value counts as 0.
        0 => Ok(one(at, 0.0 <= threshold)),
        1 => zero_split(at, threshold, default_left),
        2 => Ok(one(at, default_left)),
        other => Err(malformed(format!(
            "a split treats missing values in an unknown way, {other}"
        ))),
    }
}

/// A split for which all values near 0, and NaN, are missing and go the default way.
fn zero_split(at: Cut, threshold: f64, default_left: bool) -> Result<Vec<Answer>, ImportError> {
    let (Some(below_zero), Some(to_zero)) = (Cut::below(-ZERO), Cut::at_most(ZERO)) else {
        return Err(malformed("zero is not a number"));
    };
    let answer = |cut, missing, left| Answer { cut, missing, left };
    use Missing::{High, Low};
    Ok(match (default_left, threshold < -ZERO, threshold < ZERO) {
        // Zeros go the way of the values on their side of the threshold.
        (true, _, false) => vec![answer(at, Low, true)],
        (false, true, _) => vec![answer(at, High, true)],
        // The threshold is among them.
        (true, false, true) => vec![answer(to_zero, Low, true)],
        (false, false, true) => vec![answer(below_zero, High, true)],
        // They go the other way.
        (true, true, true) => vec![
            answer(at, High, true),
            answer(below_zero, High, false),
            answer(to_zero, Low, true),
        ],
        (false, false, false) => vec![
            answer(below_zero, High, true),
            answer(to_zero, Low, false),
            answer(at, High, true),
        ],
    })
}

fn malformed(problem: impl Into<String>) -> ImportError {
    ImportError::Malformed(problem.into())
}

fn refused(problem: impl Into<String>) -> ImportError {
    ImportError::Graph(problem.into())
}
