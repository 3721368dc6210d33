//! # Outbound queue
//!
//! What leaves Ciro for contracts on other chains, as `bridge/PROTOCOL.md` lays it down: messages in lanes, and every
//! result that a proof has shown to be right.
//!
//! While a block runs, its messages and results gather here. At its end they are hashed into two trees, whose roots go
//! into the next block's leaf of the MMR, which BEEFY validators sign. After that nothing of them is left in the state:
//! the leaves lie in the off-chain index of every node, under their root ([`leaves_key`]), and each lane can be walked
//! backwards there from its [`Lane::last_block`] ([`previous_key`]). So this pallet's hooks come after those of all that
//! sends, and only its `on_finalize` reads what they have sent.
//!
//! A **lane** leads to one contract, whose name it is; anyone opens one for a deposit. Its messages are numbered without
//! gaps, and so a lane that has had one is there for good, with its deposit. A **message** costs
//! [`Config::MessageFee`] on top of the transaction's fee. Anyone may send true ones in any lane: the result of a job
//! that was paid for a proof, an executed case against an operator, the result of a job of another chain with a proof.
//! Other pallets send by [`Outbox`].
//!
//! **Results** of jobs that are paid for a proof are noted by themselves, at no fee. A job's payment never fails for the
//! bridge: a result that the block has no room for, or that comes while the bridge is halted, is passed over. It can be
//! sent as a message as long as its job is stored.
//!
//! While the bridge is **halted** nothing new is queued. What this block has queued before still leaves.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it. A call takes what it needs one by one, since
// that is how wallets show it.
#[allow(clippy::expect_used, clippy::too_many_arguments)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use ciro_bridge_primitives::{
        Destination, LaneId, Message, Payload, RemoteJobBinding, ResultLeaf,
    };
    use ciro_primitives::{JobId, ModelId};
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{Balanced, Credit, Inspect, MutateHold},
            tokens::Precision,
            OnUnbalanced, Time,
        },
    };
    use frame_system::pallet_prelude::*;
    use pallet_job_market::{Input, Output, Proof, ResultDesk, Run};
    use pallet_slashing::{CaseId, ExecutedCases};
    use sp_core::H256;
    use sp_runtime::traits::Zero;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// An amount of the chain's token, in plancks.
    pub type BalanceOf<T> =
        <<T as Config>::Token as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

    /// A lane on this chain.
    pub type LaneOf<T> =
        Lane<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;

    /// Funds that belong to nobody yet.
    pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Token>;

    /// The queue.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies. Amounts are in plancks.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId: Into<[u8; 32]>, Hash: Into<[u8; 32]>>
    {
        /// The token that deposits and fees are held and paid in.
        type Token: Balanced<Self::AccountId>
            + MutateHold<Self::AccountId, Reason: From<HoldReason>>;

        /// Where the fees of messages go.
        type FeeDestination: OnUnbalanced<CreditOf<Self>>;

        /// The chain's time, in milliseconds since 1970.
        type Clock: Time<Moment = u64>;

        /// Who knows proven results, and verifies more.
        type Market: ResultDesk;

        /// Who knows executed cases.
        type Cases: ExecutedCases<Self::AccountId>;

        /// Who may halt the bridge, and end the halt.
        type HaltOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Deposit for a lane. At least the existential deposit.
        #[pallet::constant]
        type LaneDeposit: Get<BalanceOf<Self>>;

        /// What a message costs, besides the transaction's fee.
        #[pallet::constant]
        type MessageFee: Get<BalanceOf<Self>>;

        /// Most messages in a block.
        #[pallet::constant]
        type MaxMessages: Get<u32>;

        /// Most results in a block.
        #[pallet::constant]
        type MaxResults: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;

        /// What the benchmarks need beyond this pallet.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper;
    }

    /// Why the queue holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The deposit for a lane, for as long as it exists.
        #[codec(index = 0)]
        LaneDeposit,
    }

    /// The lanes.
    #[pallet::storage]
    pub type Lanes<T: Config> = StorageMap<_, Blake2_128Concat, LaneId, LaneOf<T>>;

    /// The messages of the present block, until it ends.
    #[pallet::storage]
    pub type Messages<T: Config> = StorageValue<_, BoundedVec<Message, T::MaxMessages>, ValueQuery>;

    /// The results of the present block, until it ends.
    #[pallet::storage]
    pub type Results<T: Config> =
        StorageValue<_, BoundedVec<ResultLeaf, T::MaxResults>, ValueQuery>;

    /// The roots of what the last block queued: what the next leaf of the MMR says.
    #[pallet::storage]
    pub type Sealed<T: Config> = StorageValue<_, Roots, ValueQuery>;

    /// The cases that each lane was told of: none is told twice.
    #[pallet::storage]
    pub type SentCases<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, LaneId, Twox64Concat, CaseId, ()>;

    /// Whether the bridge is halted.
    #[pallet::storage]
    pub type Halted<T: Config> = StorageValue<_, bool, ValueQuery>;

    /// What happened on the bridge.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A lane was opened.
        LaneOpened {
            /// The lane.
            lane: LaneId,
            /// The contract that it leads to.
            destination: Destination,
            /// Who opened it.
            owner: T::AccountId,
            /// What is on hold for it, in plancks.
            deposit: BalanceOf<T>,
        },
        /// A lane that has had no message was closed and its deposit released.
        LaneClosed {
            /// The lane.
            lane: LaneId,
        },
        /// A message was queued. It leaves with this block.
        MessageQueued {
            /// The lane.
            lane: LaneId,
            /// Its number in the lane.
            nonce: u64,
            /// Its hash.
            id: H256,
            /// What it says.
            payload: Payload,
        },
        /// A result was passed over, as the bridge is halted or the block full. It can be sent as a message.
        ResultPassedOver {
            /// The job.
            job: JobId,
        },
        /// The bridge was halted.
        BridgeHalted,
        /// The halt was ended.
        BridgeResumed,
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There can be no such contract: zero, or too long for an address of its kind of chain.
        InvalidDestination,
        /// The lane is open already.
        LaneExists,
        /// There is no such lane. Open it first.
        UnknownLane,
        /// Only who opened the lane may close it.
        NotOwner,
        /// The lane has had a message and stays.
        LaneInUse,
        /// The bridge is halted.
        Halted,
        /// The block can take no more messages. Try again in the next one.
        QueueFull,
        /// Messages of this kind come to Ciro and do not leave it.
        NotOutbound,
        /// There is no such job, or it was not paid for a proof.
        NotProven,
        /// There is no such case, or it was not executed.
        NotExecuted,
        /// The lane was told of this case already.
        AlreadySent,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::LaneDeposit::get() >= T::Token::minimum_balance(),
                "a deposit below the existential deposit could not be released to every account"
            );
            assert!(T::MaxMessages::get() > 0 && T::MaxResults::get() > 0);
        }

        // What it takes to seal an empty block. For each message and result more weight is registered as it comes.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::WeightInfo::seal(0, 0)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Self::seal();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Opens the lane from this chain to a contract on another one, with [`Config::LaneDeposit`] on hold from the
        /// caller. The first message makes lane and deposit stay for good.
        ///
        /// # Errors
        /// [`Error::InvalidDestination`], [`Error::LaneExists`], or the deposit cannot be held.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::open_lane())]
        pub fn open_lane(origin: OriginFor<T>, destination: Destination) -> DispatchResult {
            let owner = ensure_signed(origin)?;
            ensure!(is_possible(&destination), Error::<T>::InvalidDestination);
            let lane = Self::lane_of(&destination);
            ensure!(!Lanes::<T>::contains_key(lane), Error::<T>::LaneExists);
            let deposit = T::LaneDeposit::get();
            T::Token::hold(&HoldReason::LaneDeposit.into(), &owner, deposit)?;
            let opened = Lane {
                destination,
                owner: owner.clone(),
                deposit,
                next_nonce: 0,
                last_block: None,
            };
            Lanes::<T>::insert(lane, opened);
            Self::deposit_event(Event::LaneOpened {
                lane,
                destination,
                owner,
                deposit,
            });
            Ok(())
        }

        /// Closes a lane that has had no message, and releases its deposit.
        ///
        /// # Errors
        /// [`Error::UnknownLane`], [`Error::NotOwner`], [`Error::LaneInUse`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::close_lane())]
        pub fn close_lane(origin: OriginFor<T>, lane: LaneId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let unused = Lanes::<T>::get(lane).ok_or(Error::<T>::UnknownLane)?;
            ensure!(unused.owner == who, Error::<T>::NotOwner);
            // A lane that could be closed and opened again would use nonces twice.
            ensure!(unused.next_nonce.is_zero(), Error::<T>::LaneInUse);
            // Best effort: a lane must be closable even if some of its deposit has been taken by force.
            let reason = HoldReason::LaneDeposit.into();
            T::Token::release(&reason, &who, unused.deposit, Precision::BestEffort)?;
            Lanes::<T>::remove(lane);
            Self::deposit_event(Event::LaneClosed { lane });
            Ok(())
        }

        /// Sends the result of a job that was paid for a proof and is not removed yet. Anyone may, again and again, for
        /// [`Config::MessageFee`].
        ///
        /// # Errors
        /// [`Error::NotProven`], [`Error::Halted`], [`Error::UnknownLane`], [`Error::QueueFull`], or the caller cannot
        /// pay the fee.
        ///
        /// # Weight
        /// Constant: that of the longest output.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::send_result())]
        pub fn send_result(origin: OriginFor<T>, lane: LaneId, job: JobId) -> DispatchResult {
            let sender = ensure_signed(origin)?;
            let result = T::Market::proven(job).ok_or(Error::<T>::NotProven)?;
            Self::post(&sender, lane, Payload::Result(Self::leaf(job, &result)))
        }

        /// Sends an executed case, so that the same share of the operator's stake is taken at the other end. Anyone may,
        /// for [`Config::MessageFee`], once for each case and lane.
        ///
        /// # Errors
        /// [`Error::NotExecuted`], [`Error::AlreadySent`], [`Error::Halted`], [`Error::UnknownLane`],
        /// [`Error::QueueFull`], or the caller cannot pay the fee.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::send_slash())]
        pub fn send_slash(origin: OriginFor<T>, lane: LaneId, case: CaseId) -> DispatchResult {
            let sender = ensure_signed(origin)?;
            let (operator, fraction) = T::Cases::executed(case).ok_or(Error::<T>::NotExecuted)?;
            ensure!(
                !SentCases::<T>::contains_key(lane, case),
                Error::<T>::AlreadySent
            );
            let payload = Payload::Slash {
                case,
                operator: operator.into(),
                share: parts_in_a_million(fraction),
            };
            Self::post(&sender, lane, payload)?;
            SentCases::<T>::insert(lane, case, ());
            Ok(())
        }

        /// Answers a job of a JobManager on another chain: `output` is what `model`, which must be registered here, gives
        /// for `input`, and `proof` proves it, bound to this chain, the lane, the job there and the payee there
        /// ([`RemoteJobBinding`]). The JobManager compares model and input with what was asked, and pays. Anyone may,
        /// for [`Config::MessageFee`]; the transaction's fee is due whether the proof holds or not.
        ///
        /// # Errors
        /// [`Error::Halted`], [`Error::UnknownLane`], [`Error::QueueFull`], the market's error if the model is not
        /// registered, batch, input or output do not fit it, or the proof does not hold, or the caller cannot pay the
        /// fee.
        ///
        /// # Weight
        /// Grows with the lengths of proof, input and output.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::prove_remote().saturating_add(T::Market::prove_weight(
            proof.len() as u32,
            input.len() as u32,
            output.len() as u32,
        )))]
        pub fn prove_remote(
            origin: OriginFor<T>,
            lane: LaneId,
            remote_job: H256,
            model: ModelId,
            payee: H256,
            batch: u32,
            input: Input,
            output: Output,
            proof: Proof,
        ) -> DispatchResult {
            let sender = ensure_signed(origin)?;
            // The proof, which costs the most, is looked at last.
            Self::accepting(lane)?;
            let binding = RemoteJobBinding {
                genesis: Self::genesis(),
                lane,
                remote_job: remote_job.into(),
                payee: payee.into(),
            };
            let run = Run {
                model,
                batch,
                input,
                output,
                proof,
            };
            let result = T::Market::prove(&binding.encode(), &run)?;
            let payload = Payload::RemoteResult {
                remote_job: binding.remote_job,
                model,
                input_commitment: result.input_commitment.into(),
                output_hash: result.output_hash.into(),
                payee: binding.payee,
            };
            Self::post(&sender, lane, payload)
        }

        /// Halts the bridge, or ends the halt. While it lasts nothing new is queued; what this block has queued before
        /// still leaves.
        ///
        /// # Errors
        /// The origin is not [`Config::HaltOrigin`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_halted())]
        pub fn set_halted(origin: OriginFor<T>, halted: bool) -> DispatchResult {
            T::HaltOrigin::ensure_origin(origin)?;
            Halted::<T>::put(halted);
            Self::deposit_event(if halted {
                Event::BridgeHalted
            } else {
                Event::BridgeResumed
            });
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The lane, if it is open.
        pub fn lane(lane: LaneId) -> Option<LaneOf<T>> {
            Lanes::<T>::get(lane)
        }

        /// Up to `limit` lanes, at most 100, that come after the lane `after` in storage, or from the first one on.
        pub fn lanes(after: Option<LaneId>, limit: u32) -> Vec<(LaneId, LaneOf<T>)> {
            let lanes = match after {
                Some(lane) => Lanes::<T>::iter_from(Lanes::<T>::hashed_key_for(lane)),
                None => Lanes::<T>::iter(),
            };
            lanes.take(limit.min(MAX_LISTED) as usize).collect()
        }

        /// The name of the lane from this chain to a contract, open or not.
        pub fn lane_to(destination: Destination) -> LaneId {
            Self::lane_of(&destination)
        }

        /// What a message costs besides the transaction's fee, in plancks.
        pub fn message_fee() -> BalanceOf<T> {
            T::MessageFee::get()
        }
    }
}
