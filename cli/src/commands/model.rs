//! `ciro model`.

use super::{hex, read_model, write, Node, Sender};
use crate::{
    npy,
    output::{fields, table, Output, Report},
};
use anyhow::{ensure, Context, Result};
use ciro_client::{calls, types::PartsPerMillion, Amount};
use ciro_primitives::ModelId;
use ciro_zkml_import::Options;
use ciro_zkml_model::{Encoding, Head, Model as Quantised};
use ciro_zkml_prover::Prover;
use clap::{Subcommand, ValueEnum};
use serde_json::{json, Value};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Millionths in a hundredth: a royalty is given in percent and sent in millionths.
const PER_PERCENT: f64 = 1e4;

/// Highest royalty that the chain takes, in percent.
const MAX_ROYALTY: f64 = 50.0;

/// Commands about models.
#[derive(Subcommand)]
pub enum Model {
    /// Turn a trained model into an integer one that can be proved.
    Import {
        /// The trained model: ONNX, XGBoost's JSON or UBJ, or LightGBM's text; told apart by their contents.
        file: PathBuf,
        /// Typical samples (.npy), a few hundred; values outside the range they show saturate. Decision trees need none.
        #[arg(long, value_name = "X.npy")]
        calibrate: Option<PathBuf>,
        /// Where the quantised model goes.
        #[arg(short = 'o', long = "output", value_name = "M.ciro")]
        output: PathBuf,
        /// Name for people; the file's name if it is left out.
        #[arg(long)]
        name: Option<String>,
        /// Shape of its proofs; a part of the model's identity.
        #[arg(long, value_enum, default_value_t = Preset::Chain)]
        preset: Preset,
    },
    /// What a model file holds.
    Info {
        /// The model (.ciro).
        model: PathBuf,
    },
    /// Register a model on the chain, so that jobs can ask for it; a deposit is held.
    Register {
        /// The model (.ciro).
        model: PathBuf,
        /// Least price per sample, in CIRO.
        #[arg(long, default_value = "1", value_name = "CIRO")]
        price_floor: Amount,
        /// The owner's share of what jobs of the model pay: at most 50.
        #[arg(long, default_value_t = 0.0, value_name = "PERCENT")]
        royalty: f64,
        #[command(flatten)]
        sender: Sender,
    },
    /// List the models that are registered on the chain.
    List {
        #[command(flatten)]
        node: Node,
    },
}

/// What a model's proofs are best at.
#[derive(Clone, Copy, ValueEnum)]
pub enum Preset {
    /// Fast to make.
    Fast,
    /// Small, for a chain.
    Chain,
    /// 100 bits in the Johnson regime of FRI, instead of 56; larger and slower.
    Proven,
}

impl Preset {
    fn index(self) -> u8 {
        match self {
            Self::Fast => 0,
            Self::Chain => 1,
            Self::Proven => 2,
        }
    }
}

impl Model {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        match self {
            Self::Import {
                file,
                calibrate,
                output: path,
                name,
                preset,
            } => import(&file, calibrate.as_deref(), &path, name, preset, output),
            Self::Info { model } => info(&model, output),
            Self::Register {
                model,
                price_floor,
                royalty,
                sender,
            } => register(&model, price_floor, royalty, &sender, output).await,
            Self::List { node } => list(&node).await,
        }
    }
}

fn import(
    file: &Path,
    calibrate: Option<&Path>,
    path: &Path,
    name: Option<String>,
    preset: Preset,
    output: Output,
) -> Result<Report> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let samples = match calibrate {
        Some(path) => npy::read(path)?.values,
        None => Vec::new(),
    };
    let stem = || {
        file.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let options = Options {
        name: name.or_else(stem).unwrap_or_default(),
        preset: preset.index(),
    };
    let step = output.progress("quantising");
    let (model, quality) = ciro_zkml_import::import(&bytes, &samples, &options)
        .with_context(|| format!("cannot import {}", file.display()))?;
    step.at("committing to the weights");
    let id = ModelId(Prover::new(&model)?.key().id());
    write(path, &model.encode_file())?;
    drop(step);
    let quality_json = json!({
        "samples": quality.samples,
        "output_range": quality.output_range,
        "mean_error": quality.mean_error,
        "max_error": quality.max_error,
        "agreement": quality.agreement,
        "notes": quality.notes,
    });
    Ok(Report::yes(
        format!(
            "model {id} in {}\n{}",
            path.display(),
            quality.to_string().trim_end()
        ),
        json!({ "id": id.to_string(), "output": path, "calibration": quality_json, "model": describe(&model) }),
    ))
}

