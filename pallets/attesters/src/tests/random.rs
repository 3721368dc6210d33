//! Random votes and proofs, block by block, beside a model of what was said and sent.

use crate::{mock::*, threshold, Attesters as Known, Halted, Standing, WINDOW};
use ciro_bridge_primitives::LaneId;
use proptest::prelude::*;
use sp_runtime::DispatchResult;
use std::collections::{BTreeMap, BTreeSet};

const ACCOUNTS: u64 = 6;

#[derive(Clone, Debug)]
enum Call {
    Invite,
    Remove,
    Join,
    Leave,
    Withdraw,
    /// For the first lane or the second, so far above the first nonce that is missing, a message of that number.
    Attest(usize, u64, u128),
    /// All attesters vote for the same.
    AttestAll(usize, u64, u128),
    Prove(usize, u64, u128),
    Halt(bool),
}

fn call() -> impl Strategy<Value = Call> {
    // Mostly the true one.
    let number = || prop_oneof![8 => Just(0u128), 1 => 1..3u128];
    let ahead = || prop_oneof![6 => 0..4u64, 1 => 250..260u64];
    prop_oneof![
        3 => Just(Call::Invite),
        1 => Just(Call::Remove),
        4 => Just(Call::Join),
        1 => Just(Call::Leave),
        1 => Just(Call::Withdraw),
        12 => (0..2usize, ahead(), number()).prop_map(|(lane, ahead, number)| Call::Attest(lane, ahead, number)),
        4 => (0..2usize, ahead(), number()).prop_map(|(lane, ahead, number)| Call::AttestAll(lane, ahead, number)),
        2 => (0..2usize, ahead(), number()).prop_map(|(lane, ahead, number)| Call::Prove(lane, ahead, number)),
        1 => prop::bool::weighted(0.2).prop_map(Call::Halt),
    ]
}

/// How many blocks later than the last, and its calls: by whom or on whom.
type Block = (u64, Vec<(u64, Call)>);

fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let skip = prop_oneof![5 => 1..5u64, 1 => EVIDENCE..2 * UNBONDING];
    let calls = prop::collection::vec((1..=ACCOUNTS, call()), 0..8);
    prop::collection::vec((skip, calls), 1..16)
}

/// Many calls are refused.
fn may_fail(_: DispatchResult) {}

/// What was said and proven, kept another way: nothing is ever forgotten.
#[derive(Default)]
struct Model {
    said: BTreeMap<(LaneId, u64, u64), u128>,
    executed: BTreeMap<(LaneId, u64), u128>,
    lost: Balance,
    liars: BTreeSet<u64>,
}

impl Model {
    fn dispatch(&mut self, who: u64, call: Call) {
        match call {
            Call::Invite => may_fail(invite(who)),
            Call::Remove => may_fail(remove(who)),
            Call::Join => {
                if join(who, BOND + Balance::from(who)).is_ok() {
                    // It may lie again.
                    self.liars.remove(&who);
                }
            }
            Call::Leave => may_fail(leave(who)),
            Call::Withdraw => may_fail(withdraw(who)),
            Call::Attest(lane, ahead, number) => self.attest(who, LANES[lane], ahead, number),
            Call::AttestAll(lane, ahead, number) => {
                let nonce = Attesters::next_nonce(LANES[lane]) + ahead;
                for who in Attesters::members() {
                    self.attest_to(who, LANES[lane], nonce, number);
                }
            }
            Call::Prove(lane, ahead, number) => self.prove(LANES[lane], ahead, number),
            Call::Halt(halted) => halt(halted).unwrap(),
        }
    }

    fn attest(&mut self, who: u64, lane: LaneId, ahead: u64, number: u128) {
        // Some votes are about what was executed before.
        let nonce = (Attesters::next_nonce(lane) + ahead).saturating_sub(2);
        self.attest_to(who, lane, nonce, number);
    }

