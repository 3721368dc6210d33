//! Types that both sides of the chain boundary share.
//!
//! The runtime, the workers and the command line must agree on these bytes exactly: an identity, what a proof is bound
//! to, and how a job's input and output are named by hash. Every hash and binding starts with its own domain tag, so
//! that bytes made for one purpose can never be read as another.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

use alloc::vec::Vec;
use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{fmt, str::FromStr};
use scale_info::TypeInfo;
use sp_crypto_hashing::blake2_256;

/// Number of a job: given out in order, never reused.
pub type JobId = u64;

/// Samples that one proof may hold, of one job or of several: 1 to this many.
pub const MAX_BATCH: u32 = 64;

/// Domain tag of [`JobBinding`].
pub const JOB_BINDING_TAG: &[u8; 10] = b"ciro/job/1";

/// Domain tag of [`JobsBinding`].
pub const JOBS_BINDING_TAG: &[u8; 11] = b"ciro/jobs/1";

/// Domain tag of [`input_commitment`].
pub const INPUT_TAG: &[u8; 12] = b"ciro/input/1";

/// Domain tag of [`output_hash`].
pub const OUTPUT_TAG: &[u8; 13] = b"ciro/output/1";

/// Domain tag of [`answer_commitment`].
pub const ANSWER_TAG: &[u8; 13] = b"ciro/answer/1";

/// Domain tag of [`heartbeat_payload`].
pub const HEARTBEAT_TAG: &[u8; 16] = b"ciro/heartbeat/1";

/// Identity of a model: the hash of its verifying key, which binds protocol version, preset, shapes and weights.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ModelId(pub [u8; 32]);

impl fmt::Display for ModelId {
    /// `0x` and 64 lowercase hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits, with or without `0x` before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseModelIdError;

impl fmt::Display for ParseModelIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model id is 64 hexadecimal digits, with or without 0x before them")
    }
}

impl core::error::Error for ParseModelIdError {}

impl FromStr for ModelId {
    type Err = ParseModelIdError;

    /// Reads 64 hexadecimal digits of either case, with or without `0x` before them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
        let mut id = [0; 32];
        if digits.len() != 64 {
            return Err(ParseModelIdError);
        }
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            // `from_str_radix` would let a sign through.
            if !pair.iter().all(u8::is_ascii_hexdigit) {
                return Err(ParseModelIdError);
            }
            let pair = core::str::from_utf8(pair).map_err(|_| ParseModelIdError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ParseModelIdError)?;
        }
        Ok(ModelId(id))
    }
}

/// What a proof is bound to besides the computation itself: a proof copied to another chain, job or payee is refused.
///
/// A proof made for no chain at all has zero `genesis` and `job`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobBinding {
    /// Hash of the chain's genesis block.
    pub genesis: [u8; 32],
    /// The job that the proof answers.
    pub job: JobId,
    /// The account that is paid.
    pub payee: [u8; 32],
}

impl JobBinding {
    /// Length in bytes of the encoding.
    pub const LEN: usize = 82;

    /// The bytes that the proof's transcript absorbs: tag, genesis, job (little-endian), payee.
    pub fn encode(&self) -> Vec<u8> {
        (JOB_BINDING_TAG, self.genesis, self.job, self.payee).encode()
    }

    /// Reads back what [`Self::encode`] wrote; an error if the tag or the length is another.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::Error> {
        let (tag, genesis, job, payee) =
            <([u8; 10], [u8; 32], JobId, [u8; 32])>::decode_all(&mut &*bytes)?;
        if &tag != JOB_BINDING_TAG {
            return Err("not a job binding".into());
        }
        Ok(Self {
            genesis,
            job,
            payee,
        })
    }
}

/// What a proof for several jobs is bound to: it is none for other jobs, for the same in another order, or for another
/// payee. What it proves is the jobs' batches, one after the other in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobsBinding {
    /// Hash of the chain's genesis block.
    pub genesis: [u8; 32],
    /// The jobs that the proof answers.
    pub jobs: Vec<JobId>,
    /// The account that is paid.
    pub payee: [u8; 32],
}

