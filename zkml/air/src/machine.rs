//! The components put together, for prover and verifier alike.

use alloc::vec::Vec;
use num_traits::Zero;
use stwo::core::air::Component;
use stwo::core::fields::qm31::SecureField;
use stwo_constraint_framework::{
    FrameworkComponent, FrameworkEval, InfoEvaluator, TraceLocationAllocator,
    INTERACTION_TRACE_IDX, ORIGINAL_TRACE_IDX,
};

use crate::components::{Constraints, Kind};
use crate::{Challenges, Form, VerifyingKey};

/// The sums of each component's fractions, as the prover claims them, in the order of [`Form::components`].
pub type ClaimedSums = Vec<SecureField>;

/// The constraint system for one model and form of statements.
pub struct Machine {
    components: Vec<FrameworkComponent<Constraints>>,
}

impl Machine {
    /// The constraint system of `key` for statements of `form`.
    pub fn new(
        key: &VerifyingKey,
        form: Form,
        challenges: &Challenges,
        claimed: &ClaimedSums,
    ) -> Self {
        let mut locations = TraceLocationAllocator::default();
        let components = constraints(key, form, challenges, claimed)
            .map(|constraints| {
                let claimed = constraints.claimed;
                FrameworkComponent::new(&mut locations, constraints, claimed)
            })
            .collect();
        Self { components }
    }

    /// The components, in the order in which their columns are committed.
    pub fn components(&self) -> &[FrameworkComponent<Constraints>] {
        &self.components
    }

    /// The components as a verifier takes them.
    pub fn verifier_components(&self) -> Vec<&dyn Component> {
        self.components
            .iter()
            .map(|component| component as &dyn Component)
            .collect()
    }
}

fn constraints<'a>(
    key: &'a VerifyingKey,
    form: Form,
    challenges: &'a Challenges,
    claimed: &'a ClaimedSums,
) -> impl Iterator<Item = Constraints> + 'a {
    let sizes = key.sizes(form.batch);
    let claimed = claimed.iter().copied();
    let claimed = claimed.chain(core::iter::repeat(SecureField::zero()));
    form.components(key)
        .zip(claimed)
        .map(move |((kind, log_size), claimed)| {
            Constraints::new(kind, log_size, sizes, challenges.clone(), claimed)
        })
}

/// A committed column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ColumnLayout {
    /// Its height, as a logarithm.
    pub log_size: u32,
    /// Whether it is read at the previous row too.
    pub shifted: bool,
}

/// The columns of each committed tree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TreeLayout {
    /// Weights, wiring and tables.
    pub preprocessed: Vec<ColumnLayout>,
    /// The witness.
    pub main: Vec<ColumnLayout>,
    /// The sums of fractions.
    pub interaction: Vec<ColumnLayout>,
}

impl TreeLayout {
    /// The layout of proofs of statements of `form` under `key`.
    pub fn new(key: &VerifyingKey, form: Form) -> Self {
        let challenges = Challenges::placeholder(key.sizes(form.batch));
        let mut layout = Self::default();
        for constraints in constraints(key, form, &challenges, &ClaimedSums::new()) {
            let log_size = constraints.log_size;
            let info = constraints.evaluate(InfoEvaluator::empty());
            let fixed = info.preprocessed_columns.iter().map(|_| ColumnLayout {
                log_size,
                shifted: false,
            });
            layout.preprocessed.extend(fixed);
            let trees = [
                (ORIGINAL_TRACE_IDX, &mut layout.main),
                (INTERACTION_TRACE_IDX, &mut layout.interaction),
            ];
            for (index, tree) in trees {
                let masks = info.mask_offsets.get(index).into_iter().flatten();
                tree.extend(masks.map(|offsets| ColumnLayout {
                    log_size,
                    shifted: offsets.len() > 1,
                }));
            }
        }
        layout
    }
}

impl VerifyingKey {
    /// The components that the model has, with the logarithms of their numbers of rows.
    pub fn components(&self) -> impl Iterator<Item = (Kind, u32)> + '_ {
        Kind::ALL
            .into_iter()
            .zip(self.log_sizes)
            .filter(|(_, log_size)| *log_size > 0)
            .map(|(kind, log_size)| (kind, log_size.into()))
    }
}
