//! `ciro bridge`.

use super::{
    hex, parse_hash,
    remote::{Answer, Ask},
    send, Node, Sender,
};
use crate::output::{fields, table, Output, Report};
use anyhow::{bail, ensure, Context, Result};
use ciro_bridge_calldata::{evm, starknet, Delivery};
use ciro_bridge_primitives::{
    lane_id, word_of, ChainKind, Destination, LaneId, LeafProof, ValidatorSet, Word,
};
use ciro_client::{
    calls::{self, Encoded},
    types::{self, Lane},
    Amount, Client, Included, State,
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{json, Value};

/// Seconds in an hour.
pub const HOUR: u32 = 3_600;

/// Commands about other chains.
#[derive(Subcommand)]
pub enum Bridge {
    /// List the lanes: which contracts Ciro has a way to.
    Lanes {
        #[command(flatten)]
        node: Node,
    },
    /// Open the lane to a contract on another chain; a deposit is held.
    Open {
        #[command(flatten)]
        contract: Contract,
        #[command(flatten)]
        sender: Sender,
    },
    /// Print what a light client on another chain is deployed with, as the contracts' deployments take it.
    Genesis {
        #[command(flatten)]
        node: Node,
    },
    /// Send CIRO to another chain: burnt here, minted there.
    Send {
        /// The lane of the token there.
        #[arg(value_parser = parse_hash, value_name = "LANE")]
        lane: Word,
        /// Who gets it there: an address.
        #[arg(value_parser = parse_word, value_name = "RECIPIENT")]
        recipient: Word,
        /// How much.
        #[arg(value_name = "CIRO")]
        amount: Amount,
        /// What is not minted there within so many hours comes back.
        #[arg(long, default_value_t = 24, value_name = "HOURS")]
        within: u64,
        #[command(flatten)]
        sender: Sender,
    },
    /// Where a message is: one from Ciro, or with --incoming one to it.
    Status {
        #[command(flatten)]
        message: Message,
        /// The message was sent on the other chain.
        #[arg(long)]
        incoming: bool,
        #[command(flatten)]
        node: Node,
    },
    /// Print what the contract takes to carry out a message of Ciro, which anybody may show to it.
    Claim {
        #[command(flatten)]
        message: Message,
        #[command(flatten)]
        proof: Proof,
        #[command(flatten)]
        node: Node,
    },
    /// Pay out what has arrived by a message and waits. Anybody may.
    Release {
        #[command(flatten)]
        message: Message,
        #[command(flatten)]
        sender: Sender,
    },
    /// Prepare a job for the JobManager on another chain, and print what its `submit_job` takes.
    Ask(Ask),
    /// Answer a job of the JobManager on another chain, which pays whom the proof names; anybody may.
    Answer(Answer),
}

/// A contract on another chain.
#[derive(Args)]
pub struct Contract {
    /// What its chain runs contracts on.
    #[arg(long)]
    kind: Kind,
    /// Its chain: EIP-155's number, or Starknet's name, for instance SN_MAIN.
    #[arg(long, value_name = "CHAIN")]
    chain: String,
    /// Its address, the proxy's where there is one.
    #[arg(long, value_parser = parse_word, value_name = "ADDRESS")]
    contract: Word,
}

/// A message by its number.
#[derive(Args)]
pub struct Message {
    /// The lane.
    #[arg(value_parser = parse_hash, value_name = "LANE")]
    lane: Word,
    /// The message's number in it.
    nonce: u64,
}

/// How something is proven to a contract.
#[derive(Args)]
pub struct Proof {
    /// Block of Ciro in whose root to prove it: one that the contract's client knows. The newest one that BEEFY has
    /// finalised, if it is left out.
    #[arg(long, value_name = "BLOCK")]
    at: Option<u32>,
    /// Print the call's data alone: bytes for an EVM contract, felts for a Cairo contract.
    #[arg(long, value_name = "KIND")]
    pub calldata: Option<Kind>,
}

/// What a chain runs contracts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Ethereum's virtual machine.
    Evm,
    /// Starknet.
    Starknet,
}

impl From<Kind> for ChainKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Evm => Self::Evm,
            Kind::Starknet => Self::Starknet,
        }
    }
}

