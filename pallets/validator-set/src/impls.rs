//! Candidates, elections and rewards, and the invariants.

use crate::{
    formulas::{efficiency, emission, rank, scaling, seats, share, weighted, Supply, FEWEST},
    *,
};
use alloc::vec::Vec;
use frame_support::{ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_cdc_pool::{Role, StakeLedger};
use pallet_reputation::ReputationLedger;
use pallet_session::{NextKeys, Validators};
use pallet_slashing::{matrix::sentence, OffenceDesk, OffenceKind, Standing};
use pallet_worker_registry::WorkerDirectory;
use sp_runtime::{
    traits::{CheckedDiv, Convert, One, Saturating, UniqueSaturatedInto, Zero},
    DispatchError,
};
use sp_staking::SessionIndex;

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// Whether `who` has set session keys.
    pub(crate) fn has_keys(who: &T::AccountId) -> bool {
        NextKeys::<T>::contains_key(who)
    }

    /// The candidates, best first; of equals, the lower account first. Bounded as the operators are.
    pub(crate) fn ranked() -> Vec<Candidate<T::AccountId>> {
        let mut candidates: Vec<_> = T::Stakes::operators(Role::Validator)
            .into_iter()
            .filter_map(|(who, stake)| Self::candidate(who, stake))
            .collect();
        candidates.sort_by(|a, b| b.rank.cmp(&a.rank).then_with(|| a.who.cmp(&b.who)));
        candidates
    }

    /// The operator as a candidate, if it is one.
    fn candidate(who: T::AccountId, stake: Balance) -> Option<Candidate<T::AccountId>> {
        let on_probation = match T::Offences::standing(&who) {
            Standing::Good => false,
            Standing::Probation { .. } => true,
            Standing::Suspended { .. } | Standing::Banned => return None,
        };
        if !Self::has_keys(&who) || T::Stakes::own_stake(&who) < T::MinValidatorStake::get() {
            return None;
        }
        let (score, uptime) = (T::Reputations::score(&who), T::Workers::uptime(&who));
        let rank = rank(stake, score, uptime, on_probation);
        (rank > 0).then_some(Candidate {
            who,
            stake,
            score,
            uptime,
            on_probation,
            rank,
        })
    }

    /// The set that is to serve from `session` on, in ascending order, if it differs from the last one.
    pub(crate) fn elect(session: SessionIndex) -> Option<Vec<T::AccountId>> {
        let candidates = Self::ranked();
        let count = candidates.len() as u32;
        let Some(seats) = seats(count, T::MaxValidators::get()) else {
            Self::deposit_event(Event::RotationRefused { candidates: count });
            return Self::invited_set();
        };
        LastElection::<T>::put(Self::now());
        let mut elected: Vec<_> = candidates
            .into_iter()
            .take(seats as usize)
            .map(|candidate| candidate.who)
            .collect();
        elected.sort();
        let elected = Self::unless_same(elected)?;
        Self::deposit_event(Event::ValidatorsElected {
            session,
            validators: seats,
            candidates: count,
        });
        Some(elected)
    }

    /// Before the first election, the invited that have keys, if they differ from the last set and there are any. Those
    /// who are suspended or banned are left out as long as the others are enough to bear a fault.
    fn invited_set() -> Option<Vec<T::AccountId>> {
        if LastElection::<T>::exists() {
            return None;
        }
        let mut invited = Invited::<T>::get().into_inner();
        invited.retain(Self::has_keys);
        let trusted: Vec<_> = invited
            .iter()
            .filter(|who| T::Offences::standing(who).may_work())
            .collect();
        if trusted.len() >= FEWEST as usize {
            invited = trusted.into_iter().cloned().collect();
        }
        Self::unless_same(invited).filter(|invited| !invited.is_empty())
    }

    fn unless_same(set: Vec<T::AccountId>) -> Option<Vec<T::AccountId>> {
        let mut last = Validators::<T>::get();
        last.sort();
        (set != last).then_some(set)
    }

    /// The present era's emission so far; at its end the whole.
    pub(crate) fn emission_of_era() -> Balance {
        let (year, base) = Self::year();
        emission(
            year,
            base,
            Self::now().saturating_sub(EraStart::<T>::get()),
            T::Year::get(),
            T::MaxIssuance::get().saturating_sub(T::Supply::get()),
        )
    }

    /// The year in which the present era began, and the supply then: if this is the year's first era, that of now.
    fn year() -> (u32, Balance) {
        let year = Self::year_of(EraStart::<T>::get());
        YearBase::<T>::get()
            .filter(|(of_year, _)| *of_year == year)
            .unwrap_or_else(|| (year, T::Supply::get()))
    }

    /// The year that a block is in, counted from 0.
    fn year_of(block: BlockNumberFor<T>) -> u32 {
        block
            .checked_div(&T::Year::get())
            .unwrap_or_else(Zero::zero)
            .unique_saturated_into()
    }

    /// Rewards the validators of the era that ends, and begins the next one.
    ///
    /// Each era is emitted at the rate of the year in which it began. Whoever has no stake is credited with nothing, and
    /// that part is not minted.
    pub(crate) fn end_era(era: u32) {
        YearBase::<T>::put(Self::year());
        let emission = Self::emission_of_era();
        let pot = T::ValidatorShare::get().mul_floor(emission);
        // Each session has one set, so that the authors are no more than all the sets of an era have members.
        let authored: Vec<_> = Authored::<T>::drain().collect();
        let blocks: u128 = authored.iter().map(|(_, blocks)| u128::from(*blocks)).sum();
        let rewarded = authored
            .iter()
            .map(|(who, count)| T::Stakes::reward(who, share(pot, (*count).into(), blocks)))
            .fold(0, Balance::saturating_add);
        EraStart::<T>::put(Self::now());
        Self::deposit_event(Event::EraRewarded {
            era,
            emission,
            rewarded,
        });
    }

    pub(crate) fn security_of_set() -> Balance {
        Validators::<T>::get()
            .iter()
            .map(|who| {
                weighted(
                    T::Stakes::stake(who),
                    T::Reputations::score(who),
                    T::Workers::uptime(who),
                )
            })
            .fold(0, Balance::saturating_add)
    }

    pub(crate) fn scaling_of_best(n: u32, faults: u32) -> Scaling {
        let stakes: Vec<_> = Self::ranked()
            .into_iter()
            .take(n as usize)
            .map(|candidate| candidate.stake)
            .collect();
        let slash_rate = sentence(OffenceKind::DoubleSigning, 1).fraction;
        scaling(stakes.into_iter(), faults, slash_rate)
    }

    pub(crate) fn efficiency_of_workers() -> u32 {
        let workers = T::Stakes::operators(Role::Worker)
            .into_iter()
            .map(|(who, _)| Supply {
                uptime: T::Workers::uptime(&who),
                score: T::Reputations::score(&who),
                capacity: T::Capacities::convert(who),
            });
        efficiency(workers)
    }

    /// Checks that the constants fit together.
    pub(crate) fn check_constants() {
        let most = T::MaxValidators::get();
        assert!(most >= FEWEST && seats(most, most) == Some(most));
        assert!(T::SessionsPerEra::get() > 0);
        assert!(T::Year::get() >= One::one());
    }

    /// Checks what must always be true: nobody is invited twice; the set is no larger than it may be; no more sessions
    /// are remembered than can be proved; no more blocks were authored than there were; the year is not one to come.
    ///
    /// # Errors
    /// Says which of these is broken.
    pub fn do_try_state() -> Result<(), DispatchError> {
        let invited = Invited::<T>::get();
        ensure!(
            invited
                .iter()
                .zip(invited.iter().skip(1))
                .all(|(a, b)| a < b),
            "the invited are not in order"
        );
        let validators = Validators::<T>::decode_len().unwrap_or(0);
        ensure!(
            validators <= T::MaxValidators::get() as usize,
            "there are too many validators"
        );
        let sessions = SessionOrigins::<T>::iter_keys().count() as u32;
        ensure!(
            sessions <= T::EvidenceSessions::get().saturating_add(2),
            "a session's start was not forgotten"
        );
        let authored: u128 = Authored::<T>::iter_values().map(u128::from).sum();
        let blocks: u128 = Self::now()
            .saturating_sub(EraStart::<T>::get())
            .unique_saturated_into();
        ensure!(
            authored <= blocks.saturating_add(1),
            "more blocks were authored than there were"
        );
        ensure!(
            YearBase::<T>::get().is_none_or(|(year, _)| year <= Self::year_of(Self::now())),
            "the year has not begun"
        );
        Ok(())
    }
}
