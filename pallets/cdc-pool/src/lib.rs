//! # Stake pool
//!
//! Operators stake CIRO to work, to validate, or both with the same stake; others stake for them. Stake stays on hold in
//! the account that owns it, counts for the operator, earns a share of its rewards, and answers for its offences. To take
//! stake back is to wait: for [`Config::UnbondingPeriod`] it stays on hold and answers for what was done before.
//!
//! What a position earns and loses is in [`state`], as pure functions; what stake is worth to a worker in [`tiers`]. Other
//! pallets meet the pool by [`StakeLedger`].
//!
//! * **Rewards** are minted into the pool's pot when they are credited, and paid from there when they are claimed.
//! * **Slashes** take the same fraction of every position of the operator, active stake and what began to be unbonded in
//!   the block of the offence or later. They take what is on hold, whatever else has happened to the account since.
//! * **Places** with an operator are limited, as a slash goes through all of them. Those that come later are refused: a
//!   place is free again when all stake in it is unbonded and withdrawn. Until then it costs at least
//!   [`Config::MinDelegation`] on hold.
//! * **Reservations** are what an operator's own stake answers with for its jobs. A slash leaves them as they are, though
//!   less stake may be left than is reserved: else the job that ends first would free what the others rely on.

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
pub mod state;
#[cfg(test)]
mod tests;
pub mod tiers;
mod types;
pub mod weights;

pub use pallet::*;
pub use state::{Commission, Operator, Position, Roles};
pub use tiers::Tier;
pub use types::*;
pub use weights::WeightInfo;

