//! What the market asks of the runtime, and holds funds for: a part of [`crate::pallet`].

use frame_support::pallet_macros::pallet_section;

/// Configuration and hold reasons, imported into the pallet as they stand here.
#[pallet_section]
mod config {
    /// What the runtime supplies. Amounts are in plancks, times in blocks.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId: Into<[u8; 32]>, Hash: Into<[u8; 32]>>
    {
        /// The token that prices, deposits and fees are held in.
        type Token: Mutate<Self::AccountId>
            + MutateHold<Self::AccountId, Reason: From<HoldReason>>
            + BalancedHold<Self::AccountId>;

        /// Where models are looked up.
        type Models: ModelDirectory<Self::AccountId, BalanceOf<Self>>;

        /// What decides whether a proof is one: [`StarkVerifier`] on every real chain.
        type Verifier: VerifyProof;

        /// Whose stake is a worker's, and what collateral is reserved of.
        type Stake: StakeLedger<Self::AccountId, BalanceOf<Self>, BlockNumberFor<Self>>;

        /// Which workers are there, and what their machines can do.
        type Directory: WorkerDirectory<Self::AccountId, BlockNumberFor<Self>>;

        /// What is told of how workers did.
        type Reputation: ReputationLedger<Self::AccountId>;

        /// Who may work, and who is told of results that are proven wrong.
        type Offences: OffenceDesk<Self::AccountId, BlockNumberFor<Self>>;

        /// Who may claim a job first.
        type Merit: Merit<Self::AccountId>;

        /// What is told of every job that is paid for a proof.
        type OnProven: OnProven;

        /// Where the market's fees go, less what is burned.
        type FeeDestination: OnUnbalanced<Credit<Self::AccountId, Self::Token>>;

        /// Lowest price of a job, whatever the model asks. What is left of it by fee and royalty, shared by
        /// [`MAX_SEATS`] workers, is at least the existential deposit.
        #[pallet::constant]
        type MinJobPrice: Get<BalanceOf<Self>>;

        /// Fewest blocks from submission to deadline.
        #[pallet::constant]
        type MinJobDuration: Get<BlockNumberFor<Self>>;

        /// Most blocks from submission to deadline.
        #[pallet::constant]
        type MaxJobDuration: Get<BlockNumberFor<Self>>;

        /// Blocks from submission until a worker of whom nothing is known may claim a job. The more merit a worker has
        /// the earlier it may, the best at once. A job that lasts no longer than this is for workers of some merit.
        #[pallet::constant]
        type HeadStart: Get<BlockNumberFor<Self>>;

        /// Blocks from a claim until another worker may take the job over.
        #[pallet::constant]
        type ClaimTerm: Get<BlockNumberFor<Self>>;

        /// Blocks that the workers of a redundant job have to reveal, once the time to commit is over.
        #[pallet::constant]
        type RevealTerm: Get<BlockNumberFor<Self>>;

        /// Blocks in which an answer may be disputed.
        #[pallet::constant]
        type ChallengePeriod: Get<BlockNumberFor<Self>>;

        /// Blocks in which a disputed answer may be proven.
        #[pallet::constant]
        type ProofPeriod: Get<BlockNumberFor<Self>>;

        /// What is on hold from the challenger during a dispute, and goes to the worker if the answer is proven. At
        /// least the existential deposit.
        #[pallet::constant]
        type DisputeFee: Get<BalanceOf<Self>>;

        /// Share of a worker's collateral that goes to the challenger if the answer is not upheld. The rest goes to the
        /// requester.
        #[pallet::constant]
        type ChallengerShare: Get<Permill>;

        /// Jobs that a worker may have at a time.
        #[pallet::constant]
        type MaxWorkload: Get<u32>;

        /// Lowest collateral of a claim.
        #[pallet::constant]
        type MinCollateral: Get<BalanceOf<Self>>;

        /// Collateral of a claim as a share of what it earns.
        #[pallet::constant]
        type CollateralRatio: Get<Permill>;

        /// Share of the collateral that is burned with a refused proof.
        #[pallet::constant]
        type InvalidProofCut: Get<Permill>;

        /// Share of the collateral that goes to the requester when the worker gives the job back at once. It grows to
        /// [`Config::ExpiryCut`] over the claim's term.
        #[pallet::constant]
        type ReleaseCut: Get<Permill>;

        /// Share of the collateral that goes to the requester when a claimed job expires or a worker of a redundant job
        /// is silent or outvoted, and to whoever answers when another worker takes the job over.
        #[pallet::constant]
        type ExpiryCut: Get<Permill>;

        /// Share of the price that the market keeps: at most a tenth.
        #[pallet::constant]
        type PlatformFee: Get<Permill>;

        /// Share of the market's fee that is burned.
        #[pallet::constant]
        type FeeBurn: Get<Permill>;

        /// Blocks after which anyone may remove a settled job.
        #[pallet::constant]
        type RetentionPeriod: Get<BlockNumberFor<Self>>;

        /// Deposit for a job, whatever its size. At least the existential deposit.
        #[pallet::constant]
        type DepositBase: Get<BalanceOf<Self>>;

        /// Deposit for each byte of a job's locator and outputs.
        #[pallet::constant]
        type DepositPerByte: Get<BalanceOf<Self>>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// Real proofs and eligible workers for the benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
    }

    /// Why the market holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The ceiling of an open job's price, and its bounty, held from its requester.
        #[codec(index = 0)]
        Escrow,
        /// The storage deposit of a job, held from its requester until it is removed.
        #[codec(index = 1)]
        JobDeposit,
        /// What a worker staked on a claim before collateral was reserved of stake. Nothing is held for it since
        /// version 2, whose migration has to release what was.
        #[codec(index = 2)]
        Collateral,
        /// What a challenger stakes on a dispute.
        #[codec(index = 3)]
        DisputeFee,
    }
}
