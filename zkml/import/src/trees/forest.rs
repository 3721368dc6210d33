//! Trees as a file describes them, and their way into a model.

use ciro_zkml_model::{
    Encoding, Head, Input, Missing, Model, Node, Op, Output, Tree, TreeNode, Trees, MAX_DEPTH,
    MAX_PARAMETERS,
};

use super::{
    fixed::Fixed,
    ranks::{Cut, Ranking},
};
use crate::{ImportError, Options, Report};

/// A sum of decision trees over real numbers.
pub(super) struct Forest {
    /// Number of values of a sample.
    pub columns: usize,
    /// The value of each output before any tree.
    pub base: Vec<f64>,
    /// The trees.
    pub trees: Vec<FloatTree>,
    /// What is read from the outputs.
    pub head: Head,
    /// What was changed or left out.
    pub notes: Vec<String>,
}

/// A decision tree over real numbers.
#[derive(Clone, Debug)]
pub(super) struct FloatTree {
    /// The outputs that its leaves add to.
    pub outputs: Vec<u32>,
    /// The nodes, the root first, otherwise in any order.
    pub nodes: Vec<FloatNode>,
}

#[derive(Clone, Debug)]
pub(super) enum FloatNode {
    Branch(Branch),
    /// One value for each of the tree's outputs.
    Leaf(Vec<f64>),
}

/// A decision about one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    pub column: u32,
    pub cut: Cut,
    /// Which way a missing value goes.
    pub missing: Missing,
    pub low: usize,
    pub high: usize,
}

impl Branch {
    /// The same decision with its sides exchanged, as a cut of the other direction needs it.
    pub fn swapped(self) -> Self {
        Self {
            missing: match self.missing {
                Missing::Low => Missing::High,
                Missing::High => Missing::Low,
            },
            low: self.high,
            high: self.low,
            ..self
        }
    }
}

impl Forest {
    /// The model that decides as these trees do, and adds up their leaves in fixed point.
    pub fn into_model(mut self, options: &Options) -> Result<(Model, Report), ImportError> {
        self.check_sizes()?;
        for (index, tree) in self.trees.iter_mut().enumerate() {
            let ordered = tree.ordered(self.columns);
            *tree = ordered
                .map_err(|problem| ImportError::Malformed(format!("tree {index} {problem}")))?;
        }
        let cuts = self.trees.iter().flat_map(FloatTree::branches);
        let ranking = Ranking::new(cuts.filter_map(|branch| match branch.cut {
            Cut::Below(bound) => Some((branch.column, branch.missing, bound)),
            Cut::Never | Cut::Always => None,
        }));
        let fixed = Fixed::new(&self)?;
        let trees = self
            .trees
            .iter()
            .map(|tree| tree.integers(&ranking, &fixed));
        let trees = Trees {
            base: self.base.iter().map(|&value| fixed.round(value)).collect(),
            trees: trees.collect::<Option<_>>().ok_or_else(inconsistent)?,
        };
        let shape = vec![self.base.len() as u32];
        let model = Model {
            name: options.name.clone(),
            preset: options.preset,
            input: Input {
                shape: vec![u32::try_from(self.columns).unwrap_or(u32::MAX)],
                encoding: Encoding::Ranks(ranking.into_inputs()),
            },
            nodes: vec![Node {
                sources: vec![0],
                shape: shape.clone(),
                op: Op::Trees(trees),
            }],
            output: Output {
                shape,
                scale: fixed.scale(),
                head: self.head,
            },
        };
        let report = Report {
            bounds: model.validate()?,
            samples: 0,
            output_range: fixed.range() as f32,
            mean_error: 0.0,
            max_error: fixed.error() as f32,
            agreement: 1.0,
            notes: self.notes.into_iter().chain([fixed.note()]).collect(),
        };
        Ok((model, report))
    }

    /// Turns one output into two that rank as its sign says: 0 for the first class, the value for the second.
    pub fn make_binary(&mut self, labels: Vec<i64>) {
        self.base.insert(0, 0.0);
        for output in self.trees.iter_mut().flat_map(|tree| &mut tree.outputs) {
            *output = output.saturating_add(1);
        }
        self.head = Head::ArgMax { labels };
        self.notes.push(
            "there are two outputs: 0 for the first class, the sum of the trees for the second"
                .into(),
        );
    }

    /// Whether no leaf is negative.
    pub fn is_positive(&self) -> bool {
        let mut leaves = self.trees.iter().flat_map(FloatTree::leaves).flatten();
        leaves.all(|value| *value >= 0.0)
    }

    /// The number of columns up to the last one that a branch asks for.
    pub fn used_columns(&self) -> usize {
        let columns = self
            .trees
            .iter()
            .flat_map(FloatTree::branches)
            .map(|branch| branch.column);
        columns.max().map_or(1, |last| last as usize + 1)
    }

    /// Checks that there is something to compute, and not too much.
    fn check_sizes(&self) -> Result<(), ImportError> {
        if self.trees.is_empty() || self.base.is_empty() || self.columns == 0 {
            return Err(ImportError::Graph(
                "the file holds no trees or no features; train the model again".into(),
            ));
        }
        let values = |tree: &FloatTree| tree.nodes.len().saturating_mul(tree.outputs.len());
        let found = self.trees.iter().map(values).fold(0, usize::saturating_add);
        match found as u64 <= MAX_PARAMETERS {
            true => Ok(()),
            false => Err(ImportError::TooLarge {
                what: "the number of nodes of all trees, times their outputs,",
                found: found as u64,
                limit: MAX_PARAMETERS,
            }),
        }
    }
}

