//! Jobs of contracts on other chains.

use crate::{Hash, LaneId, Word};
use alloc::vec::Vec;
use codec::{DecodeAll, Encode};

/// Domain tag of [`RemoteJobBinding`].
pub const REMOTE_JOB_TAG: &[u8; 17] = b"ciro/remote-job/1";

/// What a proof for a job of a JobManager is bound to besides the computation itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteJobBinding {
    /// Hash of Ciro's genesis block.
    pub genesis: Hash,
    /// The lane to the JobManager.
    pub lane: LaneId,
    /// The job's number there.
    pub remote_job: Word,
    /// Who is paid there.
    pub payee: Word,
}

impl RemoteJobBinding {
    /// Length in bytes of the encoding.
    pub const LEN: usize = 145;

    /// The bytes that the proof's transcript absorbs: tag, genesis, lane, remote job, payee.
    pub fn encode(&self) -> Vec<u8> {
        (
            REMOTE_JOB_TAG,
            self.genesis,
            self.lane,
            self.remote_job,
            self.payee,
        )
            .encode()
    }

    /// Reads back what [`Self::encode`] wrote; an error if the tag or the length is another.
    pub fn decode(bytes: &[u8]) -> Result<Self, codec::Error> {
        let (tag, genesis, lane, remote_job, payee) =
            <([u8; 17], Hash, LaneId, Word, Word)>::decode_all(&mut &*bytes)?;
        if &tag != REMOTE_JOB_TAG {
            return Err("not a binding of a remote job".into());
        }
        Ok(Self {
            genesis,
            lane,
            remote_job,
            payee,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding() -> RemoteJobBinding {
        RemoteJobBinding {
            genesis: [1; 32],
            lane: LaneId([2; 32]),
            remote_job: [3; 32],
            payee: [4; 32],
        }
    }

    #[test]
    fn binding_is_tag_genesis_lane_job_payee() {
        let bytes = [
            &b"ciro/remote-job/1"[..],
            &[1; 32],
            &[2; 32],
            &[3; 32],
            &[4; 32],
        ]
        .concat();
        assert_eq!(bytes.len(), RemoteJobBinding::LEN);
        assert_eq!(binding().encode(), bytes);
        assert_eq!(RemoteJobBinding::decode(&bytes), Ok(binding()));
    }

    #[test]
    fn binding_refuses_another_tag_or_length() {
        let bytes = binding().encode();
        assert!(RemoteJobBinding::decode(&bytes[1..]).is_err());
        assert!(RemoteJobBinding::decode(&[&bytes[..], &[0]].concat()).is_err());
        let mut other = bytes;
        other[16] = b'2';
        assert!(RemoteJobBinding::decode(&other).is_err());
    }
}
