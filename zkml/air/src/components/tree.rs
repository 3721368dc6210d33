//! Decision trees: a walk from the root to a leaf is a chain of lookups.
//!
//! A row of the step component is, for every sample, one step of a walk through one tree, or the reading of one value of
//! the leaf that it ended in. A step from node `n` to `n'` looks up `(0, n, feature, bound, n')` in the table of nodes,
//! the feature's value `v` in the sample's table of features, and `bound - v` in the range table: it is not negative.
//! Going low (`v <= t`) has `bound = t`; going high (`v > t`) reads the feature's negative, which the table also has,
//! with `bound = -t - 1`. A leaf steps to itself, for walks that are shorter than the tree. The reading of value number
//! `k` looks up `(1 + k, n, 0, value, n)` and adds the value to an output's accumulator.

use num_traits::One;
use stwo::core::fields::m31::BaseField;
use stwo_constraint_framework::{EvalAtRow, ORIGINAL_TRACE_IDX};

use super::table::{supply, FEATURE_TABLE, NODE_TABLE, RANGE_TABLE};
use super::Row;
use crate::sums::{Sums, Target};

/// The columns of steps: 1 on a walk's first row and the root there; 1 on rows that are not padding; 1 on steps and 0 on
/// readings; which reading (from 1, 0 on steps); the block and lane of the output that a reading adds to.
pub const STEP_COLUMNS: [&str; 7] = [
    "tree.first",
    "tree.root",
    "tree.active",
    "tree.step",
    "tree.slot",
    "tree.pole",
    "tree.lane",
];
/// The columns of the table of nodes.
pub const NODE_COLUMNS: [&str; 5] = [
    "node.slot",
    "node.node",
    "node.feature",
    "node.bound",
    "node.next",
];
/// The columns of the table of features: where the value is read, and its name; the negative's name is the next.
pub const FEATURE_COLUMNS: [&str; 2] = ["feature.from", "feature.name"];

/// Columns of a step's main trace for each sample: node, feature, bound, value, next node.
pub const STEP_CELLS_PER_SAMPLE: usize = 5;
/// Columns of a feature's main trace for each sample: value, lookups of it, lookups of its negative.
pub const FEATURE_CELLS_PER_SAMPLE: usize = 3;

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn step_row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [first, root, active, step, slot, pole, lane] = row.columns();
    let (nodes, features) = (row.word(eval), row.word(eval));
    let (bounds, values) = (row.word(eval), row.word(eval));
    let [range_table, node_table] = [RANGE_TABLE, NODE_TABLE].map(|table| E::F::from(table.into()));
    let start = first.clone() * root;
    let goes_on = E::F::one() - first;

    for (sample, (((node, feature), bound), value)) in
        (0u32..).zip(nodes.iter().zip(&features).zip(&bounds).zip(&values))
    {
        let [previous, next] = eval.next_interaction_mask(ORIGINAL_TRACE_IDX, [-1, 0]);
        eval.add_constraint(node.clone() - start.clone() - goes_on.clone() * previous);

        let entry = [
            slot.clone(),
            node.clone(),
            feature.clone(),
            bound.clone(),
            next,
        ];
        let entry = row.challenges.lookup(node_table.clone(), &entry);
        sums.add(eval, E::EF::from(active.clone()), entry);
        let features = E::F::from(BaseField::from(FEATURE_TABLE.saturating_add(sample)));
        let fetched = row
            .challenges
            .lookup(features, &[feature.clone(), value.clone()]);
        sums.add(eval, E::EF::from(step.clone()), fetched);
        let distance = bound.clone() - value.clone();
        let in_range = row.challenges.lookup(range_table.clone(), &[distance]);
        sums.add(eval, E::EF::from(step.clone()), in_range);
    }

    let reads = active - step;
    let read = row.combine(&bounds, &row.challenges.word_weights) * reads;
    let distance = row.pole_distance(pole) * row.lane_distance(lane);
    sums.add_alone(eval, read, distance);
}

pub(super) fn node_row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let entry: [E::F; 5] = row.columns();
    supply(row, eval, sums, E::F::from(NODE_TABLE.into()), &entry);
}

#[allow(clippy::arithmetic_side_effects)] // field arithmetic
pub(super) fn feature_row<E: EvalAtRow, T: Target<E>>(
    row: Row<'_, E>,
    eval: &mut E,
    sums: &mut Sums<E, T>,
) {
    let [from, name] = row.columns();
    let negative = name.clone() + E::F::one();
    let (values, reads, negative_reads) = (row.word(eval), row.word(eval), row.word(eval));
    sums.add(eval, E::EF::one(), row.challenges.memory(from, &values));
    for (sample, ((value, reads), negative_reads)) in
        (0u32..).zip(values.iter().zip(&reads).zip(&negative_reads))
    {
        let table = E::F::from(BaseField::from(FEATURE_TABLE.saturating_add(sample)));
        let entry = row
            .challenges
            .lookup(table.clone(), &[name.clone(), value.clone()]);
        sums.add(eval, -E::EF::from(reads.clone()), entry);
        let entry = row
            .challenges
            .lookup(table, &[negative.clone(), -value.clone()]);
        sums.add(eval, -E::EF::from(negative_reads.clone()), entry);
    }
}
