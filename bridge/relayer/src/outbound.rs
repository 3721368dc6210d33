//! From Ciro to a destination: keeps the client on the heels of the validators, and delivers messages.
//!
//! What is done follows from the state of both chains ([`plan`](crate::plan)); what is kept here is only what saves
//! asking again.

use crate::{
    backoff::Backoff,
    ciro::{Ciro, Head},
    config,
    destination::{At, Destination, Refused},
    journal::Journal,
    metrics::{Metrics, Purpose},
    plan::{self, Step, View, Waiting},
    task::Task,
};
use anyhow::{Context, Result};
use async_trait::async_trait;
use ciro_bridge_calldata::Delivery;
use ciro_bridge_primitives::{LaneId, LeafProof, Update, Word};
use ciro_client::Client;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

/// Pause between two looks when there is nothing to do.
const PAUSE: Duration = Duration::from_secs(3);
/// Pauses before a message that a contract has refused is tried again.
const FIRST_HOLD: Duration = Duration::from_secs(30);
const LONGEST_HOLD: Duration = Duration::from_secs(3_600);
/// How often it is looked whether what was delivered is final, and what the account has.
const REVIEW: Duration = Duration::from_secs(20);

/// A contract that takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Its address.
    pub address: Word,
    /// The lane that leads to it.
    pub lane: LaneId,
}

/// Everything that goes to one destination.
pub struct Outbound {
    name: String,
    ciro: Arc<Ciro>,
    head: Head,
    destination: Arc<dyn Destination>,
    lanes: Vec<Lane>,
    max_lag: Option<u32>,
    journal: Arc<Journal>,
    metrics: Arc<Metrics>,
    reviewed: Option<Instant>,
}

/// What is known of one lane.
struct Lane {
    contract: Contract,
    /// Messages with a lower nonce are known: here, or as finally delivered.
    next: u64,
    /// Messages that are not finally delivered, by nonce.
    messages: BTreeMap<u64, Known>,
}

/// A message that is not finally delivered.
struct Known {
    /// The block that sent it.
    block: u32,
    /// Whether the contract has taken it, in a block that may yet be undone.
    taken: bool,
    /// Until when it is held back, as the contract has refused it, and for how long the next time.
    held: Option<(Instant, Backoff)>,
}

impl Known {
    fn is_held(&self, now: Instant) -> bool {
        self.held.as_ref().is_some_and(|(until, _)| *until > now)
    }
}

impl Lane {
    /// The messages that are not held back.
    fn current(&self, now: Instant) -> impl Iterator<Item = (u64, &Known)> + '_ {
        let messages = self.messages.iter();
        let current = messages.filter(move |(_, known)| !known.is_held(now));
        current.map(|(nonce, known)| (*nonce, known))
    }

    /// The messages that may be delivered now.
    fn open(&self, now: Instant) -> impl Iterator<Item = (u64, u32)> + '_ {
        let untaken = self.current(now).filter(|(_, known)| !known.taken);
        untaken.map(|(nonce, known)| (nonce, known.block))
    }

    /// All messages with a lower nonce are finally delivered.
    fn delivered(&self) -> u64 {
        self.messages.keys().next().copied().unwrap_or(self.next)
    }

    fn taken(&mut self, nonces: &[u64]) {
        for nonce in nonces {
            if let Some(known) = self.messages.get_mut(nonce) {
                known.taken = true;
            }
        }
    }

    fn hold(&mut self, nonce: u64, now: Instant) {
        if let Some(known) = self.messages.get_mut(&nonce) {
            let fresh = Backoff::new(FIRST_HOLD, LONGEST_HOLD);
            let mut backoff = known.held.take().map_or(fresh, |(_, backoff)| backoff);
            known.held = Some((now + backoff.failed(), backoff));
        }
    }
}

#[async_trait]
impl Task for Outbound {
    async fn step(&mut self) -> Result<bool> {
        self.relay().await
    }

    async fn rest(&mut self) {
        // A new head may be worth a look before the pause is over.
        let _ = timeout(PAUSE, self.head.changed()).await;
    }
}

impl Outbound {
    /// Prepares to relay to a destination.
    pub fn new(
        described: &config::Destination,
        ciro: Arc<Ciro>,
        head: Head,
        destination: Arc<dyn Destination>,
        contracts: &[Contract],
        journal: Arc<Journal>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let lanes = contracts.iter().map(|contract| Lane {
            contract: *contract,
            next: journal.progress(contract.lane).delivered,
            messages: BTreeMap::new(),
        });
        Self {
            name: described.name.clone(),
            max_lag: described.max_lag,
            lanes: lanes.collect(),
            ciro,
            head,
            destination,
            journal,
            metrics,
            reviewed: None,
        }
    }

