//! Random calls of several accounts, block by block, against a plain list of what was queued.

use crate::{mock::*, Event, Outbox};
use ciro_bridge_primitives::{LaneId, Message, ResultLeaf};
use frame_support::{dispatch::DispatchResult, storage::with_storage_layer};
use proptest::{prelude::*, strategy::ValueTree};
use sp_core::H256;
use sp_runtime::Perbill;
use std::collections::BTreeMap;

/// Jobs and cases from 0 on; the first half of each are proven and executed.
const RECORDS: u64 = 6;

#[derive(Clone, Debug)]
enum Call {
    Open,
    Close,
    Send,
    Result(u64),
    Slash(u64),
    /// Bound to the lane, or to another one.
    Prove(bool),
    Note(u64),
    Halt(bool),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        5 => Just(Call::Open),
        4 => Just(Call::Close),
        6 => Just(Call::Send),
        3 => (0..RECORDS).prop_map(Call::Result),
        3 => (0..RECORDS).prop_map(Call::Slash),
        3 => any::<bool>().prop_map(Call::Prove),
        6 => (0..RECORDS).prop_map(Call::Note),
        1 => prop::bool::weighted(0.3).prop_map(Call::Halt),
    ]
}

/// The calls of a block: who makes each, 4 of them without funds, and the lane that it is about.
fn block() -> impl Strategy<Value = Vec<(u8, u8, Call)>> {
    prop::collection::vec((1..5u8, 1..6u8, call()), 0..12)
}

fn dispatch(who: u8, number: u8, call: Call) {
    let (origin, lane) = (signed(who), lane(number));
    let _: DispatchResult = with_storage_layer(|| match call {
        Call::Open => Queue::open_lane(origin, contract(number)),
        Call::Close => Queue::close_lane(origin, lane),
        Call::Send => send(lane, who.into()).map(|_| ()),
        Call::Result(job) => Queue::send_result(origin, lane, job),
        Call::Slash(case) => Queue::send_slash(origin, lane, case),
        Call::Prove(true) => prove_remote(who, lane, &binding(lane)),
        Call::Prove(false) => prove_remote(who, lane, &binding(LaneId([1; 32]))),
        Call::Note(job) => {
            Queue::note_result(leaf(job));
            Ok(())
        }
        Call::Halt(halted) => Queue::set_halted(RuntimeOrigin::root(), halted),
    });
}

fn leaf(job: u64) -> ResultLeaf {
    Queue::leaf(job, &result(H256([job as u8; 32])))
}

/// What the events tell.
#[derive(Default)]
struct Books {
    /// The next nonce of each lane, for as long as it has been open or used.
    nonces: BTreeMap<LaneId, u64>,
    /// The block's messages and noted results.
    messages: Vec<Vec<u8>>,
    results: Vec<Vec<u8>>,
    /// In which blocks each lane had messages.
    blocks: BTreeMap<LaneId, Vec<u32>>,
    slashes: Vec<(LaneId, u64)>,
    fees: Balance,
    halted: bool,
    seen: BTreeMap<&'static str, usize>,
}

impl Books {
    /// Dispatches a call, and checks the events that it makes against what was before.
    fn run(&mut self, who: u8, number: u8, call: Call) {
        let noted = match call {
            Call::Note(job) => Some(job),
            _ => None,
        };
        let free = matches!(call, Call::Send);
        dispatch(who, number, call);
        let events = System::read_events_for_pallet::<Event<Test>>();
        System::reset_events();
        if let (Some(job), true) = (noted, events.is_empty()) {
            assert!(!self.halted);
            self.results.push(leaf(job).bytes().to_vec());
            *self.seen.entry("noted").or_default() += 1;
        }
        for event in events {
            let kind = self.update(event, free);
            *self.seen.entry(kind).or_default() += 1;
        }
    }

    fn update(&mut self, event: Event<Test>, free: bool) -> &'static str {
        match event {
            Event::LaneOpened { lane, .. } => {
                assert!(self.nonces.insert(lane, 0).is_none());
                "opened"
            }
            Event::LaneClosed { lane } => {
                assert_eq!(self.nonces.remove(&lane), Some(0));
                "closed"
            }
            Event::MessageQueued {
                lane,
                nonce,
                id,
                payload,
            } => {
                assert!(!self.halted);
                let next = self.nonces.get_mut(&lane).unwrap();
                assert_eq!(*next, nonce);
                *next += 1;
                let message = Message {
                    lane,
                    nonce,
                    payload,
                };
                assert_eq!(id, H256(message.id()));
                self.messages.push(message.bytes());
                self.fees += if free { 0 } else { FEE };
                let blocks = self.blocks.entry(lane).or_default();
                blocks.push(System::block_number());
                blocks.dedup();
                if let ciro_bridge_primitives::Payload::Slash { case, .. } = payload {
                    assert!(!self.slashes.contains(&(lane, case)));
                    self.slashes.push((lane, case));
                }
                "queued"
            }
            Event::ResultPassedOver { .. } => {
                assert!(self.halted || self.results.len() == MAX_RESULTS as usize);
                "passed over"
            }
            Event::BridgeHalted => {
                self.halted = true;
                "halted"
            }
            Event::BridgeResumed => {
                self.halted = false;
                "resumed"
            }
            Event::__Ignore(..) => unreachable!(),
        }
    }

    /// Ends the block: its roots, and the leaves under them.
    fn seal(&mut self, node: &mut Node) {
        let leaf = node.run(|| {
            assert_eq!(free(99), self.fees);
            next_block()
        });
        for (root, leaves) in [
            (leaf.messages_root, &mut self.messages),
            (leaf.results_root, &mut self.results),
        ] {
            let indexed = node.leaves(&root);
            assert_eq!(indexed.unwrap_or_default(), *leaves);
            assert_eq!(root == [0; 32], leaves.is_empty());
            leaves.clear();
        }
    }

    /// Every lane can be walked backwards from its last block to its first.
    fn walk(&self, node: &mut Node) {
        for (lane, blocks) in &self.blocks {
            let mut walked = Vec::new();
            let mut block = node.run(|| Queue::lane(*lane).unwrap().last_block);
            while let Some(at) = block {
                walked.insert(0, at);
                block = node.previous(*lane, at);
            }
            assert_eq!(walked, *blocks);
        }
    }
}

fn run(blocks: Vec<Vec<(u8, u8, Call)>>) -> BTreeMap<&'static str, usize> {
    let mut node = Node::new();
    let mut books = Books::default();
    node.run(|| {
        for record in 0..RECORDS / 2 {
            ProvenJobs::insert(record, H256([record as u8; 32]));
            Executed::insert(record, (account(3), Perbill::from_percent(5)));
        }
    });
    for calls in blocks {
        for (who, number, call) in calls {
            node.run(|| {
                books.run(who, number, call);
                check();
            });
        }
        books.seal(&mut node);
    }
    books.walk(&mut node);
    books.seen
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn whatever_is_called_the_index_has_what_the_events_say_and_no_nonce_comes_twice(
        blocks in prop::collection::vec(block(), 1..10),
    ) {
        run(blocks);
    }
}

#[test]
fn the_random_calls_reach_every_event() {
    // A property that no run exercises would hold emptily: count what some runs get to.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(block(), 12);
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..40 {
        for (kind, count) in run(strategy.new_tree(&mut runner).unwrap().current()) {
            *seen.entry(kind).or_default() += count;
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 5), "{seen:?}");
}
