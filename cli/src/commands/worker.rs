//! `ciro worker`.

use super::{parse_account, parse_hash, send, Node, Sender};
use crate::output::{fields, table, Output, Report};
use anyhow::{Context, Result};
use ciro_client::{
    calls,
    types::{Capabilities, Region, Standing, Worker as Registered},
    AccountId, Amount,
};
use clap::{Args, Subcommand};
use serde_json::{json, Value};

/// Commands about workers. `ciro-worker` registers itself.
#[derive(Subcommand)]
pub enum Worker {
    /// What the chain knows of a worker.
    Show {
        /// The worker.
        #[arg(value_parser = parse_account)]
        account: AccountId,
        #[command(flatten)]
        node: Node,
    },
    /// List the registered workers.
    List {
        /// Only those of this region.
        #[arg(long, value_name = "REGION")]
        region: Option<Region>,
        #[command(flatten)]
        node: Node,
    },
    /// Register as a worker; a deposit is held. `ciro-worker` does that by itself.
    Register(Register),
    /// Announce an absence: no work, and no outage. The uptime falls all the same.
    Away {
        #[command(flatten)]
        sender: Sender,
    },
    /// End an absence.
    Back {
        #[command(flatten)]
        sender: Sender,
    },
    /// Leave the registry; the deposit is released.
    Leave {
        #[command(flatten)]
        sender: Sender,
    },
}

/// Arguments of `ciro worker register`.
#[derive(Args)]
pub struct Register {
    /// Where the machine stands: north-america, europe, asia-pacific or other.
    #[arg(long, default_value = "other", value_name = "REGION")]
    region: Region,
    /// Name of its GPU, if it has one that proves.
    #[arg(long, default_value = "", value_name = "NAME")]
    gpu: String,
    /// Its memory.
    #[arg(long, default_value_t = 0, value_name = "MIB")]
    memory: u32,
    /// Its throughput in 10^9 operations a second.
    #[arg(long, default_value_t = 0, value_name = "GFLOPS")]
    gflops: u32,
    /// Public key of its heartbeats (sr25519); the signer's own if it is left out.
    #[arg(long, value_parser = parse_hash, value_name = "KEY")]
    heartbeat_key: Option<[u8; 32]>,
    #[command(flatten)]
    sender: Sender,
}

impl Register {
    async fn execute(self, output: Output) -> Result<Report> {
        let account = self.sender.signer.account()?;
        let capabilities = Capabilities {
            gpu_model: self.gpu.into_bytes(),
            memory: self.memory,
            gflops: self.gflops,
            region: self.region,
            peer_address: Vec::new(),
        };
        // The account's own key is one of the same kind.
        let key = self.heartbeat_key.unwrap_or(account.0);
        let call = calls::register_worker(capabilities, key);
        let done = format!("{account} is registered as a worker");
        send(&self.sender, call, done, output).await
    }
}

impl Worker {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        match self {
            Self::Show { account, node } => show(account, &node).await,
            Self::List { region, node } => list(region, &node).await,
            Self::Register(register) => register.execute(output).await,
            Self::Away { sender } => {
                let done = "the absence is announced".into();
                send(&sender, calls::deactivate(), done, output).await
            }
            Self::Back { sender } => {
                let done = "the absence is over".into();
                send(&sender, calls::reactivate(), done, output).await
            }
            Self::Leave { sender } => {
                let done = "the worker is not registered any more".into();
                send(&sender, calls::deregister_worker(), done, output).await
            }
        }
    }
}

async fn show(account: AccountId, node: &Node) -> Result<Report> {
    let state = node.connect().await?.finalised().await?;
    let worker = state
        .worker(&account)
        .await?
        .with_context(|| format!("{account} is not registered as a worker"))?;
    let standing = standing(state.standing(&account).await?);
    let score = state.score(&account).await?;
    let uptime = f64::from(state.uptime(&account).await?) / 1e7;
    let stake = state.operator(&account).await?;
    let stake = Amount(stake.map_or(0, |operator| operator.total));
    let Registered {
        capabilities,
        presence,
        ..
    } = &worker;
    let gpu = String::from_utf8_lossy(&capabilities.gpu_model);
    let rows = [
        ("worker", account.to_string()),
        ("active", active(&worker).to_owned()),
        ("standing", standing.clone()),
        ("reputation", format!("{score} of 1000")),
        ("uptime", format!("{uptime:.2} %")),
        ("heard", format!("block {}", presence.heard)),
        ("stake", format!("{stake} CIRO")),
        ("region", capabilities.region.name().to_owned()),
        (
            "GPU",
            if gpu.is_empty() {
                "none".into()
            } else {
                gpu.to_string()
            },
        ),
        ("memory", format!("{} MiB", capabilities.memory)),
        ("throughput", format!("{} Gop/s", capabilities.gflops)),
    ];
    let mut described = describe(&account, &worker);
    described["standing"] = json!(standing);
    described["reputation"] = json!(score);
    described["uptime"] = json!(uptime);
    described["stake"] = json!(stake);
    described["block"] = json!(state.number());
    Ok(Report::yes(fields(&rows), described))
}

async fn list(region: Option<Region>, node: &Node) -> Result<Report> {
    let state = node.connect().await?.finalised().await?;
    let mut workers = state.workers().await?;
    workers.retain(|(_, worker)| region.is_none_or(|region| region == worker.capabilities.region));
    let mut rows = vec![["worker", "active", "region", "memory", "Gop/s", "heard"]
        .map(String::from)
        .to_vec()];
    rows.extend(workers.iter().map(|(account, worker)| {
        vec![
            account.to_string(),
            active(worker).to_owned(),
            worker.capabilities.region.name().to_owned(),
            worker.capabilities.memory.to_string(),
            worker.capabilities.gflops.to_string(),
            worker.presence.heard.to_string(),
        ]
    }));
    let text = if workers.is_empty() {
        "no workers".into()
    } else {
        table(&rows)
    };
    let described: Vec<Value> = workers
        .iter()
        .map(|(account, worker)| describe(account, worker))
        .collect();
    Ok(Report::yes(
        text,
        json!({ "block": state.number(), "workers": described }),
    ))
}

fn active(worker: &Registered) -> &'static str {
    match worker.presence.inactive_since {
        None => "yes",
        Some(_) => "no",
    }
}

fn standing(standing: Standing) -> String {
    match standing {
        Standing::Good => "good".into(),
        Standing::Suspended { until } => format!("suspended until block {until}"),
        Standing::Probation { until } => format!("on probation until block {until}"),
        Standing::Banned => "banned".into(),
    }
}

fn describe(account: &AccountId, worker: &Registered) -> Value {
    let Registered {
        capabilities,
        presence,
        deposit,
        ..
    } = worker;
    json!({
        "worker": account.to_string(),
        "active": presence.inactive_since.is_none(),
        "registered": presence.registered,
        "heard": presence.heard,
        "deposit": Amount(*deposit),
        "region": capabilities.region.name(),
        "gpu": String::from_utf8_lossy(&capabilities.gpu_model),
        "memory": capabilities.memory,
        "gflops": capabilities.gflops,
    })
}
