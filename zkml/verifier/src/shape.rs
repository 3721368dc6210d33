//! How much of everything a proof holds: from the key and the statement's form, then from the query positions.

use alloc::vec::Vec;
use ciro_zkml_air::{ColumnLayout, Form, TreeLayout, VerifyingKey};
use stwo::core::vcs_lifted::verifier::LOG_PACKED_LEAF_SIZE;

/// Secure columns of the two halves of the composition polynomial.
const COMPOSITION_COLUMNS: usize = 8;

/// A FRI layer: the size of its domain and by how much it folds, as logarithms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FriLayer {
    pub log_domain_size: u32,
    pub fold_step: u32,
}

/// What is known of a proof before reading it.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub layout: TreeLayout,
    pub n_components: usize,
    /// Height of every Merkle tree of columns. The model's components have columns in each tree, so their tallest sets it;
    /// no other component is taller.
    pub tree_height: u32,
    pub n_queries: usize,
    pub last_layer_coefficients: usize,
    /// The circle layer, then the line layers.
    pub fri_layers: Vec<FriLayer>,
}

impl Shape {
    pub fn new(key: &VerifyingKey, form: Form) -> Option<Self> {
        let fri = key.preset.config().fri_config;
        let log_degree = key.max_log_size();
        let tree_height = log_degree.checked_add(fri.log_blowup_factor)?;
        let mut fri_layers = alloc::vec![FriLayer {
            log_domain_size: tree_height,
            fold_step: fri.fold_step,
        }];
        let mut bound = log_degree.checked_sub(fri.fold_step)?;
        while bound > fri.log_last_layer_degree_bound {
            let fold_step = fri
                .fold_step
                .min(bound.checked_sub(fri.log_last_layer_degree_bound)?);
            fri_layers.push(FriLayer {
                log_domain_size: bound.checked_add(fri.log_blowup_factor)?,
                fold_step,
            });
            bound = bound.checked_sub(fold_step)?;
        }
        (bound == fri.log_last_layer_degree_bound).then_some(())?;
        Some(Self {
            layout: TreeLayout::new(key, form),
            n_components: form.components(key).count(),
            tree_height,
            n_queries: fri.n_queries,
            last_layer_coefficients: 1usize.checked_shl(fri.log_last_layer_degree_bound)?,
            fri_layers,
        })
    }

    /// Samples of each column of each tree, in the order in which the proof lists them.
    pub fn samples_per_column(&self) -> [Vec<usize>; 4] {
        let samples = |tree: &[ColumnLayout]| {
            tree.iter()
                .map(|column| if column.shifted { 2 } else { 1 })
                .collect()
        };
        [
            samples(&self.layout.preprocessed),
            samples(&self.layout.main),
            samples(&self.layout.interaction),
            alloc::vec![1; COMPOSITION_COLUMNS],
        ]
    }

    /// How many values and hashes the openings hold, for the given query positions in ascending order.
    pub fn openings(&self, positions: &[usize]) -> Openings {
        let mut positions = positions.to_vec();
        let column_hashes = count_siblings(&positions, self.tree_height);
        let queried = positions.len();
        let mut layers = Vec::new();
        for layer in &self.fri_layers {
            let packed = layer.log_domain_size >= LOG_PACKED_LEAF_SIZE && layer.fold_step > 1;
            let leaf_log_size = if packed { LOG_PACKED_LEAF_SIZE } else { 0 };
            let mut folded: Vec<usize> = positions.iter().map(|at| at >> layer.fold_step).collect();
            folded.dedup();
            let subset = 1usize << layer.fold_step;
            let witnesses = folded
                .len()
                .saturating_mul(subset)
                .saturating_sub(positions.len());
            let mut leaves: Vec<usize> = folded
                .iter()
                .flat_map(|at| {
                    let first = at << layer.fold_step;
                    first..first.saturating_add(subset)
                })
                .map(|at| at >> leaf_log_size)
                .collect();
            leaves.dedup();
            let height = layer.log_domain_size.saturating_sub(leaf_log_size);
            layers.push(LayerOpening {
                witnesses,
                hashes: count_siblings(&leaves, height),
            });
            positions = folded;
        }
        Openings {
            queried,
            column_hashes,
            layers,
        }
    }
}

/// Sizes of the openings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Openings {
    /// Distinct query positions.
    pub queried: usize,
    /// Hashes that open a tree of columns at them.
    pub column_hashes: usize,
    pub layers: Vec<LayerOpening>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LayerOpening {
    /// Evaluations that complete the subsets to be folded.
    pub witnesses: usize,
    pub hashes: usize,
}

/// Hashes that a Merkle opening of the ascending, distinct `leaves` needs: one for each node on their paths whose
/// sibling is not on one.
fn count_siblings(leaves: &[usize], height: u32) -> usize {
    let mut nodes = leaves.to_vec();
    let mut count = 0usize;
    for _ in 0..height {
        let pairs = nodes.chunk_by(|left, right| left ^ 1 == *right);
        count = count.saturating_add(pairs.filter(|pair| pair.len() == 1).count());
        nodes.iter_mut().for_each(|node| *node >>= 1);
        nodes.dedup();
    }
    count
}
