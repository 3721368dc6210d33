//! What proofs are bound to: the jobs that they answer, on which chain these are, and who is paid.

use super::{
    bridge::{parse_word, short},
    parse_account,
};
use anyhow::{bail, Result};
use ciro_bridge_primitives::{u64_of, word_of, LaneId, RemoteJobBinding, Word};
use ciro_client::AccountId;
use ciro_primitives::{JobBinding, JobId, JobsBinding};
use std::fmt;

/// Who is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payee {
    /// An account on Ciro.
    Account(AccountId),
    /// An address on another chain.
    Address(Word),
}

impl fmt::Display for Payee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Address(address) => f.write_str(&short(address)),
        }
    }
}

/// Reads an account's address on Ciro (SS58), or with 0x an address on another chain.
pub fn parse_payee(text: &str) -> Result<Payee, String> {
    match text.starts_with("0x") {
        true => parse_word(text).map(Payee::Address),
        false => parse_account(text).map(Payee::Account),
    }
}

/// What a proof is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Hash of the genesis block of Ciro's chain; zero if the proof is for none.
    pub genesis: Word,
    /// The lane to the JobManager whose job it answers, if that is on another chain.
    pub lane: Option<LaneId>,
    /// The jobs that it answers.
    pub jobs: Vec<JobId>,
    /// Who is paid, if anybody is.
    pub payee: Option<Payee>,
}

impl Binding {
    /// Reads what a proof is bound to, if that is jobs.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if let Ok(remote) = RemoteJobBinding::decode(bytes) {
            return Some(Self {
                genesis: remote.genesis,
                lane: Some(remote.lane),
                jobs: vec![u64_of(&remote.remote_job)?],
                payee: Some(Payee::Address(remote.payee)),
            });
        }
        let JobsBinding {
            genesis,
            jobs,
            payee,
        } = JobsBinding::decode_any(bytes).ok()?;
        Some(Self {
            genesis,
            lane: None,
            jobs,
            payee: (payee != [0; 32]).then_some(Payee::Account(AccountId(payee))),
        })
    }

    /// The bytes by which a proof is bound; an error unless it is to one job, and the payee is where that is paid.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let [job] = self.jobs[..] else {
            bail!("a proof is made for one job");
        };
        let here = |payee| JobBinding {
            genesis: self.genesis,
            job,
            payee,
        };
        Ok(match (self.lane, &self.payee) {
            (None, None) => here([0; 32]).encode(),
            (None, Some(Payee::Account(account))) => here(account.0).encode(),
            (Some(lane), Some(Payee::Address(payee))) => RemoteJobBinding {
                genesis: self.genesis,
                lane,
                remote_job: word_of(job),
                payee: *payee,
            }
            .encode(),
            (None, Some(Payee::Address(_))) => {
                bail!("--payee: jobs on Ciro are paid to an account there, whose address is SS58")
            }
            (Some(_), _) => {
                bail!("--payee: jobs on another chain are paid to an address there: 0x and hexadecimal digits")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    fn binding(lane: Option<LaneId>, payee: Option<&str>) -> Binding {
        Binding {
            genesis: [1; 32],
            lane,
            jobs: vec![7],
            payee: payee.map(|payee| parse_payee(payee).unwrap()),
        }
    }

    #[test]
    fn a_binding_is_read_back_as_it_was_written() {
        let lane = Some(LaneId([2; 32]));
        for binding in [
            binding(None, None),
            binding(None, Some(ALICE)),
            binding(lane, Some("0x5eed")),
        ] {
            assert_eq!(Binding::decode(&binding.encode().unwrap()), Some(binding));
        }
        assert_eq!(Binding::decode(b"ciro/job"), None);
    }

    #[test]
    fn a_job_is_paid_on_its_own_chain() {
        let lane = Some(LaneId([2; 32]));
        for wrong in [
            binding(None, Some("0x5eed")),
            binding(lane, Some(ALICE)),
            binding(lane, None),
        ] {
            assert!(wrong.encode().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn payees_are_named_as_their_chain_does() {
        for text in [ALICE, "0x5eed"] {
            assert_eq!(parse_payee(text).unwrap().to_string(), text);
        }
        for text in ["", "nobody", "0x", "5eed"] {
            assert!(parse_payee(text).is_err(), "{text}");
        }
    }
}
