//! Jobs, and the sizes that bound them.

use ciro_primitives::ModelId;
use ciro_zkml_air::VerifyingKey;
use ciro_zkml_verifier::{Statement, VerifyError};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// Longest hint where the input is to be fetched, in bytes.
pub const MAX_LOCATOR: u32 = 256;
/// Most values that a job's input may hold, over the whole batch.
pub const MAX_INPUT: u32 = 65_536;
/// Most values that a job's output may hold, over the whole batch.
pub const MAX_OUTPUT: u32 = 8_192;
/// Longest proof, in bytes.
pub const MAX_PROOF: u32 = 1_048_576;
/// Most jobs that one look at the open jobs returns.
pub const MAX_LISTED: u32 = 100;
/// Job ids that one look at the open jobs goes through.
pub const MAX_SCANNED: u64 = 10_000;

/// Where a worker may fetch the input: free text for off-chain use, never trusted, as the commitment decides.
pub type Locator = BoundedVec<u8, ConstU32<MAX_LOCATOR>>;
/// A quantised input, row-major, each value one byte in two's complement.
pub type Input = BoundedVec<u8, ConstU32<MAX_INPUT>>;
/// A model's final accumulators, row-major.
pub type Output = BoundedVec<i32, ConstU32<MAX_OUTPUT>>;
/// A proof as the verifier reads it.
pub type Proof = BoundedVec<u8, ConstU32<MAX_PROOF>>;

/// A request to run a model on a committed input, for a price on hold.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Job<AccountId, Balance, BlockNumber> {
    /// Who asked and pays.
    pub requester: AccountId,
    /// The model to run.
    pub model: ModelId,
    /// Samples in the input: 1 to [`ciro_primitives::MAX_BATCH`].
    pub batch: u32,
    /// [`ciro_primitives::input_commitment`] of the input.
    pub input_commitment: H256,
    /// Where to fetch the input.
    pub locator: Locator,
    /// What a proven result earns, in plancks.
    pub price: Balance,
    /// What the requester has on hold for storage until the job is removed, in plancks.
    pub deposit: Balance,
    /// The last block in which a result is taken.
    pub deadline: BlockNumber,
    /// How far the job has come.
    pub state: JobState<AccountId, Balance, BlockNumber>,
}

impl<AccountId, Balance, BlockNumber> Job<AccountId, Balance, BlockNumber> {
    /// Whether the price is still on hold: the job is neither paid, cancelled nor expired.
    pub fn is_open(&self) -> bool {
        matches!(self.state, JobState::Submitted | JobState::Assigned { .. })
    }
}

/// How far a job has come. `Submitted` and `Assigned` are open, the others settled for good.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum JobState<AccountId, Balance, BlockNumber> {
    /// Any worker may claim it.
    #[codec(index = 0)]
    Submitted,
    /// A worker has claimed it.
    #[codec(index = 1)]
    Assigned {
        /// Who may answer it.
        worker: AccountId,
        /// What the worker has on hold for it, in plancks.
        collateral: Balance,
        /// The block of the claim.
        since: BlockNumber,
    },
    /// A proven result was paid for.
    #[codec(index = 2)]
    Paid {
        /// Who answered.
        worker: AccountId,
        /// Who was paid.
        payee: AccountId,
        /// The block of the payment.
        at: BlockNumber,
    },
    /// The requester withdrew it before anyone claimed it.
    #[codec(index = 3)]
    Cancelled {
        /// The block of the withdrawal.
        at: BlockNumber,
    },
    /// The deadline passed without a proven result.
    #[codec(index = 4)]
    Expired {
        /// Who had claimed it, if anyone had.
        worker: Option<AccountId>,
        /// The block in which the expiry was called.
        at: BlockNumber,
    },
}

/// Why the chain refused a result. See [`VerifyError`] for each.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum RefusalReason {
    /// The statement does not fit the model.
    #[codec(index = 0)]
    Statement,
    /// An output is 2^30 or more in magnitude.
    #[codec(index = 1)]
    OutputRange,
    /// The proof's bytes are too few, too many or not canonical.
    #[codec(index = 2)]
    Encoding,
    /// The proof is of another model, input, output, job or payee.
    #[codec(index = 3)]
    Sum,
    /// The proof of work is missing.
    #[codec(index = 4)]
    ProofOfWork,
    /// The random point fell on a pole, which happens to an honest proof once in 2^40.
    #[codec(index = 5)]
    Degenerate,
    /// A constraint does not hold.
    #[codec(index = 6)]
    Constraints,
    /// An opening does not match its commitment.
    #[codec(index = 7)]
    Commitment,
    /// The committed columns are not low-degree polynomials.
    #[codec(index = 8)]
    LowDegree,
}

impl From<VerifyError> for RefusalReason {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Key(_) | VerifyError::Statement => Self::Statement,
            VerifyError::OutputRange => Self::OutputRange,
            VerifyError::Encoding => Self::Encoding,
            VerifyError::Sum => Self::Sum,
            VerifyError::ProofOfWork => Self::ProofOfWork,
            VerifyError::Degenerate => Self::Degenerate,
            VerifyError::Constraints => Self::Constraints,
            VerifyError::Commitment => Self::Commitment,
            VerifyError::Fri => Self::LowDegree,
        }
    }
}

/// What decides whether a proof is one.
pub trait VerifyProof {
    /// Accepts `proof` if it proves that the model of `key`, run on the statement's input, gives its output.
    ///
    /// # Errors
    /// Says why the proof is refused. Must not panic on any bytes.
    fn verify(
        key: &VerifyingKey,
        statement: &Statement<'_>,
        proof: &[u8],
    ) -> Result<(), RefusalReason>;
}

/// The real verifier, [`ciro_zkml_verifier::verify`].
pub struct StarkVerifier;

impl VerifyProof for StarkVerifier {
    fn verify(
        key: &VerifyingKey,
        statement: &Statement<'_>,
        proof: &[u8],
    ) -> Result<(), RefusalReason> {
        ciro_zkml_verifier::verify(key, statement, proof).map_err(Into::into)
    }
}

/// A real proof, for benchmarks: what the chain must look like for it to be accepted.
#[cfg(feature = "runtime-benchmarks")]
#[derive(Clone, Debug)]
pub struct Fixture<AccountId> {
    /// Key of the model that was run.
    pub key: VerifyingKey,
    /// Hash of the genesis block that the proof is bound to.
    pub genesis: [u8; 32],
    /// The job that the proof is bound to.
    pub job: ciro_primitives::JobId,
    /// The payee that the proof is bound to.
    pub payee: AccountId,
    /// Samples.
    pub batch: u32,
    /// The quantised input.
    pub input: alloc::vec::Vec<i8>,
    /// The model's output.
    pub output: alloc::vec::Vec<i32>,
    /// The proof.
    pub proof: alloc::vec::Vec<u8>,
}

/// Supplies the benchmarks with real proofs.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper<AccountId> {
    /// Proof bytes of the largest fixture.
    const MAX_PROOF: u32;
    /// Input values of the largest fixture.
    const MAX_INPUT: u32;
    /// Output values of the largest fixture.
    const MAX_OUTPUT: u32;

    /// The smallest fixture with at least so many proof bytes, input values and output values, each at most the
    /// maximum above: what is measured with it bounds what such a result costs.
    fn fixture(proof: u32, input: u32, output: u32) -> Fixture<AccountId>;
}
