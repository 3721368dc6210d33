//! XGBoost's model files, JSON or UBJSON.

use ciro_zkml_model::{Head, Missing};

use super::{
    forest::{Branch, FloatNode, FloatTree, Forest},
    ranks::Cut,
    value::Value,
};
use crate::ImportError;

/// Most outputs of a model.
const MAX_OUTPUTS: i64 = 1 << 16;

/// What an objective does with the sums of its trees.
struct Objective {
    reading: Reading,
    /// From the stored base score to the sum's start.
    link: fn(f32) -> f32,
    /// What the library computes from the sum, for the report.
    transform: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq)]
enum Reading {
    Binary,
    Classes,
    Values,
}

impl Objective {
    fn find(name: &str) -> Option<Self> {
        let identity: fn(f32) -> f32 = |score| score;
        let logit: fn(f32) -> f32 = |score| -(1.0 / score - 1.0).ln();
        let (reading, link, transform) = match name {
            "binary:logistic" => (Reading::Binary, logit, Some("logistic function")),
            "binary:logitraw" | "binary:hinge" => (Reading::Binary, identity, None),
            "multi:softprob" | "multi:softmax" => (Reading::Classes, identity, Some("softmax")),
            "reg:logistic" => (Reading::Values, logit, Some("logistic function")),
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => (
                Reading::Values,
                f32::ln as fn(f32) -> f32,
                Some("exponential function"),
            ),
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:absoluteerror"
            | "reg:pseudohubererror"
            | "reg:quantileerror"
            | "reg:expectileerror"
            | "rank:pairwise"
            | "rank:ndcg"
            | "rank:map" => (Reading::Values, identity, None),
            _ => return None,
        };
        Some(Self {
            reading,
            link,
            transform,
        })
    }
}

/// Reads the trees of a document.
pub(super) fn read(document: &Value) -> Result<Forest, ImportError> {
    let learner = document.get("learner").ok_or_else(|| {
        malformed("it has no entry 'learner', so it is not what XGBoost's save_model writes")
    })?;
    let name = text(field(learner, "objective")?, "name")?;
    let objective = Objective::find(name).ok_or_else(|| {
        refused(format!(
            "XGBoost objective '{name}' is not supported; train with a standard one"
        ))
    })?;
    let parameters = field(learner, "learner_model_param")?;
    let optional = |key| parameters.get(key).map_or(Ok(0), |_| int(parameters, key));
    let outputs = optional("num_class")?.max(optional("num_target")?).max(1);
    if outputs > MAX_OUTPUTS {
        return Err(ImportError::TooLarge {
            what: "the number of outputs",
            found: outputs.unsigned_abs(),
            limit: MAX_OUTPUTS.unsigned_abs(),
        });
    }
    let outputs = outputs as usize;
    let columns = usize::try_from(int(parameters, "num_feature")?).unwrap_or(0);

    let base = base(field(parameters, "base_score")?, outputs, objective.link)?;
    let trees = trees(field(learner, "gradient_booster")?)?;
    let mut forest = Forest {
        columns,
        base,
        trees,
        head: Head::Values,
        notes: vec![],
    };
    finish(&mut forest, &objective)?;
    if learner
        .get("attributes")
        .is_some_and(|all| all.get("best_iteration").is_some())
    {
        let note = "the file's best_iteration is ignored: all trees count, as in Booster.predict";
        forest.notes.push(note.into());
    }
    Ok(forest)
}

/// Sets what is read from the sums.
fn finish(forest: &mut Forest, objective: &Objective) -> Result<(), ImportError> {
    let outputs = forest.base.len();
    if let Some(transform) = objective.transform {
        let note =
            format!("the {transform} at the end is left out: the outputs are the sums before it");
        forest.notes.push(note);
    }
    match objective.reading {
        Reading::Binary if outputs == 1 => forest.make_binary(vec![0, 1]),
        Reading::Binary => return Err(refused(
            "a binary objective with several targets is not supported; train one model for each",
        )),
        Reading::Classes => {
            forest.head = Head::ArgMax {
                labels: (0..outputs as i64).collect(),
            }
        }
        Reading::Values => forest.head = Head::Values,
    }
    Ok(())
}

/// The sums' starts, from the scores that the file states: one for each output, or one for all.
fn base(score: &Value, outputs: usize, link: fn(f32) -> f32) -> Result<Vec<f64>, ImportError> {
    let scores: Option<Vec<f32>> = match score {
        Value::Text(text) => {
            let list = text
                .trim_start_matches('[')
                .trim_end_matches(']')
                .split(',');
            list.map(|score| score.trim().parse().ok()).collect()
        }
        score => score.single().map(|score| vec![score]),
    };
    let scores = scores.ok_or_else(|| malformed("its base_score is not a number"))?;
    let scores = match scores.as_slice() {
        &[score] => vec![score; outputs],
        _ if scores.len() == outputs => scores,
        _ => return Err(malformed("its base_score has the wrong number of values")),
    };
    let starts: Vec<f64> = scores.into_iter().map(|score| link(score).into()).collect();
    match starts.iter().all(|start| start.is_finite()) {
        true => Ok(starts),
        false => Err(refused(
            "the base_score is outside the range of the objective; train with another one",
        )),
    }
}