    /// Looks at both chains and does one thing; whether there was one to do.
    async fn relay(&mut self) -> Result<bool> {
        let client = self.ciro.client().await?;
        self.look_for_messages(&client).await?;
        if self.reviewed.is_none_or(|last| last.elapsed() > REVIEW) {
            self.reviewed = Some(Instant::now());
            // What it finds is not needed to go on.
            if let Err(problem) = self.review().await {
                warn!("{}: looking at what is final: {problem:#}", self.name);
            }
        }
        let view = self.view().await?;
        match plan::next(&view) {
            Step::HandOver { set } => self.hand_over(&client, set).await?,
            Step::Update => {
                let head = self.head.borrow().clone().context("no justification")?;
                let update = client.update(&head, view.client.set + 1).await?;
                self.submit(&update).await?;
            }
            Step::Deliver {
                contract,
                block,
                nonces,
            } => {
                let at = view.client.newest;
                self.deliver(&client, at, contract, block, nonces).await?;
            }
            Step::Rest(plan::Rest::Done) => return Ok(false),
            Step::Rest(plan::Rest::Halted) => {
                warn!("{}: the client is halted", self.name);
                return Ok(false);
            }
            Step::Rest(plan::Rest::Expired) => {
                warn!(
                    "{}: the client has expired and follows no validators any more: it must be deployed anew",
                    self.name
                );
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn view(&self) -> Result<View> {
        let client = self.destination.client().await?;
        let head = self.head.borrow().as_ref().map(|proof| plan::Head {
            block: proof.block,
            set: proof.set,
        });
        let behind = head.map_or(0, |head| head.block.saturating_sub(client.newest));
        self.metrics.lag(&self.name, behind);
        let now = Instant::now();
        let mut waiting = Vec::new();
        for (contract, lane) in self.lanes.iter().enumerate() {
            let open = lane.open(now).map(|(nonce, block)| Waiting {
                block,
                contract,
                nonce,
            });
            waiting.extend(open);
            let untaken = lane.messages.values().filter(|known| !known.taken).count();
            let name = lane.contract.lane.to_string();
            self.metrics.waiting(&self.name, &name, untaken);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        Ok(View {
            client,
            now,
            head,
            waiting,
            max_lag: self.max_lag,
        })
    }

    /// Finds the messages that Ciro has sent since the last look, by the way back along each lane.
    async fn look_for_messages(&mut self, client: &Client) -> Result<()> {
        // The leaf about a block comes with the next one.
        let finalised = client.finalised().await?;
        let parent = finalised.number().saturating_sub(1);
        let Some(parent) = finalised.hash_of(parent).await? else {
            return Ok(());
        };
        let state = client.at(parent).await?;
        for lane in &mut self.lanes {
            let id = lane.contract.lane;
            for block in client.blocks_of_messages(&state, id, lane.next).await? {
                let nonce = lane.next;
                let address = &lane.contract.address;
                let taken = self
                    .destination
                    .is_taken(address, nonce, At::Newest)
                    .await?;
                let known = Known {
                    block,
                    taken,
                    held: None,
                };
                lane.messages.insert(nonce, known);
                lane.next = nonce + 1;
            }
        }
        Ok(())
    }

    /// Forgets what is finally delivered, and notices what was undone.
    async fn review(&mut self) -> Result<()> {
        self.metrics
            .balance(&self.name, self.destination.balance().await?);
        for lane in &mut self.lanes {
            let address = lane.contract.address;
            // What is held back is asked for when it is tried again: of what a contract never takes there can be much.
            let current = lane.current(Instant::now());
            let nonces: Vec<u64> = current.map(|(nonce, _)| nonce).collect();
            for nonce in nonces {
                let taken = |at| self.destination.is_taken(&address, nonce, at);
                if taken(At::Final).await? {
                    lane.messages.remove(&nonce);
                } else if let Some(known) = lane.messages.get_mut(&nonce) {
                    known.taken = taken(At::Newest).await?;
                }
            }
            let delivered = lane.delivered();
            self.journal
                .note(lane.contract.lane, |it| it.delivered = delivered)?;
        }
        Ok(())
    }

    /// Shows the client the first commitment of the set that follows the one in office.
    async fn hand_over(&self, client: &Client, set: u64) -> Result<()> {
        let head = self.head.borrow().clone().context("no justification")?;
        let proof = if head.set == set {
            (*head).clone()
        } else {
            let first = client.first_block_of_set(set, head.block).await?;
            let first = first.with_context(|| format!("set {set} has signed nothing"))?;
            let proof = client.justification(first).await?;
            proof.with_context(|| {
                format!("the node has no justification of block {first}, the first of set {set}: it must have synced all blocks")
            })?
        };
        let update = client.update(&proof, set).await?;
        self.submit(&update).await
    }

    async fn submit(&self, update: &Update) -> Result<()> {
        let commitment = update.commitment;
        let done = self.destination.submit(update).await;
        self.metrics.sent(&self.name, Purpose::Update, done.is_ok());
        if let Err(problem) = done {
            // Somebody else may have been quicker, whose transaction is on its way into a block.
            if problem.is::<Refused>() {
                sleep(PAUSE).await;
                if self.destination.client().await?.newest >= commitment.block {
                    return Ok(());
                }
            }
            return Err(problem)
                .with_context(|| format!("updating the client to block {}", commitment.block));
        }
        info!(
            block = commitment.block,
            set = commitment.set,
            hand_over = update.handover.is_some(),
            "{}: the client is updated",
            self.name
        );
        Ok(())
    }

    /// Delivers messages of one block: together, or each for itself if they are refused together.
    async fn deliver(
        &mut self,
        client: &Client,
        at: u32,
        contract: usize,
        block: u32,
        nonces: Vec<u64>,
    ) -> Result<()> {
        let leaf = client.leaf_proof(block, at).await?;
        let Contract { address, lane } = self.lanes[contract].contract;
        // Somebody else may have been quicker.
        let mut open = Vec::new();
        for nonce in nonces {
            if self
                .destination
                .is_taken(&address, nonce, At::Newest)
                .await?
            {
                self.lanes[contract].taken(&[nonce]);
            } else {
                open.push(nonce);
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let Err(problem) = self.try_deliver(client, at, contract, &leaf, &open).await else {
            return Ok(());
        };
        if !problem.is::<Refused>() {
            return Err(problem);
        }
        let alone = open.len() == 1;
        for nonce in open {
            let taken = self.destination.is_taken(&address, nonce, At::Newest);
            let outcome = if taken.await? {
                self.lanes[contract].taken(&[nonce]);
                Ok(())
            } else if alone {
                Err(anyhow::Error::msg(problem.to_string()))
            } else {
                let single = [nonce];
                let outcome = self.try_deliver(client, at, contract, &leaf, &single);
                match outcome.await {
                    Err(problem) if !problem.is::<Refused>() => return Err(problem),
                    outcome => outcome,
                }
            };
            if let Err(problem) = outcome {
                warn!(
                    "{}: message {nonce} of {lane} waits: {problem:#}",
                    self.name
                );
                self.lanes[contract].hold(nonce, Instant::now());
            }
        }
        Ok(())
    }

    async fn try_deliver(
        &mut self,
        client: &Client,
        at: u32,
        contract: usize,
        leaf: &LeafProof,
        nonces: &[u64],
    ) -> Result<()> {
        let Contract { address, lane } = self.lanes[contract].contract;
        let delivery = Delivery {
            block: at,
            leaf: leaf.clone(),
            messages: client.message_proofs(leaf, lane, nonces).await?,
        };
        let done = self.destination.deliver(&address, &delivery).await;
        self.metrics
            .sent(&self.name, Purpose::Delivery, done.is_ok());
        done?;
        self.lanes[contract].taken(nonces);
        let block = leaf.leaf.parent_number;
        info!(block, ?nonces, "{}: delivered by {lane}", self.name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane() -> Lane {
        let known = |block| Known {
            block,
            taken: false,
            held: None,
        };
        Lane {
            contract: Contract {
                address: [1; 32],
                lane: LaneId([2; 32]),
            },
            next: 5,
            messages: (2..5).map(|nonce| (nonce, known(nonce as u32))).collect(),
        }
    }

    #[test]
    fn a_message_that_is_taken_or_held_back_is_not_delivered() {
        let mut lane = lane();
        let now = Instant::now();
        lane.taken(&[2, 9]);
        lane.hold(3, now);
        assert_eq!(lane.open(now).collect::<Vec<_>>(), [(4, 4)]);
        let current = lane.current(now).map(|(nonce, _)| nonce);
        assert_eq!(current.collect::<Vec<_>>(), [2, 4]);
        let later = now + FIRST_HOLD;
        assert_eq!(lane.open(later).collect::<Vec<_>>(), [(3, 3), (4, 4)]);
        lane.hold(3, later);
        assert_eq!(lane.open(later + FIRST_HOLD).count(), 1);
        assert_eq!(lane.open(later + 2 * FIRST_HOLD).count(), 2);
    }

    #[test]
    fn what_is_not_final_counts_as_not_delivered() {
        let mut lane = lane();
        lane.taken(&[2, 3, 4]);
        assert_eq!(lane.delivered(), 2);
        lane.messages.clear();
        assert_eq!(lane.delivered(), 5);
    }
}
