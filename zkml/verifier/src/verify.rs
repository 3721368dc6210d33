//! Verification of a statement's proof.

use alloc::vec::Vec;

use ciro_zkml_air::{
    public, transcript, Challenges, ColumnLayout, Committed, Form, KeyError, Machine, Tensor,
    VerifyingKey, MAX_BINDING,
};
use num_traits::Zero;
use stwo::core::channel::{Blake2sChannel, Channel, MerkleChannel};
use stwo::core::circle::CirclePoint;
use stwo::core::fields::qm31::SecureField;
use stwo::core::pcs::{CommitmentSchemeVerifier, PcsConfig};
use stwo::core::poly::circle::CanonicCoset;
use stwo::core::queries::{draw_queries, Queries};
use stwo::core::utils::bit_reverse_index;
use stwo::core::vcs::blake2_hash::Blake2sHash;
use stwo::core::vcs_lifted::blake2_merkle::Blake2sMerkleChannel;

use crate::codec::{Commitments, Reader};
use crate::shape::Shape;

/// What a proof proves: the model of the key, run on `input`, gives `output`.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// What the proof is bound to besides, at most [`MAX_BINDING`] bytes: the chain, the job or jobs and the payee.
    pub binding: &'a [u8],
    /// Samples, 1 to [`VerifyingKey::max_batch`].
    pub batch: u32,
    /// The quantised input, `[batch][inputs]`.
    pub input: Tensor<&'a [i8]>,
    /// The last layer's accumulators, `[batch][outputs]`, each of magnitude under 2^30.
    pub output: Tensor<&'a [i32]>,
}

impl Statement<'_> {
    /// What the shape of its proof depends on.
    pub fn form(&self) -> Form {
        Form {
            batch: self.batch,
            committed: Committed {
                input: self.input.is_committed(),
                output: self.output.is_committed(),
            },
        }
    }
}

/// Why a proof was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerifyError {
    /// The key is not valid.
    Key(KeyError),
    /// The batch, the binding or the lengths of input and output do not fit the key, or a commitment is not canonical.
    Statement,
    /// An output is 2^30 or more in magnitude.
    OutputRange,
    /// The proof is shorter or longer than the key demands, or holds a number that is not canonical.
    Encoding,
    /// The proof is for another input, output or model: the sums of its lookups do not cancel.
    Sum,
    /// The proof of work is missing.
    ProofOfWork,
    /// The random point fell on a pole. Honest proofs meet this once in 2^40 and pass when made again.
    Degenerate,
    /// A constraint does not hold at the random point.
    Constraints,
    /// An opening does not match its commitment.
    Commitment,
    /// The committed columns are not low-degree polynomials.
    Fri,
}

impl VerifyError {
    /// What is wrong.
    pub fn message(self) -> &'static str {
        match self {
            Self::Key(error) => error.message(),
            Self::Statement => "batch, binding, input and output do not fit the model",
            Self::OutputRange => "an output is out of range",
            Self::Encoding => "the proof's bytes are cut, too long or not canonical",
            Self::Sum => "the proof does not belong to this model, input and output",
            Self::ProofOfWork => "the proof's proof of work is wrong",
            Self::Degenerate => "the proof's random point fell on a pole",
            Self::Constraints => "the proof's constraints do not hold",
            Self::Commitment => "an opening of the proof does not match its commitment",
            Self::Fri => "the proof's low-degree test fails",
        }
    }
}

impl core::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for VerifyError {}

/// Verifies `proof` of `statement` under `key`.
///
/// # Errors
/// Says which check failed. Never panics, and its work is bounded by the key and the lengths of its arguments.
pub fn verify(
    key: &VerifyingKey,
    statement: &Statement<'_>,
    proof: &[u8],
) -> Result<(), VerifyError> {
    key.validate().map_err(VerifyError::Key)?;
    check_statement(key, statement)?;
    let Statement {
        binding,
        batch,
        input,
        output,
    } = *statement;
    let form = statement.form();
    let shape = Shape::new(key, form).ok_or(VerifyError::Statement)?;
    let mut reader = Reader::new(proof);
    let commitments = reader.commitments(&shape).ok_or(VerifyError::Encoding)?;

    let config = key.preset.config();
    let mut channel = transcript::begin(key, binding, batch, input, output);
    let mut scheme = CommitmentSchemeVerifier::<Blake2sMerkleChannel>::new(config);
    let [main_root, interaction_root, _] = commitments.roots;
    let layout = &shape.layout;
    let log_sizes =
        |tree: &[ColumnLayout]| -> Vec<u32> { tree.iter().map(|column| column.log_size).collect() };
    scheme.commit(
        Blake2sHash(key.root),
        &log_sizes(&layout.preprocessed),
        &mut channel,
    );
    scheme.commit(main_root, &log_sizes(&layout.main), &mut channel);
    let challenges =
        Challenges::draw(&mut channel, key.sizes(batch)).ok_or(VerifyError::Degenerate)?;
    check_sum(key, statement, &challenges, &commitments)?;
    transcript::mix_claimed_sums(&mut channel, &commitments.claimed);
    scheme.commit(
        interaction_root,
        &log_sizes(&layout.interaction),
        &mut channel,
    );

    let positions = query_positions(channel.clone(), &shape, config, &commitments)?;
    let claimed = commitments.claimed.clone();
    let openings = shape.openings(&positions);
    let proof = reader
        .openings(&shape, &openings, key.root, config, commitments)
        .filter(|_| reader.is_empty())
        .ok_or(VerifyError::Encoding)?;

    let machine = Machine::new(key, form, &challenges, &claimed);
    stwo::core::verifier::verify(
        &machine.verifier_components(),
        &mut channel,
        &mut scheme,
        proof,
    )
    .map_err(Into::into)
}

