//! `ciro result`.

use super::{
    bridge::{bytes, described_leaf, felts, hashes, queued, Kind, Proof},
    hex, parse_hash, Node, Sender,
};
use crate::output::{Output, Report};
use anyhow::{bail, Context, Result};
use ciro_bridge_calldata::{evm, starknet, ProvenResults};
use ciro_bridge_primitives::LaneId;
use ciro_client::{calls, types::JobState};
use ciro_primitives::JobId;
use clap::Subcommand;
use serde_json::json;

/// Commands about results elsewhere.
#[derive(Subcommand)]
pub enum ResultOf {
    /// Print the proof by which a ResultRegistry on another chain records the result of a paid job.
    Prove {
        /// The job.
        job: JobId,
        #[command(flatten)]
        proof: Proof,
        #[command(flatten)]
        node: Node,
    },
    /// Send the result of a job that was paid for a proof to a ResultRegistry as a message, which relayers deliver.
    Send {
        /// The job.
        job: JobId,
        /// The lane of the registry.
        #[arg(value_parser = parse_hash, value_name = "LANE")]
        lane: [u8; 32],
        #[command(flatten)]
        sender: Sender,
    },
}

impl ResultOf {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        match self {
            Self::Prove { job, proof, node } => prove(job, &proof, &node, output).await,
            Self::Send { job, lane, sender } => {
                let included = sender.send(&calls::send_result(lane, job), output).await?;
                let what = format!("the result of job {job} leaves");
                queued(&included, LaneId(lane), &what)
            }
        }
    }
}

async fn prove(job: JobId, proof: &Proof, node: &Node, output: Output) -> Result<Report> {
    let _step = output.progress("proving");
    let client = node.connect().await?;
    let stored = client.finalised().await?.job(job).await?;
    let stored = stored.with_context(|| format!("there is no job {job}, or it was removed"))?;
    let JobState::Paid { at: block, .. } = stored.state else {
        bail!("job {job} is {}, not paid", stored.state.name());
    };
    let (at, leaf) = proof.leaf(&client, block).await?;
    let results = ProvenResults {
        block: at,
        results: vec![client.result_proof(&leaf, job).await?],
        leaf,
    };
    Ok(match proof.calldata {
        Some(Kind::Evm) => bytes(&evm::prove_results(&results)),
        Some(Kind::Starknet) => felts(&starknet::record(&results)),
        None => {
            let mut json = described_leaf(at, &results.leaf);
            json["results"] = results
                .results
                .iter()
                .map(|proof| {
                    json!({
                        "job": proof.result.job,
                        "model": hex(&proof.result.model.0),
                        "input_commitment": hex(&proof.result.input_commitment),
                        "output_hash": hex(&proof.result.output_hash),
                        "index": proof.path.index,
                        "count": proof.path.count,
                        "path": hashes(&proof.path.items),
                    })
                })
                .collect();
            Report::yes(json.to_string(), json)
        }
    })
}
