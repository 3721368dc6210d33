//! JSON-RPC over HTTP, as nodes of EVM chains and of Starknet speak it.

use reqwest::{header::CONTENT_TYPE, Client, Url};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::{json, Value};
use std::{error::Error as _, time::Duration};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none of an HTTP server.
    #[error("\"{0}\" is not an address of a node: give one that begins with http:// or https://")]
    Address(String),
    /// No answer came. Nobody knows whether the request did.
    #[error("{host} does not answer: {reason}")]
    Unreachable {
        /// Host and port; the rest of an address may hold a secret.
        host: String,
        /// What the transport says.
        reason: String,
    },
    /// The node refused the request.
    #[error("{method}: {message}")]
    Refused {
        /// The method that was called.
        method: String,
        /// The node's code for the error.
        code: i64,
        /// The node's words.
        message: String,
        /// What else it says: the bytes that a contract reverted with, for instance.
        data: Value,
    },
    /// The answer is not what the method returns.
    #[error("{method}: the answer makes no sense: {reason}")]
    Nonsense {
        /// The method that was called.
        method: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A node of another chain.
pub struct Rpc {
    http: Client,
    url: Url,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: i64,
    message: String,
    #[serde(default)]
    data: Value,
}

impl Rpc {
    /// A node by its address. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn new(url: &str) -> Result<Self, Error> {
        // The address itself may hold a secret.
        let shown = || Error::Address(url.split('/').take(3).collect::<Vec<_>>().join("/"));
        let parsed = Url::parse(url).map_err(|_| shown())?;
        if !["http", "https"].contains(&parsed.scheme()) || parsed.host().is_none() {
            return Err(shown());
        }
        let http = Client::builder().timeout(TIMEOUT).build();
        Ok(Self {
            http: http.map_err(|_| shown())?,
            url: parsed,
        })
    }

    /// Calls a method and gives its result.
    ///
    /// # Errors
    /// Any but [`Error::Address`].
    pub async fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T, Error> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let bytes = self
            .exchange(request.to_string())
            .await
            .map_err(|error| self.unreachable(&error))?;
        let nonsense = |error: serde_json::Error| Error::Nonsense {
            method: method.to_owned(),
            reason: error.to_string(),
        };
        let answer: Answer = serde_json::from_slice(&bytes).map_err(nonsense)?;
        match answer.error {
            None => serde_json::from_value(answer.result).map_err(nonsense),
            Some(refusal) => Err(Error::Refused {
                method: method.to_owned(),
                code: refusal.code,
                message: refusal.message,
                data: refusal.data,
            }),
        }
    }

    /// Errors have a JSON body as well, or else say nothing that would help.
    async fn exchange(&self, body: String) -> reqwest::Result<Vec<u8>> {
        let request = self.http.post(self.url.clone());
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await?;
        let status = response.error_for_status_ref().map(drop);
        let bytes = response.bytes().await?;
        match status {
            Err(status) if !bytes.starts_with(b"{") => Err(status),
            _ => Ok(bytes.into()),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        let port = self.url.port().map(|port| format!(":{port}"));
        let mut reason = error
            .status()
            .map_or("no connection".into(), |status| status.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            reason = cause.to_string();
            source = cause.source();
        }
        Error::Unreachable {
            host: self.url.host_str().unwrap_or_default().to_owned() + &port.unwrap_or_default(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// A node that answers one request with a status and a body.
    async fn node(status: &'static str, body: &'static str) -> Rpc {
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
        Rpc::new(&url).unwrap()
    }

    #[tokio::test]
    async fn a_result_is_read_as_what_the_caller_wants() {
        let node = node("200 OK", r#"{"jsonrpc":"2.0","id":1,"result":"0x7"}"#).await;
        let result: String = node.call("eth_chainId", json!([])).await.unwrap();
        assert_eq!(result, "0x7");
    }

    #[tokio::test]
    async fn a_refusal_keeps_what_the_node_says_even_with_an_error_status() {
        let body = r#"{"error":{"code":3,"message":"execution reverted","data":"0x12"}}"#;
        let node = node("400 Bad Request", body).await;
        match node.call::<String>("eth_call", json!([])).await {
            Err(Error::Refused {
                code: 3,
                message,
                data,
                ..
            }) => {
                assert_eq!(
                    (message.as_str(), data),
                    ("execution reverted", json!("0x12"))
                );
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn errors_do_not_repeat_the_address() {
        for (status, body) in [("502 Bad Gateway", "<html>"), ("200 OK", "[]")] {
            let node = node(status, body).await;
            let error = node
                .call::<String>("eth_chainId", json!([]))
                .await
                .unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for url in ["ws://127.0.0.1/secret", "127.0.0.1", "http://"] {
            let error = Rpc::new(url).err().unwrap().to_string();
            assert!(
                error.contains("http://") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
