//! The genesis presets build, and are what they say.

use crate::{chain, chain_from, genesis_config};
use ciro_runtime::{
    configs::{
        consensus::{EPOCH_CONFIGURATION, MAX_AUTHORITIES},
        gateway::MIN_ATTESTER_BOND,
    },
    constants::{DECIMALS, EPOCH_SLOTS, INITIAL_SUPPLY, MAX_SUPPLY, SLOT_MILLISECONDS, UNIT},
    genesis::{preset, preset_names, ENDOWMENT},
    origins::Quick,
    AuthorityDiscovery, Babe, Balances, Beefy, Block, Grandpa, Historical, Runtime, Session,
    Treasury,
};
use pallet_sudo::Key;
use sp_consensus_babe::runtime_decl_for_babe_api::BabeApi;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave};
use std::panic::catch_unwind;

#[test]
fn presets_are_development_and_local() {
    assert_eq!(preset_names(), ["development", "local_testnet"]);
    assert!(preset_names().iter().all(|name| preset(name).is_some()));
    assert_eq!(preset(&"mainnet".into()), None);
}

#[test]
fn presets_start_with_their_validators() {
    for (name, validators) in [
        ("development", &[Alice][..]),
        ("local_testnet", &[Alice, Bob, Charlie, Dave][..]),
    ] {
        chain(Some(name)).execute_with(|| {
            let mut expected: Vec<_> = validators.iter().map(|who| who.to_account_id()).collect();
            expected.sort();
            assert_eq!(Session::validators(), expected);
            assert_eq!(Babe::authorities().len(), validators.len());
            assert_eq!(Grandpa::grandpa_authorities().len(), validators.len());
            assert_eq!(Beefy::validator_set().unwrap().len(), validators.len());
            assert!(AuthorityDiscovery::authorities().contains(&Alice.public().into()));
            // Evidence can be proved for the very first sessions.
            assert!(Historical::historical_root(0).is_some());
            assert!(Historical::historical_root(1).is_some());
            assert!(validators.len() as u32 <= MAX_AUTHORITIES);
        });
    }
}

#[test]
fn presets_endow_the_well_known_accounts() {
    chain(Some("development")).execute_with(|| {
        assert_eq!(Balances::free_balance(Alice.to_account_id()), ENDOWMENT);
        assert_eq!(Balances::free_balance(Bob.to_account_id()), ENDOWMENT);
        let treasury = Balances::free_balance(Treasury::account_id());
        let bond = MIN_ATTESTER_BOND;
        assert_eq!(
            (Balances::total_issuance() - treasury - bond) % ENDOWMENT,
            0
        );
    });
}

#[test]
fn no_genesis_issues_more_than_the_cap() {
    assert_eq!(UNIT, 10u128.pow(DECIMALS));
    const { assert!(INITIAL_SUPPLY <= MAX_SUPPLY) };
    for name in preset_names() {
        chain(Some(&name)).execute_with(|| assert!(Balances::total_issuance() <= INITIAL_SUPPLY));
    }
}

#[test]
fn only_development_is_quick() {
    chain(None).execute_with(|| assert!(!Quick::<Runtime>::get()));
    chain(Some("development")).execute_with(|| assert!(Quick::<Runtime>::get()));
}

#[test]
fn only_development_has_a_sudo_key() {
    assert!(genesis_config(None)["sudo"]["key"].is_null());
    chain(None).execute_with(|| assert_eq!(Key::<Runtime>::get(), None));
    chain(Some("development"))
        .execute_with(|| assert_eq!(Key::<Runtime>::get(), Some(Alice.to_account_id())));
}

#[test]
fn babe_makes_a_block_every_two_seconds() {
    chain(Some("local_testnet")).execute_with(|| {
        let babe = <Runtime as BabeApi<Block>>::configuration();
        assert_eq!(babe.slot_duration, SLOT_MILLISECONDS);
        assert_eq!(SLOT_MILLISECONDS, 2_000);
        assert_eq!(babe.epoch_length, u64::from(EPOCH_SLOTS));
        assert_eq!(EPOCH_SLOTS, 300);
        assert_eq!(babe.c, EPOCH_CONFIGURATION.c);
        assert_eq!(babe.allowed_slots, EPOCH_CONFIGURATION.allowed_slots);
    });
}

#[test]
fn a_genesis_may_have_shorter_sessions_of_at_least_two_slots() {
    let length = |slots: u32| {
        let mut genesis = genesis_config(Some("local_testnet"));
        genesis["origins"]["epochSlots"] = slots.into();
        chain_from(&genesis)
            .execute_with(|| <Runtime as BabeApi<Block>>::configuration().epoch_length)
    };
    assert_eq!(length(30), 30);
    assert!(catch_unwind(|| length(1)).is_err());
}
