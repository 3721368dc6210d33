//! Chains that the runtime makes, with keys of ours.

use ciro_bridge_primitives::{keccak, word_of, ChainKind, Hash, Leaf, Message};
use ciro_bridge_testing::{
    block_hash, busy_block, destination, Block, Chain, Scene, Validators, CONTRACTS, EXPIRY, START,
};
use ciro_runtime::{
    configs::consensus::EPOCH_CONFIGURATION,
    constants::{EPOCH_SLOTS, SLOT_MILLISECONDS, UNIT},
    AccountId, BabeConfig, BalancesConfig, Beefy, BeefyMmr, Executive, Header, Mmr, OutboundQueue,
    Runtime, RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin, SessionConfig, SessionKeys,
    UncheckedExtrinsic,
};
use codec::{Decode, Encode};
use pallet_outbound_queue::{leaves_key, Call as Queue, Outbox};
use pallet_session::NextKeys;
use sp_consensus_babe::{
    digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
    Slot,
};
use sp_core::{
    ecdsa, ed25519,
    offchain::{testing::TestOffchainExt, OffchainDbExt, OffchainWorkerExt},
    sr25519, Pair, H256,
};
use sp_io::TestExternalities;
use sp_mmr_primitives::EncodableOpaqueLeaf;
use sp_runtime::{
    traits::{Dispatchable, Header as _},
    BuildStorage, Digest, DigestItem,
};

/// Slots from one block to the next: those between are missed, so that sessions are shorter.
const STEP: u64 = 4;
/// Blocks of a session.
const SESSION: u32 = EPOCH_SLOTS / STEP as u32;
/// Sessions: the first one, in which the genesis' validators go on, and the three of the scene.
const SESSIONS: u32 = 4;
/// Blocks of a chain.
const BLOCKS: u32 = SESSIONS * SESSION;
/// The block that queues messages and results.
const BUSY: u32 = SESSION + 20;

/// A chain of the runtime, and what its node says of it.
pub struct Run {
    /// The chain.
    pub scene: Scene,
    /// `leaves` and `proof` of `mmr_generateProof` at the newest block, for each block from 1 on.
    pub proofs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A chain with `length` validators, whose keys change with every session from the second on.
pub fn run(length: u32) -> Run {
    let sets: Vec<Validators> = [0, 0, 2, 3, 4]
        .map(|id| Validators::new(&format!("set {id}"), length))
        .into();
    let genesis = keccak(b"genesis of a chain of the runtime");
    let mut node = node(&sets[0]);
    let roots = node.execute_with(|| roots(&genesis, &sets));
    node.persist_offchain_overlay();
    let (leaves, proofs): (Vec<Leaf>, Vec<_>) = (1..=BLOCKS)
        .map(|block| node.execute_with(|| generated(block)))
        .unzip();
    let mut chain = Chain::new(genesis, sets);
    for (leaf, root) in leaves.into_iter().zip(roots) {
        let block = match leaf.parent_number {
            BUSY => busy_block(&genesis),
            _ => Block::default(),
        };
        assert_eq!(leaf.parent_hash, block_hash(&genesis, leaf.parent_number));
        assert_eq!(leaf.extra.messages_root, block.messages_root());
        assert_eq!(leaf.extra.results_root, block.results_root());
        chain.push(leaf, block);
        assert_eq!(chain.root(chain.height()), root);
    }
    published(&mut node, chain.leaf(BUSY), chain.block(BUSY));
    let scene = Scene {
        chain,
        set: 1,
        expiry: EXPIRY,
        busy: BUSY,
    };
    Run { scene, proofs }
}

/// A node at the genesis of a chain with these validators.
fn node(validators: &Validators) -> TestExternalities {
    let keys = accounts()
        .zip(session_keys(validators))
        .map(|(account, keys)| (account.clone(), account, keys));
    let genesis = RuntimeGenesisConfig {
        babe: BabeConfig {
            epoch_config: EPOCH_CONFIGURATION,
            ..Default::default()
        },
        balances: BalancesConfig {
            balances: vec![(sender(), 1_000 * UNIT)],
            ..Default::default()
        },
        session: SessionConfig {
            keys: keys.collect(),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut node = TestExternalities::new(genesis.build_storage().unwrap());
    let (offchain, _) = TestOffchainExt::with_offchain_db(node.offchain_db());
    node.register_extension(OffchainDbExt::new(offchain.clone()));
    node.register_extension(OffchainWorkerExt::new(offchain));
    node
}

/// Who opens the lanes.
fn sender() -> AccountId {
    AccountId::from([0xff; 32])
}

/// The validators' accounts, in the order in which the runtime keeps them.
fn accounts() -> impl Iterator<Item = AccountId> {
    (1u32..).map(|index| AccountId::from(word_of(index)))
}

fn session_keys(validators: &Validators) -> impl Iterator<Item = SessionKeys> + '_ {
    validators.secrets().map(|secret| {
        let other = |name: &[u8]| keccak(&[name, &secret].concat());
        SessionKeys {
            babe: sr25519::Public::from_raw(other(b"babe")).into(),
            grandpa: ed25519::Public::from_raw(other(b"grandpa")).into(),
            beefy: ecdsa::Pair::from_seed(&secret).public().into(),
            authority_discovery: sr25519::Public::from_raw(other(b"discovery")).into(),
        }
    })
}

/// Makes the chain; the MMR's root at every block from 1 on.
fn roots(genesis: &Hash, sets: &[Validators]) -> Vec<Hash> {
    let blocks = (1..=BLOCKS).map(|number| {
        open_block(genesis, number);
        let set = (number - 1) / SESSION;
        assert_eq!(Beefy::validator_set().unwrap().id(), u64::from(set));
        assert_eq!(
            BeefyMmr::authority_set_proof().keyset_commitment.0,
            sets[set as usize].set(0).root
        );
        if let (0, Some(later)) = ((number - 1) % SESSION, sets.get(set as usize + 2)) {
            for (account, keys) in accounts().zip(session_keys(later)) {
                NextKeys::<Runtime>::insert(account, keys);
            }
        }
        if number == BUSY {
            send(genesis);
        }
        let root = pallet_mmr::RootHash::<Runtime>::get();
        Executive::finalize_block();
        root.0
    });
    blocks.collect()
}

/// Begins block `number`.
fn open_block(genesis: &Hash, number: u32) {
    let slot = START * 1_000 / SLOT_MILLISECONDS + STEP * u64::from(number);
    let claim = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
        authority_index: 0,
        slot: Slot::from(slot),
    });
    let digest = Digest {
        logs: vec![<DigestItem as CompatibleDigestItem>::babe_pre_digest(claim)],
    };
    let parent = H256(block_hash(genesis, number - 1));
    let header = Header::new(number, H256::zero(), H256::zero(), parent, digest);
    Executive::initialize_block(&header);
    let now = slot * SLOT_MILLISECONDS;
    let inherent = UncheckedExtrinsic::new_bare(pallet_timestamp::Call::set { now }.into());
    Executive::apply_extrinsic(inherent).unwrap().unwrap();
}