impl JobsBinding {
    /// The bytes that the proof's transcript absorbs: tag, genesis, the number of jobs (SCALE's compact form), each job
    /// (little-endian), payee.
    pub fn encode(&self) -> Vec<u8> {
        (JOBS_BINDING_TAG, self.genesis, &self.jobs, self.payee).encode()
    }

    /// Reads back what [`Self::encode`] wrote; an error if the tag or the length is another.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::Error> {
        let (tag, genesis, jobs, payee) =
            <([u8; 11], [u8; 32], Vec<JobId>, [u8; 32])>::decode_all(&mut &*bytes)?;
        if &tag != JOBS_BINDING_TAG {
            return Err("not a binding to several jobs".into());
        }
        Ok(Self {
            genesis,
            jobs,
            payee,
        })
    }

    /// What a proof is bound to, be it the one job of a [`JobBinding`] or several.
    pub fn decode_any(bytes: &[u8]) -> Result<Self, codec::Error> {
        let Ok(one) = JobBinding::decode(bytes) else {
            return Self::decode(bytes);
        };
        Ok(Self {
            genesis: one.genesis,
            jobs: [one.job].into(),
            payee: one.payee,
        })
    }
}

/// What a requester commits to: the hash of a whole batch of quantised samples, row-major.
pub fn input_commitment(batch: u32, input: &[i8]) -> [u8; 32] {
    let mut bytes = (INPUT_TAG, batch).encode();
    bytes.extend(input.iter().flat_map(|value| value.to_le_bytes()));
    blake2_256(&bytes)
}

/// The hash that stands for a job's output in events: final accumulators of a whole batch, row-major.
pub fn output_hash(batch: u32, output: &[i32]) -> [u8; 32] {
    let mut bytes = (OUTPUT_TAG, batch).encode();
    bytes.extend(output.iter().flat_map(|value| value.to_le_bytes()));
    blake2_256(&bytes)
}

/// What a worker of a redundant job commits to before anyone reveals: tag, [`output_hash`], salt, and the worker, so that
/// a copied commitment is worth nothing to its copier.
pub fn answer_commitment(output_hash: &[u8; 32], salt: &[u8; 32], worker: &[u8; 32]) -> [u8; 32] {
    blake2_256(&(ANSWER_TAG, output_hash, salt, worker).encode())
}

