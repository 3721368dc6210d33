//! What nodes of EVM chains and of Starknet have in common: they speak JSON-RPC over HTTP, at addresses that may hold a
//! secret.

use anyhow::{anyhow, Context, Error, Result};
use reqwest::Url;
use std::{error::Error as StdError, fmt::Display, iter::successors, time::Duration};

/// How long one request may take.
pub const TIMEOUT: Duration = Duration::from_secs(30);

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

/// Why there is no answer. Nobody knows whether the request arrived.
pub fn unreachable(node: &Url, reason: impl Display) -> Error {
    anyhow!("{} does not answer: {reason}", host(node))
}

/// Why an answer is of no use.
pub fn nonsense(node: &Url, reason: impl Display) -> Error {
    anyhow!("the answer of {} makes no sense: {reason}", host(node))
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
pub mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// Address of a node, with a secret in it, that answers one request with a status and a body.
    pub async fn node(status: &'static str, body: &'static str) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        address(&url).unwrap()
    }

    /// Addresses of nodes, with a secret in them, of which none answers as it should.
    pub async fn bad_nodes() -> [Url; 3] {
        [
            address("http://127.0.0.1:1/secret").unwrap(),
            node("502 Bad Gateway", "<html>").await,
            node("200 OK", "<html>").await,
        ]
    }

    /// Checks that an error names the host of a [bad node](bad_nodes), and not its secret.
    pub fn keeps_the_secret(error: &Error) {
        let error = format!("{error:#}");
        assert!(
            error.contains("127.0.0.1") && !error.contains("secret"),
            "{error}"
        );
    }

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
        let error = unreachable(&node, "no connection").to_string();
        assert_eq!(error, "127.0.0.1:9545 does not answer: no connection");
    }
}
