//! What the relayer tells Prometheus, and whether all is well.

use anyhow::{Context, Result};
use axum::{extract::State, http::StatusCode, routing::get, Router};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use substrate_prometheus_endpoint::{
    prometheus::{Encoder, TextEncoder},
    register, CounterVec, GaugeVec, Opts, PrometheusError, Registry, F64, U64,
};

/// For how long a task may not have succeeded while all counts as well.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a transaction was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To update a client.
    Update,
    /// To deliver messages.
    Delivery,
    /// To attest a message.
    Attestation,
    /// To report validators.
    Report,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Delivery => "delivery",
            Self::Attestation => "attestation",
            Self::Report => "report",
        }
    }
}

/// Numbers by destination.
pub struct Metrics {
    registry: Registry,
    lag: GaugeVec<U64>,
    waiting: GaugeVec<U64>,
    unscanned: GaugeVec<U64>,
    balance: GaugeVec<F64>,
    transactions: CounterVec<U64>,
    /// When each task succeeded last.
    alive: Mutex<BTreeMap<String, Instant>>,
}

impl Metrics {
    /// Registers them all.
    pub fn new() -> Result<Arc<Self>, PrometheusError> {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            register(GaugeVec::new(Opts::new(name, help), labels)?, &registry)
        };
        let place = ["destination", "lane"];
        let transactions = Opts::new("ciro_bridge_transactions_total", "Transactions sent");
        let labels = ["destination", "purpose", "outcome"];
        Ok(Arc::new(Self {
            lag: gauge(
                "ciro_bridge_lag_blocks",
                "Blocks by which a client is behind BEEFY",
                &["destination"],
            )?,
            waiting: gauge(
                "ciro_bridge_waiting_messages",
                "Messages of Ciro that are not delivered",
                &place,
            )?,
            unscanned: gauge(
                "ciro_bridge_unscanned_blocks",
                "Final blocks of the destination that were not searched for messages",
                &place,
            )?,
            balance: register(
                GaugeVec::new(
                    Opts::new("ciro_bridge_balance", "Tokens of the account that pays"),
                    &["destination"],
                )?,
                &registry,
            )?,
            transactions: register(CounterVec::new(transactions, &labels)?, &registry)?,
            alive: Mutex::default(),
            registry,
        }))
    }

    /// How many blocks the client is behind.
    pub fn lag(&self, destination: &str, blocks: u32) {
        let gauge = self.lag.with_label_values(&[destination]);
        gauge.set(blocks.into());
    }

    /// How many messages of a lane wait.
    pub fn waiting(&self, destination: &str, lane: &str, messages: usize) {
        let gauge = self.waiting.with_label_values(&[destination, lane]);
        gauge.set(messages as u64);
    }

    /// How many final blocks were not searched for messages of a lane.
    pub fn unscanned(&self, destination: &str, lane: &str, blocks: u64) {
        let gauge = self.unscanned.with_label_values(&[destination, lane]);
        gauge.set(blocks);
    }

    /// What the account that pays has.
    pub fn balance(&self, destination: &str, tokens: f64) {
        self.balance.with_label_values(&[destination]).set(tokens);
    }

    /// Takes note of a transaction.
    pub fn sent(&self, destination: &str, purpose: Purpose, done: bool) {
        let outcome = if done { "done" } else { "failed" };
        let labels = [destination, purpose.name(), outcome];
        self.transactions.with_label_values(&labels).inc();
    }

    /// Takes note that a task has done what it should. Of a task that never calls this nothing is expected.
    pub fn succeeded(&self, task: &str) {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.insert(task.to_owned(), Instant::now());
    }

    /// Takes note that a task is over.
    pub fn ended(&self, task: &str) {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        alive.remove(task);
    }

    /// The tasks that have not succeeded for too long.
    fn stuck(&self) -> Vec<String> {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck = alive.iter().filter(|(_, last)| last.elapsed() > PATIENCE);
        stuck.map(|(task, _)| task.clone()).collect()
    }

    fn text(&self) -> String {
        let mut text = Vec::new();
        // Writing to memory cannot fail.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn health(&self) -> (StatusCode, String) {
        let stuck = self.stuck();
        match stuck.is_empty() {
            true => (StatusCode::OK, "all is well\n".into()),
            false => {
                let text = format!("without success for minutes: {}\n", stuck.join(", "));
                (StatusCode::SERVICE_UNAVAILABLE, text)
            }
        }
    }

    /// Serves `/metrics` and `/health` at an address.
    ///
    /// # Errors
    /// The address cannot be used.
    pub async fn serve(self: Arc<Self>, address: SocketAddr) -> Result<()> {
        let listener = tokio::net::TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot serve metrics at {address}"))?;
        tracing::info!("metrics at http://{}/metrics", listener.local_addr()?);
        let text = |State(metrics): State<Arc<Self>>| async move { metrics.text() };
        let health = |State(metrics): State<Arc<Self>>| async move { metrics.health() };
        let router = Router::new()
            .route("/metrics", get(text))
            .route("/health", get(health))
            .with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_by_destination() {
        let metrics = Metrics::new().unwrap();
        metrics.lag("a", 7);
        metrics.sent("a", Purpose::Update, true);
        metrics.sent("a", Purpose::Update, true);
        metrics.sent("a", Purpose::Delivery, false);
        let text = metrics.text();
        for line in [
            "ciro_bridge_lag_blocks{destination=\"a\"} 7",
            "ciro_bridge_transactions_total{destination=\"a\",outcome=\"done\",purpose=\"update\"} 2",
            "ciro_bridge_transactions_total{destination=\"a\",outcome=\"failed\",purpose=\"delivery\"} 1",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn a_task_without_success_for_minutes_is_not_well() {
        let metrics = Metrics::new().unwrap();
        assert_eq!(metrics.health().0, StatusCode::OK);
        metrics.succeeded("a");
        assert_eq!(metrics.health().0, StatusCode::OK);
        let long_ago = Instant::now().checked_sub(2 * PATIENCE).unwrap();
        let mut alive = metrics.alive.lock().unwrap();
        alive.insert("b".into(), long_ago);
        drop(alive);
        let (status, text) = metrics.health();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains("minutes: b"), "{text}");
    }
}
