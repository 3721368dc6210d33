use super::*;
use ciro_bridge_primitives::{kind, word_of, LaneId, Message, Payload, ValidatorSet};
use ciro_bridge_testing::{Block, Chain, Validators};
use ciro_bridge_verifier::{BeefyClient, Inbox, DEFAULT_EXPIRY};
use proptest::prelude::*;
use std::sync::LazyLock;

fn view() -> View {
    View {
        client: ClientState {
            newest: 10,
            set: 3,
            expires: 1_000,
            halted: false,
        },
        now: 500,
        head: Some(Head { block: 14, set: 3 }),
        waiting: vec![],
        max_lag: None,
    }
}

fn waiting(block: u32, nonce: u64) -> Waiting {
    Waiting {
        block,
        contract: 0,
        nonce,
    }
}

fn deliver(block: u32, nonces: &[u64]) -> Step {
    Step::Deliver {
        contract: 0,
        block,
        nonces: nonces.to_vec(),
    }
}

#[test]
fn nothing_is_relayed_within_a_session_unless_a_message_waits() {
    assert_eq!(next(&view()), Step::Rest(Rest::Done));
    let waits = View {
        waiting: vec![waiting(13, 0)],
        ..view()
    };
    assert_eq!(next(&waits), Step::Update);
}

#[test]
fn a_client_is_kept_within_its_lag() {
    for (max_lag, step) in [
        (Some(3), Step::Update),
        (Some(4), Step::Rest(Rest::Done)),
        (None, Step::Rest(Rest::Done)),
    ] {
        let view = View { max_lag, ..view() };
        assert_eq!(next(&view), step, "{max_lag:?}");
    }
}

#[test]
fn a_message_is_delivered_once_a_later_block_is_known() {
    for (block, step) in [
        (9, deliver(9, &[0])),
        // The client's newest block is the message's own: its leaf comes with the next one.
        (10, Step::Update),
        (13, Step::Update),
        (14, Step::Rest(Rest::Done)),
        (15, Step::Rest(Rest::Done)),
    ] {
        let view = View {
            waiting: vec![waiting(block, 0)],
            ..view()
        };
        assert_eq!(next(&view), step, "a message of block {block}");
    }
}

#[test]
fn hand_overs_come_before_everything_and_one_after_the_other() {
    let view = View {
        head: Some(Head { block: 99, set: 6 }),
        waiting: vec![waiting(9, 0)],
        ..view()
    };
    assert_eq!(next(&view), Step::HandOver { set: 4 });
}

#[test]
fn messages_of_one_block_and_contract_go_together_the_oldest_first() {
    let mut waiting: Vec<Waiting> = (0..20).rev().map(|nonce| waiting(8, nonce)).collect();
    waiting.push(Waiting {
        contract: 1,
        ..waiting[0]
    });
    waiting.push(Waiting {
        block: 7,
        contract: 1,
        nonce: 40,
    });
    let mut view = View { waiting, ..view() };
    let first = Step::Deliver {
        contract: 1,
        block: 7,
        nonces: vec![40],
    };
    assert_eq!(next(&view), first);
    view.waiting.pop();
    let nonces: Vec<u64> = (0..BATCH as u64).collect();
    assert_eq!(next(&view), deliver(8, &nonces));
}

#[test]
fn an_expired_client_still_proves_what_it_knows() {
    let expired = View {
        now: 1_001,
        head: Some(Head { block: 99, set: 4 }),
        waiting: vec![waiting(9, 0), waiting(11, 1)],
        ..view()
    };
    assert_eq!(next(&expired), deliver(9, &[0]));
    let rest = View {
        waiting: vec![waiting(11, 1)],
        ..expired
    };
    assert_eq!(next(&rest), Step::Rest(Rest::Expired));
}

#[test]
fn a_halted_client_is_left_alone() {
    let mut halted = view();
    halted.client.halted = true;
    halted.head = Some(Head { block: 99, set: 6 });
    halted.waiting = vec![waiting(9, 0)];
    assert_eq!(next(&halted), Step::Rest(Rest::Halted));
}

