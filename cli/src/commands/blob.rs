//! `ciro blob`.

use super::parse_hash;
use crate::{
    output::{Output, Report},
    store::BlobStore,
};
use anyhow::{Context, Result};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    routing::get,
    Router,
};
use clap::Subcommand;
use serde_json::json;
use std::{future::Future, net::SocketAddr, path::PathBuf};
use tokio::net::TcpListener;

/// Commands about the inputs of jobs.
#[derive(Subcommand)]
pub enum Blob {
    /// Serve the blob store over HTTP until interrupted: GET /<hash> gives the bytes that hash to it.
    ///
    /// Workers fetch inputs here, so it must run, at an address they can reach, until the jobs are done. While it runs,
    /// `ciro job submit` with the same store names it as the locator by itself.
    Serve {
        /// Address to listen at; port 0 picks a free one.
        #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
        listen: SocketAddr,
        /// Address by which workers reach it, if it is another.
        #[arg(long, value_name = "URL")]
        public: Option<String>,
        /// Folder of the blob store.
        #[arg(long, env = "CIRO_BLOB_STORE", value_name = "FOLDER")]
        store: Option<PathBuf>,
    },
}

impl Blob {
    /// Does it.
    pub async fn execute(self, output: Output) -> Result<Report> {
        let Self::Serve {
            listen,
            public,
            store,
        } = self;
        let store = BlobStore::open(store)?;
        let server = Server::bind(store.clone(), listen).await?;
        let url = public.unwrap_or_else(|| server.url());
        let announcement = store.announce(&url)?;
        output.say(&Report::yes(
            format!("serving at {url}"),
            json!({ "url": url }),
        ));
        server.run(interrupted()).await?;
        drop(announcement);
        Ok(Report::yes("stopped", json!({ "stopped": url })))
    }
}

/// A server that is bound but does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    store: BlobStore,
}

impl Server {
    /// Takes the address.
    pub async fn bind(store: BlobStore, listen: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen at {listen}"))?;
        let address = listener
            .local_addr()
            .context("the listener has no address")?;
        Ok(Self {
            listener,
            address,
            store,
        })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers until `stop`.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let router = Router::new()
            .route("/{hash}", get(blob))
            .with_state(self.store);
        axum::serve(self.listener, router)
            .with_graceful_shutdown(stop)
            .await
            .context("the blob server failed")
    }
}

async fn blob(
    State(store): State<BlobStore>,
    Path(hash): Path<String>,
) -> Result<Vec<u8>, StatusCode> {
    let hash = parse_hash(&hash).map_err(|_| StatusCode::NOT_FOUND)?;
    let read = tokio::task::spawn_blocking(move || store.get(&hash)).await;
    match read {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(StatusCode::NOT_FOUND),
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Resolves at SIGINT or SIGTERM.
pub async fn interrupted() {
    use tokio::signal::unix::{signal, SignalKind};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn request(address: SocketAddr, path: &str) -> Vec<u8> {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await.unwrap();
        response
    }

    #[tokio::test]
    async fn serves_blobs_by_hash_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(Some(folder.path().to_owned())).unwrap();
        let hash = store.put(1, &[1, -2, 3]).unwrap();
        let server = Server::bind(store, "127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let address = server.address;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        let found = request(address, &format!("/{}", hex::encode(hash))).await;
        assert!(found.starts_with(b"HTTP/1.1 200") && found.ends_with(&[1, 254, 3]));
        for path in [
            &format!("/{}", "00".repeat(32)),
            "/server",
            "/../Cargo.toml",
            "/",
        ] {
            assert!(
                request(address, path).await.starts_with(b"HTTP/1.1 404"),
                "{path}"
            );
        }
        stop.send(()).unwrap();
        task.await.unwrap().unwrap();
    }
}