impl Bridge {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        match self {
            Self::Lanes { node } => lanes(&node).await,
            Self::Open { contract, sender } => open(&contract, &sender, output).await,
            Self::Genesis { node } => genesis(&node.connect().await?).await,
            Self::Send {
                lane,
                recipient,
                amount,
                within,
                sender,
            } => {
                let lifetime = within
                    .checked_mul(HOUR.into())
                    .context("--within is too long")?;
                let call = calls::transfer_out(lane, recipient, amount.0, lifetime);
                let included = sender.send(&call, output).await?;
                queued(&included, LaneId(lane), &format!("{amount} CIRO leave"))
            }
            Self::Status {
                message,
                incoming,
                node,
            } => {
                let client = node.connect().await?;
                match incoming {
                    true => incoming_status(&client, &message).await,
                    false => outgoing_status(&client, &message).await,
                }
            }
            Self::Claim {
                message,
                proof,
                node,
            } => claim(&node.connect().await?, &message, &proof).await,
            Self::Release { message, sender } => {
                let done = format!("paid out what message {} brought", message.nonce);
                let call = calls::release(message.lane, message.nonce);
                send(&sender, call, done, output).await
            }
            Self::Ask(ask) => ask.execute(output).await,
            Self::Answer(answer) => answer.execute(output).await,
        }
    }
}