/// Seconds between two blocks.
const BLOCK_TIME: u64 = 6;
const START: u64 = 1_000_000;

/// What happens beside the relayer.
#[derive(Clone, Debug)]
enum Happens {
    /// A block comes, the first of a new session or not, with messages for each contract.
    Block { session: bool, messages: Vec<usize> },
    /// BEEFY finalises the newest block.
    Finality,
    /// Another relayer delivers a message.
    Delivered(prop::sample::Index),
    /// Another relayer updates the client.
    Updated,
    /// The relayer takes a step.
    Step,
}

fn happens() -> impl Strategy<Value = Happens> {
    let messages = prop::collection::vec(0..CONTRACTS, 0..4);
    prop_oneof![
        4 => (prop::bool::weighted(0.2), messages)
            .prop_map(|(session, messages)| Happens::Block { session, messages }),
        2 => Just(Happens::Finality),
        1 => any::<prop::sample::Index>().prop_map(Happens::Delivered),
        1 => Just(Happens::Updated),
        4 => Just(Happens::Step),
    ]
}

const CONTRACTS: usize = 2;

/// Chains that check as the real ones do: the client and the inboxes are those of the verifier.
struct World {
    chain: Chain,
    client: BeefyClient,
    inboxes: [Inbox; CONTRACTS],
    next_nonce: [u64; CONTRACTS],
    set: u64,
    /// What the newest block has sent, as the next one's leaf will say.
    newest: Block,
    head: Option<Head>,
}

fn lane(contract: usize) -> LaneId {
    LaneId(word_of(contract as u64))
}

impl World {
    fn new() -> Self {
        static SETS: LazyLock<Vec<Validators>> = LazyLock::new(|| {
            let sets = (0..40).map(|set| Validators::new(&format!("set {set}"), 1));
            sets.collect()
        });
        let chain = Chain::new([1; 32], SETS.clone());
        let client = BeefyClient::new(chain.client_genesis(0, START), DEFAULT_EXPIRY);
        Self {
            chain,
            client: client.unwrap(),
            inboxes: std::array::from_fn(|contract| Inbox::new(lane(contract), [kind::MINT])),
            next_nonce: [0; CONTRACTS],
            set: 0,
            newest: Block::default(),
            head: None,
        }
    }

    fn now(&self) -> u64 {
        START + u64::from(self.chain.height()) * BLOCK_TIME
    }

    fn block(&mut self, session: bool, messages: &[usize]) {
        self.set += u64::from(session && self.chain.height() > 0 && self.set < 38);
        let parent = std::mem::take(&mut self.newest);
        self.chain.extend(self.set, self.now(), parent);
        for contract in messages {
            let nonce = self.next_nonce[*contract];
            self.next_nonce[*contract] += 1;
            let message = Message {
                lane: lane(*contract),
                nonce,
                payload: Payload::Mint {
                    recipient: [1; 32],
                    amount: 1,
                    expiry: u64::MAX,
                    refund: [2; 32],
                },
            };
            self.newest.messages.push(message.words());
        }
        // The first block of a session is always finalised, before any other one of it.
        if session {
            self.finality();
        }
    }

    fn finality(&mut self) {
        let block = self.chain.height();
        if block > 0 {
            let set = self.chain.set_of(block);
            self.head = Some(Head { block, set });
        }
    }

    /// Every message of a finished block, with whether it was taken.
    fn messages(&self) -> Vec<(Waiting, bool)> {
        let mut found = Vec::new();
        for block in 0..self.chain.height() {
            for words in &self.chain.block(block).messages {
                let message = Message::from_words(words).unwrap();
                let contract = (0..CONTRACTS).find(|c| lane(*c) == message.lane).unwrap();
                let waiting = Waiting {
                    block,
                    contract,
                    nonce: message.nonce,
                };
                found.push((waiting, self.inboxes[contract].is_taken(message.nonce)));
            }
        }
        found
    }

