//! Which double signings belong together, as pure functions.
//!
//! Among n validators the protocols bear f = ⌊(n − 1) / 3⌋ that cheat. If more than f sign conflicting statements within
//! [`crate::Config::CoordinationWindow`], they could have broken finality together, and that is taken to be what they
//! wanted: two is the least, for one alone coordinates with nobody.

use crate::CaseId;
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::traits::AtLeast32BitUnsigned;

/// Most double signings that are remembered.
pub const MAX_SIGHTINGS: u32 = 256;

/// A double signing.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Sighting<AccountId, BlockNumber> {
    /// Who signed.
    pub offender: AccountId,
    /// When.
    pub at: BlockNumber,
    /// The case that it opened.
    pub case: CaseId,
}

/// The double signings that may still turn out to belong together.
pub type Sightings<AccountId, BlockNumber> =
    BoundedVec<Sighting<AccountId, BlockNumber>, ConstU32<MAX_SIGHTINGS>>;

/// How many of `validators` have to offend together for an attack.
pub fn threshold(validators: u32) -> u32 {
    let tolerated = validators.saturating_sub(1).checked_div(3).unwrap_or(0);
    tolerated.saturating_add(1).max(2)
}

/// Adds a double signing. If there is no room, whoever has most gives way with its oldest, so that nobody's offences
/// can drive out those of others.
pub fn remember<A, N>(sightings: &mut Sightings<A, N>, new: Sighting<A, N>)
where
    A: Ord + Clone,
    N: Ord + Copy,
{
    if sightings.is_full() {
        let mut counts = BTreeMap::<A, u32>::new();
        for sighting in sightings.iter() {
            let count = counts.entry(sighting.offender.clone()).or_default();
            *count = count.saturating_add(1);
        }
        let count_of = |sighting: &Sighting<A, N>| counts.get(&sighting.offender).copied();
        let oldest_of_most = sightings
            .iter()
            .enumerate()
            .max_by_key(|(_, sighting)| (count_of(sighting), core::cmp::Reverse(sighting.at)))
            .map(|(position, _)| position);
        if let Some(position) = oldest_of_most {
            sightings.remove(position);
        }
    }
    // There is room now.
    let _ = sightings.try_push(new);
}

/// The cases of the attack that the double signing `at` belongs to: all those within a span of `window` blocks that
/// holds it, if they are of at least `threshold` offenders. Empty if there is no such span.
pub fn attack<A, N>(sightings: &[Sighting<A, N>], at: N, window: N, threshold: u32) -> Vec<CaseId>
where
    A: Ord,
    N: AtLeast32BitUnsigned + Copy,
{
    let spans: BTreeSet<N> = sightings
        .iter()
        .map(|sighting| sighting.at)
        .filter(|first| *first <= at && at <= first.saturating_add(window))
        .collect();
    let mut cases = BTreeSet::new();
    for first in spans {
        let within = || {
            let last = first.saturating_add(window);
            sightings
                .iter()
                .filter(move |sighting| (first..=last).contains(&sighting.at))
        };
        let offenders: BTreeSet<&A> = within().map(|sighting| &sighting.offender).collect();
        if offenders.len() >= threshold as usize {
            cases.extend(within().map(|sighting| sighting.case));
        }
    }
    cases.into_iter().collect()
}
