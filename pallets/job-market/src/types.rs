//! Jobs, the sizes that bound them, and what the market asks of the runtime.

use ciro_primitives::{JobId, ModelId};
use ciro_zkml_air::VerifyingKey;
use ciro_zkml_verifier::{Statement, VerifyError};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, weights::Weight, BoundedVec};
use pallet_worker_registry::Requirements;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{DispatchError, Permill};

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

/// Fewest workers of a redundant job.
pub const MIN_SEATS: u32 = 3;
/// Most workers of a redundant job.
pub const MAX_SEATS: u32 = 10;
/// Most jobs that one call submits.
pub const MAX_SPECS: u32 = 50;
/// Jobs that a worker on probation may have at a time.
pub const PROBATION_WORKLOAD: u32 = 1;

/// Where a worker may fetch the input: free text for off-chain use, never trusted, as the commitment decides.
pub type Locator = BoundedVec<u8, ConstU32<MAX_LOCATOR>>;
/// A quantised input, row-major, each value one byte in two's complement.
pub type Input = BoundedVec<u8, ConstU32<MAX_INPUT>>;
/// A model's final accumulators, row-major.
pub type Output = BoundedVec<i32, ConstU32<MAX_OUTPUT>>;
/// A proof as the verifier reads it.
pub type Proof = BoundedVec<u8, ConstU32<MAX_PROOF>>;

/// A level of trust in a job's answer, and so what an answer costs.
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
pub enum Verification {
    /// An answer counts unless someone disputes it; then its worker has to prove it.
    #[codec(index = 0)]
    None,
    /// So many workers, [`MIN_SEATS`] to [`MAX_SEATS`], answer without seeing each other's answers; what most of them
    /// say counts. That is evidence for the requester, but nothing that the chain could check: nobody is slashed for
    /// it.
    #[codec(index = 1)]
    Redundant(u8),
    /// An answer counts with a proof.
    #[codec(index = 2)]
    ZkMl,
}

/// How urgent a job is. Workers take the more urgent first, and the least price rises with it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Priority {
    /// Whenever it suits: 0.8 of the model's floor.
    #[codec(index = 0)]
    Low,
    /// In turn: the model's floor.
    #[default]
    #[codec(index = 1)]
    Normal,
    /// Soon: 1.2 of the model's floor.
    #[codec(index = 2)]
    High,
    /// At once: 1.5 of the model's floor.
    #[codec(index = 3)]
    Critical,
}

/// What a job pays: the price rises from `floor` when it is submitted to `ceiling` after `ramp` blocks, block by block.
/// The first claim fixes it. With `floor == ceiling` it is fixed from the beginning.
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
pub struct Auction<Balance> {
    /// The price in the block of the submission, in plancks.
    pub floor: Balance,
    /// The price from `ramp` blocks later on, in plancks.
    pub ceiling: Balance,
    /// Blocks that the rise takes.
    pub ramp: u32,
}

/// What a requester asks for.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct JobSpec<Balance, BlockNumber> {
    /// The model to run.
    pub model: ModelId,
    /// Samples in the input: 1 to [`ciro_primitives::MAX_BATCH`].
    pub batch: u32,
    /// [`ciro_primitives::input_commitment`] of the input.
    pub input_commitment: H256,
    /// Where to fetch the input.
    pub locator: Locator,
    /// What an answer earns.
    pub price: Auction<Balance>,
    /// Blocks from submission to deadline.
    pub duration: BlockNumber,
    /// What makes an answer count.
    pub verification: Verification,
    /// How urgent it is.
    pub priority: Priority,
    /// What the worker's machine must be able to do.
    pub requirements: Requirements,
}

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
    /// What an answer earns. Once the price is fixed, its floor and ceiling are that price.
    pub price: Auction<Balance>,
    /// What workers who were late have added for the one who answers, in plancks.
    pub bounty: Balance,
    /// The share of the price that goes to the model's owner.
    pub royalty: Permill,
    /// What the requester has on hold for storage until the job is removed, in plancks.
    pub deposit: Balance,
    /// The block of the submission.
    pub opened: BlockNumber,
    /// The last block in which an answer is taken; of a redundant job, the block before which the last seat is.
    pub deadline: BlockNumber,
    /// What makes an answer count.
    pub verification: Verification,
    /// How urgent it is.
    pub priority: Priority,
    /// What the worker's machine must be able to do.
    pub requirements: Requirements,
    /// How far the job has come.
    pub state: JobState<AccountId, Balance, BlockNumber>,
}

/// A worker's undertaking to answer a job.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Claim<AccountId, Balance, BlockNumber> {
    /// Who may answer.
    pub worker: AccountId,
    /// What is reserved of the worker's own stake for it, in plancks.
    pub collateral: Balance,
    /// The block of the claim.
    pub since: BlockNumber,
    /// The last block before another worker may take the job over.
    pub answer_by: BlockNumber,
}

/// One worker's part in a redundant job.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Seat<AccountId> {
    /// Who sits on it.
    pub worker: AccountId,
    /// What has been said.
    pub vote: Vote,
}

/// What a worker has said about a redundant job's output.
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
pub enum Vote {
    /// Nothing yet.
    #[codec(index = 0)]
    Pending,
    /// This [`ciro_primitives::answer_commitment`].
    #[codec(index = 1)]
    Committed(H256),
    /// This [`ciro_primitives::output_hash`].
    #[codec(index = 2)]
    Revealed(H256),
}