    fn view(&self) -> View {
        let ValidatorSet { id, .. } = *self.client.current();
        let waiting = self.messages().into_iter().filter(|(_, taken)| !taken);
        View {
            client: ClientState {
                newest: self.client.newest_block(),
                set: id,
                expires: self.client.handover_time() + DEFAULT_EXPIRY,
                halted: self.client.is_halted(),
            },
            now: self.now(),
            head: self.head,
            waiting: waiting.map(|(message, _)| message).collect(),
            max_lag: None,
        }
    }

    /// Does what the plan says; whether there was something to do. The verifier's refusals are failures of the plan.
    fn step(&mut self) -> bool {
        let step = next(&self.view());
        match step {
            Step::HandOver { set } => {
                let head = self.head.filter(|head| head.set == set);
                let block = head.map_or_else(|| self.chain.first_block_of(set), |head| head.block);
                let update = self.chain.handover(block);
                self.client.submit(&update, self.now()).unwrap();
            }
            Step::Update => {
                let update = self.chain.update(self.head.unwrap().block);
                self.client.submit(&update, self.now()).unwrap();
            }
            Step::Deliver {
                contract,
                block,
                nonces,
            } => {
                assert!(nonces.len() <= BATCH);
                self.deliver(contract, block, &nonces);
            }
            Step::Rest(rest) => {
                assert_eq!(rest, Rest::Done);
                return false;
            }
        }
        true
    }

    fn deliver(&mut self, contract: usize, block: u32, nonces: &[u64]) {
        let at = self.client.newest_block();
        let messages = &self.chain.block(block).messages;
        let is_meant = |index: &u32| {
            let message = Message::from_words(&messages[*index as usize]).unwrap();
            message.lane == lane(contract) && nonces.contains(&message.nonce)
        };
        let indices = (0..messages.len() as u32).filter(is_meant);
        let proofs: Vec<_> = indices
            .map(|index| self.chain.message_proof(block, index))
            .collect();
        let leaf = self.chain.leaf_proof(at, block);
        let delivered = self.inboxes[contract].deliver(&self.client, at, &leaf, &proofs);
        assert_eq!(delivered.unwrap().len(), nonces.len());
    }

    fn happen(&mut self, what: &Happens) {
        match what {
            Happens::Block { session, messages } => self.block(*session, messages),
            Happens::Finality => self.finality(),
            Happens::Step => {
                self.step();
            }
            Happens::Updated => {
                let known = self.client.newest_block();
                let set = self.client.current().id;
                if let Some(head) = self.head.filter(|h| h.block > known && h.set == set) {
                    let update = self.chain.update(head.block);
                    self.client.submit(&update, self.now()).unwrap();
                }
            }
            Happens::Delivered(index) => {
                let known = self.client.newest_block();
                let open: Vec<_> = self
                    .messages()
                    .into_iter()
                    .filter(|(message, taken)| !taken && message.block < known)
                    .collect();
                if !open.is_empty() {
                    let (message, _) = open[index.index(open.len())];
                    self.deliver(message.contract, message.block, &[message.nonce]);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The inboxes refuse what they have taken, so that no message is delivered twice; at rest, none is missing.
    #[test]
    fn from_any_state_every_message_is_delivered_exactly_once(
        events in prop::collection::vec(happens(), 1..60)
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        let bound = 2 * events.len() + 200;
        let steps = (0..bound).take_while(|_| world.step()).count();
        prop_assert!(steps < bound, "the relayer does not come to rest");
        let head = world.head.map_or(0, |head| head.block);
        for (message, taken) in world.messages() {
            prop_assert_eq!(taken, message.block < head, "{:?}, head {}", message, head);
        }
        if let Some(head) = world.head {
            prop_assert_eq!(world.client.current().id, head.set);
        }
    }
}