impl From<stwo::core::verifier::VerificationError> for VerifyError {
    fn from(error: stwo::core::verifier::VerificationError) -> Self {
        use stwo::core::verifier::VerificationError::*;
        match error {
            InvalidStructure(_) => Self::Encoding,
            Merkle(_) => Self::Commitment,
            OodsNotMatching => Self::Constraints,
            Fri(_) => Self::Fri,
            ProofOfWork => Self::ProofOfWork,
        }
    }
}

fn check_statement(key: &VerifyingKey, statement: &Statement<'_>) -> Result<(), VerifyError> {
    let batch = statement.batch;
    let valid = (1..=key.max_batch()).contains(&batch)
        && statement.binding.len() <= MAX_BINDING
        && fits(statement.input, batch, key.inputs)
        && fits(statement.output, batch, key.outputs)
        && statement.form().fits(key);
    if !valid {
        return Err(VerifyError::Statement);
    }
    let in_range = |value: &i32| value.unsigned_abs() < public::OUTPUT_BOUND;
    match statement.output {
        Tensor::Public(output) if !output.iter().all(in_range) => Err(VerifyError::OutputRange),
        _ => Ok(()),
    }
}

fn fits<T>(tensor: Tensor<&[T]>, batch: u32, per_sample: u32) -> bool {
    match tensor {
        Tensor::Public(values) => {
            values.len() as u64 == u64::from(batch).saturating_mul(per_sample.into())
        }
        Tensor::Committed(commitment) => commitment.elements().is_some(),
    }
}

/// The claimed sums and the public input and output cancel.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn check_sum(
    key: &VerifyingKey,
    statement: &Statement<'_>,
    challenges: &Challenges,
    commitments: &Commitments,
) -> Result<(), VerifyError> {
    let public = public::sum(
        key,
        statement.batch,
        challenges,
        statement.input,
        statement.output,
    )
    .ok_or(VerifyError::Degenerate)?;
    let total = commitments
        .claimed
        .iter()
        .fold(public, |total, sum| total + *sum);
    if total.is_zero() {
        Ok(())
    } else {
        Err(VerifyError::Sum)
    }
}

/// Walks the rest of the transcript as stwo's verifier will, to learn where the proof is opened: the sizes of the
/// openings follow, so they are read with no length taken from the proof. Ascending and distinct.
fn query_positions(
    mut channel: Blake2sChannel,
    shape: &Shape,
    config: PcsConfig,
    commitments: &Commitments,
) -> Result<Vec<usize>, VerifyError> {
    let [_, _, composition_root] = commitments.roots;
    let _composition_challenge = channel.draw_secure_felt();
    Blake2sMerkleChannel::mix_root(&mut channel, composition_root);
    let oods_point = CirclePoint::<SecureField>::get_random_point(&mut channel);
    let samples = commitments.sampled_values.iter().flatten().flatten();
    channel.mix_felts(&samples.copied().collect::<Vec<_>>());
    let _quotient_challenge = channel.draw_secure_felt();
    for root in &commitments.fri_roots {
        Blake2sMerkleChannel::mix_root(&mut channel, *root);
        let _folding_challenge = channel.draw_secure_felt();
    }
    channel.mix_felts(&commitments.last_layer);
    if !channel.verify_pow_nonce(config.pow_bits, commitments.nonce) {
        return Err(VerifyError::ProofOfWork);
    }
    channel.mix_u64(commitments.nonce);
    let drawn = draw_queries(&mut channel, shape.tree_height, shape.n_queries);
    let positions = Queries::new(&drawn, shape.tree_height).positions;
    if meets_pole(oods_point, shape, config, &positions) {
        return Err(VerifyError::Degenerate);
    }
    Ok(positions)
}

/// Whether the quotients divide by zero at one of the positions: where a point of the domain lies on the line through a
/// sampled point and its conjugate. stwo would panic; a prover would need about 2^49 attempts to bring it about.
#[allow(clippy::arithmetic_side_effects)] // field arithmetic
fn meets_pole(
    oods_point: CirclePoint<SecureField>,
    shape: &Shape,
    config: PcsConfig,
    positions: &[usize],
) -> bool {
    let log_degree = shape
        .tree_height
        .saturating_sub(config.fri_config.log_blowup_factor);
    let previous_row = CanonicCoset::new(log_degree).step().mul_signed(-1);
    let domain_step = CanonicCoset::new(shape.tree_height).step();
    let columns = shape.layout.main.iter().chain(&shape.layout.interaction);
    let periods = columns.filter(|column| column.shifted).map(|column| {
        let log_size = column.log_size;
        domain_step.repeated_double(log_size.saturating_add(config.fri_config.log_blowup_factor))
    });
    let mut sampled: Vec<_> = core::iter::once(previous_row)
        .chain(periods)
        .map(|offset| oods_point + offset.into_ef())
        .collect();
    sampled.push(oods_point);
    sampled.dedup();
    let domain = CanonicCoset::new(shape.tree_height).circle_domain();
    positions.iter().any(|position| {
        let point = domain.at(bit_reverse_index(*position, shape.tree_height));
        sampled.iter().any(|sample| {
            let (x, y) = (sample.x, sample.y);
            ((x.0 - point.x) * y.1 - (y.0 - point.y) * x.1).is_zero()
        })
    })
}
