//! Random calls from several accounts, block by block, against a plain list of what was heard.

use crate::{mock::*, Event, Outage, Window, Workers};
use frame_support::{dispatch::DispatchResult, storage::with_storage_layer};
use proptest::{prelude::*, strategy::ValueTree};
use sp_runtime::Perbill;
use std::collections::{BTreeMap, BTreeSet};

/// Accounts 1 to 6 have funds, 7 has none; and as many keys.
const ACCOUNTS: core::ops::RangeInclusive<u64> = 1..=7;

#[derive(Clone, Debug)]
enum Call {
    Register(u64),
    SetKey(u64),
    Update,
    Deactivate,
    Reactivate,
    Deregister,
    /// For the window so far from the current one, signed by the account's own key or another one.
    Heartbeat(i32, Option<u64>),
    Busy(bool),
    Ban(bool),
    BanKey(u64),
}

fn call() -> impl Strategy<Value = Call> {
    let other = || prop_oneof![9 => Just(None), 1 => ACCOUNTS.prop_map(Some)];
    let window = || prop_oneof![9 => Just(0), 1 => -1..=1i32];
    prop_oneof![
        6 => ACCOUNTS.prop_map(Call::Register),
        1 => ACCOUNTS.prop_map(Call::SetKey),
        1 => Just(Call::Update),
        2 => Just(Call::Deactivate),
        3 => Just(Call::Reactivate),
        1 => Just(Call::Deregister),
        14 => (window(), other()).prop_map(|(window, signer)| Call::Heartbeat(window, signer)),
        1 => any::<bool>().prop_map(Call::Busy),
        1 => any::<bool>().prop_map(Call::Ban),
        1 => ACCOUNTS.prop_map(Call::BanKey),
    ]
}

/// Blocks to the next step: mostly some windows, at times some days or a month.
fn pause() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..3 * PERIOD, 2 => 0..3 * DAY, 1 => 0..40 * DAY]
}

fn step() -> impl Strategy<Value = (u32, Vec<(AccountId, Call)>)> {
    (pause(), prop::collection::vec((ACCOUNTS, call()), 0..6))
}

fn dispatch(who: AccountId, call: Call) {
    let origin = origin(who);
    // As an extrinsic would be: all or nothing.
    let _: DispatchResult = with_storage_layer(|| match call {
        Call::Register(number) => Registry::register(origin, capabilities(), key(number)),
        Call::SetKey(number) => Registry::set_heartbeat_key(origin, key(number)),
        Call::Update => Registry::update(origin, capabilities()),
        Call::Deactivate => Registry::deactivate(origin),
        Call::Reactivate => Registry::reactivate(origin),
        Call::Deregister => Registry::deregister(origin),
        Call::Heartbeat(distance, signer) => {
            let window = window().saturating_add_signed(distance);
            send(who, window, signer);
            Ok(())
        }
        Call::Busy(busy) => {
            BusyAccounts::set(if busy { vec![who] } else { vec![] });
            Ok(())
        }
        Call::Ban(banned) => {
            BannedAccounts::set(if banned { vec![who] } else { vec![] });
            Ok(())
        }
        Call::BanKey(number) => {
            BannedHeartbeatKeys::set(vec![key(number)]);
            Ok(())
        }
    });
}

/// Sends a heartbeat. The pool and the block agree on it, and take none that another key has signed.
fn send(who: AccountId, window: Window, signer: Option<u64>) {
    let own = Registry::worker(who).map(|worker| worker.heartbeat_key);
    let owned = ACCOUNTS
        .into_iter()
        .find(|number| Some(key(*number)) == own);
    let signer = signer.or(owned).unwrap_or(who);
    let heartbeat = transaction(who, window, sign(&pair(signer), GENESIS, who, window));
    let valid = validate(heartbeat.clone()).is_ok();
    let applied = apply(heartbeat);
    assert_eq!(valid, applied.is_ok());
    assert!(!valid || (owned == Some(signer) && applied.unwrap().is_ok()));
}

/// What the events tell of a worker.
struct Heard {
    registered: u32,
    last: u32,
    windows: BTreeSet<Window>,
    /// Blocks since `last` in which the worker was active.
    silent: u32,
    active: bool,
}

