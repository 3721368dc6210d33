//! What the worker tells Prometheus.

use crate::{decision::Over, journal::Purpose};
use std::time::Duration;
use substrate_prometheus_endpoint::{
    exponential_buckets, register, Counter, Histogram, HistogramOpts, PrometheusError, Registry,
    U64,
};

/// Counts since the worker's start.
pub struct Metrics {
    claimed: Counter<U64>,
    refused: Counter<U64>,
    released: Counter<U64>,
    proving: Histogram,
}

impl Metrics {
    /// Registers them all, at zero.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let counter = |name: &str, help: &str| register(Counter::new(name, help)?, registry);
        let proving = HistogramOpts::new("ciro_worker_proving_seconds", "Time that a proof took")
            // From 50 ms to 27 minutes.
            .buckets(exponential_buckets(0.05, 2.0, 16)?);
        Ok(Self {
            claimed: counter("ciro_worker_claimed_total", "Jobs claimed")?,
            refused: counter("ciro_worker_refused_total", "Proofs that the chain refused")?,
            released: counter("ciro_worker_released_total", "Jobs given back")?,
            proving: register(Histogram::with_opts(proving)?, registry)?,
        })
    }

    /// Takes note of a proof.
    pub fn proved(&self, took: Duration) {
        self.proving.observe(took.as_secs_f64());
    }

    /// Takes note of how a transaction ended.
    pub fn ended(&self, purpose: Option<Purpose>, over: Over) {
        match (purpose, over) {
            (Some(Purpose::Claim | Purpose::Rescue), Over::Done) => self.claimed.inc(),
            (Some(Purpose::Release), Over::Done) => self.released.inc(),
            (_, Over::Refused) => self.refused.inc(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_chain_did_is_counted() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        metrics.proved(Duration::from_millis(70));
        for (purpose, over) in [
            (Purpose::Claim, Over::Done),
            (Purpose::Claim, Over::Done),
            (Purpose::Rescue, Over::Done),
            (Purpose::Claim, Over::Overtaken),
            (Purpose::Result, Over::Failed),
            (Purpose::Result, Over::Refused),
            (Purpose::Release, Over::Dead),
        ] {
            metrics.ended(Some(purpose), over);
        }
        let families = registry.gather();
        let counted = families.iter().map(|family| {
            let metric = &family.get_metric()[0];
            let proofs = metric.get_histogram().get_sample_count();
            (
                family.get_name(),
                proofs + metric.get_counter().get_value() as u64,
            )
        });
        assert_eq!(
            counted.collect::<Vec<_>>(),
            [
                ("ciro_worker_claimed_total", 3),
                ("ciro_worker_proving_seconds", 1),
                ("ciro_worker_refused_total", 1),
                ("ciro_worker_released_total", 0),
            ]
        );
    }
}
