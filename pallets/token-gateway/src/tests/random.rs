//! Random transfers over three chains, block by block, beside a model of what the other chains have and what is under
//! way.

use crate::{mock::*, Arrivals, Beneficiary, Event, Limits};
use ciro_bridge_primitives::{LaneId, Message, Payload, Word};
use frame_support::assert_ok;
use proptest::{prelude::*, sample::Index};
use sp_runtime::DispatchResult;
use std::collections::BTreeMap;

/// The last has no account at first.
const ACCOUNTS: [u8; 5] = [1, 2, 3, 4, 99];

#[derive(Clone, Debug)]
enum Call {
    Transfer(u8, usize, Balance),
    /// One of the mints under way is delivered, in time or late.
    Deliver(Index, bool),
    /// Some of what a chain has is burnt there for an account here.
    Burn(usize, u8, Balance),
    /// Some of what a chain has is burnt there for another chain.
    Forward(usize, usize, Balance),
    /// Attesters tell of a burn that never was.
    Forge(usize, u8, Balance),
    /// One of the messages under way to Ciro arrives.
    Arrive(Index),
    Release(Index),
    Pause(usize, bool, bool),
    Halt(bool),
    Suspend(Index),
    Resume(Index),
    Reject(Index),
    Narrow(usize, bool),
    FillQueue(bool),
}

fn call() -> impl Strategy<Value = Call> {
    let who = || prop::sample::select(&ACCOUNTS[..]);
    let amount = || prop_oneof![1 => 0..20u128, 4 => 20..900u128, 2 => 900..2_200u128];
    let index = any::<Index>;
    let rarely = || prop::bool::weighted(0.2);
    prop_oneof![
        8 => (who(), 0..3usize, amount()).prop_map(|(who, lane, amount)| Call::Transfer(who, lane, amount)),
        8 => (index(), rarely()).prop_map(|(which, late)| Call::Deliver(which, late)),
        5 => (0..3usize, who(), amount()).prop_map(|(lane, who, amount)| Call::Burn(lane, who, amount)),
        4 => (0..3usize, 0..4usize, amount()).prop_map(|(from, to, amount)| Call::Forward(from, to, amount)),
        2 => (0..3usize, who(), amount()).prop_map(|(lane, who, amount)| Call::Forge(lane, who, amount)),
        8 => index().prop_map(Call::Arrive),
        5 => index().prop_map(Call::Release),
        1 => (0..3usize, rarely(), rarely()).prop_map(|(lane, out, into)| Call::Pause(lane, out, into)),
        1 => rarely().prop_map(Call::Halt),
        1 => index().prop_map(Call::Suspend),
        1 => index().prop_map(Call::Resume),
        1 => index().prop_map(Call::Reject),
        1 => (0..3usize, any::<bool>()).prop_map(|(lane, narrow)| Call::Narrow(lane, narrow)),
        1 => rarely().prop_map(Call::FillQueue),
    ]
}

/// How many blocks later than the last, and its calls.
type Block = (u64, Vec<Call>);

fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let skip = prop_oneof![4 => 1..10u64, 2 => DELAY..2 * WINDOW];
    prop::collection::vec((skip, prop::collection::vec(call(), 0..10)), 1..16)
}

/// Many calls are refused.
fn may_fail(_: DispatchResult) {}

/// What the other chains know.
struct World {
    /// What was issued in all when it began.
    supply: Balance,
    /// Messages' fees, which are burnt here.
    fees: Balance,
    /// How many of the messages that have left are in `mints` or beyond.
    seen: usize,
    mints: Vec<Message>,
    /// What each chain has.
    chains: BTreeMap<LaneId, Balance>,
    inbound: Vec<Message>,
    nonces: BTreeMap<LaneId, u64>,
    /// Whether nobody forges, and so nothing is rejected.
    honest: bool,
}

