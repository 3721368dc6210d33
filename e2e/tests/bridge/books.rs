//! Whether the books balance, at every moment: on Ciro there is always as much CIRO in all, and what its books say is
//! outside on a chain is what there is on it, and what is on its way there and back.

use crate::scene::{Place, Scene};
use anyhow::{bail, ensure, Context, Result};
use ciro_bridge::destination::At;
use ciro_bridge_primitives::{Message, Payload, Word};
use ciro_client::{types::Balance, Client, State};
use std::{collections::BTreeMap, convert::Infallible, time::Duration};
use tokio::time::sleep;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Amounts by the nonces of their messages.
type Amounts = BTreeMap<u64, Balance>;

/// The books.
pub struct Books<'a> {
    scene: &'a Scene,
    /// All CIRO that there is.
    supply: Balance,
    /// The first block of Ciro that was not looked at.
    next: u64,
    /// How many were.
    pub blocks: u32,
    /// How often the books balanced while something was on its way between the chains.
    pub busy: u32,
    places: [Account<'a>; 2],
}

/// What Ciro and another chain have sent each other.
struct Account<'a> {
    place: &'a Place,
    /// What Ciro has sent.
    sent: Amounts,
}

/// What a chain says in one of its blocks.
struct There {
    block: u64,
    supply: Balance,
    /// What Ciro has sent and is not taken.
    open: Balance,
}

impl<'a> Books<'a> {
    pub async fn open(scene: &'a Scene) -> Result<Self> {
        let state = scene.client.finalised().await?;
        let account = |place| Account {
            place,
            sent: Amounts::new(),
        };
        Ok(Self {
            scene,
            supply: state.canonical_supply().await?,
            next: state.number(),
            blocks: 0,
            busy: 0,
            places: [account(&scene.evm), account(&scene.starknet)],
        })
    }

    /// Balances the books again and again, and ends only with an error.
    pub async fn keep(&mut self) -> Result<Infallible> {
        loop {
            self.balance().await?;
            sleep(PAUSE).await;
        }
    }

    /// An error if anything was made or lost so far.
    pub async fn balance(&mut self) -> Result<()> {
        let client = &self.scene.client;
        let last = client.finalised().await?;
        while self.next <= last.number() {
            let hash = last.hash_of(self.next).await?.context("no such block")?;
            let supply = client.at(hash).await?.canonical_supply().await?;
            ensure!(
                supply == self.supply,
                "there were {}, and {supply} after block {}",
                self.supply,
                self.next
            );
            self.next += 1;
            self.blocks += 1;
        }
        let mut on_their_way = 0;
        for account in &mut self.places {
            on_their_way += account.balance(self.scene).await?;
        }
        self.busy += u32::from(on_their_way > 0);
        Ok(())
    }
}

impl Account<'_> {
    /// Compares a chain with the books for it, and says how much is on its way there or back.
    async fn balance(&mut self, scene: &Scene) -> Result<Balance> {
        let (chain, lane) = (&self.place.chain, self.place.lane);
        // The chains are asked one after the other: first this one, of which nothing may have been taken that was sent
        // after Ciro was asked what it has sent; then Ciro.
        let (there, state) = loop {
            let before = settled(&scene.client).await?;
            self.read_sent(&scene.client, &before).await?;
            let there = self.there(scene).await?;
            let state = settled(&scene.client).await?;
            if self.next_nonce(&state).await? == self.sent.len() as u64 {
                break (there, state);
            }
        };
        let left = self.left(0, there.block).await?;
        // Ciro may know of what has left since.
        let since = self.left(there.block + 1, chain.final_block().await?);
        let mut arrived = 0;
        for (nonce, amount) in left.iter().chain(&since.await?) {
            if state.is_executed(lane, *nonce).await? {
                arrived += amount;
            }
        }
        let left: Balance = left.values().sum();
        // Before it was registered, there is nothing.
        let books = state.remote(lane).await?.map_or(0, |token| token.outside);
        let There { supply, open, .. } = there;
        ensure!(
            books + arrived == supply + open + left,
            "{:?}: {supply} are there, {open} on their way there; {left} have left it, and {arrived} of that arrived; but \
             the books have {books}",
            chain.kind()
        );
        Ok(open + left.saturating_sub(arrived))
    }

    async fn next_nonce(&self, state: &State) -> Result<u64> {
        let lane = state.lane(self.place.lane).await?;
        Ok(lane.map_or(0, |lane| lane.next_nonce))
    }

    /// Reads what Ciro has sent up to that block.
    async fn read_sent(&mut self, client: &Client, state: &State) -> Result<()> {
        let lane = self.place.lane;
        let from = self.sent.len() as u64;
        let blocks = client.blocks_of_messages(state, lane, from).await?;
        for (nonce, block) in (from..).zip(blocks) {
            let leaf = client.leaf_proof(block, block + 1).await?;
            let proofs = client.message_proofs(&leaf, lane, &[nonce]).await?;
            let proof = proofs.first().context("no message")?;
            self.sent.extend([amount(&proof.words)?]);
        }
        Ok(())
    }

    /// What a chain says, all of it in one block.
    async fn there(&self, scene: &Scene) -> Result<There> {
        let Place {
            chain, contracts, ..
        } = self.place;
        loop {
            let block = chain.final_block().await?;
            let supply = scene.supply(self.place).await?;
            let mut open = 0;
            for (nonce, amount) in &self.sent {
                let taken = chain.is_taken(&contracts.token, *nonce, At::Newest);
                if !taken.await? {
                    open += amount;
                }
            }
            if chain.final_block().await? == block {
                return Ok(There {
                    block,
                    supply,
                    open,
                });
            }
        }
    }

    /// What left a chain in these blocks.
    async fn left(&self, from: u64, to: u64) -> Result<Amounts> {
        if from > to {
            return Ok(Amounts::new());
        }
        let token = &self.place.contracts.token;
        let messages = self.place.chain.sent(token, from, to).await?;
        messages.iter().map(|words| amount(words)).collect()
    }
}

/// The finalised block before the last one: all that was sent up to it can be read.
async fn settled(client: &Client) -> Result<State> {
    let last = client.finalised().await?;
    let parent = last.hash_of(last.number().saturating_sub(1)).await?;
    Ok(client.at(parent.context("no parent")?).await?)
}

/// The nonce of a message about tokens, and their amount.
fn amount(words: &[Word]) -> Result<(u64, Balance)> {
    let message = Message::from_words(words)?;
    match message.payload {
        Payload::Mint { amount, .. }
        | Payload::Burn { amount, .. }
        | Payload::Return { amount, .. } => Ok((message.nonce, amount)),
        other => bail!("tokens do not come as {other:?}"),
    }
}
