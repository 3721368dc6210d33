//! A node over HTTP, a connection for each request: its RPC methods and its metrics.

use anyhow::{bail, ensure, Context, Result};
use serde_json::{json, Value};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls a method of the node at an address and gives its result.
pub async fn rpc(node: SocketAddr, method: &str, params: Value) -> Result<Value> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {node}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let answer = exchange(node, &(head + &body))
        .await
        .with_context(|| format!("{method} at {node}"))?;
    let answer: Value = serde_json::from_str(&answer)?;
    match (answer.get("result"), answer.get("error")) {
        (Some(result), None) => Ok(result.clone()),
        (_, error) => bail!("{method}: {}", error.unwrap_or(&answer)),
    }
}

/// What an HTTP server has at a path.
pub async fn get(server: SocketAddr, path: &str) -> Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    exchange(server, &request)
        .await
        .with_context(|| format!("{path} at {server}"))
}

/// Sends a request and gives the body of the answer.
async fn exchange(server: SocketAddr, request: &str) -> Result<String> {
    timeout(PATIENCE, async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the answer is cut")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "the answer is {head}");
        Ok(body.to_owned())
    })
    .await
    .with_context(|| format!("no answer in {} s", PATIENCE.as_secs()))?
}