/// The workers of a job; of a redundant one up to [`MAX_SEATS`], else one.
pub type Workers<AccountId> = BoundedVec<AccountId, ConstU32<MAX_SEATS>>;
/// The seats of a redundant job.
pub type Seats<AccountId> = BoundedVec<Seat<AccountId>, ConstU32<MAX_SEATS>>;

/// How far a job has come. `Paid`, `Cancelled`, `Expired` and `Failed` are settled for good, the others open.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum JobState<AccountId, Balance, BlockNumber> {
    /// It waits for a worker.
    #[codec(index = 0)]
    Submitted,
    /// A worker has claimed it.
    #[codec(index = 1)]
    Assigned(Claim<AccountId, Balance, BlockNumber>),
    /// An answer was paid for.
    #[codec(index = 2)]
    Paid {
        /// Whose answer it is.
        workers: Workers<AccountId>,
        /// The block of the payment.
        at: BlockNumber,
        /// Whether the requester has rated it.
        rated: bool,
    },
    /// The requester withdrew it before anyone claimed it.
    #[codec(index = 3)]
    Cancelled {
        /// The block of the withdrawal.
        at: BlockNumber,
    },
    /// The deadline passed without an answer.
    #[codec(index = 4)]
    Expired {
        /// Who had claimed it, if anyone had.
        worker: Option<AccountId>,
        /// The block in which the expiry was called.
        at: BlockNumber,
    },
    /// It has an answer, which counts unless it is disputed.
    #[codec(index = 5)]
    Answered {
        /// The claim under which it was given.
        claim: Claim<AccountId, Balance, BlockNumber>,
        /// Who is to be paid.
        payee: AccountId,
        /// The last block in which it may be disputed.
        until: BlockNumber,
    },
    /// Its answer is disputed, and has to be proven.
    #[codec(index = 6)]
    Disputed {
        /// The claim under which it was given.
        claim: Claim<AccountId, Balance, BlockNumber>,
        /// Who is to be paid.
        payee: AccountId,
        /// Who disputes it.
        challenger: AccountId,
        /// What the challenger has on hold, in plancks.
        fee: Balance,
        /// The last block in which a proof is taken.
        until: BlockNumber,
    },
    /// Some seats of a redundant job are taken.
    #[codec(index = 7)]
    Gathering {
        /// Who has taken one.
        workers: Workers<AccountId>,
        /// What is reserved of each worker's own stake, in plancks.
        collateral: Balance,
    },
    /// All seats of a redundant job are taken, and its workers commit and reveal.
    #[codec(index = 8)]
    Voting {
        /// The seats.
        seats: Seats<AccountId>,
        /// What is reserved of each worker's own stake, in plancks.
        collateral: Balance,
        /// The last block in which a commitment is taken.
        commit_by: BlockNumber,
        /// The last block in which an output is taken.
        reveal_by: BlockNumber,
    },
    /// Its answer was not upheld, or its workers did not agree. The requester has the price back.
    #[codec(index = 9)]
    Failed {
        /// The block in which that was found.
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

/// How much an account has earned the first choice of jobs.
pub trait Merit<AccountId> {
    /// From nothing, for an account of which nothing is known, to one, for the best.
    fn merit(who: &AccountId) -> Permill;
}

/// A result that a proof has shown to be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProvenResult {
    /// The model that was run.
    pub model: ModelId,
    /// [`ciro_primitives::input_commitment`] of the input.
    pub input_commitment: H256,
    /// [`ciro_primitives::output_hash`] of the output.
    pub output_hash: H256,
}

/// What is told of every job that is paid for a proof.
pub trait OnProven {
    /// `job` is being paid, as a proof has shown `result`. Whatever becomes of it here, the payment stands.
    fn on_proven(job: JobId, result: &ProvenResult);
}

impl OnProven for () {
    fn on_proven(_: JobId, _: &ProvenResult) {}
}

/// A run of a model, and the proof of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// The model that was run.
    pub model: ModelId,
    /// Samples in the input: 1 to [`ciro_primitives::MAX_BATCH`].
    pub batch: u32,
    /// The input.
    pub input: Input,
    /// What the model gives for it.
    pub output: Output,
    /// The proof of that.
    pub proof: Proof,
}

/// What other pallets may know of proven results, and may have proven.
pub trait ResultDesk {
    /// The result of a job that was paid for a proof, until the job is removed.
    fn proven(job: JobId) -> Option<ProvenResult>;

    /// Verifies a run that answers no job of the market; `binding` is what its proof is bound to.
    ///
    /// # Errors
    /// The model is not registered, batch, input or output do not fit it, or the proof does not hold.
    fn prove(binding: &[u8], run: &Run) -> Result<ProvenResult, DispatchError>;

    /// What [`ResultDesk::prove`] weighs for so many proof bytes, input values and output values.
    fn prove_weight(proof: u32, input: u32, output: u32) -> Weight;
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
    /// Jobs that one proof is measured for: no more than a worker may have at a time.
    const MAX_JOBS: u32;

    /// The smallest fixture with at least so many proof bytes, input values and output values, each at most the
    /// maximum above: what is measured with it bounds what such a result costs.
    fn fixture(proof: u32, input: u32, output: u32) -> Fixture<AccountId>;

    /// Makes the account an eligible worker with stake enough for a hundred jobs at the least collateral.
    fn enrol(worker: &AccountId);
}
