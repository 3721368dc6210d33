//! What nodes of EVM chains and of Starknet have in common: they speak JSON-RPC over HTTP, at addresses that may hold a
//! secret.

use anyhow::{Context, Result};
use reqwest::Url;
use std::{error::Error as StdError, iter::successors, time::Duration};

/// How long one request may take.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no result, without the node's address.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer came. Nobody knows whether the request did.
    #[error("{host} does not answer: {reason}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the transport says.
        reason: String,
    },
    /// The answer is not what was asked for.
    #[error("the answer of {host} makes no sense: {reason}")]
    Nonsense {
        /// Host and port.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Of a request that found no way to the node or back.
    pub fn unreachable(node: &Url, reason: impl ToString) -> Self {
        Self::Unreachable {
            host: host(node),
            reason: reason.to_string(),
        }
    }

    /// Of an answer that cannot be read.
    pub fn nonsense(node: &Url, reason: impl ToString) -> Self {
        Self::Nonsense {
            host: host(node),
            reason: reason.to_string(),
        }
    }
}

/// Reads the address of a node.
///
/// # Errors
/// It is none of an HTTP server.
pub fn address(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok();
    let http = url.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    http.with_context(|| {
        let shown = text.split('/').take(3).collect::<Vec<_>>().join("/");
        format!("\"{shown}\" is not an address of a node: give one that begins with http:// or https://")
    })
}

/// Host and port, which are no secret.
fn host(node: &Url) -> String {
    let port = node.port().map(|port| format!(":{port}"));
    node.host_str().unwrap_or_default().to_owned() + &port.unwrap_or_default()
}

/// What an error of an HTTP client's began with: the error itself repeats the address.
pub fn cause(error: &dyn StdError) -> String {
    let causes = successors(error.source(), |&cause| cause.source());
    causes
        .last()
        .map_or("no connection".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_http_and_is_not_repeated() {
        for url in [
            "http://127.0.0.1:9545/secret",
            "https://node.example/secret",
        ] {
            assert_eq!(address(url).unwrap().as_str(), url);
        }
        for url in ["ws://127.0.0.1/secret", "127.0.0.1", "http://"] {
            let error = address(url).unwrap_err().to_string();
            assert!(
                error.contains("http://") && !error.contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn errors_name_host_and_port() {
        let node = address("http://user:secret@127.0.0.1:9545/secret").unwrap();
        let error = Error::unreachable(&node, "no connection").to_string();
        assert_eq!(error, "127.0.0.1:9545 does not answer: no connection");
    }
}
