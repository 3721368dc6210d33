//! BEEFY authorities, and the addresses by which contracts know them.

use ciro_bridge_primitives::{keccak, Address};
use k256::ecdsa::VerifyingKey;

/// A BEEFY authority's compressed public key.
pub type AuthorityId = [u8; 33];

/// The authority's Ethereum address; none if the key is no point of the curve.
pub fn address(authority: &AuthorityId) -> Option<Address> {
    let key = VerifyingKey::from_sec1_bytes(authority).ok()?;
    let point = key.to_encoded_point(false);
    let (_, coordinates) = point.as_bytes().split_first()?;
    keccak(coordinates).last_chunk().copied()
}