#[derive(Default)]
struct Books(BTreeMap<AccountId, Heard>);

impl Books {
    fn pass(&mut self, blocks: u32) {
        for heard in self.0.values_mut().filter(|heard| heard.active) {
            heard.silent += blocks;
        }
    }

    /// Reads the events since the last time.
    fn update(&mut self, now: u32) {
        for event in System::read_events_for_pallet::<Event<Test>>() {
            match event {
                Event::WorkerRegistered { who, .. } => {
                    let heard = Heard {
                        registered: now,
                        last: now,
                        windows: BTreeSet::new(),
                        silent: 0,
                        active: true,
                    };
                    assert!(self.0.insert(who, heard).is_none());
                }
                Event::WorkerDeregistered { who } => {
                    assert!(self.0.remove(&who).is_some());
                }
                Event::WorkerDeactivated { who } => self.of(who).active = false,
                Event::WorkerReactivated { who } => self.of(who).active = true,
                Event::HeartbeatReceived { who, window } => {
                    let heard = self.of(who);
                    assert!(heard.active && heard.windows.insert(window));
                    (heard.last, heard.silent) = (now, 0);
                }
                _ => {}
            }
        }
        System::reset_events();
    }

    fn of(&mut self, who: AccountId) -> &mut Heard {
        self.0.get_mut(&who).unwrap()
    }

    fn check(&self, issuance: Balance) {
        Registry::do_try_state().unwrap();
        assert_eq!(Balances::total_issuance(), issuance);
        assert_eq!(Workers::<Test>::count() as usize, self.0.len());
        for who in ACCOUNTS {
            let heard = self.0.get(&who);
            assert_eq!(held(who), heard.map_or(0, |_| DEPOSIT));
            assert_eq!(
                Registry::uptime(who),
                heard.map_or(Perbill::zero(), Heard::uptime)
            );
            assert_eq!(Registry::outage(who), heard.and_then(Heard::outage));
        }
    }
}

impl Heard {
    fn uptime(&self) -> Perbill {
        let oldest = (window() / WINDOWS).saturating_sub(30) * WINDOWS;
        let first = oldest.max(self.registered / PERIOD + 1);
        let current = u32::from(self.windows.contains(&window()));
        let due = (first..window()).len() as u32 + current;
        let came = self.windows.range(first..).count() as u32;
        Perbill::from_rational(came, due.max(1))
    }

    fn outage(&self) -> Option<Outage<u32>> {
        (self.active && self.silent > PERIOD).then_some(Outage {
            since: self.last,
            blocks: self.silent,
        })
    }
}

/// Runs the steps and says how many of each kind of event there were.
fn run(steps: Vec<(u32, Vec<(AccountId, Call)>)>) -> BTreeMap<&'static str, usize> {
    let mut seen = BTreeMap::new();
    ext().execute_with(|| {
        let issuance = Balances::total_issuance();
        let mut books = Books::default();
        let mut now = 1;
        for (blocks, calls) in steps {
            now += blocks;
            at(now);
            books.pass(blocks);
            for (who, call) in calls {
                dispatch(who, call);
            }
            for event in System::read_events_for_pallet::<Event<Test>>() {
                *seen.entry(kind(&event)).or_default() += 1;
            }
            books.update(now);
            books.check(issuance);
        }
    });
    seen
}

fn kind(event: &Event<Test>) -> &'static str {
    match event {
        Event::WorkerRegistered { .. } => "registered",
        Event::WorkerUpdated { .. } => "updated",
        Event::WorkerDeactivated { .. } => "deactivated",
        Event::WorkerReactivated { .. } => "reactivated",
        Event::WorkerDeregistered { .. } => "deregistered",
        Event::HeartbeatReceived { .. } => "heard",
        _ => "other",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_is_called_presence_is_what_was_heard_and_deposits_are_on_hold(
        steps in prop::collection::vec(step(), 1..24),
    ) {
        run(steps);
    }
}

#[test]
fn the_random_calls_reach_every_event() {
    // A property that no run exercises would hold emptily: count what some runs get to.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(step(), 40);
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..20 {
        for (kind, count) in run(strategy.new_tree(&mut runner).unwrap().current()) {
            *seen.entry(kind).or_default() += count;
        }
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 5), "{seen:?}");
}