fn inconsistent() -> ImportError {
    ImportError::Malformed("its thresholds or leaves have no fixed-point form".into())
}

impl FloatTree {
    /// Adds a node and returns its index.
    pub fn push(&mut self, node: FloatNode) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The values of all leaves.
    pub fn leaves(&self) -> impl Iterator<Item = &Vec<f64>> {
        self.nodes.iter().filter_map(|node| match node {
            FloatNode::Leaf(values) => Some(values),
            FloatNode::Branch(_) => None,
        })
    }

    fn branches(&self) -> impl Iterator<Item = &Branch> {
        self.nodes.iter().filter_map(|node| match node {
            FloatNode::Branch(branch) => Some(branch),
            FloatNode::Leaf(_) => None,
        })
    }

    /// The same tree with every node after its parents, without nodes that nothing leads to, every cut at a number.
    /// The error is a clause about the tree.
    fn ordered(&mut self, columns: usize) -> Result<Self, String> {
        self.expand_constant_cuts();
        let order = self.order()?;
        let mut places = vec![0; self.nodes.len()];
        for (place, &node) in order.iter().enumerate() {
            if let Some(slot) = places.get_mut(node) {
                *slot = place;
            }
        }
        let place = |node: usize| places.get(node).copied().unwrap_or(0);
        let mut nodes = Vec::with_capacity(order.len());
        for &node in &order {
            nodes.push(match self.nodes.get(node) {
                Some(FloatNode::Branch(branch)) if branch.column as usize >= columns => {
                    let column = branch.column;
                    return Err(format!(
                        "asks for feature {column} where there are {columns}"
                    ));
                }
                Some(&FloatNode::Branch(branch)) => FloatNode::Branch(Branch {
                    low: place(branch.low),
                    high: place(branch.high),
                    ..branch
                }),
                Some(FloatNode::Leaf(values)) if values.len() != self.outputs.len() => {
                    return Err("has a leaf with the wrong number of values".into());
                }
                Some(FloatNode::Leaf(values)) if values.iter().any(|value| !value.is_finite()) => {
                    return Err("has a leaf whose value is infinite or not a number".into());
                }
                Some(leaf) => leaf.clone(),
                None => return Err("names a node that does not exist".into()),
            });
        }
        Ok(Self {
            outputs: self.outputs.clone(),
            nodes,
        })
    }

    /// Turns branches where all present values go one way into branches at numbers: two, that tell what is missing.
    fn expand_constant_cuts(&mut self) {
        for index in 0..self.nodes.len() {
            let Some(&FloatNode::Branch(branch)) = self.nodes.get(index) else {
                continue;
            };
            let present = match branch.cut {
                Cut::Below(_) => continue,
                Cut::Always => branch.low,
                Cut::Never => branch.high,
            };
            let missing = match branch.missing {
                Missing::Low => branch.low,
                Missing::High => branch.high,
            };
            // Low for a missing value and minus infinity; of these, high only for the missing value.
            let second = self.push(FloatNode::Branch(Branch {
                column: branch.column,
                cut: Cut::Below(0.0),
                missing: Missing::High,
                low: present,
                high: missing,
            }));
            let first = Branch {
                cut: Cut::Below(f64::MIN),
                missing: Missing::Low,
                low: second,
                high: present,
                ..branch
            };
            if let Some(node) = self.nodes.get_mut(index) {
                *node = FloatNode::Branch(first);
            }
        }
    }

    /// The nodes that the root leads to, by index, each after all its parents.
    fn order(&self) -> Result<Vec<usize>, String> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            Unseen,
            Open,
            Done,
        }
        let mut states = vec![State::Unseen; self.nodes.len()];
        let mut order = Vec::new();
        let mut stack = vec![(0, false)];
        let mut depth = 0_usize;
        while let Some((index, leaving)) = stack.pop() {
            let state = states
                .get_mut(index)
                .ok_or("names a node that does not exist")?;
            if leaving {
                *state = State::Done;
                order.push(index);
                depth = depth.saturating_sub(1);
                continue;
            }
            match state {
                State::Done => continue,
                State::Open => return Err("has a cycle".into()),
                State::Unseen => *state = State::Open,
            }
            stack.push((index, true));
            if depth > MAX_DEPTH {
                return Err(format!(
                    "is deeper than {MAX_DEPTH}; train with a smaller depth"
                ));
            }
            depth += 1;
            if let Some(FloatNode::Branch(branch)) = self.nodes.get(index) {
                stack.extend([(branch.low, false), (branch.high, false)]);
            }
        }
        // A node is left after all that it leads to.
        order.reverse();
        Ok(order)
    }

    /// The tree in integers; `None` if a threshold or leaf has none.
    fn integers(&self, ranking: &Ranking, fixed: &Fixed) -> Option<Tree> {
        let node = |node: &FloatNode| match node {
            FloatNode::Branch(branch) => {
                let Cut::Below(bound) = branch.cut else {
                    return None;
                };
                let (input, threshold) = ranking.find(branch.column, branch.missing, bound)?;
                Some(TreeNode::Branch {
                    input,
                    threshold,
                    low: u32::try_from(branch.low).ok()?,
                    high: u32::try_from(branch.high).ok()?,
                })
            }
            FloatNode::Leaf(values) => {
                let values = values.iter().map(|&value| fixed.round(value));
                Some(TreeNode::Leaf(values.collect()))
            }
        };
        Some(Tree {
            outputs: self.outputs.clone(),
            nodes: self.nodes.iter().map(node).collect::<Option<_>>()?,
        })
    }
}
