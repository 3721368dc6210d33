//! The Fiat-Shamir transcript, step by step as prover and verifier both walk it.

use blake2::{Blake2s256, Digest};
use codec::Encode;
use stwo::core::channel::{Blake2sChannel, Channel};

use crate::{ClaimedSums, Commitment, Tensor, VerifyingKey};

const DOMAIN: &[u8] = b"ciro/zkml/2";

/// What stands for the length of a tensor that is committed to: no tensor is so long.
const COMMITTED: u64 = u64::MAX;

/// A channel bound to the key, the binding and the input and output, in that order.
///
/// A public `input` is `[batch][inputs]`, a public `output` is `[batch][outputs]`. Every part is preceded by its length, so
/// that no two statements have the same bytes.
pub fn begin(
    key: &VerifyingKey,
    binding: &[u8],
    batch: u32,
    input: Tensor<&[i8]>,
    output: Tensor<&[i32]>,
) -> Blake2sChannel {
    let mut hasher = Blake2s256::new();
    hasher.update(DOMAIN);
    hasher.update(key.id());
    hasher.update((binding.len() as u64).to_le_bytes());
    hasher.update(binding);
    hasher.update(batch.to_le_bytes());
    absorb(&mut hasher, input, i8::to_le_bytes);
    absorb(&mut hasher, output, i32::to_le_bytes);
    let digest: [u8; 32] = hasher.finalize().into();

    let mut words = [0u32; 8];
    for (word, bytes) in words.iter_mut().zip(digest.chunks_exact(4)) {
        *word = bytes
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    let mut channel = Blake2sChannel::default();
    channel.mix_u32s(&words);
    channel.mix_u32s(
        &key.preset
            .encode()
            .into_iter()
            .map(u32::from)
            .collect::<alloc::vec::Vec<_>>(),
    );
    channel
}

fn absorb<T: Copy, const N: usize>(
    hasher: &mut Blake2s256,
    tensor: Tensor<&[T]>,
    bytes: fn(T) -> [u8; N],
) {
    match tensor {
        Tensor::Public(values) => {
            hasher.update((values.len() as u64).to_le_bytes());
            for value in values {
                hasher.update(bytes(*value));
            }
        }
        Tensor::Committed(Commitment(bytes)) => {
            hasher.update(COMMITTED.to_le_bytes());
            hasher.update(bytes);
        }
    }
}

/// Adds the claimed sums, before the interaction trace is committed.
pub fn mix_claimed_sums(channel: &mut Blake2sChannel, claimed: &ClaimedSums) {
    channel.mix_felts(claimed);
}
