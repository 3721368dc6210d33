//! `ciro result`.

use super::{
    bridge::{bytes, described_leaf, felts, hashes, Kind, Proof},
    hex, Node,
};
use crate::output::{Output, Report};
use anyhow::{bail, Context, Result};
use ciro_bridge_calldata::{evm, starknet, ProvenResults};
use ciro_client::types::JobState;
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
}

impl ResultOf {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        match self {
            Self::Prove { job, proof, node } => prove(job, &proof, &node, output).await,
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
