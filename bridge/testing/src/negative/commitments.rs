//! Commitments and their signatures: rules 1 to 5 of a submission.

use super::{Call, Case};
use crate::{Scene, Validators};
use ciro_bridge_primitives::{
    keccak, merkle, word_of, Commitment, Genesis, Signature, Update, ValidatorSet, Word,
};

/// The order of secp256k1.
const ORDER: Word = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    [
        freshness(scene),
        sets(scene),
        signers(scene),
        signatures(scene),
        payloads(scene),
    ]
    .concat()
}

/// A good update of the current set, and its time.
fn good(scene: &Scene) -> (u64, Update) {
    let block = scene.busy + 1;
    (scene.time_of(block), scene.chain.update(block))
}

/// The case of a good update with a change.
fn changed(
    scene: &Scene,
    number: u8,
    name: &'static str,
    change: impl FnOnce(&mut Update),
    error: &'static str,
) -> Case {
    let (now, mut update) = good(scene);
    change(&mut update);
    Case::new(scene, number, name, Call::Submit { now, update }, error)
}

fn validators(scene: &Scene) -> &Validators {
    scene.chain.validators(scene.set)
}

fn freshness(scene: &Scene) -> Vec<Case> {
    let (now, update) = good(scene);
    let submit = |now, update: &Update| Call::Submit {
        now,
        update: update.clone(),
    };
    let genesis = scene.genesis();
    let late = genesis.time + scene.expiry + 1;
    let taken = vec![(now, update.clone())];
    let lower = scene.chain.update(update.commitment.block - 1);
    let new = |number, name, call, error| Case::new(scene, number, name, call, error);
    vec![
        new(
            21,
            "a halted client takes no commitment",
            submit(now, &update),
            "Halted",
        )
        .halted(),
        new(
            19,
            "validators are not believed a second longer than the expiry",
            submit(late, &update),
            "Expired",
        ),
        new(
            18,
            "a commitment to the newest block is stale",
            submit(now, &update),
            "StaleCommitment",
        )
        .after(taken.clone()),
        new(
            18,
            "a commitment to a block below the newest is stale",
            submit(now, &lower),
            "StaleCommitment",
        )
        .after(taken),
        departed(scene),
    ]
}

/// Validators who have left go on signing: commitments of the current set do not make the client fresher.
fn departed(scene: &Scene) -> Case {
    let genesis = scene.genesis();
    let (_, honest) = good(scene);
    let later = |days: u64, blocks: u32| {
        let commitment = Commitment {
            block: honest.commitment.block + blocks,
            root: keccak(&blocks.to_le_bytes()),
            ..honest.commitment
        };
        (
            genesis.time + days * 86_400,
            validators(scene).update(commitment, None),
        )
    };
    let (_, update) = later(6, 3);
    let now = genesis.time + scene.expiry + 1;
    let name = "commitments of the current set keep no client alive";
    Case::new(scene, 0, name, Call::Submit { now, update }, "Expired")
        .after(vec![later(2, 1), later(4, 2)])
}

fn sets(scene: &Scene) -> Vec<Case> {
    let current = validators(scene);
    let (now, good) = good(scene);
    let next = scene.chain.validators(scene.set + 1);
    let of_set = |set| {
        let commitment = Commitment {
            set,
            ..good.commitment
        };
        let update = current.update(commitment, None);
        Call::Submit { now, update }
    };
    let second = scene.handover_block();
    let skipping = Case::new(
        scene,
        15,
        "a set is not skipped",
        Call::Submit {
            now,
            update: scene
                .chain
                .handover(scene.chain.first_block_of(scene.set + 2)),
        },
        "UnknownSet",
    );
    let left = {
        let late = second + 1;
        let commitment = Commitment {
            set: scene.set,
            ..scene.chain.commitment(late)
        };
        let update = current.update(commitment, None);
        let now = scene.time_of(late);
        let name = "the set before the current one is not believed";
        Case::new(scene, 8, name, Call::Submit { now, update }, "UnknownSet")
            .after(scene.updates_to(second))
    };
    vec![
        Case::new(
            scene,
            8,
            "a set that is neither current nor next is not known",
            of_set(scene.set + 2),
            "UnknownSet",
        ),
        left,
        skipping,
        changed(
            scene,
            7,
            "the addresses of less than the set are refused",
            |update| {
                update.addresses.pop();
            },
            "WrongAddressCount",
        ),
        changed(
            scene,
            7,
            "the addresses of more than the set are refused",
            |update| update.addresses.push([1; 20]),
            "WrongAddressCount",
        ),
        changed(
            scene,
            7,
            "the addresses of another set are refused",
            |update| {
                let commitment = update.commitment;
                *update = Validators::new("others", current.length()).update(commitment, None);
            },
            "WrongSetRoot",
        ),
        changed(
            scene,
            7,
            "the addresses of the set in another order are refused",
            |update| update.addresses.swap(0, 1),
            "WrongSetRoot",
        ),
        zero_address(scene, &next.set(scene.set + 1)),
    ]
}