fn trees(booster: &Value) -> Result<Vec<FloatTree>, ImportError> {
    let (booster, weights) = match text(booster, "name")? {
        "gbtree" => (booster, None),
        "dart" => (
            field(booster, "gbtree")?,
            Some(list(booster, "weight_drop")?),
        ),
        "gblinear" => return Err(refused(
            "XGBoost booster 'gblinear' is a linear model, not trees; export it to ONNX instead",
        )),
        other => {
            return Err(refused(format!(
                "XGBoost booster '{other}' is not supported; train with gbtree or dart"
            )))
        }
    };
    let model = field(booster, "model")?;
    let (trees, classes) = (list(model, "trees")?, list(model, "tree_info")?);
    if classes.len() != trees.len() || weights.is_some_and(|weights| weights.len() != trees.len()) {
        return Err(malformed(
            "it does not say of every tree which output it adds to, or its weight",
        ));
    }
    let mut read = Vec::with_capacity(trees.len());
    for (index, (document, class)) in trees.iter().zip(classes).enumerate() {
        let output = class.int().and_then(|class| u32::try_from(class).ok());
        let output =
            output.ok_or_else(|| malformed("its tree_info holds something else than outputs"))?;
        let weight = match weights.and_then(|weights| weights.get(index)) {
            Some(weight) => weight
                .single()
                .ok_or_else(|| malformed("a weight of a tree is not a number"))?,
            None => 1.0,
        };
        read.push(FloatTree {
            outputs: vec![output],
            nodes: nodes(document, index, weight)?,
        });
    }
    Ok(read)
}

/// The nodes of a tree, its leaves multiplied by `weight`.
fn nodes(tree: &Value, index: usize, weight: f32) -> Result<Vec<FloatNode>, ImportError> {
    let vector = tree
        .get("tree_param")
        .and_then(|param| param.get("size_leaf_vector"));
    if vector
        .and_then(Value::text)
        .is_some_and(|size| !matches!(size, "0" | "1"))
    {
        return Err(refused(
            "trees whose leaves hold a vector are not supported; train with multi_strategy=one_output_per_tree",
        ));
    }
    let (left, right) = (list(tree, "left_children")?, list(tree, "right_children")?);
    let (columns, conditions) = (
        list(tree, "split_indices")?,
        list(tree, "split_conditions")?,
    );
    let defaults = list(tree, "default_left")?;
    let kinds = tree.get("split_type").and_then(Value::list).unwrap_or(&[]);
    if kinds.iter().any(|kind| kind.int() != Some(0)) {
        return Err(refused(
            "categorical splits are not supported; encode categories as numbers or columns of 0 and 1 before training",
        ));
    }
    let node = |node: usize| {
        let condition = conditions.get(node)?.single()?;
        let left = left.get(node)?.int()?;
        if left == -1 {
            return Some(FloatNode::Leaf(vec![
                f64::from(condition) * f64::from(weight),
            ]));
        }
        Some(FloatNode::Branch(Branch {
            column: u32::try_from(columns.get(node)?.int()?).ok()?,
            cut: Cut::below(condition.into())?,
            missing: match defaults.get(node)?.int()? {
                0 => Missing::High,
                _ => Missing::Low,
            },
            low: usize::try_from(left).ok()?,
            high: usize::try_from(right.get(node)?.int()?).ok()?,
        }))
    };
    let nodes: Option<Vec<FloatNode>> = (0..left.len()).map(node).collect();
    nodes.ok_or_else(|| {
        malformed(format!(
            "tree {index} has a node that is neither branch nor leaf"
        ))
    })
}

fn malformed(problem: impl Into<String>) -> ImportError {
    ImportError::Malformed(problem.into())
}

fn refused(problem: impl Into<String>) -> ImportError {
    ImportError::Graph(problem.into())
}

fn field<'a>(value: &'a Value, key: &str) -> Result<&'a Value, ImportError> {
    value
        .get(key)
        .ok_or_else(|| malformed(format!("it has no entry '{key}'")))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, ImportError> {
    let text = field(value, key)?.text();
    text.ok_or_else(|| malformed(format!("its entry '{key}' is not a string")))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], ImportError> {
    let list = field(value, key)?.list();
    list.ok_or_else(|| malformed(format!("its entry '{key}' is not a list")))
}

/// An integer, which XGBoost writes as a string.
fn int(value: &Value, key: &str) -> Result<i64, ImportError> {
    let found = field(value, key)?;
    let int = found.int().or_else(|| found.text()?.parse().ok());
    int.ok_or_else(|| malformed(format!("its entry '{key}' is not an integer")))
}
