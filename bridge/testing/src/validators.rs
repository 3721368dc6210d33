//! Validators with keys.

use ciro_bridge_primitives::{
    keccak, merkle, Address, Commitment, Hash, LeafProof, Signature, Update, ValidatorSet,
};
use k256::ecdsa::SigningKey;

/// The validators of a set, in its order.
#[derive(Clone)]
pub struct Validators(Vec<SigningKey>);

impl Validators {
    /// `length` validators whose keys follow from `seed`.
    pub fn new(seed: &str, length: u32) -> Self {
        Self::from_secrets((0..length).map(|index| keccak(format!("{seed}/{index}").as_bytes())))
    }

    /// Validators with these secret keys.
    pub fn from_secrets(secrets: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(
            secrets
                .into_iter()
                .map(|secret| SigningKey::from_slice(&secret).expect("a secret key"))
                .collect(),
        )
    }

    /// How many they are.
    pub fn length(&self) -> u32 {
        self.0.len() as u32
    }

    /// Their secret keys.
    pub fn secrets(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        self.0.iter().map(|key| key.to_bytes().into())
    }

    /// Their Ethereum addresses.
    pub fn addresses(&self) -> Vec<Address> {
        let address = |key: &SigningKey| {
            let point = key.verifying_key().to_encoded_point(false);
            keccak(&point.as_bytes()[1..])[12..]
                .try_into()
                .expect("20 bytes")
        };
        self.0.iter().map(address).collect()
    }

    /// The set that they are, with that number.
    pub fn set(&self, id: u64) -> ValidatorSet {
        ValidatorSet {
            id,
            length: self.length(),
            root: merkle::root(self.addresses()),
        }
    }

    /// As few of them as can sign, the first ones: as a bit field.
    pub fn quorum(&self) -> u64 {
        let signers = self.length() - (self.length() - 1) / 3;
        u64::MAX >> (64 - signers)
    }

    /// The signatures of those in `signers`, a bit field.
    pub fn sign(&self, commitment: &Commitment, signers: u64) -> Vec<Signature> {
        self.sign_hash(&commitment.hash(), signers)
    }

    /// The signatures of those in `signers` for any hash.
    pub fn sign_hash(&self, hash: &Hash, signers: u64) -> Vec<Signature> {
        let sign = |key: &SigningKey| {
            let (signature, recovery) = key.sign_prehash_recoverable(hash).expect("a signature");
            Signature {
                r: signature.r().to_bytes().into(),
                s: signature.s().to_bytes().into(),
                parity: recovery.is_y_odd(),
            }
        };
        let signs = |index: &usize| signers >> index & 1 == 1;
        (0..self.0.len())
            .filter(signs)
            .map(|index| sign(&self.0[index]))
            .collect()
    }

    /// `commitment`, signed by a quorum.
    pub fn update(&self, commitment: Commitment, handover: Option<LeafProof>) -> Update {
        let signers = self.quorum();
        Update {
            commitment,
            addresses: self.addresses(),
            signers,
            signatures: self.sign(&commitment, signers),
            handover,
        }
    }
}
