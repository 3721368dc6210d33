//! The interaction trace: running sums of the fractions that [`ciro_zkml_air`] constrains.

use ciro_zkml_air::lookup::{self, RANGE_TABLE};
use ciro_zkml_air::requant::{self, COLUMNS_PER_SAMPLE};
use ciro_zkml_air::{Challenges, ClaimedSums, VerifyingKey, SHIFT};
use num_traits::Zero;
use rayon::prelude::*;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::poly::circle::CanonicCoset;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::simd::m31::{PackedBaseField, LOG_N_LANES};
use stwo::prover::backend::simd::qm31::PackedSecureField;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::backend::Column;
use stwo::prover::poly::circle::CircleEvaluation;
use stwo::prover::poly::BitReversedOrder;
use stwo_constraint_framework::LogupTraceGenerator;

use crate::witness::Witness;

/// Columns over their circle domains.
pub(crate) type Evaluations = Vec<CircleEvaluation<SimdBackend, BaseField, BitReversedOrder>>;
type Fraction = (PackedSecureField, PackedSecureField);

/// The interaction trace of all components, and the sum of each.
pub(crate) fn generate(
    key: &VerifyingKey,
    preprocessed: &[BaseColumn],
    witness: &Witness,
    challenges: &Challenges,
) -> (Evaluations, ClaimedSums) {
    let (dense_columns, rest) = preprocessed.split_at(key.lanes() as usize + 2);
    let (requant_columns, rest) = rest.split_at(requant::PREPROCESSED_COLUMNS.len());
    let (range_columns, activation_columns) = rest.split_at(lookup::RANGE_COLUMNS.len());
    let parts = [
        dense_sums(key.dense_log_size, dense_columns, witness, challenges),
        requant_sums(key.requant_log_size, requant_columns, witness, challenges),
        range_sums(range_columns, witness, challenges),
        activation_sums(
            key.activation_log_size,
            activation_columns,
            witness,
            challenges,
        ),
    ];
    let claimed = parts.each_ref().map(|(_, sum)| *sum);
    let columns = parts.into_iter().flat_map(|(columns, _)| columns);
    (columns.collect(), claimed)
}

fn dense_sums(
    log_size: u8,
    columns: &[BaseColumn],
    witness: &Witness,
    challenges: &Challenges,
) -> (Evaluations, SecureField) {
    let [address, pole, weights @ ..] = columns else {
        unreachable!("the dense component has an address and a pole column")
    };
    running_sums(
        log_size,
        vec![Box::new(|row| {
            let inputs = at(&witness.dense, row);
            let fetched: PackedSecureField = challenges.memory(address.data[row], &inputs);
            let product = combine(&inputs, &challenges.sigma_powers)
                * combine(&at(weights, row), &challenges.lane_weights);
            let distance = pole_distance(pole.data[row], challenges);
            (distance + product * fetched, fetched * distance)
        })],
    )
}

