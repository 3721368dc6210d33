//! Messages under a leaf.

use super::{Call, Case};
use crate::{destination, Block, Scene};
use ciro_bridge_primitives::{
    keccak, kind, lane_id, word_of, ChainKind, Destination, MessageProof, Word,
};

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    [ChainKind::Evm, ChainKind::Starknet]
        .into_iter()
        .flat_map(|chain| {
            let inbox = Inbox { scene, chain };
            [
                inbox.paths(),
                inbox.lanes(),
                inbox.kinds(),
                inbox.values(),
                inbox.nonces(),
            ]
            .concat()
        })
        .collect()
}

/// A token's inbox in the scene.
struct Inbox<'a> {
    scene: &'a Scene,
    chain: ChainKind,
}

impl Inbox<'_> {
    /// The token.
    fn to(&self) -> Destination {
        destination(self.chain, kind::MINT)
    }

    /// A mint of the busy block.
    fn mint(&self, nonce: u64) -> MessageProof {
        let index = self.scene.message_index(self.chain, kind::MINT, nonce);
        self.scene.chain.message_proof(self.scene.busy, index)
    }

    /// The case of a delivery in the scene.
    fn delivery(
        &self,
        scene: &Scene,
        number: u8,
        name: &'static str,
        messages: Vec<MessageProof>,
        error: &'static str,
    ) -> Case {
        let block = scene.busy + 1;
        let call = Call::Deliver {
            to: self.to(),
            kinds: vec![kind::MINT],
            block,
            leaf: scene.busy_leaf(),
            earlier: Vec::new(),
            messages,
        };
        Case::new(scene, number, name, call, error).after(scene.updates_to(block))
    }

    /// The case of a mint whose proof has a change.
    fn changed(
        &self,
        number: u8,
        name: &'static str,
        change: impl FnOnce(&mut MessageProof),
        error: &'static str,
    ) -> Case {
        let mut mint = self.mint(1);
        change(&mut mint);
        self.delivery(self.scene, number, name, vec![mint], error)
    }

    /// The case of a mint that validators have put into a block with a change.
    fn forged(
        &self,
        number: u8,
        name: &'static str,
        change: impl FnOnce(&mut Vec<Word>),
        error: &'static str,
    ) -> Case {
        let mut words = self.mint(1).words;
        change(&mut words);
        let scene = self.scene.with_busy_block(Block {
            messages: vec![self.mint(0).words, words],
            results: Vec::new(),
        });
        let message = scene.chain.message_proof(scene.busy, 1);
        self.delivery(&scene, number, name, vec![message], error)
    }

    fn paths(&self) -> Vec<Case> {
        vec![
            self.changed(
                1,
                "a message is below the number of messages",
                |proof| proof.path.index = proof.path.count,
                "IndexOutOfRange",
            ),
            self.changed(
                2,
                "a message's path with an item left over is refused",
                |proof| proof.path.items.push([0; 32]),
                "WrongPathLength",
            ),
            self.changed(
                3,
                "a message's empty path is refused",
                |proof| proof.path.items.clear(),
                "WrongPathLength",
            ),
            self.changed(
                11,
                "a message's path with another's after it is refused",
                |proof| proof.path.items.extend_from_within(..),
                "WrongPathLength",
            ),
            self.promoted(),
            self.changed(
                0,
                "a message that the chain did not queue is refused",
                |proof| proof.words[4] = word_of(u128::MAX),
                "WrongPath",
            ),
            self.changed(
                0,
                "an inner node is no message",
                inner_node,
                "WrongWordCount",
            ),
            self.changed(21, "a halted client proves no message", |_| {}, "Halted")
                .halted(),
        ]
    }

    /// The last of five messages is promoted twice: one item proves it.
    fn promoted(&self) -> Case {
        let mint = |nonce: u64| {
            let mut words = self.mint(0).words;
            words[1] = word_of(nonce);
            words
        };
        let scene = self.scene.with_busy_block(Block {
            messages: (0..5).map(mint).collect(),
            results: Vec::new(),
        });
        let mut message = scene.chain.message_proof(scene.busy, 4);
        message.path.index = 3;
        let name = "the short path of a promoted message holds at no other index";
        self.delivery(&scene, 10, name, vec![message], "WrongPathLength")
    }

    fn lanes(&self) -> Vec<Case> {
        let genesis = self.scene.chain.genesis;
        let to = self.to();
        let lane = |genesis, to| move |words: &mut Vec<Word>| words[0] = lane_id(&genesis, &to).0;
        let other_kind = match self.chain {
            ChainKind::Evm => ChainKind::Starknet,
            ChainKind::Starknet => ChainKind::Evm,
        };
        vec![
            self.forged(
                17,
                "a message for another contract is refused",
                lane(genesis, destination(self.chain, kind::SLASH)),
                "WrongLane",
            ),
            self.forged(
                17,
                "a message for the same address on another chain is refused",
                lane(
                    genesis,
                    Destination {
                        chain_id: word_of(1u8),
                        ..to
                    },
                ),
                "WrongLane",
            ),
            self.forged(
                17,
                "a message for a chain of the other kind is refused",
                lane(
                    genesis,
                    Destination {
                        kind: other_kind,
                        ..to
                    },
                ),
                "WrongLane",
            ),
            self.forged(
                17,
                "a message of another chain of Ciro is refused",
                lane([6; 32], to),
                "WrongLane",
            ),
        ]
    }

    fn kinds(&self) -> Vec<Case> {
        let kind = |kind: u64| move |words: &mut Vec<Word>| words[2] = word_of(kind);
        vec![
            self.forged(
                0,
                "a kind that another contract takes is refused",
                kind(kind::SLASH),
                "UnknownKind",
            ),
            self.forged(
                0,
                "a kind that contracts send is refused",
                kind(kind::BURN),
                "UnknownKind",
            ),
            self.forged(
                0,
                "a kind of which only the low bits are known is refused",
                |words| words[2][0] = 1,
                "UnknownKind",
            ),
            self.forged(
                0,
                "a message with a word more than its kind is refused",
                |words| words.push([0; 32]),
                "WrongWordCount",
            ),
            self.forged(
                0,
                "a message with a word less than its kind is refused",
                |words| words.truncate(6),
                "WrongWordCount",
            ),
        ]
    }

    fn values(&self) -> Vec<Case> {
        vec![
            self.forged(
                20,
                "an amount of 2^128 is refused",
                |words| {
                    words[4] = [0; 32];
                    words[4][15] = 1;
                },
                "ValueOutOfRange",
            ),
            self.forged(
                0,
                "an expiry of 2^64 is refused",
                |words| words[5] = word_of(1u128 << 64),
                "ValueOutOfRange",
            ),
            self.forged(
                0,
                "a nonce of 2^64 is refused",
                |words| words[1] = word_of(1u128 << 64),
                "ValueOutOfRange",
            ),
        ]
    }

    fn nonces(&self) -> Vec<Case> {
        let name = "a message is not taken twice";
        let mut again = self.delivery(self.scene, 16, name, vec![self.mint(1)], "NonceTaken");
        if let Call::Deliver { earlier, .. } = &mut again.call {
            earlier.push(self.mint(1));
        }
        let twice = self.delivery(
            self.scene,
            16,
            "a message is not taken twice in one delivery",
            vec![self.mint(1), self.mint(0), self.mint(1)],
            "NonceTaken",
        );
        vec![again, twice]
    }
}

/// The message's parent in the tree, which has two words, and the rest of the path.
fn inner_node(proof: &mut MessageProof) {
    let hash = keccak(&proof.words.concat());
    let sibling = proof.path.items.remove(0);
    proof.words = match proof.path.index & 1 {
        0 => vec![hash, sibling],
        _ => vec![sibling, hash],
    };
    proof.path.index /= 2;
    proof.path.count = proof.path.count.div_ceil(2);
}