// FRAME's macros expand to `expect`; what is written here does not use it.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{BalancedHold, Credit, Inspect, Mutate, MutateHold},
            Contains, OnUnbalanced,
        },
        PalletId,
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::Perbill;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// An operator on this chain.
    pub type OperatorOf<T> = Operator<BlockNumberFor<T>>;

    /// A position on this chain.
    pub type PositionOf<T> = Position<BlockNumberFor<T>>;

    /// Funds that belong to nobody yet.
    pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Token>;

    /// The pool.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime supplies. Amounts are in plancks, times in blocks.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The token that is staked, and that rewards are paid in.
        type Token: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + MutateHold<Self::AccountId, Reason: From<HoldReason>>
            + BalancedHold<Self::AccountId>;

        /// Where slashed funds go, less what a reporter gets.
        type SlashDestination: OnUnbalanced<CreditOf<Self>>;

        /// Accounts that may neither stake nor be staked for, ever again.
        type Banned: Contains<Self::AccountId>;

        /// Operators with an open case against them: until it is decided nobody who staked for them may withdraw.
        type Frozen: Contains<Self::AccountId>;

        /// Price of one CIRO in 10^-6 US dollars.
        type UsdPrice: Get<u128>;

        /// Account from which rewards are paid.
        #[pallet::constant]
        type PotId: Get<PalletId>;

        /// Least active stake of its own with which an operator may begin, go on, or have a role.
        #[pallet::constant]
        type MinOperatorStake: Get<Balance>;

        /// Least active stake for another's operator.
        #[pallet::constant]
        type MinDelegation: Get<Balance>;

        /// Blocks for which stake that is taken back stays on hold, and after which a rise of commission holds.
        #[pallet::constant]
        type UnbondingPeriod: Get<BlockNumberFor<Self>>;

        /// Most of its rewards that an operator may keep before they are shared.
        #[pallet::constant]
        type MaxCommission: Get<Perbill>;

        /// Most operators.
        #[pallet::constant]
        type MaxOperators: Get<u32>;

        /// Most accounts beside itself that stake for an operator.
        #[pallet::constant]
        type MaxDelegations: Get<u32>;

        /// Weights of the calls, and of what other pallets have done here.
        type WeightInfo: WeightInfo;
    }

    /// Why the pool holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// All stake of the account, active or being unbonded, for whatever operators.
        #[codec(index = 0)]
        Stake,
    }

    /// The operators: accounts that have staked for themselves, as long as there is a position with them.
    #[pallet::storage]
    pub type Operators<T: Config> =
        CountedStorageMap<_, Blake2_128Concat, T::AccountId, OperatorOf<T>>;

    /// What accounts have staked: by operator, then by who has staked. An operator's own stake is its position with itself.
    #[pallet::storage]
    pub type Positions<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Blake2_128Concat,
        T::AccountId,
        PositionOf<T>,
    >;

    /// Active stake of all operators, in plancks.
    #[pallet::storage]
    pub type TotalStake<T: Config> = StorageValue<_, Balance, ValueQuery>;

    /// What happened to stake.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Stake was put on hold for an operator.
        WorkerStaked {
            /// The operator.
            worker_address: T::AccountId,
            /// Whose stake it is.
            staker: T::AccountId,
            /// What was added.
            amount: Balance,
            /// Active stake for the operator, of all who stake for it.
            total_stake: Balance,
        },
        /// Stake ceased to count and began to be unbonded.
        UnstakeRequested {
            /// The operator.
            operator: T::AccountId,
            /// Whose stake it is.
            staker: T::AccountId,
            /// How much.
            amount: Balance,
            /// The first block in which it may be withdrawn.
            ripe_at: BlockNumberFor<T>,
        },
        /// Unbonded stake was released.
        UnstakeExecuted {
            /// The operator.
            operator: T::AccountId,
            /// Whose stake it was.
            staker: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// A reward was credited to an operator and those who stake for it.
        RewardsDistributed {
            /// The operator.
            operator: T::AccountId,
            /// The whole reward.
            amount: Balance,
            /// What the operator keeps of it before it is shared.
            commission: Balance,
        },
        /// Rewards were paid.
        RewardsClaimed {
            /// The operator that earned them.
            operator: T::AccountId,
            /// Who was paid.
            staker: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// Stake was taken for an offence.
        StakeSlashed {
            /// The operator.
            operator: T::AccountId,
            /// What was taken from all positions together.
            amount: Balance,
            /// How many positions there were.
            positions: u32,
        },
        /// An operator set its commission.
        CommissionChanged {
            /// The operator.
            operator: T::AccountId,
            /// The new share.
            commission: Perbill,
            /// The block from which on it holds.
            from: BlockNumberFor<T>,
        },
        /// An operator set its roles.
        RolesChanged {
            /// The operator.
            operator: T::AccountId,
            /// What its stake stands for now.
            roles: Roles,
        },
        /// An operator's own stake was set aside for a job.
        StakeReserved {
            /// The operator.
            operator: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// A reservation ended.
        StakeReleased {
            /// The operator.
            operator: T::AccountId,
            /// How much.
            amount: Balance,
        },
        /// Reserved stake was taken.
        StakeForfeited {
            /// The operator.
            operator: T::AccountId,
            /// How much was taken.
            amount: Balance,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The caller or the operator is banned.
        Banned,
        /// The account is no operator with the least stake of its own.
        NotOperator,
        /// There are as many operators as there may be.
        TooManyOperators,
        /// As many accounts stake for the operator as may.
        TooManyDelegations,
        /// As many amounts of the position are being unbonded as may.
        TooManyChunks,
        /// The amount is zero.
        ZeroAmount,
        /// The position has less active stake.
        InsufficientStake,
        /// The position would be smaller than it may be; an operator's own may be given up only once it has no role.
        BelowMinimum,
        /// The stake is set aside for jobs.
        Reserved,
        /// The operator is not a worker.
        NotWorker,
        /// The commission is above the highest.
        CommissionTooHigh,
        /// A case against the operator is open.
        CaseOpen,
        /// Nothing has been unbonding for long enough.
        NothingRipe,
        /// There are no unclaimed rewards.
        NothingToClaim,
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// Most amounts that one position may be unbonding at a time.
        #[pallet::constant_name(MaxChunks)]
        fn max_chunks() -> u32 {
            state::MAX_CHUNKS
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Puts `amount` of the caller's funds on hold as its own stake. The first time makes it an operator, with no role
        /// and no commission. Its own stake must then be at least [`Config::MinOperatorStake`].
        ///
        /// # Errors
        /// [`Error::ZeroAmount`], [`Error::Banned`], [`Error::TooManyOperators`], [`Error::BelowMinimum`], or the caller
        /// cannot have the amount held: the funds are lacking or frozen.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::stake())]
        pub fn stake(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::bond(&who, &who, amount)
        }

        /// Puts `amount` of the caller's funds on hold as stake for the operator `worker`, be it a worker, a validator or
        /// both. What the caller has staked for it must then be at least [`Config::MinDelegation`]. For the caller itself
        /// this is [`Pallet::stake`].
        ///
        /// Stake answers for all offences that are brought to the chain while it is active, those of before it came
        /// included.
        ///
        /// # Errors
        /// [`Error::ZeroAmount`], [`Error::Banned`], [`Error::NotOperator`], [`Error::TooManyDelegations`],
        /// [`Error::BelowMinimum`], or the caller cannot have the amount held: the funds are lacking or frozen.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::stake_for_worker())]
        pub fn stake_for_worker(
            origin: OriginFor<T>,
            worker: T::AccountId,
            amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::bond(&worker, &who, amount)
        }

        /// Takes roles on, or gives them up. What was reserved or is at stake for a role that is given up stays so.
        ///
        /// # Errors
        /// [`Error::NotOperator`]: also if a role is asked for and the operator's own stake is below the minimum;
        /// [`Error::Banned`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_roles())]
        pub fn set_roles(origin: OriginFor<T>, worker: bool, validator: bool) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let roles = Roles { worker, validator };
            Operators::<T>::try_mutate(&who, |record| {
                let record = record.as_mut().ok_or(Error::<T>::NotOperator)?;
                if !roles.is_empty() {
                    ensure!(!T::Banned::contains(&who), Error::<T>::Banned);
                    ensure!(Self::is_backed(record), Error::<T>::NotOperator);
                }
                record.roles = roles;
                Self::deposit_event(Event::RolesChanged {
                    operator: who.clone(),
                    roles,
                });
                Ok(())
            })
        }

        /// Sets what the caller keeps of its rewards before they are shared. A cut holds at once, a rise after
        /// [`Config::UnbondingPeriod`], so that those who stake for it can leave before; either voids a rise that was
        /// announced before.
        ///
        /// # Errors
        /// [`Error::CommissionTooHigh`], [`Error::NotOperator`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::set_commission())]
        pub fn set_commission(origin: OriginFor<T>, commission: Perbill) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(
                commission <= T::MaxCommission::get(),
                Error::<T>::CommissionTooHigh
            );
            Operators::<T>::try_mutate(&who, |record| {
                let record = record.as_mut().ok_or(Error::<T>::NotOperator)?;
                let now = frame_system::Pallet::<T>::block_number();
                let from = record
                    .commission
                    .set(commission, now, T::UnbondingPeriod::get());
                Self::deposit_event(Event::CommissionChanged {
                    operator: who.clone(),
                    commission,
                    from,
                });
                Ok(())
            })
        }

        /// Begins to take back `amount` of what the caller has staked for `operator`. It no longer counts or earns, but
        /// stays on hold for [`Config::UnbondingPeriod`].
        ///
        /// What stays must be zero or at least the minimum. An operator's own stake goes to zero only once it has no role,
        /// and not below what is reserved for jobs.
        ///
        /// # Errors
        /// [`Error::ZeroAmount`], [`Error::InsufficientStake`], [`Error::Reserved`], [`Error::BelowMinimum`],
        /// [`Error::TooManyChunks`].
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::unstake())]
        pub fn unstake(
            origin: OriginFor<T>,
            operator: T::AccountId,
            amount: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::unbond(&operator, &who, amount)
        }

        /// Releases what the caller has been unbonding from `operator` for long enough. If no stake is left with the
        /// operator then, unclaimed rewards are paid as well and the caller's place is free.
        ///
        /// # Errors
        /// [`Error::CaseOpen`], [`Error::NothingRipe`].
        ///
        /// # Weight
        /// Constant: the amounts that one position is unbonding are bounded.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::withdraw_unbonded())]
        pub fn withdraw_unbonded(origin: OriginFor<T>, operator: T::AccountId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::withdraw(&operator, &who)
        }

        /// Pays what the caller has earned with its stake for `operator`, and an operator's commission.
        ///
        /// # Errors
        /// [`Error::NothingToClaim`], or the caller's account is gone and the rewards alone are too little to open it.
        ///
        /// # Weight
        /// Constant.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::claim_rewards())]
        pub fn claim_rewards(origin: OriginFor<T>, operator: T::AccountId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::claim(&operator, &who)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The operator, if the account is one.
        pub fn operator(who: T::AccountId) -> Option<OperatorOf<T>> {
            Operators::<T>::get(who)
        }

        /// What `staker` has staked for `operator`, if anything.
        pub fn position(operator: T::AccountId, staker: T::AccountId) -> Option<PositionOf<T>> {
            Positions::<T>::get(operator, staker)
        }

        /// What `staker` could claim of `operator`'s rewards now, in plancks.
        pub fn pending_rewards(operator: T::AccountId, staker: T::AccountId) -> Balance {
            let earned =
                Operators::<T>::get(&operator).map_or_else(Default::default, |it| it.earned);
            Positions::<T>::get(operator, staker).map_or(0, |position| position.pending(earned))
        }

        /// The tier that the operator's total stake reaches at the price of now.
        pub fn tier(operator: T::AccountId) -> Option<Tier> {
            tiers::tier(Operators::<T>::get(operator)?.total, T::UsdPrice::get())
        }
    }
}