async fn lanes(node: &Node) -> Result<Report> {
    let state = node.connect().await?.finalised().await?;
    let lanes = state.lanes().await?;
    let head = ["lane", "kind", "chain", "contract", "messages"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(lanes.iter().map(|(id, lane)| {
        vec![
            id.to_string(),
            lane.destination.kind.name().to_owned(),
            chain_name(&lane.destination),
            short(&lane.destination.contract),
            lane.next_nonce.to_string(),
        ]
    }));
    let text = match lanes.is_empty() {
        true => "no lanes".into(),
        false => table(&rows),
    };
    let described: Vec<Value> = lanes.iter().map(|(id, lane)| describe(*id, lane)).collect();
    Ok(Report::yes(
        text,
        json!({ "block": state.number(), "lanes": described }),
    ))
}

fn describe(id: LaneId, lane: &Lane) -> Value {
    json!({
        "lane": id.to_string(),
        "kind": lane.destination.kind.name(),
        "chain": chain_name(&lane.destination),
        "contract": short(&lane.destination.contract),
        "owner": lane.owner.to_string(),
        "deposit": Amount(lane.deposit),
        "messages": lane.next_nonce,
        "last_block": lane.last_block,
    })
}

/// A chain as people call it: a number, or on Starknet a word.
fn chain_name(destination: &types::Destination) -> String {
    let id = destination.chain_id;
    let letters: Vec<u8> = id.into_iter().skip_while(|byte| *byte == 0).collect();
    match destination.kind {
        types::ChainKind::Starknet if letters.iter().all(u8::is_ascii_graphic) => {
            String::from_utf8_lossy(&letters).into_owned()
        }
        _ => ciro_bridge_primitives::u64_of(&id).map_or_else(|| short(&id), |id| id.to_string()),
    }
}

async fn open(contract: &Contract, sender: &Sender, output: Output) -> Result<Report> {
    let destination = Destination {
        kind: contract.kind.into(),
        chain_id: chain_id(contract.kind, &contract.chain)?,
        contract: contract.contract,
    };
    let client = sender.node.connect().await?;
    let lane = lane_id(&client.genesis().0, &destination);
    let call = calls::open_lane(Encoded::from(&destination));
    let included = sender.send(&call, output).await?;
    Ok(Report::yes(
        lane.to_string(),
        json!({ "lane": lane.to_string(), "block": hex(&included.block.0) }),
    ))
}

async fn genesis(client: &Client) -> Result<Report> {
    let genesis = client.client_genesis().await?;
    let set =
        |set: &ValidatorSet| json!({ "id": set.id, "length": set.length, "root": hex(&set.root) });
    let json = json!({
        "genesis": hex(&client.genesis().0),
        "current": set(&genesis.current),
        "next": set(&genesis.next),
        "handOver": genesis.time,
    });
    Ok(Report::yes(format!("{json:#}"), json))
}

/// Says by which message of a lane something leaves that a transaction has queued.
pub fn queued(included: &Included, lane: LaneId, what: &str) -> Result<Report> {
    let nonce = included
        .events
        .iter()
        .find_map(|event| match event {
            ciro_client::events::Event::OutboundQueue(event) => event.queued_in(lane),
            _ => None,
        })
        .context("the transaction queued no message")?;
    let text = format!("{what} by message {nonce} of {lane}");
    let json = json!({
        "lane": lane.to_string(),
        "nonce": nonce,
        "block": hex(&included.block.0),
    });
    Ok(Report::yes(text, json))
}

/// The block that sent a message, which must be finalised.
async fn block_of(client: &Client, message: &Message) -> Result<Option<u32>> {
    let state = before_head(client).await?;
    let lane = LaneId(message.lane);
    let opened = state.lane(lane).await?;
    ensure!(opened.is_some(), "nobody has opened the lane {lane}");
    let blocks = client.blocks_of_messages(&state, lane, message.nonce);
    Ok(blocks.await?.first().copied())
}

/// The newest finalised state about which there is a leaf: that before the head.
async fn before_head(client: &Client) -> Result<State> {
    let head = client.finalised().await?;
    let before = head.number().saturating_sub(1);
    let hash = head.hash_of(before).await?;
    Ok(client.at(hash.context("the chain has no blocks")?).await?)
}

async fn outgoing_status(client: &Client, message: &Message) -> Result<Report> {
    let lane = LaneId(message.lane);
    let Some(block) = block_of(client, message).await? else {
        let text = format!(
            "no finalised block has sent message {} of {lane}",
            message.nonce
        );
        return Ok(Report::no(text, json!({ "status": "not sent" })));
    };
    let signed = client.newest_justification().await?;
    let signed = signed.map_or(0, |proof| proof.block);
    let provable = signed > block;
    let next = match provable {
        true => "can be shown to the contract: `ciro bridge claim` prints how",
        false => "waits for the validators' signatures on a later block",
    };
    let rows = [
        ("sent", format!("block {block}")),
        ("signed", format!("block {signed}")),
        ("", next.to_owned()),
    ];
    let status = if provable { "provable" } else { "sent" };
    Ok(Report::yes(
        fields(&rows),
        json!({ "status": status, "block": block, "signed": signed }),
    ))
}

async fn incoming_status(client: &Client, message: &Message) -> Result<Report> {
    let state = client.finalised().await?;
    let (lane, nonce) = (LaneId(message.lane), message.nonce);
    let ballot = state.ballot(lane, nonce).await?;
    let votes = ballot.map_or(0, |ballot| ballot.votes.len());
    let needed = state.needed_votes().await?;
    let executed = state.is_executed(lane, nonce).await?;
    let arrival = state.arrival(lane, nonce).await?;
    let status = match (executed, &arrival) {
        (false, _) => "attesting",
        (true, Some(_)) => "waiting",
        (true, None) => "done",
    };
    let mut rows = vec![
        ("status", status.to_owned()),
        ("votes", format!("{votes}, of which {needed} are needed")),
    ];
    if let Some(arrival) = &arrival {
        rows.push(("waits", format!("{} CIRO", Amount(arrival.amount))));
        rows.push((
            "due",
            match (arrival.suspended, arrival.covered) {
                (true, _) => "suspended until governance decides".into(),
                (false, false) => "never, as the token has not as much outside".into(),
                _ => format!(
                    "block {}, now at {}: then `ciro bridge release` pays it out",
                    arrival.due,
                    state.number()
                ),
            },
        ));
    }
    let json = json!({
        "status": status,
        "votes": votes,
        "needed": needed,
        "executed": executed,
        "waits": arrival.as_ref().map(|arrival| json!({
            "amount": Amount(arrival.amount),
            "due": arrival.due,
            "covered": arrival.covered,
            "suspended": arrival.suspended,
        })),
    });
    Ok(Report::yes(fields(&rows), json))
}

async fn claim(client: &Client, message: &Message, proof: &Proof) -> Result<Report> {
    let block = block_of(client, message).await?;
    let block = block.with_context(|| {
        format!(
            "no finalised block has sent message {} of {}",
            message.nonce,
            LaneId(message.lane)
        )
    })?;
    let (at, leaf) = proof.leaf(client, block).await?;
    let messages = client
        .message_proofs(&leaf, LaneId(message.lane), &[message.nonce])
        .await?;
    let delivery = Delivery {
        block: at,
        leaf,
        messages,
    };
    Ok(match proof.calldata {
        Some(Kind::Evm) => bytes(&evm::deliver(&delivery)),
        Some(Kind::Starknet) => felts(&starknet::deliver(&delivery)),
        None => {
            let messages = delivery.messages.iter().map(|message| {
                json!({
                    "words": hashes(&message.words),
                    "index": message.path.index,
                    "count": message.path.count,
                    "path": hashes(&message.path.items),
                })
            });
            let mut json = described_leaf(at, &delivery.leaf);
            json["messages"] = messages.collect();
            Report::yes(json.to_string(), json)
        }
    })
}

impl Proof {
    /// The leaf about a block, and the block in whose root it is proven.
    pub async fn leaf(&self, client: &Client, block: u32) -> Result<(u32, LeafProof)> {
        let at = match self.at {
            Some(at) => at,
            None => {
                let newest = client.newest_justification().await?;
                newest.map_or(0, |proof| proof.block)
            }
        };
        if at <= block {
            bail!("block {block} is proven in the root of a later one, and block {at} is none: wait for the validators' signatures, or name a later block with --at");
        }
        Ok((at, client.leaf_proof(block, at).await?))
    }
}

/// A leaf and its proof, in JSON.
pub fn described_leaf(at: u32, proof: &LeafProof) -> Value {
    json!({
        "block": at,
        "leaf": hex(&proof.leaf.encode()),
        "proof": hashes(&proof.items),
    })
}

/// Hashes or words, in JSON.
pub fn hashes(words: &[Word]) -> Value {
    words.iter().map(|word| hex(word)).collect()
}

/// A call's bytes.
pub fn bytes(calldata: &[u8]) -> Report {
    let text = hex(calldata);
    Report::yes(text.clone(), json!({ "calldata": text }))
}

/// A call's felts, one a line.
pub fn felts(calldata: &[Word]) -> Report {
    let felts: Vec<String> = calldata.iter().map(short).collect();
    Report::yes(felts.join("\n"), json!({ "calldata": felts }))
}

/// A word without the zeros in front.
pub fn short(word: &Word) -> String {
    let digits = ::hex::encode(word);
    match digits.trim_start_matches('0') {
        "" => "0x0".into(),
        digits => format!("0x{digits}"),
    }
}

/// Reads `0x` and up to 64 hexadecimal digits.
pub fn parse_word(text: &str) -> Result<Word, String> {
    let wrong = || format!("\"{text}\" is not 0x and up to 64 hexadecimal digits");
    let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
    let mut word = [0; 32];
    if digits.is_empty() || digits.len() > 64 {
        return Err(wrong());
    }
    ::hex::decode_to_slice(format!("{digits:0>64}"), &mut word).map_err(|_| wrong())?;
    Ok(word)
}

/// A chain's number, out of what people call it.
fn chain_id(kind: Kind, name: &str) -> Result<Word> {
    if name.starts_with("0x") {
        return parse_word(name).map_err(anyhow::Error::msg);
    }
    match kind {
        Kind::Evm => name
            .parse::<u64>()
            .map(word_of)
            .ok()
            .with_context(|| format!("\"{name}\" is not the number of an EVM chain")),
        Kind::Starknet => {
            ensure!(
                name.is_ascii() && (1..=31).contains(&name.len()),
                "\"{name}\" is not the name of a chain of Starknet: at most 31 letters"
            );
            let mut word = [0; 32];
            word[32 - name.len()..].copy_from_slice(name.as_bytes());
            Ok(word)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_have_numbers_or_names() {
        assert_eq!(chain_id(Kind::Evm, "42161").unwrap(), word_of(42_161u32));
        assert_eq!(
            chain_id(Kind::Starknet, "SN_MAIN").unwrap(),
            parse_word("0x534e5f4d41494e").unwrap()
        );
        assert!(chain_id(Kind::Evm, "arbitrum").is_err());
        assert!(chain_id(Kind::Starknet, "").is_err());
        let starknet = types::Destination {
            kind: types::ChainKind::Starknet,
            chain_id: chain_id(Kind::Starknet, "SN_MAIN").unwrap(),
            contract: [1; 32],
        };
        assert_eq!(chain_name(&starknet), "SN_MAIN");
    }

    #[test]
    fn addresses_of_all_lengths_are_words() {
        assert_eq!(parse_word("0x102").unwrap(), word_of(0x102u32));
        assert_eq!(short(&word_of(0x102u32)), "0x102");
        assert_eq!(short(&[0; 32]), "0x0");
        for text in ["", "0x", "102", "0xzz", &format!("0x{}", "1".repeat(65))] {
            assert!(parse_word(text).is_err(), "{text}");
        }
    }
}
