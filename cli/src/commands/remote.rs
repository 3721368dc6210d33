//! Jobs of a JobManager on another chain: `ciro bridge ask` and `ciro bridge answer`.

use super::{
    bridge::{felts, queued, HOUR},
    hex, read_proof,
    submit::Run,
    Node, Sender,
};
use crate::{
    output::{fields, Output, Report},
    store::BlobStore,
};
use anyhow::{bail, ensure, Context, Result};
use ciro_bridge_calldata::starknet::{submit_job, JobRequest};
use ciro_bridge_primitives::{u64_of, RemoteJobBinding};
use ciro_client::{calls, Amount};
use ciro_zkml_verifier::Tensor;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `ciro bridge ask`.
#[derive(Args)]
pub struct Ask {
    /// The model (.ciro); it must be registered on Ciro.
    model: PathBuf,
    /// Samples (.npy), at most 64.
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
    /// What an answer earns.
    #[arg(long, value_name = "CIRO")]
    payment: Amount,
    /// Hours until the deadline. The payment can be taken back a day later.
    #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=720))]
    within: u32,
    /// Only workers with a GPU.
    #[arg(long)]
    gpu: bool,
    /// Only workers with so much memory.
    #[arg(long, default_value_t = 0, value_name = "MIB")]
    memory: u32,
    /// Only workers with such a throughput, in 10^9 operations a second.
    #[arg(long, default_value_t = 0, value_name = "GFLOPS")]
    gflops: u32,
    /// Print the call's data alone: felts for the Cairo contract.
    #[arg(long)]
    calldata: bool,
    /// Folder of the blob store, where the input is kept for workers.
    #[arg(long, env = "CIRO_BLOB_STORE", value_name = "FOLDER")]
    store: Option<PathBuf>,
    #[command(flatten)]
    node: Node,
}

impl Ask {
    /// Quantises and stores the input, and says what to call `submit_job` with.
    pub async fn execute(self, output: Output) -> Result<Report> {
        let (run, step) = Run::read(&self.model, &self.input, output)?;
        let Run { id, batch, input } = run;
        step.at("looking at the chain");
        let registered = self.node.connect().await?.finalised().await?;
        ensure!(
            registered.model(id).await?.is_some(),
            "the model {id} is not registered on Ciro, so nobody could answer: `ciro model register {}` does that",
            self.model.display()
        );
        let commitment = BlobStore::open(self.store)?.put(batch, &input)?;
        let duration = self.within * HOUR;
        let calldata = submit_job(&JobRequest {
            model: id.0,
            input_commitment: commitment,
            gpu: self.gpu,
            memory: self.memory,
            gflops: self.gflops,
            duration,
            payment: self.payment.0,
        });
        if self.calldata {
            return Ok(felts(&calldata));
        }
        let rows = [
            ("model", id.to_string()),
            ("input", hex(&commitment)),
            ("samples", batch.to_string()),
            ("duration", format!("{duration} seconds")),
            ("payment", format!("{} CIRO", self.payment)),
            (
                "",
                "approve the payment to the JobManager, then call its `submit_job` with what --calldata prints".into(),
            ),
        ];
        Ok(Report::yes(
            fields(&rows),
            json!({
                "model": hex(&id.0),
                "input_commitment": hex(&commitment),
                "samples": batch,
                "duration": duration,
                "payment": self.payment,
            }),
        ))
    }
}

/// Arguments of `ciro bridge answer`.
#[derive(Args)]
pub struct Answer {
    /// The proof: of `ciro prove --lane`, which binds it to the job and its payee.
    proof: PathBuf,
    #[command(flatten)]
    sender: Sender,
}

impl Answer {
    /// Shows the proof to the chain, which tells the JobManager.
    pub async fn execute(self, output: Output) -> Result<Report> {
        let receipt = read_proof(&self.proof)?;
        let RemoteJobBinding {
            genesis,
            lane,
            remote_job,
            payee,
        } = RemoteJobBinding::decode(&receipt.binding).ok().context(
            "the proof answers no job on another chain: make one with `ciro prove --lane`",
        )?;
        let (Tensor::Public(input), Tensor::Public(values)) = (&receipt.input, receipt.output)
        else {
            bail!("the chain takes public inputs and outputs: prove again without commitments")
        };
        let signer = self.sender.signer.keypair()?;
        let _step = output.progress("sending the proof");
        let client = self.sender.node.connect().await?;
        ensure!(
            genesis == client.genesis().0,
            "the proof is bound to another chain of Ciro: prove again with --genesis {:?}",
            client.genesis()
        );
        let call = calls::prove_remote(
            lane.0,
            remote_job,
            receipt.model,
            payee,
            receipt.batch,
            calls::bytes(input),
            values,
            receipt.proof,
        );
        let included = client.execute(&call, &signer, self.sender.wait()).await?;
        let job = u64_of(&remote_job).map_or_else(|| hex(&remote_job), |job| job.to_string());
        queued(&included, lane, &format!("the answer to job {job} leaves"))
    }
}
