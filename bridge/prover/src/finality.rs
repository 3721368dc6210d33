//! Justifications as BEEFY gossips and stores them.

use crate::Error;
use ciro_bridge_primitives::{Commitment, Hash};
use codec::{Decode, DecodeAll};

/// A signature as BEEFY makes it: `r`, `s`, and the recovery's number.
pub type BeefySignature = [u8; 65];

/// A commitment, and the signatures that were collected for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalityProof {
    /// What is committed to, by name.
    pub payload: Vec<([u8; 2], Vec<u8>)>,
    /// The block.
    pub block: u32,
    /// Number of the validators' set.
    pub set: u64,
    /// One place for each validator of the set.
    pub signatures: Vec<Option<BeefySignature>>,
}

/// The only version of a finality proof.
const V1: u8 = 1;

/// SCALE's form of a finality proof.
#[derive(Decode)]
struct Compact {
    version: u8,
    payload: Vec<([u8; 2], Vec<u8>)>,
    block: u32,
    set: u64,
    /// One bit for each validator, the first one in the highest bit of the first byte.
    signed: Vec<u8>,
    validators: u32,
    signatures: Vec<BeefySignature>,
}

impl FinalityProof {
    /// Reads a `VersionedFinalityProof` in SCALE.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Self::decode_scale(bytes).map_err(|error| Error::Undecodable {
            what: "the justification",
            error,
        })
    }

    fn decode_scale(bytes: &[u8]) -> Result<Self, codec::Error> {
        let compact = Compact::decode_all(&mut &*bytes)?;
        if compact.version != V1 {
            return Err("a version that is not known".into());
        }
        let bits = compact
            .signed
            .iter()
            .flat_map(|byte| (0..8u32).rev().map(move |bit| byte >> bit & 1 == 1));
        let mut collected = compact.signatures.into_iter();
        let signatures: Vec<_> = bits
            .take(compact.validators as usize)
            .map(|signed| signed.then(|| collected.next()).flatten())
            .collect();
        if signatures.len() != compact.validators as usize || collected.next().is_some() {
            return Err("signatures and validators do not match".into());
        }
        Ok(Self {
            payload: compact.payload,
            block: compact.block,
            set: compact.set,
            signatures,
        })
    }

    /// The commitment as contracts take it: to the MMR's root, and to nothing else.
    pub fn commitment(&self) -> Result<Commitment, Error> {
        let [(id, root)] = self.payload.as_slice() else {
            return Err(Error::Payload);
        };
        let root: Hash = root.as_slice().try_into().map_err(|_| Error::Payload)?;
        if id != b"mh" {
            return Err(Error::Payload);
        }
        Ok(Commitment {
            root,
            block: self.block,
            set: self.set,
        })
    }
}
