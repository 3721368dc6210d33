//! From a destination to Ciro: finds what a contract has sent, as far as that is final, and attests it.
//!
//! An attester who votes for two different messages of one lane and nonce loses the bond. So before any vote the votes that
//! are on the chain are looked at, once all transactions of an earlier life of the relayer have come there; and a vote
//! that would differ from an own one is never sent.

use crate::{
    ciro::Ciro,
    destination::Destination,
    journal::Journal,
    metrics::{Metrics, Purpose},
    outbound::Contract,
    task::Task,
};
use anyhow::{bail, ensure, Context, Result};
use async_trait::async_trait;
use ciro_bridge_primitives::{Message, Word};
use ciro_client::{account, calls, Client, Error, Keypair, State, Wait};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};
use tracing::{error, info};

/// Pause between two looks for new blocks.
const PAUSE: Duration = Duration::from_secs(3);
/// How long a vote may take to be finalised.
const PATIENCE: Duration = Duration::from_secs(300);
/// Blocks that are searched at once.
const STRETCH: u64 = 1_000;

/// Errors of votes that were not needed.
const NOT_NEEDED: [&str; 2] = ["Attesters.AlreadyVoted", "Attesters.TooOld"];

/// An attester, by the key of its account. One vote is sent after the other, as each needs the nonce after the last one's.
pub struct Attester {
    signer: Keypair,
    sending: Mutex<()>,
}

/// What to do about a message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vote {
    /// To vote for it.
    Needed,
    /// Nothing: it was executed, or voted for already.
    NotNeeded,
    /// Nothing: there is a vote of one's own for another message.
    Contradicts,
}

/// Whether to vote for the message with that id, by what is known of its nonce.
fn vote(id: Word, executed: bool, own: Option<Word>) -> Vote {
    match own {
        Some(own) if own != id => Vote::Contradicts,
        Some(_) => Vote::NotNeeded,
        None if executed => Vote::NotNeeded,
        None => Vote::Needed,
    }
}

impl Attester {
    /// An attester by its key.
    pub fn new(signer: Keypair) -> Self {
        Self {
            signer,
            sending: Mutex::default(),
        }
    }

    /// Votes for messages that are final at the other end, unless that is not needed; done once it is finalised.
    async fn attest(&self, client: &Client, messages: &[Message], noted: &Noted<'_>) -> Result<()> {
        let me = account(&self.signer);
        let guard = self.sending.lock().await;
        let state = client.best().await?;
        ensure!(
            client.next_nonce(&me).await? <= state.nonce(&me).await?,
            "transactions of {me} are on their way: waiting for them"
        );
        ensure!(
            state.attesters().await?.contains(&me),
            "{me} is no attester: have it invited and let it join, or leave attester_key_file out"
        );
        let mut sent = Vec::new();
        for message in messages {
            match self.look(&state, message).await? {
                Vote::NotNeeded => continue,
                Vote::Contradicts => {
                    error!(
                        "this attester has voted for another message {} of {} than it sees now: not voting twice. Is the chain's finality reached later than the configuration says?",
                        message.nonce, message.lane
                    );
                    continue;
                }
                Vote::Needed => {}
            }
            let payload = calls::Encoded::from(&message.payload);
            let call = calls::attest(message.lane.0, message.nonce, payload);
            let transaction = client.sign(&call, &self.signer).await?;
            sent.push((message, client.submit(&transaction).await?));
        }
        // The next ones look at the votes first, so these have to be there.
        let mut failure = None;
        for (message, progress) in sent {
            let progress = timeout(PATIENCE, progress.wait(Wait::Finalised)).await;
            let outcome = match progress.context("a vote is not finalised")? {
                Err(Error::Dispatch { name, .. }) if NOT_NEEDED.contains(&&*name) => continue,
                outcome => outcome,
            };
            noted.sent(outcome.is_ok());
            match outcome {
                Ok(_) => info!("attested message {} of {}", message.nonce, message.lane),
                Err(problem) => failure = Some(problem),
            }
        }
        drop(guard);
        failure.map_or(Ok(()), |problem| Err(problem).context("attesting"))
    }

    async fn look(&self, state: &State, message: &Message) -> Result<Vote> {
        let (lane, nonce) = (message.lane, message.nonce);
        let ballot = state.ballot(lane, nonce).await?;
        let own = ballot.and_then(|ballot| ballot.vote_of(&account(&self.signer)));
        let executed = state.is_executed(lane, nonce).await?;
        Ok(vote(message.id(), executed, own))
    }
}

/// Where transactions are counted.
struct Noted<'a> {
    metrics: &'a Metrics,
    destination: &'a str,
}

impl Noted<'_> {
    fn sent(&self, done: bool) {
        self.metrics
            .sent(self.destination, Purpose::Attestation, done);
    }
}

/// Everything that comes from one contract.
pub struct Inbound {
    /// Name of the destination.
    pub name: String,
    /// Ciro.
    pub ciro: Arc<Ciro>,
    /// The destination.
    pub destination: Arc<dyn Destination>,
    /// The contract.
    pub contract: Contract,
    /// First block in which it may have sent something.
    pub from_block: u64,
    /// Who votes.
    pub attester: Arc<Attester>,
    /// How far the relayer has looked.
    pub journal: Arc<Journal>,
    /// What the relayer tells.
    pub metrics: Arc<Metrics>,
}

#[async_trait]
impl Task for Inbound {
    async fn step(&mut self) -> Result<bool> {
        self.catch_up().await.map(|()| false)
    }

    async fn rest(&mut self) {
        sleep(PAUSE).await;
    }
}

impl Inbound {
    /// Attests what was sent in blocks that have become final.
    async fn catch_up(&self) -> Result<()> {
        let lane = self.contract.lane;
        let last = self.destination.final_block().await?;
        let known = self.journal.progress(lane).scanned;
        let mut from = known.max(self.from_block);
        while from <= last {
            let name = lane.to_string();
            self.metrics.unscanned(&self.name, &name, last - from + 1);
            let to = last.min(from + STRETCH - 1);
            let sent = self.destination.sent(&self.contract.address, from, to);
            let messages = self.read(&sent.await?)?;
            if !messages.is_empty() {
                let client = self.ciro.client().await?;
                let noted = Noted {
                    metrics: &self.metrics,
                    destination: &self.name,
                };
                self.attester.attest(&client, &messages, &noted).await?;
            }
            self.journal.note(lane, |it| it.scanned = to + 1)?;
            self.metrics.unscanned(&self.name, &name, last - to);
            from = to + 1;
        }
        Ok(())
    }

    /// What a contract says must be of its lane: otherwise it is none of Ciro's, or follows another chain.
    fn read(&self, sent: &[Vec<Word>]) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for words in sent {
            let message = Message::from_words(words)?;
            if message.lane != self.contract.lane {
                bail!(
                    "a contract of the lane {} says that it sends by {}: is its address right?",
                    self.contract.lane,
                    message.lane
                );
            }
            messages.push(message);
        }
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attester_votes_once_and_never_against_itself() {
        for (executed, own, expected) in [
            (false, None, Vote::Needed),
            (true, None, Vote::NotNeeded),
            (false, Some([1; 32]), Vote::NotNeeded),
            (true, Some([1; 32]), Vote::NotNeeded),
            (false, Some([2; 32]), Vote::Contradicts),
            (true, Some([2; 32]), Vote::Contradicts),
        ] {
            assert_eq!(vote([1; 32], executed, own), expected);
        }
    }
}
