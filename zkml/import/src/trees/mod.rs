//! Imports decision trees: XGBoost's and LightGBM's own files, and the TreeEnsemble operators of ONNX.
//!
//! Trees need no calibration. Each column becomes one or more ranked inputs, its place among the thresholds that the
//! trees compare it with, so every decision is the library's own, bit for bit, missing values included. Leaf values
//! become fixed-point numbers of one step; the sums differ from the file's by at most half a step a tree.

mod attributes;
mod ensemble;
mod fixed;
mod forest;
mod graph;
mod json;
mod lightgbm;
mod lists;
mod ranks;
mod ubj;
mod value;
mod xgboost;

use ciro_zkml_model::Model;

use crate::{ImportError, Options, Report};

pub(crate) use graph::{import_onnx, is_tree_graph};

/// Largest file accepted, in bytes.
const MAX_FILE_BYTES: usize = 1 << 28;

/// A tree library's own file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    XgboostJson,
    XgboostUbj,
    LightGbm,
}

/// Whether the contents are those of a tree library's file, and of which.
pub(crate) fn detect(bytes: &[u8]) -> Option<Format> {
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"tree\n") || text.starts_with(b"tree\r\n") {
        return Some(Format::LightGbm);
    }
    match text.strip_prefix(b"{")? {
        // A JSON object goes on with its first key, a UBJSON object with the type of its first key's length.
        rest if rest.trim_ascii_start().starts_with(b"\"") => Some(Format::XgboostJson),
        [b'i' | b'U' | b'I' | b'l' | b'L' | b'$' | b'#', ..] => Some(Format::XgboostUbj),
        _ => None,
    }
}

/// Imports a tree library's file.
pub(crate) fn import(
    format: Format,
    bytes: &[u8],
    options: &Options,
) -> Result<(Model, Report), ImportError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ImportError::TooLarge {
            what: "the size of the file of trees",
            found: bytes.len() as u64,
            limit: MAX_FILE_BYTES as u64,
        });
    }
    let forest = match format {
        Format::XgboostJson => xgboost::read(&json::read(bytes).map_err(ImportError::Malformed)?),
        Format::XgboostUbj => xgboost::read(&ubj::read(bytes).map_err(ImportError::Malformed)?),
        Format::LightGbm => lightgbm::read(bytes),
    }?;
    forest.into_model(options)
}
