//! The components put together, for prover and verifier alike.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use stwo::core::air::Component;
use stwo::core::fields::qm31::SecureField;
use stwo_constraint_framework::preprocessed_columns::PreProcessedColumnId;
use stwo_constraint_framework::{EvalAtRow, FrameworkComponent, TraceLocationAllocator};

use crate::dense::DenseEval;
use crate::lookup::{self, ActivationEval, RangeEval};
use crate::requant::{self, RequantEval};
use crate::{Challenges, VerifyingKey, SHIFT};

/// Components of the machine.
pub const N_COMPONENTS: usize = 4;

/// Columns of a secure field element.
const EXTENSION_DEGREE: u32 = 4;

/// The sums of each component's fractions, as the prover claims them: dense, requant, range, activation.
pub type ClaimedSums = [SecureField; N_COMPONENTS];

/// The constraint system for one model and batch size.
pub struct Machine {
    /// Matrix products.
    pub dense: FrameworkComponent<DenseEval>,
    /// Rescaling and activations.
    pub requant: FrameworkComponent<RequantEval>,
    /// The table of remainders.
    pub range: FrameworkComponent<RangeEval>,
    /// The tables of activations.
    pub activation: FrameworkComponent<ActivationEval>,
}

impl Machine {
    /// The constraint system of `key` for proofs of `batch` samples.
    pub fn new(
        key: &VerifyingKey,
        batch: u32,
        challenges: &Challenges,
        claimed: ClaimedSums,
    ) -> Self {
        let [dense_log_size, requant_log_size, _, activation_log_size] = component_log_sizes(key);
        let [dense_sum, requant_sum, range_sum, activation_sum] = claimed;
        let mut locations = TraceLocationAllocator::default();
        Self {
            dense: FrameworkComponent::new(
                &mut locations,
                DenseEval {
                    log_size: dense_log_size,
                    batch,
                    lanes: key.lanes(),
                    challenges: challenges.clone(),
                },
                dense_sum,
            ),
            requant: FrameworkComponent::new(
                &mut locations,
                RequantEval {
                    log_size: requant_log_size,
                    batch,
                    challenges: challenges.clone(),
                },
                requant_sum,
            ),
            range: FrameworkComponent::new(
                &mut locations,
                RangeEval {
                    challenges: challenges.clone(),
                },
                range_sum,
            ),
            activation: FrameworkComponent::new(
                &mut locations,
                ActivationEval {
                    log_size: activation_log_size,
                    challenges: challenges.clone(),
                },
                activation_sum,
            ),
        }
    }

    /// The components, in the order in which their columns are committed.
    pub fn components(&self) -> Vec<&dyn Component> {
        vec![&self.dense, &self.requant, &self.range, &self.activation]
    }
}

/// Rows of each component, as logarithms.
pub fn component_log_sizes(key: &VerifyingKey) -> [u32; N_COMPONENTS] {
    [
        key.dense_log_size.into(),
        key.requant_log_size.into(),
        SHIFT,
        key.activation_log_size.into(),
    ]
}

/// The columns of each committed tree, as logarithms of their heights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeLayout {
    /// Weights, wiring and tables.
    pub preprocessed: Vec<u32>,
    /// The witness.
    pub main: Vec<u32>,
    /// The sums of fractions; the last four of each component are read at two rows.
    pub interaction: Vec<u32>,
    /// Which interaction columns are read at the previous row too.
    pub interaction_shifted: Vec<bool>,
}

impl TreeLayout {
    /// The layout of proofs of `batch` samples under `key`.
    pub fn new(key: &VerifyingKey, batch: u32) -> Self {
        let preprocessed = [
            key.lanes().saturating_add(2),
            requant::PREPROCESSED_COLUMNS.len() as u32,
            lookup::RANGE_COLUMNS.len() as u32,
            lookup::ACTIVATION_COLUMNS.len() as u32,
        ];
        let main = [
            batch,
            batch.saturating_mul(requant::COLUMNS_PER_SAMPLE),
            1,
            1,
        ];
        let sums = [1, batch.saturating_add(2), 1, 1];
        let log_sizes = component_log_sizes(key);
        let spread = |counts: [u32; N_COMPONENTS]| -> Vec<u32> {
            counts
                .into_iter()
                .zip(log_sizes)
                .flat_map(|(count, log_size)| core::iter::repeat_n(log_size, count as usize))
                .collect()
        };
        let interaction_shifted = sums
            .into_iter()
            .flat_map(|count: u32| {
                let columns = count.saturating_mul(EXTENSION_DEGREE);
                let first_shifted = columns.saturating_sub(EXTENSION_DEGREE);
                (0..columns).map(move |index| index >= first_shifted)
            })
            .collect();
        Self {
            preprocessed: spread(preprocessed),
            main: spread(main),
            interaction: spread(sums.map(|count| count.saturating_mul(EXTENSION_DEGREE))),
            interaction_shifted,
        }
    }
}

/// Reads the preprocessed column called `id`.
pub(crate) fn column<E: EvalAtRow>(eval: &mut E, id: String) -> E::F {
    eval.get_preprocessed_column(PreProcessedColumnId { id })
}