/// A validator whose key made no address, and whose signature is none.
fn zero_address(scene: &Scene, next: &ValidatorSet) -> Case {
    let mut case = changed(
        scene,
        5,
        "a validator without an address is refused, as an invalid signature recovers to it",
        |update| {
            update.addresses[0] = [0; 20];
            update.signatures[0] = Signature {
                r: [0; 32],
                s: [0; 32],
                parity: false,
            };
        },
        "ZeroAddress",
    );
    if let Call::Submit { update, .. } = &case.call {
        let root = merkle::root(&update.addresses);
        let current = ValidatorSet {
            root,
            ..case.genesis.current
        };
        case.genesis = Genesis {
            current,
            next: *next,
            ..case.genesis
        };
    }
    case
}

fn signers(scene: &Scene) -> Vec<Case> {
    let current = validators(scene);
    let length = current.length();
    let quorum = current.quorum();
    let signed_by = |update: &mut Update, signers: u64| {
        update.signers = signers;
        update.signatures = current.sign(&update.commitment, signers);
    };
    let beyond = |bit: u32| {
        move |update: &mut Update| {
            let last = update.signatures[0];
            update.signers |= 1 << bit;
            update.signatures.push(last);
        }
    };
    let mut cases = vec![
        changed(
            scene,
            12,
            "the bit after the last validator's is refused",
            beyond(length),
            "SignerOutOfRange",
        ),
        changed(
            scene,
            12,
            "the highest bit is refused",
            beyond(63),
            "SignerOutOfRange",
        ),
        changed(
            scene,
            7,
            "one validator less than two thirds and one is refused",
            |update| signed_by(update, quorum >> 1),
            "TooFewSigners",
        ),
        changed(
            scene,
            7,
            "no signers are refused",
            |update| signed_by(update, 0),
            "TooFewSigners",
        ),
        changed(
            scene,
            4,
            "signatures do not make up for signers",
            |update| {
                update.signers = quorum >> 1;
            },
            "TooFewSigners",
        ),
        changed(
            scene,
            4,
            "more signatures than signers are refused",
            |update| {
                let last = update.signatures[0];
                update.signatures.push(last);
            },
            "WrongSignatureCount",
        ),
        changed(
            scene,
            4,
            "less signatures than signers are refused",
            |update| {
                update.signatures.pop();
            },
            "WrongSignatureCount",
        ),
        changed(
            scene,
            4,
            "a validator does not sign twice",
            |update| update.signatures[1] = update.signatures[0],
            "WrongSigner",
        ),
        changed(
            scene,
            4,
            "signatures in descending order are refused",
            |update| update.signatures.swap(0, 1),
            "WrongSigner",
        ),
    ];
    cases.push(larger_next_set(scene));
    cases
}

/// Enough signers for the current set, but not for the next one, which is larger.
fn larger_next_set(scene: &Scene) -> Case {
    let larger = Validators::new("larger", validators(scene).length() * 2);
    let mut genesis = scene.genesis();
    genesis.next = larger.set(scene.set + 1);
    let block = scene.handover_block();
    let mut update = larger.update(
        scene.chain.commitment(block),
        Some(scene.chain.leaf_proof(block, block - 1)),
    );
    update.signers = validators(scene).quorum();
    update.signatures = larger.sign(&update.commitment, update.signers);
    let now = scene.time_of(block);
    let name = "the threshold is that of the commitment's own set";
    Case {
        genesis,
        ..Case::new(
            scene,
            7,
            name,
            Call::Submit { now, update },
            "TooFewSigners",
        )
    }
}