fn amount_of(message: &Message) -> Balance {
    match message.payload {
        Payload::Mint { amount, .. }
        | Payload::Burn { amount, .. }
        | Payload::Return { amount, .. } => amount,
        _ => 0,
    }
}

impl World {
    fn new(honest: bool) -> Self {
        Self {
            supply: supply(),
            fees: 0,
            seen: 0,
            mints: Vec::new(),
            chains: LANES[..3].iter().map(|lane| (*lane, 0)).collect(),
            inbound: Vec::new(),
            nonces: BTreeMap::new(),
            honest,
        }
    }

    fn note_sent(&mut self) {
        let sent = Sent::get();
        self.mints.extend(&sent[self.seen..]);
        self.seen = sent.len();
    }

    fn send_back(&mut self, lane: LaneId, payload: Payload) {
        let nonce = self.nonces.entry(lane).or_default();
        self.inbound.push(Message {
            lane,
            nonce: *nonce,
            payload,
        });
        *nonce += 1;
    }

    fn deliver(&mut self, which: Index, late: bool) {
        if self.mints.is_empty() {
            return;
        }
        let message = self.mints.remove(which.index(self.mints.len()));
        let Payload::Mint { amount, refund, .. } = message.payload else {
            panic!("not a mint");
        };
        if late {
            let payload = Payload::Return {
                nonce: message.nonce,
                amount,
                refund,
            };
            self.send_back(message.lane, payload);
        } else {
            *self.chains.get_mut(&message.lane).unwrap() += amount;
        }
    }

    fn burn(&mut self, lane: LaneId, destination: LaneId, recipient: Word, amount: Balance) {
        let has = self.chains.get_mut(&lane).unwrap();
        if let Some(rest) = has.checked_sub(amount) {
            *has = rest;
            let payload = Payload::Burn {
                destination,
                recipient,
                amount,
                refund: bob().into(),
            };
            self.send_back(lane, payload);
        }
    }

    fn dispatch(&mut self, call: Call) {
        match call {
            Call::Transfer(who, lane, amount) => {
                let sent = transfer(account(who), LANES[lane], amount);
                self.fees += sent.map_or(0, |()| FEE);
            }
            Call::Deliver(which, late) => self.deliver(which, late),
            Call::Burn(lane, who, amount) => {
                self.burn(LANES[lane], LaneId::CIRO, account(who).into(), amount);
            }
            Call::Forward(from, to, amount) => {
                self.burn(LANES[from], LANES[to], address(8), amount);
            }
            Call::Forge(lane, who, amount) if !self.honest => {
                let payload = Payload::Burn {
                    destination: LaneId::CIRO,
                    recipient: account(who).into(),
                    amount,
                    refund: [0; 32],
                };
                self.send_back(LANES[lane], payload);
            }
            Call::Arrive(which) if !self.inbound.is_empty() => {
                let message = self.inbound.remove(which.index(self.inbound.len()));
                receive(message.lane, message.nonce, message.payload);
            }
            Call::Release(which) => self.with_arrival(which, release),
            Call::Pause(lane, outbound, inbound) => {
                assert_ok!(pause(LANES[lane], outbound, inbound));
            }
            Call::Halt(halted) => halt(halted).unwrap(),
            Call::Suspend(which) => self.with_arrival(which, suspend),
            Call::Resume(which) => self.with_arrival(which, resume),
            Call::Reject(which) if !self.honest => self.with_arrival(which, reject),
            Call::Narrow(lane, narrow) => {
                let narrowed = Limits {
                    in_per_window: 500,
                    most_outside: 2_500,
                    ..limits()
                };
                let limits = if narrow { narrowed } else { limits() };
                assert_ok!(set_limits(LANES[lane], limits));
            }
            Call::FillQueue(full) => QueueFull::set(full),
            Call::Forge(..) | Call::Arrive(_) | Call::Reject(_) => {}
        }
        self.note_sent();
    }

