//! Version 1 to 2: a job has a level, an auction, a priority and requirements, and collateral is reserved of stake.
//!
//! The jobs of version 1 all paid a fixed price for a proof. Those that are claimed stay claimed until their deadline,
//! but their workers, who may have no stake, have nothing at stake any more: what was on hold for it is released.

use crate::*;
use alloc::vec;
use ciro_primitives::ModelId;
use codec::{Decode, Encode};
use frame_support::{
    migrations::VersionedMigration,
    traits::{fungible::MutateHold, tokens::Precision, Get, UncheckedOnRuntimeUpgrade},
    weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::{traits::Zero, Permill};

#[cfg(feature = "try-runtime")]
use {alloc::vec::Vec, sp_runtime::TryRuntimeError};

/// Takes the market from version 1 to 2.
pub type Migrate<T> =
    VersionedMigration<1, 2, ExtendJobs<T>, Pallet<T>, <T as frame_system::Config>::DbWeight>;

/// A job as version 1 stored it.
#[derive(Encode, Decode)]
pub(crate) struct OldJob<AccountId, Balance, BlockNumber> {
    pub requester: AccountId,
    pub model: ModelId,
    pub batch: u32,
    pub input_commitment: H256,
    pub locator: Locator,
    pub price: Balance,
    pub deposit: Balance,
    pub deadline: BlockNumber,
    pub state: OldState<AccountId, Balance, BlockNumber>,
}

/// A job's state as version 1 stored it.
#[derive(Encode, Decode)]
pub(crate) enum OldState<AccountId, Balance, BlockNumber> {
    #[codec(index = 0)]
    Submitted,
    #[codec(index = 1)]
    Assigned {
        worker: AccountId,
        collateral: Balance,
        since: BlockNumber,
    },
    #[codec(index = 2)]
    Paid {
        worker: AccountId,
        payee: AccountId,
        at: BlockNumber,
    },
    #[codec(index = 3)]
    Cancelled { at: BlockNumber },
    #[codec(index = 4)]
    Expired {
        worker: Option<AccountId>,
        at: BlockNumber,
    },
}

type OldJobOf<T> = OldJob<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;

/// Makes the jobs of version 1 ones of version 2.
pub struct ExtendJobs<T>(core::marker::PhantomData<T>);

impl<T: Config> UncheckedOnRuntimeUpgrade for ExtendJobs<T> {
    fn on_runtime_upgrade() -> Weight {
        let (mut jobs, mut claims) = (0u64, 0u64);
        Jobs::<T>::translate::<OldJobOf<T>, _>(|_, old| {
            let job = extend::<T>(old);
            jobs = jobs.saturating_add(1);
            for worker in job.debtors() {
                claims = claims.saturating_add(1);
                Workload::<T>::mutate(worker, |count| *count = count.saturating_add(1));
            }
            Some(job)
        });
        // A claim touches its worker's account, holds and workload.
        let touched = jobs.saturating_add(claims.saturating_mul(3));
        T::DbWeight::get().reads_writes(touched.saturating_add(1), touched)
    }

    #[cfg(feature = "try-runtime")]
    fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
        Ok((Jobs::<T>::iter_keys().count() as u64).encode())
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(before: Vec<u8>) -> Result<(), TryRuntimeError> {
        let after = Jobs::<T>::iter_values().count() as u64;
        frame_support::ensure!(after.encode() == before, "jobs were lost");
        Pallet::<T>::do_try_state()
    }
}

fn extend<T: Config>(old: OldJobOf<T>) -> JobOf<T> {
    let state = match old.state {
        OldState::Submitted => JobState::Submitted,
        OldState::Assigned {
            worker,
            collateral,
            since,
        } => {
            release::<T>(&worker, collateral);
            JobState::Assigned(Claim {
                worker,
                collateral: Zero::zero(),
                since,
                answer_by: old.deadline,
            })
        }
        OldState::Paid { worker, at, .. } => JobState::Paid {
            workers: Workers::truncate_from(vec![worker]),
            at,
            rated: false,
        },
        OldState::Cancelled { at } => JobState::Cancelled { at },
        OldState::Expired { worker, at } => JobState::Expired { worker, at },
    };
    Job {
        requester: old.requester,
        model: old.model,
        batch: old.batch,
        input_commitment: old.input_commitment,
        locator: old.locator,
        price: Auction::fixed(old.price),
        bounty: Zero::zero(),
        royalty: Permill::zero(),
        deposit: old.deposit,
        // Not known; long ago, so that no head start is left.
        opened: Zero::zero(),
        deadline: old.deadline,
        verification: Verification::ZkMl,
        priority: Priority::Normal,
        requirements: Default::default(),
        state,
    }
}

fn release<T: Config>(worker: &T::AccountId, collateral: BalanceOf<T>) {
    let reason = HoldReason::Collateral.into();
    if let Err(error) = T::Token::release(&reason, worker, collateral, Precision::BestEffort) {
        log::error!(
            target: "runtime::job-market",
            "collateral of version 1 could not be released: {error:?}"
        );
    }
}
