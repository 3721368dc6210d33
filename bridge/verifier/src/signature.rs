//! Validators' signatures.

use crate::Error;
use ciro_bridge_primitives::{keccak, Address, Hash, Signature, Word};
use k256::ecdsa::{self, RecoveryId, VerifyingKey};

/// Half of the order of secp256k1, rounded down.
const HALF_ORDER: Word = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// The Ethereum address whose key signed `hash`. [`Error::HighS`] if the signature has a twin with a lower `s`;
/// [`Error::WrongSigner`] if it is none of any key.
pub fn recover(hash: &Hash, signature: &Signature) -> Result<Address, Error> {
    if signature.s > HALF_ORDER {
        return Err(Error::HighS);
    }
    public_key(hash, signature)
        .and_then(|key| {
            let point = key.to_encoded_point(false);
            let (_, coordinates) = point.as_bytes().split_first()?;
            keccak(coordinates).last_chunk().copied()
        })
        .ok_or(Error::WrongSigner)
}

fn public_key(hash: &Hash, signature: &Signature) -> Option<VerifyingKey> {
    let recovery = RecoveryId::new(signature.parity, false);
    let signature = ecdsa::Signature::from_scalars(signature.r, signature.s).ok()?;
    VerifyingKey::recover_from_prehash(hash, &signature, recovery).ok()
}