    fn attest_to(&mut self, who: u64, lane: LaneId, nonce: u64, number: u128) {
        let before = Received::get().len();
        let votes = |members: &[u64], said: &BTreeMap<(LaneId, u64, u64), u128>| {
            let agree = |who: &&u64| said.get(&(lane, nonce, **who)) == Some(&number);
            members.iter().filter(agree).count() as u32
        };
        let members = Attesters::members();
        let bond = held(who);
        let remembered = Attesters::ballot(lane, nonce).and_then(|ballot| ballot.vote_of(&who));
        let ok = attest_in(lane, who, nonce, number).is_ok();
        if !ok {
            assert_eq!(Received::get().len(), before);
            return;
        }
        assert!(members.contains(&who) && !Halted::<Test>::get());
        let said = remembered.and_then(|_| self.said.get(&(lane, nonce, who)).copied());
        if said.is_some_and(|said| said != number) {
            assert_eq!((held(who), Attesters::attester(who)), (0, None));
            self.lost += bond;
            self.liars.insert(who);
            assert_eq!(Received::get().len(), before);
            return;
        }
        self.said.insert((lane, nonce, who), number);
        let suffices = votes(&members, &self.said) >= threshold(members.len() as u32);
        let is_new = suffices && !self.executed.contains_key(&(lane, nonce));
        assert_eq!(Received::get().len(), before + usize::from(is_new));
        if is_new {
            self.executed.insert((lane, nonce), number);
        }
    }

    fn prove(&mut self, lane: LaneId, ahead: u64, number: u128) {
        let nonce = (Attesters::next_nonce(lane) + ahead).saturating_sub(2);
        let before: Vec<_> = (1..=ACCOUNTS).map(held).collect();
        let known = Attesters::ballot(lane, nonce);
        if prove_in(lane, nonce, number).is_err() {
            return;
        }
        let id = message(lane, nonce, number).id();
        for (who, bond) in (1..=ACCOUNTS).zip(before) {
            let said = known.as_ref().and_then(|ballot| ballot.vote_of(&who));
            let lied = said.is_some_and(|said| said != id);
            assert_eq!(held(who), if lied { 0 } else { bond });
            if lied {
                self.lost += bond;
            }
        }
        self.executed.entry((lane, nonce)).or_insert(number);
    }

    fn check(&self) {
        check();
        let received: Vec<_> = Received::get();
        let distinct: BTreeSet<_> = received.iter().map(|it| (it.lane, it.nonce)).collect();
        assert_eq!(received.len(), distinct.len());
        assert_eq!(received.len(), self.executed.len());
        for it in received {
            let number = self.executed[&(it.lane, it.nonce)];
            assert_eq!(it, message(it.lane, it.nonce, number));
            assert!(Attesters::is_executed(it.lane, it.nonce));
        }
        for lane in LANES {
            let next = Attesters::next_nonce(lane);
            assert!((0..next).all(|nonce| self.executed.contains_key(&(lane, nonce))));
            assert!(!self.executed.contains_key(&(lane, next)));
            let furthest = self
                .executed
                .range((lane, 0)..=(lane, u64::MAX))
                .next_back();
            assert!(furthest.is_none_or(|((_, nonce), _)| *nonce < next + u64::from(WINDOW)));
        }
        assert_eq!(
            Balances::free_balance(TREASURY),
            EXISTENTIAL_DEPOSIT + self.lost
        );
        for who in 1..=ACCOUNTS {
            let seated = Known::<Test>::get(who)
                .is_some_and(|attester| attester.standing == Standing::Member);
            assert!(!self.liars.contains(&who) || !seated);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_is_said_each_message_is_executed_once_and_only_liars_lose_their_bonds(blocks in blocks()) {
        ext().execute_with(|| {
            let mut model = Model::default();
            seated(4);
            for (skipped, calls) in blocks {
                at(now() + skipped);
                for (who, call) in calls {
                    model.dispatch(who, call);
                }
                model.check();
            }
        });
    }
}
