//! Decision trees as steps, nodes and features.

use ciro_zkml_air::{Kind, VerifyingKey};
use ciro_zkml_model::{TreeNode, Trees};
use stwo::core::fields::m31::BaseField;
use stwo::core::utils::{bit_reverse_index, coset_index_to_circle_domain_index};

use super::{column, signed_column, Memory, Table};

/// A tree in the table of nodes.
pub(crate) struct TreePlan {
    /// Steps of every walk.
    pub depth: usize,
    /// Number of the tree's root; its other nodes follow.
    pub first_node: u32,
    /// For each node, the index of its first row in the table of nodes: a branch has one row for each side, a leaf one for
    /// the step to itself and one for each of its values.
    pub entries: Vec<usize>,
}

/// The rows of the three components.
#[derive(Default)]
pub(crate) struct TreeSteps {
    pub trees: Vec<TreePlan>,
    /// Address of each feature's value.
    pub features: Vec<u32>,
    /// Where each row of the step component stands in its columns, padding included.
    pub positions: Vec<usize>,
    steps: Vec<[u32; 7]>,
    nodes: Vec<[i32; 5]>,
}

/// The name of a feature; its negative's is the next. Padding has the name 0.
pub(crate) fn feature_name(feature: usize) -> i32 {
    2 * feature as i32 + 2
}

impl TreeSteps {
    /// Adds the walks of `trees`, whose features are at the addresses `source`.
    pub(super) fn add(&mut self, trees: &Trees, source: &[u32], lanes: usize, memory: &mut Memory) {
        self.features = source.to_vec();
        source.iter().for_each(|address| memory.read(*address));
        let mut first_node = 1;
        for tree in &trees.trees {
            let depth = tree.depth();
            let outputs = tree.outputs.iter().zip(1..).map(|(output, slot)| {
                let output = *output as usize;
                [
                    0,
                    0,
                    1,
                    0,
                    slot,
                    (output / lanes) as u32,
                    (output % lanes) as u32,
                ]
            });
            let first_row = self.steps.len();
            self.steps
                .extend(std::iter::repeat_n([0, 0, 1, 1, 0, 0, 0], depth).chain(outputs));
            self.steps[first_row][..2].copy_from_slice(&[1, first_node]);

            let mut entries = Vec::with_capacity(tree.nodes.len());
            for (node, number) in tree.nodes.iter().zip(first_node as i32..) {
                entries.push(self.nodes.len());
                self.add_node(node, number, first_node as i32);
            }
            self.trees.push(TreePlan {
                depth,
                first_node,
                entries,
            });
            first_node += tree.nodes.len() as u32;
        }
    }

    fn add_node(&mut self, node: &TreeNode, number: i32, first_node: i32) {
        match node {
            TreeNode::Branch {
                input,
                threshold,
                low,
                high,
            } => {
                let (name, threshold) = (feature_name(*input as usize), i32::from(*threshold));
                self.nodes
                    .push([0, number, name, threshold, first_node + *low as i32]);
                self.nodes.push([
                    0,
                    number,
                    name + 1,
                    -threshold - 1,
                    first_node + *high as i32,
                ]);
            }
            TreeNode::Leaf(values) => {
                // No feature is above 127: the step to itself is always possible.
                self.nodes
                    .push([0, number, feature_name(0), i8::MAX.into(), number]);
                let readings = (1..).zip(values);
                self.nodes
                    .extend(readings.map(|(slot, value)| [slot, number, 0, *value, number]));
            }
        }
    }

    pub(super) fn readdress(&mut self, change: impl Fn(&mut u32)) {
        self.features.iter_mut().for_each(change);
    }

    /// The columns of the steps, nodes and features.
    pub(super) fn tables(&self) -> [Table; 3] {
        let steps = (0..7)
            .map(|at| column(self.steps.iter().map(|row| row[at])))
            .collect();
        let nodes = (0..5)
            .map(|at| signed_column(self.nodes.iter().map(|row| row[at])))
            .collect();
        let names = (0..self.features.len()).map(feature_name);
        let features = vec![column(self.features.iter().copied()), signed_column(names)];
        let mut steps = Table::new(Kind::Tree, "tree steps", steps);
        // A padding row begins a walk that goes nowhere.
        steps.padding[0] = BaseField::from(1u32);
        [
            steps,
            Table::new(Kind::Node, "tree nodes", nodes),
            Table::new(Kind::Feature, "features", features),
        ]
    }

    /// Rows of the step component that are not padding.
    #[cfg(test)]
    pub fn used_rows(&self) -> usize {
        self.steps.len()
    }

    /// Puts the rows of the steps where a step's predecessor is the previous row of the domain: columns are stored in
    /// the bit-reversed order of the circle domain.
    pub(super) fn place(
        &mut self,
        rows: usize,
        key: &VerifyingKey,
        columns: &mut [Vec<BaseField>],
    ) {
        if rows == 0 {
            return;
        }
        let log_size = rows.ilog2();
        let position =
            |row| bit_reverse_index(coset_index_to_circle_domain_index(row, log_size), log_size);
        self.positions = (0..rows).map(position).collect();
        let width = |kind: Kind| kind.columns(key.sizes(1)).len();
        let before = key.components().take_while(|(kind, _)| *kind != Kind::Tree);
        let first: usize = before.map(|(kind, _)| width(kind)).sum();
        for column in &mut columns[first..first + width(Kind::Tree)] {
            let ordered = column.clone();
            for (value, at) in ordered.into_iter().zip(&self.positions) {
                column[*at] = value;
            }
        }
    }
}
