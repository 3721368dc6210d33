//! Decision trees over ranked inputs.

use codec::{Decode, Encode};

/// Most steps from a tree's root to a leaf.
pub const MAX_DEPTH: usize = 128;

/// A sum of decision trees: `acc_k = base_k + sum over trees of the leaf's value for k`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Trees {
    /// The value of each output before any tree.
    pub base: Vec<i32>,
    /// The trees.
    pub trees: Vec<Tree>,
}

/// A decision tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Tree {
    /// The outputs that its leaves add to, in the order of a leaf's values.
    pub outputs: Vec<u32>,
    /// The nodes, the root first and every other after its parent.
    pub nodes: Vec<TreeNode>,
}

/// A node of a decision tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum TreeNode {
    /// Goes to `low` if the input is at most `threshold`, otherwise to `high`.
    #[codec(index = 0)]
    Branch {
        /// Index of the input, whose values are from -128 to 127.
        input: u32,
        /// The largest input that goes to `low`.
        threshold: i8,
        /// Index of a later node.
        low: u32,
        /// Index of a later node.
        high: u32,
    },
    /// Adds one value to each of the tree's outputs.
    #[codec(index = 1)]
    Leaf(Vec<i32>),
}

impl Tree {
    /// The nodes that `input` visits, from the root to a leaf.
    pub fn path<'a>(&'a self, input: &'a [i32]) -> impl Iterator<Item = usize> + 'a {
        let next = |at: &usize| match self.nodes.get(*at)? {
            TreeNode::Branch {
                input: index,
                threshold,
                low,
                high,
            } => {
                let value = input.get(*index as usize)?;
                let next = if *value <= i32::from(*threshold) {
                    low
                } else {
                    high
                };
                Some(*next as usize)
            }
            TreeNode::Leaf(_) => None,
        };
        std::iter::successors(Some(0), next)
    }

    /// The steps on the longest way from the root to a leaf. The nodes are in order, as `Model::validate` checks.
    pub fn depth(&self) -> usize {
        let mut depths = vec![0_usize; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            if let TreeNode::Branch { low, high, .. } = node {
                let below = depths.get(index).map_or(0, |depth| depth.saturating_add(1));
                for child in [low, high] {
                    if let Some(depth) = depths.get_mut(*child as usize) {
                        *depth = below.max(*depth);
                    }
                }
            }
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// The smallest and largest value of any leaf, for each of the tree's outputs.
    pub fn ranges(&self) -> Vec<(i32, i32)> {
        let mut leaves = self.nodes.iter().filter_map(|node| match node {
            TreeNode::Leaf(values) => Some(values),
            TreeNode::Branch { .. } => None,
        });
        let first = leaves.next().into_iter().flatten();
        let mut ranges: Vec<(i32, i32)> = first.map(|&value| (value, value)).collect();
        for values in leaves {
            for ((low, high), &value) in ranges.iter_mut().zip(values) {
                (*low, *high) = (value.min(*low), value.max(*high));
            }
        }
        ranges
    }
}