    fn with_arrival(&self, which: Index, act: impl FnOnce(LaneId, u64) -> DispatchResult) {
        let mut keys: Vec<_> = Arrivals::<Test>::iter_keys().collect();
        keys.sort();
        if !keys.is_empty() {
            let (lane, nonce) = keys[which.index(keys.len())];
            may_fail(act(lane, nonce));
        }
    }

    fn check(&self) {
        check();
        assert_eq!(supply() + self.fees, self.supply);
        let under_way = |messages: &[Message], lane| -> Balance {
            let of_lane = messages.iter().filter(|message| message.lane == lane);
            of_lane.map(amount_of).sum()
        };
        for (lane, has) in &self.chains {
            let there = has + under_way(&self.mints, *lane) + under_way(&self.inbound, *lane);
            if self.honest {
                assert_eq!(remote(*lane).outside, there);
            }
        }
        if self.honest {
            assert!(Arrivals::<Test>::iter_values().all(|arrival| arrival.covered));
        }
    }

    /// Lets everything arrive and be paid out that can be.
    fn end(&mut self) {
        QueueFull::set(false);
        assert_ok!(halt(false));
        for lane in &LANES[..3] {
            assert_ok!(pause(*lane, false, false));
            assert_ok!(set_limits(*lane, limits()));
        }
        while let Some(message) = self.inbound.pop() {
            receive(message.lane, message.nonce, message.payload);
        }
        let mut keys: Vec<_> = Arrivals::<Test>::iter_keys().collect();
        keys.sort();
        // Twice: what was too little for an account may come to one that others have opened since.
        for (lane, nonce) in [keys.clone(), keys].concat() {
            may_fail(resume(lane, nonce));
            // No more than a window lets in is waiting at a time, or two windows would do.
            for _ in 0..2 {
                at((now() / WINDOW + 1) * WINDOW);
                may_fail(release(lane, nonce));
            }
        }
        self.note_sent();
        let left: Vec<_> = Arrivals::<Test>::iter_values().collect();
        for arrival in left {
            let to = match arrival.beneficiary {
                Beneficiary::Account(who) => who,
                Beneficiary::Remote { refund, .. } => refund,
            };
            let homeless = arrival.amount < EXISTENTIAL_DEPOSIT && free(&to) == 0;
            assert!(homeless || !arrival.covered);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_passes_all_ciro_together_stays_the_same_and_nothing_is_lost(
        honest in prop::bool::weighted(0.7),
        blocks in blocks(),
    ) {
        ext().execute_with(|| {
            for lane in &LANES[..3] {
                assert_ok!(register(*lane, limits()));
            }
            let mut world = World::new(honest);
            let mut brought = BTreeMap::<LaneId, Balance>::new();
            for (skipped, calls) in blocks {
                at(now() + skipped);
                for call in calls {
                    dispatch_noting(&mut world, &mut brought, call);
                }
                world.check();
            }
            world.end();
            world.check();
            let chains: Balance = world.chains.values().sum();
            let under_way: Balance = world.mints.iter().map(amount_of).sum();
            let waiting = crate::Waiting::<Test>::get();
            if honest {
                let all = Balances::total_issuance() + chains + under_way + waiting;
                prop_assert_eq!(all + world.fees, world.supply);
            }
            Ok(())
        })?;
    }
}

/// Dispatches, and checks that no chain brings more than it got.
fn dispatch_noting(world: &mut World, brought: &mut BTreeMap<LaneId, Balance>, call: Call) {
    System::reset_events();
    world.dispatch(call);
    for event in System::read_events_for_pallet::<Event<Test>>() {
        if let Event::TokensReceived { lane, amount, .. } = event {
            *brought.entry(lane).or_default() += amount;
        }
    }
    for (lane, brought) in brought {
        let of_lane = Sent::get();
        let got: Balance = of_lane
            .iter()
            .filter(|message| message.lane == *lane)
            .map(amount_of)
            .sum();
        assert!(*brought <= got);
    }
}