/// What the heartbeat of `who` in `window` signs: of use on no other chain, for no other account, at no other time.
pub fn heartbeat_payload(genesis: &impl Encode, who: &impl Encode, window: u32) -> Vec<u8> {
    (HEARTBEAT_TAG, genesis, who, window).encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binding_is_tag_genesis_job_payee() {
        let binding = JobBinding {
            genesis: [1; 32],
            job: 0x0102,
            payee: [2; 32],
        };
        let bytes = binding.encode();
        assert_eq!(bytes.len(), JobBinding::LEN);
        assert_eq!(&bytes[..10], b"ciro/job/1");
        assert_eq!(bytes[10..42], [1; 32]);
        assert_eq!(bytes[42..50], [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[50..], [2; 32]);
        assert_eq!(JobBinding::decode(&bytes), Ok(binding));
    }

    #[test]
    fn binding_refuses_another_tag_or_length() {
        let bytes = JobBinding {
            genesis: [1; 32],
            job: 1,
            payee: [2; 32],
        }
        .encode();
        assert!(JobBinding::decode(&bytes[1..]).is_err());
        assert!(JobBinding::decode(&[&bytes[..], &[0]].concat()).is_err());
        let mut other = bytes.clone();
        other[9] = b'2';
        assert!(JobBinding::decode(&other).is_err());
    }

    fn several(jobs: &[JobId]) -> JobsBinding {
        JobsBinding {
            genesis: [1; 32],
            jobs: jobs.to_vec(),
            payee: [2; 32],
        }
    }

    #[test]
    fn binding_to_several_jobs_is_tag_genesis_jobs_payee() {
        let bytes = several(&[0x0102, 7]).encode();
        assert_eq!(&bytes[..11], b"ciro/jobs/1");
        assert_eq!(bytes[11..43], [1; 32]);
        assert_eq!(bytes[43], 2 << 2);
        assert_eq!(bytes[44..52], [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[52..60], [7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[60..], [2; 32]);
        assert_eq!(JobsBinding::decode(&bytes), Ok(several(&[0x0102, 7])));
    }

    #[test]
    fn bindings_to_other_jobs_or_another_order_differ() {
        let lists: [&[JobId]; 6] = [&[], &[1], &[2], &[1, 2], &[2, 1], &[1, 2, 3]];
        for (at, jobs) in lists.iter().enumerate() {
            for other in &lists[..at] {
                assert_ne!(several(jobs).encode(), several(other).encode());
            }
        }
    }

    #[test]
    fn binding_to_several_jobs_refuses_another_tag_or_length() {
        let bytes = several(&[1, 2]).encode();
        assert!(JobsBinding::decode(&bytes[1..]).is_err());
        assert!(JobsBinding::decode(&[&bytes[..], &[0]].concat()).is_err());
        let mut other = bytes.clone();
        other[10] = b'2';
        assert!(JobsBinding::decode(&other).is_err());
        let mut more = bytes;
        more[43] = 3 << 2;
        assert!(JobsBinding::decode(&more).is_err());
    }

    #[test]
    fn one_job_and_several_are_told_apart_and_read_alike() {
        let one = JobBinding {
            genesis: [1; 32],
            job: 7,
            payee: [2; 32],
        };
        assert!(JobsBinding::decode(&one.encode()).is_err());
        assert!(JobBinding::decode(&several(&[7]).encode()).is_err());
        assert_eq!(JobsBinding::decode_any(&one.encode()), Ok(several(&[7])));
        for jobs in [&[7][..], &[7, 8]] {
            let binding = several(jobs);
            assert_eq!(JobsBinding::decode_any(&binding.encode()), Ok(binding));
        }
        assert!(JobsBinding::decode_any(b"ciro/job").is_err());
    }

    #[test]
    fn hashes_separate_batch_bytes_and_purpose() {
        assert_ne!(input_commitment(1, &[1, 2]), input_commitment(2, &[1, 2]));
        assert_ne!(input_commitment(1, &[1, -2]), input_commitment(1, &[1, 2]));
        assert_ne!(output_hash(1, &[0]), input_commitment(1, &[0; 4]));
        assert_eq!(
            input_commitment(1, &[-1, 2]),
            blake2_256(b"ciro/input/1\x01\0\0\0\xff\x02")
        );
        assert_eq!(
            output_hash(1, &[-1]),
            blake2_256(b"ciro/output/1\x01\0\0\0\xff\xff\xff\xff")
        );
    }

    #[test]
    fn what_workers_commit_to_and_sign_is_all_of_it() {
        let commitment = answer_commitment(&[1; 32], &[2; 32], &[3; 32]);
        let bytes = [&b"ciro/answer/1"[..], &[1; 32], &[2; 32], &[3; 32]].concat();
        assert_eq!(commitment, blake2_256(&bytes));
        let payload = heartbeat_payload(&[1u8; 32], &[2u8; 32], 5);
        let bytes = [&b"ciro/heartbeat/1"[..], &[1; 32], &[2; 32], &[5, 0, 0, 0]].concat();
        assert_eq!(payload, bytes);
    }

    #[test]
    fn model_id_reads_what_it_writes() {
        let id = ModelId(core::array::from_fn(|i| i as u8 * 7));
        let text = alloc::format!("{id}");
        assert_eq!(text.len(), 66);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text[2..].to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn model_id_refuses_other_text() {
        let digits = "ab".repeat(32);
        for text in [
            "",
            "0x",
            &digits[1..],
            &alloc::format!("{digits}0"),
            &digits.replacen("ab", "+b", 1),
        ] {
            assert_eq!(text.parse::<ModelId>(), Err(ParseModelIdError), "{text}");
        }
    }
}
