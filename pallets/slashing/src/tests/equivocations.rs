use crate::{mock::*, BannedAccounts, Cases, OffenceKind};
use frame_support::{dispatch::DispatchClass, traits::Contains, weights::Weight};
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// What `pallet_offences` tells of these offenders.
fn report(names: &[u8], session: u32) -> Weight {
    let offenders: Vec<_> = names
        .iter()
        .map(|name| OffenceDetails {
            offender: (account(*name), ()),
            reporters: vec![],
        })
        .collect();
    let fractions = vec![Perbill::from_percent(1); names.len()];
    <Slashing as OnOffenceHandler<AccountId, (AccountId, ()), Weight>>::on_offence(
        &offenders, &fractions, session,
    )
}

#[test]
fn an_equivocation_is_double_signing_at_the_start_of_its_session() {
    test(|| {
        at(3 * HOUR + 200);
        report(&[1], 3);
        let case = record(0);
        assert_eq!(case.kind, OffenceKind::DoubleSigning);
        assert_eq!(case.at, 3 * HOUR);
        assert_eq!(case.fraction, Perbill::from_percent(30));
    });
}

#[test]
fn the_stake_answers_for_an_equivocation_since_the_election() {
    test(|| {
        at(4 * HOUR);
        report(&[1], 3);
        at(4 * HOUR + DAY);
        idle_freely();
        let slashed = (account(1), Perbill::from_percent(30), 3 * HOUR - HOUR / 2);
        assert_eq!(Slashed::get(), [slashed]);
    });
}

#[test]
fn equivocations_in_one_session_are_one_offence() {
    test(|| {
        at(4 * HOUR);
        report(&[1], 3);
        report(&[1, 2], 3);
        assert_eq!(Cases::<Test>::iter().count(), 2);
        report(&[1], 4);
        assert_eq!(Cases::<Test>::iter().count(), 3);
    });
}

#[test]
fn what_the_handler_does_counts_as_the_blocks_weight() {
    test(|| {
        let weight = || {
            System::block_weight()
                .get(DispatchClass::Operational)
                .ref_time()
        };
        let before = weight();
        let one = report(&[1], 3);
        assert_eq!(weight() - before, one.ref_time());
        let attack = report(&[2], 3);
        assert!(attack.ref_time() > one.ref_time());
    });
}

#[test]
fn validators_that_equivocate_together_are_banned() {
    test(|| {
        report(&[1, 2], 3);
        at(1 + DAY);
        idle_freely();
        assert!(BannedAccounts::<Test>::contains(&account(1)));
        assert!(BannedAccounts::<Test>::contains(&account(2)));
    });
}
