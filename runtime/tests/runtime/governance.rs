//! Referenda, from submission to enactment.

use crate::{call, call_as, chain, development, pass};
use ciro_runtime::{
    configs::{
        governance::SUBMISSION_DEPOSIT,
        parameters::{dynamic::market, Ranged, RuntimeParameters},
    },
    constants::{DAYS, UNIT},
    origins::{Origin, RootOr, SlashCanceller},
    tracks::{Tracks, MEDIUM_DEPOSIT},
    Balances, BlockNumber, OriginCaller, Runtime, RuntimeCall, RuntimeOrigin, Treasury, VERSION,
};
use codec::Encode;
use frame_support::{
    assert_err, assert_ok,
    traits::{fungible::Inspect, schedule::DispatchTime, Bounded, EnsureOrigin, Get},
};
use frame_system::RawOrigin;
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_referenda::{
    ReferendumCount, ReferendumIndex, ReferendumInfo, ReferendumInfoFor, TracksInfo,
};
use sp_core::traits::{ReadRuntimeVersion, ReadRuntimeVersionExt};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    DispatchError, Perbill,
};
use sp_version::RuntimeVersion;

/// A quick chain's day.
const DAY: BlockNumber = 10;

/// The accounts that genesis has endowed: a twelfth of all that can vote is with each.
fn holders() -> impl Iterator<Item = Sr25519Keyring> {
    Sr25519Keyring::iter().filter(|who| !matches!(who, Sr25519Keyring::One | Sr25519Keyring::Two))
}

/// Alice proposes that `origin` make `proposal`, and bonds the deposits.
fn propose(origin: impl Into<OriginCaller>, proposal: impl Into<RuntimeCall>) -> ReferendumIndex {
    let bytes = proposal.into().encode();
    let proposal = Bounded::Lookup {
        hash: BlakeTwo256::hash(&bytes),
        len: bytes.len() as u32,
    };
    let index = ReferendumCount::<Runtime>::get();
    assert_ok!(call(Alice, pallet_preimage::Call::note_preimage { bytes }));
    assert_ok!(call(
        Alice,
        pallet_referenda::Call::submit {
            proposal_origin: Box::new(origin.into()),
            proposal,
            enactment_moment: DispatchTime::After(0),
        }
    ));
    assert_ok!(call(
        Alice,
        pallet_referenda::Call::place_decision_deposit { index }
    ));
    index
}

/// `who` votes with all it has.
fn vote(who: Sr25519Keyring, poll_index: ReferendumIndex, aye: bool) {
    let vote = Vote {
        aye,
        conviction: Conviction::Locked1x,
    };
    assert_ok!(call(
        who,
        pallet_conviction_voting::Call::vote {
            poll_index,
            vote: AccountVote::Standard {
                vote,
                balance: Balances::total_balance(&who.to_account_id()),
            },
        }
    ));
}

/// Everybody agrees that `origin` make `proposal`, which is enacted.
pub fn decree(origin: impl Into<OriginCaller>, proposal: impl Into<RuntimeCall>) {
    let index = propose(origin, proposal);
    holders().for_each(|who| vote(who, index, true));
    pass(3 * DAY);
    assert!(approved(index));
}

fn approved(index: ReferendumIndex) -> bool {
    matches!(
        ReferendumInfoFor::<Runtime>::get(index),
        Some(ReferendumInfo::Approved(..))
    )
}

fn rejected(index: ReferendumIndex) -> bool {
    matches!(
        ReferendumInfoFor::<Runtime>::get(index),
        Some(ReferendumInfo::Rejected(..))
    )
}

fn set_min_job_price(price: u128) -> pallet_parameters::Call<Runtime> {
    pallet_parameters::Call::set_parameter {
        key_value: RuntimeParameters::Market(market::Parameters::MinJobPrice(
            market::MinJobPrice,
            Some(Ranged::clamped(price)),
        )),
    }
}

fn min_job_price() -> u128 {
    <Runtime as pallet_job_market::Config>::MinJobPrice::get()
}

#[test]
fn a_referendum_sets_a_parameter() {
    development().execute_with(|| {
        let index = propose(Origin::GeneralAdmin, set_min_job_price(2 * UNIT));
        holders().for_each(|who| vote(who, index, true));
        // The result must hold for a day, and waits for another.
        pass(DAY);
        assert!(!approved(index));
        pass(DAY / 2);
        assert!(approved(index));
        assert_eq!(min_job_price(), UNIT);
        pass(DAY);
        assert_eq!(min_job_price(), 2 * UNIT);
    });
}

#[test]
fn a_fifth_of_the_funds_decides_only_at_the_end_of_the_vote() {
    development().execute_with(|| {
        let index = propose(Origin::GeneralAdmin, set_min_job_price(2 * UNIT));
        holders().take(3).for_each(|who| vote(who, index, true));
        pass(6 * DAY);
        assert!(!approved(index));
        pass(3 * DAY);
        assert!(approved(index));
    });
}

#[test]
fn less_than_a_fifth_of_the_funds_decides_nothing() {
    development().execute_with(|| {
        let index = propose(Origin::GeneralAdmin, set_min_job_price(2 * UNIT));
        holders().take(2).for_each(|who| vote(who, index, true));
        pass(6 * DAY);
        assert!(!rejected(index));
        pass(3 * DAY);
        assert!(rejected(index));
    });
}

#[test]
fn two_thirds_of_the_votes_are_not_enough() {
    development().execute_with(|| {
        let index = propose(Origin::GeneralAdmin, set_min_job_price(2 * UNIT));
        holders().take(8).for_each(|who| vote(who, index, true));
        holders().skip(8).for_each(|who| vote(who, index, false));
        pass(9 * DAY);
        assert!(rejected(index));
    });
}

