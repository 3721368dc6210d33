//! Results: what the runtime has verified by a proof.

use crate::{hash::keccak, word_of, Hash, Word};
use ciro_primitives::{JobId, ModelId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The domain of [`ResultLeaf`] is this tag's hash.
pub const RESULT_TAG: &[u8; 13] = b"ciro/result/1";

/// A result of a job on Ciro.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ResultLeaf {
    /// The job.
    pub job: JobId,
    /// The model that was run.
    pub model: ModelId,
    /// [`ciro_primitives::input_commitment`] of what it was run on.
    pub input_commitment: Hash,
    /// [`ciro_primitives::output_hash`] of what came out.
    pub output_hash: Hash,
}

impl ResultLeaf {
    /// The words that follow a message's kind, and a leaf's domain.
    pub fn words(&self) -> [Word; 4] {
        [
            word_of(self.job),
            self.model.0,
            self.input_commitment,
            self.output_hash,
        ]
    }

    /// The bytes of the leaf in the tree of results: domain, job, model, input commitment, output hash.
    pub fn bytes(&self) -> [u8; 160] {
        let mut bytes = [0; 160];
        let words = core::iter::once(keccak(RESULT_TAG)).chain(self.words());
        for (place, word) in bytes.chunks_exact_mut(32).zip(words) {
            place.copy_from_slice(&word);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_five_words_and_the_first_its_domain() {
        let result = ResultLeaf {
            job: 1,
            model: ModelId([2; 32]),
            input_commitment: [3; 32],
            output_hash: [4; 32],
        };
        let domain = keccak(b"ciro/result/1");
        let bytes = [domain, word_of(1u8), [2; 32], [3; 32], [4; 32]].concat();
        assert_eq!(result.bytes()[..], bytes);
    }
}
