//! What other pallets see: the desk that takes offences, and who may not work.

use crate::*;
use core::marker::PhantomData;
use frame_support::{
    dispatch::DispatchClass,
    traits::{Contains, Get},
    weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{traits::Convert, Perbill};
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};

impl<T: Config> OffenceDesk<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn open_case(offender: &T::AccountId, kind: OffenceKind, at: BlockNumberFor<T>) {
        Self::open(offender, kind, at, at, None);
    }

    fn standing(who: &T::AccountId) -> Standing<BlockNumberFor<T>> {
        if Self::is_banned(who) {
            return Standing::Banned;
        }
        let now = frame_system::Pallet::<T>::block_number();
        Histories::<T>::get(who).standing(now, T::ProbationPeriod::get())
    }
}

impl<T: Config> ExecutedCases<T::AccountId> for Pallet<T> {
    fn executed(case: CaseId) -> Option<(T::AccountId, Perbill)> {
        let record = Cases::<T>::get(case)?;
        matches!(record.status, CaseStatus::Applied { .. })
            .then_some((record.offender, record.fraction))
    }
}

/// Equivocations that `pallet_offences` has checked.
///
/// The offence is dated to the start of its session, not to its slot or round, of which one protocol's mean nothing to
/// another: whoever equivocates in several protocols, or again and again in the same session, has one case. The stake
/// answers for it since the election of the session's validators, so that nobody escapes who is elected, begins to
/// unbond, and equivocates while still in the set. The fractions that the consensus pallets propose are not used: the matrix decides.
///
/// Disabling the offender for the rest of the session is the session's business: the runtime tells both.
impl<T: Config, Reporter, Identification>
    OnOffenceHandler<Reporter, (T::AccountId, Identification), Weight> for Pallet<T>
{
    fn on_offence(
        offenders: &[OffenceDetails<Reporter, (T::AccountId, Identification)>],
        _: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        let SessionOrigin { elected, started } = T::Sessions::convert(session);
        let mut weight = T::DbWeight::get().reads(1);
        for details in offenders {
            let (offender, _) = &details.offender;
            let kind = OffenceKind::DoubleSigning;
            let escalated = Self::open(offender, kind, started, elected, None).unwrap_or(0);
            weight = weight
                .saturating_add(T::WeightInfo::open_case())
                .saturating_add(T::WeightInfo::coordinate())
                .saturating_add(T::WeightInfo::escalate_case().saturating_mul(escalated.into()));
        }
        // The consensus pallets reckon with a handler that they know, and `pallet_offences` drops what it is told.
        frame_system::Pallet::<T>::register_extra_weight_unchecked(
            weight,
            DispatchClass::Operational,
        );
        weight
    }
}

/// The accounts that may never work again.
pub struct BannedAccounts<T>(PhantomData<T>);

impl<T: Config> Contains<T::AccountId> for BannedAccounts<T> {
    fn contains(who: &T::AccountId) -> bool {
        Banned::<T>::contains_key(who)
    }
}

/// The hashes of banned keys, apart from [`BannedAccounts`] because an account may be 32 bytes too.
pub struct BannedKeyHashes<T>(PhantomData<T>);

impl<T: Config> Contains<KeyHash> for BannedKeyHashes<T> {
    fn contains(key: &KeyHash) -> bool {
        BannedKeys::<T>::contains_key(key)
    }
}

/// The operators with a pending case: their stake must not be withdrawn.
pub struct UnderInvestigation<T>(PhantomData<T>);

impl<T: Config> Contains<T::AccountId> for UnderInvestigation<T> {
    fn contains(who: &T::AccountId) -> bool {
        Histories::<T>::get(who).pending > 0
    }
}