fn requant_sums(
    log_size: u8,
    columns: &[BaseColumn],
    witness: &Witness,
    challenges: &Challenges,
) -> (Evaluations, SecureField) {
    let [address, pole, lane, scale, reads, table] = columns else {
        unreachable!("the requantisation component has six preprocessed columns")
    };
    let zero = PackedBaseField::zero();
    let range_table = PackedBaseField::broadcast(RANGE_TABLE.into());
    let half = PackedBaseField::broadcast(BaseField::from(1u32 << (SHIFT - 1)));
    let power = PackedBaseField::broadcast(BaseField::from(1u32 << SHIFT));
    let samples: Vec<&[BaseColumn]> = witness
        .requant
        .chunks_exact(COLUMNS_PER_SAMPLE as usize)
        .collect();

    let mut fractions: Vec<Box<dyn Fn(usize) -> Fraction + Sync + '_>> = Vec::new();
    for sample in &samples {
        fractions.push(Box::new(move |row| {
            let in_range: PackedSecureField =
                challenges.lookup(range_table, sample[1].data[row], zero);
            let activated: PackedSecureField =
                challenges.lookup(table.data[row], sample[0].data[row], sample[2].data[row]);
            (in_range + activated, in_range * activated)
        }));
    }
    fractions.push(Box::new(|row| {
        let activations: Vec<_> = samples.iter().map(|sample| sample[2].data[row]).collect();
        let written: PackedSecureField = challenges.memory(address.data[row], &activations);
        (-PackedSecureField::from(reads.data[row]), written)
    }));
    fractions.push(Box::new(|row| {
        let accumulators: Vec<_> = samples
            .iter()
            .map(|sample| {
                (sample[0].data[row] * power + sample[1].data[row] - half) * scale.data[row]
            })
            .collect();
        let lane_distance = PackedSecureField::broadcast(challenges.gamma)
            - PackedSecureField::from(lane.data[row]);
        (
            -combine(&accumulators, &challenges.sigma_powers),
            pole_distance(pole.data[row], challenges) * lane_distance,
        )
    }));
    running_sums(log_size, fractions)
}

fn range_sums(
    columns: &[BaseColumn],
    witness: &Witness,
    challenges: &Challenges,
) -> (Evaluations, SecureField) {
    let [key] = columns else {
        unreachable!("the range table has one preprocessed column")
    };
    let table = PackedBaseField::broadcast(RANGE_TABLE.into());
    table_sums(SHIFT as u8, &witness.range, |row| {
        challenges.lookup(table, key.data[row], PackedBaseField::zero())
    })
}

fn activation_sums(
    log_size: u8,
    columns: &[BaseColumn],
    witness: &Witness,
    challenges: &Challenges,
) -> (Evaluations, SecureField) {
    let [table, key, value] = columns else {
        unreachable!("the activation tables have three preprocessed columns")
    };
    table_sums(log_size, &witness.activation, |row| {
        challenges.lookup(table.data[row], key.data[row], value.data[row])
    })
}

fn table_sums(
    log_size: u8,
    multiplicities: &BaseColumn,
    entry: impl Fn(usize) -> PackedSecureField + Sync,
) -> (Evaluations, SecureField) {
    running_sums(
        log_size,
        vec![Box::new(|row| {
            let multiplicity = PackedSecureField::from(multiplicities.data[row]);
            (-multiplicity, entry(row))
        })],
    )
}

/// One secure column a fraction, the last of them summed over the rows.
fn running_sums(
    log_size: u8,
    fractions: Vec<Box<dyn Fn(usize) -> Fraction + Sync + '_>>,
) -> (Evaluations, SecureField) {
    let mut generator = LogupTraceGenerator::new(log_size.into());
    let rows = 1usize << (u32::from(log_size) - LOG_N_LANES);
    for fraction in &fractions {
        generator.col_from_par_iter((0..rows).into_par_iter().map(fraction));
    }
    generator.finalize_last()
}

fn at(columns: &[BaseColumn], row: usize) -> Vec<PackedBaseField> {
    columns.iter().map(|column| column.data[row]).collect()
}

fn combine(values: &[PackedBaseField], coefficients: &[SecureField]) -> PackedSecureField {
    values
        .iter()
        .zip(coefficients)
        .fold(PackedSecureField::zero(), |sum, (value, coefficient)| {
            sum + PackedSecureField::broadcast(*coefficient) * *value
        })
}

fn pole_distance(pole: PackedBaseField, challenges: &Challenges) -> PackedSecureField {
    PackedSecureField::broadcast(challenges.rho) - PackedSecureField::from(pole)
}

/// The column over the circle domain of its height.
pub(crate) fn evaluation(
    column: BaseColumn,
) -> CircleEvaluation<SimdBackend, BaseField, BitReversedOrder> {
    let domain = CanonicCoset::new(column.len().ilog2()).circle_domain();
    CircleEvaluation::new(domain, column)
}