#[test]
fn a_referendum_can_do_only_what_its_origin_may() {
    development().execute_with(|| {
        decree(Origin::SmallSpender, set_min_job_price(2 * UNIT));
        assert_eq!(min_job_price(), UNIT);
    });
}

#[test]
fn a_referendum_authorises_an_upgrade_that_anyone_brings() {
    let mut chain = development();
    chain.register_extension(ReadRuntimeVersionExt::new(NextVersion));
    chain.execute_with(|| {
        let code = vec![7; 1_000];
        let apply = |code: &[u8]| {
            let code = code.to_vec();
            call(Bob, frame_system::Call::apply_authorized_upgrade { code })
        };
        assert!(apply(&code).is_err());
        let code_hash = BlakeTwo256::hash(&code);
        decree(
            RawOrigin::Root,
            frame_system::Call::authorize_upgrade { code_hash },
        );
        assert!(apply(&[8; 1_000]).is_err());
        assert_ok!(apply(&code));
        assert_eq!(sp_io::storage::get(b":code").unwrap(), code);
    });
}

/// Finds in any code the runtime's next version.
struct NextVersion;

impl ReadRuntimeVersion for NextVersion {
    fn read_runtime_version(
        &self,
        _: &[u8],
        _: &mut dyn sp_core::traits::Externalities,
    ) -> Result<Vec<u8>, String> {
        let next = RuntimeVersion {
            spec_version: VERSION.spec_version + 1,
            ..VERSION
        };
        Ok(next.encode())
    }
}

#[test]
fn an_emergency_cancels_a_referendum() {
    development().execute_with(|| {
        let index = propose(Origin::GeneralAdmin, set_min_job_price(2 * UNIT));
        let cancel = || pallet_referenda::Call::cancel { index };
        assert_err!(call(Bob, cancel()), DispatchError::BadOrigin);
        assert_err!(
            call_as(Origin::GeneralAdmin, cancel()),
            DispatchError::BadOrigin
        );
        assert_ok!(call_as(Origin::Emergency, cancel()));
        let info = ReferendumInfoFor::<Runtime>::get(index);
        assert!(matches!(info, Some(ReferendumInfo::Cancelled(..))));
    });
}

#[test]
fn a_killed_referendum_loses_its_deposits_to_the_treasury() {
    development().execute_with(|| {
        let index = propose(Origin::GeneralAdmin, set_min_job_price(2 * UNIT));
        let kill = || pallet_referenda::Call::kill { index };
        assert_err!(call_as(Origin::Emergency, kill()), DispatchError::BadOrigin);
        let pot = Treasury::pot();
        assert_ok!(call_as(RuntimeOrigin::root(), kill()));
        // A hundredth of what is at stake at full pace.
        let lost = (SUBMISSION_DEPOSIT + MEDIUM_DEPOSIT) / 100;
        assert_eq!(Treasury::pot(), pot + lost);
    });
}

#[test]
fn only_root_and_its_own_origin_pass_a_gate() {
    type Gate = RootOr<SlashCanceller>;
    let passes = |origin: RuntimeOrigin| Gate::ensure_origin(origin).is_ok();
    assert!(passes(RuntimeOrigin::root()));
    assert!(passes(Origin::SlashCanceller.into()));
    assert!(!passes(RuntimeOrigin::none()));
    assert!(!passes(RuntimeOrigin::signed(Alice.to_account_id())));
    for other in [
        Origin::GeneralAdmin,
        Origin::SmallSpender,
        Origin::BigSpender,
        Origin::Emergency,
    ] {
        assert!(!passes(other.into()));
    }
}

#[test]
fn each_origin_has_a_track_of_its_own() {
    let deposits = [5_000_000, 250_000, 50_000, 50_000, 1_000_000, 1_000_000];
    let origins: [OriginCaller; 6] = [
        RawOrigin::Root.into(),
        Origin::GeneralAdmin.into(),
        Origin::SlashCanceller.into(),
        Origin::SmallSpender.into(),
        Origin::BigSpender.into(),
        Origin::Emergency.into(),
    ];
    chain(None).execute_with(|| {
        assert_eq!(Tracks::tracks().count(), origins.len());
        for (id, (origin, deposit)) in (0..).zip(origins.iter().zip(deposits)) {
            assert_eq!(Tracks::track_for(origin), Ok(id));
            let info = Tracks::info(id).unwrap();
            assert_eq!(info.decision_deposit, deposit * UNIT);
        }
        let alice = RawOrigin::Signed(Alice.to_account_id());
        assert_eq!(Tracks::track_for(&alice.into()), Err(()));
    });
}

#[test]
fn votes_take_a_week_where_there_is_time() {
    chain(None).execute_with(|| {
        for track in Tracks::tracks() {
            let info = &track.info;
            let seven_days = (info.decision_period, info.confirm_period) == (7 * DAYS, DAYS);
            let within_a_day = info.prepare_period
                + info.decision_period
                + info.confirm_period
                + info.min_enactment_period
                < DAYS;
            match track.id {
                // A slash is due a day after its case was opened.
                2 => assert!(within_a_day),
                5 => assert_eq!(info.decision_period, DAYS),
                _ => assert!(seven_days),
            }
            let end = Perbill::one();
            assert_eq!(info.min_approval.threshold(end), Perbill::from_percent(67));
            assert!(info.min_support.threshold(end) >= Perbill::from_percent(20));
        }
    });
}