fn info(path: &Path, output: Output) -> Result<Report> {
    let model = read_model(path)?;
    let step = output.progress("committing to the weights");
    let prover = Prover::new(&model)?;
    drop(step);
    let id = ModelId(prover.key().id());
    let rows = [
        ("id", id.to_string()),
        ("name", model.name.clone()),
        ("preset", preset(&model)),
        ("input", shape(&model.input.shape)),
        ("output", shape(&model.output.shape)),
        ("head", head(&model).into()),
        ("computes", model.outline()),
        ("parameters", model.parameters().to_string()),
    ];
    let mut json = describe(&model);
    json["id"] = json!(id.to_string());
    Ok(Report::yes(fields(&rows), json))
}

async fn register(
    path: &Path,
    price_floor: Amount,
    royalty: f64,
    sender: &Sender,
    output: Output,
) -> Result<Report> {
    ensure!(
        (0.0..=MAX_ROYALTY).contains(&royalty),
        "{royalty} is not a royalty in percent: give 0 to {MAX_ROYALTY}"
    );
    let share = (royalty * PER_PERCENT).round() as PartsPerMillion;
    let model = read_model(path)?;
    let signer = sender.signer.keypair()?;
    let step = output.progress("committing to the weights");
    let prover = Prover::new(&model)?;
    let id = ModelId(prover.key().id());
    step.at("registering");
    let client = sender.node.connect().await?;
    let call = calls::register(prover.key(), model.name.as_bytes(), price_floor.0, share);
    let included = client.execute(&call, &signer, sender.wait()).await?;
    drop(step);
    Ok(Report::yes(
        format!(
            "model {id} registered, at least {price_floor} CIRO per sample, royalty {royalty} %"
        ),
        json!({ "id": id.to_string(), "price_floor": price_floor, "royalty": royalty, "block": hex(&included.block.0) }),
    ))
}

async fn list(node: &Node) -> Result<Report> {
    let state = node.connect().await?.finalised().await?;
    let models = state.models().await?;
    let mut rows = vec![["model", "name", "floor", "royalty", "open jobs", "owner"]
        .map(String::from)
        .to_vec()];
    rows.extend(models.iter().map(|(id, info)| {
        vec![
            id.to_string(),
            String::from_utf8_lossy(&info.name).into_owned(),
            Amount(info.price_floor).to_string(),
            format!("{} %", f64::from(info.royalty) / PER_PERCENT),
            info.open_jobs.to_string(),
            info.owner.to_string(),
        ]
    }));
    let text = if models.is_empty() {
        "no models".into()
    } else {
        table(&rows)
    };
    let described: Vec<Value> = models
        .iter()
        .map(|(id, info)| {
            json!({
                "id": id.to_string(),
                "name": String::from_utf8_lossy(&info.name),
                "price_floor": Amount(info.price_floor),
                "royalty": f64::from(info.royalty) / PER_PERCENT,
                "open_jobs": info.open_jobs,
                "owner": info.owner.to_string(),
                "deposit": Amount(info.deposit),
            })
        })
        .collect();
    Ok(Report::yes(
        text,
        json!({ "block": state.number(), "models": described }),
    ))
}

fn describe(model: &Quantised) -> Value {
    json!({
        "name": model.name,
        "preset": preset(model),
        "input": { "shape": model.input.shape, "integers": model.inputs(), "encoding": encoding(model) },
        "output": { "shape": model.output.shape, "scale": model.output.scale, "head": head(model) },
        "nodes": model.nodes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "parameters": model.parameters(),
    })
}

fn encoding(model: &Quantised) -> Value {
    match &model.input.encoding {
        Encoding::Affine { scale, zero_point } => {
            json!({ "scale": scale, "zero_point": zero_point })
        }
        Encoding::Ranks(_) => json!("ranks"),
        Encoding::Tokens { vocabulary } => json!({ "tokens": vocabulary }),
    }
}

fn preset(model: &Quantised) -> String {
    match model.preset {
        0 => "fast".into(),
        1 => "chain".into(),
        2 => "proven".into(),
        other => format!("unknown ({other})"),
    }
}

fn head(model: &Quantised) -> &'static str {
    match model.output.head {
        Head::Values => "values",
        Head::Relu => "relu",
        Head::ArgMax { .. } => "labels",
    }
}

fn shape(shape: &[u32]) -> String {
    let axes: Vec<String> = shape.iter().map(u32::to_string).collect();
    format!("[{}]", axes.join(", "))
}