fn signatures(scene: &Scene) -> Vec<Case> {
    let first =
        |change: fn(&mut Signature)| move |update: &mut Update| change(&mut update.signatures[0]);
    vec![
        changed(
            scene,
            6,
            "the twin of a signature with a high s is refused",
            first(|signature| {
                signature.s = minus(&ORDER, &signature.s);
                signature.parity = !signature.parity;
            }),
            "HighS",
        ),
        changed(
            scene,
            6,
            "an s of the order or above is refused",
            first(|signature| signature.s = [0xff; 32]),
            "HighS",
        ),
        changed(
            scene,
            6,
            "the other parity is another signer's",
            first(|signature| signature.parity = !signature.parity),
            "WrongSigner",
        ),
        changed(
            scene,
            6,
            "an r of zero is refused",
            first(|signature| signature.r = [0; 32]),
            "WrongSigner",
        ),
        changed(
            scene,
            6,
            "an s of zero is refused",
            first(|signature| signature.s = [0; 32]),
            "WrongSigner",
        ),
        changed(
            scene,
            6,
            "an r of the order is refused",
            first(|signature| signature.r = ORDER),
            "WrongSigner",
        ),
        changed(
            scene,
            6,
            "an r that is no coordinate of the curve is refused",
            // 5 is no x coordinate of a point of secp256k1.
            first(|signature| signature.r = word_of(5u8)),
            "WrongSigner",
        ),
        changed(
            scene,
            0,
            "signatures are for one root",
            |update| update.commitment.root = [7; 32],
            "WrongSigner",
        ),
        changed(
            scene,
            0,
            "signatures are for one block",
            |update| update.commitment.block += 1,
            "WrongSigner",
        ),
        changed(
            scene,
            0,
            "somebody's signature is not a validator's",
            |update| {
                let stranger = Validators::new("stranger", 1);
                update.signatures[0] = stranger.sign(&update.commitment, 1)[0];
            },
            "WrongSigner",
        ),
    ]
}

/// Validators signed another payload, which contracts cannot be shown: they build the signed bytes themselves.
fn payloads(scene: &Scene) -> Vec<Case> {
    let signed = |number, name, bytes: fn(&Commitment) -> Vec<u8>| {
        let sign = |update: &mut Update| {
            let hash = keccak(&bytes(&update.commitment));
            update.signatures = validators(scene).sign_hash(&hash, update.signers);
        };
        changed(scene, number, name, sign, "WrongSigner")
    };
    vec![
        signed(
            13,
            "a payload without the root's name is refused",
            |commitment| {
                let mut bytes = commitment.encode();
                bytes[1..3].copy_from_slice(b"mx");
                bytes
            },
        ),
        signed(13, "a root of another length is refused", |commitment| {
            let mut bytes = commitment.encode();
            bytes[3] = 31 << 2;
            bytes.remove(4);
            bytes
        }),
        signed(13, "a payload of two items is refused", |commitment| {
            let mut bytes = commitment.encode();
            bytes[0] = 2 << 2;
            let item = bytes[1..36].to_vec();
            bytes.splice(1..1, item);
            bytes
        }),
        signed(13, "no payload is refused", |commitment| {
            let mut bytes = commitment.encode();
            bytes.splice(0..36, [0]);
            bytes
        }),
        signed(
            14,
            "a length in a longer form of SCALE's is refused",
            |commitment| {
                let mut bytes = commitment.encode();
                let length = (32u16 << 2 | 1).to_le_bytes();
                bytes.splice(3..4, length);
                bytes
            },
        ),
    ]
}

/// `left - right`, of which the left one is larger.
fn minus(left: &Word, right: &Word) -> Word {
    let mut difference = [0; 32];
    let mut borrow = false;
    for place in (0..32).rev() {
        let (once, first) = left[place].overflowing_sub(right[place]);
        let (twice, second) = once.overflowing_sub(borrow.into());
        difference[place] = twice;
        borrow = first || second;
    }
    difference
}
