//! A node's RPC methods, one HTTP request each.

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
    let answer = timeout(PATIENCE, post(node, &body))
        .await
        .with_context(|| format!("{method}: no answer in {} s", PATIENCE.as_secs()))?
        .with_context(|| format!("{method} at {node}"))?;
    match (answer.get("result"), answer.get("error")) {
        (Some(result), None) => Ok(result.clone()),
        (_, error) => bail!("{method}: {}", error.unwrap_or(&answer)),
    }
}

async fn post(node: SocketAddr, body: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(node).await?;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {node}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is cut")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "the answer is {head}");
    Ok(serde_json::from_str(body)?)
}