/// Opens every lane, and sends and notes what makes a block busy.
fn send(genesis: &Hash) {
    for chain in [ChainKind::Evm, ChainKind::Starknet] {
        for destination in CONTRACTS.map(|kind| destination(chain, kind)) {
            let open: RuntimeCall = Queue::<Runtime>::open_lane { destination }.into();
            open.dispatch(RuntimeOrigin::signed(sender())).unwrap();
        }
    }
    let block = busy_block(genesis);
    for words in &block.messages {
        let Message {
            lane,
            nonce,
            payload,
        } = Message::from_words(words).unwrap();
        assert_eq!(OutboundQueue::send(lane, payload), Ok(nonce));
    }
    block
        .results
        .into_iter()
        .for_each(OutboundQueue::note_result);
}

/// What `mmr_generateProof` returns for `block` at the newest one, and the leaf in it.
fn generated(block: u32) -> (Leaf, (Vec<u8>, Vec<u8>)) {
    let (leaves, proof) = Mmr::generate_proof(vec![block], Some(BLOCKS)).unwrap();
    let leaf = Leaf::decode(&leaves[0].encode()).unwrap();
    assert_eq!(leaf.parent_number, block - 1);
    let leaves: Vec<_> = leaves.iter().map(EncodableOpaqueLeaf::from_leaf).collect();
    (leaf, (leaves.encode(), proof.encode()))
}

/// That the node's index has the block's messages and results under their roots.
fn published(node: &mut TestExternalities, leaf: &Leaf, block: &Block) {
    let indexed = |root| -> Vec<Vec<u8>> {
        let bytes = node.offchain_db().get(&leaves_key(root)).unwrap();
        Decode::decode(&mut &bytes[..]).unwrap()
    };
    let messages: Vec<_> = block.messages.iter().map(|words| words.concat()).collect();
    assert_eq!(indexed(&leaf.extra.messages_root), messages);
    let results: Vec<_> = block
        .results
        .iter()
        .map(|result| result.bytes().to_vec())
        .collect();
    assert_eq!(indexed(&leaf.extra.results_root), results);
}
