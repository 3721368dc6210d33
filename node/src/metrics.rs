//! What the node tells Prometheus about the market and about offences, besides what the parts of the SDK tell about
//! themselves.

use crate::service::Client;
use ciro_runtime::{Hash, Runtime, RuntimeEvent};
use codec::DecodeAll;
use futures::StreamExt;
use pallet_job_market::Event as MarketEvent;
use sc_client_api::{BlockchainEvents, StorageKey, StorageProvider};
use std::sync::Arc;
use substrate_prometheus_endpoint::{
    register, Counter, CounterVec, Opts, PrometheusError, Registry, U64,
};

type Events = Vec<frame_system::EventRecord<RuntimeEvent, Hash>>;

/// What may happen to a job, as the metric's label says it.
const HAPPENINGS: [&str; 7] = [
    "submitted",
    "claimed",
    "paid",
    "refused",
    "released",
    "cancelled",
    "expired",
];

/// Counters over the blocks that the node has seen finalised since its start.
pub struct Metrics {
    jobs: CounterVec<U64>,
    offences: Counter<U64>,
    unread: Counter<U64>,
}

impl Metrics {
    /// Registers the counters, all of them at zero.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let jobs = CounterVec::new(
            Opts::new(
                "ciro_jobs_total",
                "What happened to jobs in finalised blocks",
            ),
            &["event"],
        )?;
        // A label that has no value yet would be missing, and rates over it with it.
        for happening in HAPPENINGS {
            jobs.with_label_values(&[happening]);
        }
        Ok(Self {
            jobs: register(jobs, registry)?,
            offences: register(
                Counter::new(
                    "ciro_offences_total",
                    "Offences of validators in finalised blocks",
                )?,
                registry,
            )?,
            unread: register(
                Counter::new(
                    "ciro_unread_blocks_total",
                    "Finalised blocks whose events this version of the node cannot read",
                )?,
                registry,
            )?,
        })
    }

    /// Counts the events of every block from now on, as it is finalised. It never ends.
    pub async fn follow(self, client: Arc<Client>) {
        let mut finalised = client.finality_notification_stream();
        while let Some(block) = finalised.next().await {
            for hash in block.tree_route.iter().chain([&block.hash]) {
                match events(&client, *hash) {
                    Some(events) => events.iter().for_each(|record| self.count(&record.event)),
                    None => self.unread.inc(),
                }
            }
        }
    }

    fn count(&self, event: &RuntimeEvent) {
        match event {
            RuntimeEvent::JobMarket(event) => {
                if let Some(happening) = happening(event) {
                    self.jobs.with_label_values(&[happening]).inc();
                }
            }
            RuntimeEvent::Offences(_) => self.offences.inc(),
            _ => {}
        }
    }
}

/// The label of an event of the market, if it is counted: one of [`HAPPENINGS`].
fn happening(event: &MarketEvent<Runtime>) -> Option<&'static str> {
    Some(match event {
        MarketEvent::JobSubmitted { .. } => "submitted",
        MarketEvent::JobClaimed { .. } => "claimed",
        MarketEvent::PaymentReleased { .. } => "paid",
        MarketEvent::ResultRefused { .. } => "refused",
        MarketEvent::JobReleased { .. } => "released",
        MarketEvent::JobCancelled { .. } => "cancelled",
        MarketEvent::JobExpired { .. } => "expired",
        _ => return None,
    })
}

/// The events of a block; `None` if its state is pruned, or if they are those of another runtime than this node's own.
fn events(client: &Client, block: Hash) -> Option<Events> {
    let key = [
        sp_io::hashing::twox_128(b"System"),
        sp_io::hashing::twox_128(b"Events"),
    ]
    .concat();
    let bytes = client.storage(block, &StorageKey(key)).ok()??;
    Events::decode_all(&mut &bytes.0[..]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(registry: &Registry, name: &str, label: Option<&str>) -> f64 {
        let families = registry.gather();
        let family = families.iter().find(|family| family.get_name() == name);
        let metric = family.unwrap().get_metric().iter().find(|metric| {
            let labels = metric.get_label();
            label.is_none_or(|label| labels[0].get_value() == label)
        });
        metric.unwrap().get_counter().get_value()
    }

    #[test]
    fn every_happening_is_there_before_it_happens() {
        let registry = Registry::new();
        Metrics::register(&registry).unwrap();
        for happening in HAPPENINGS {
            assert_eq!(value(&registry, "ciro_jobs_total", Some(happening)), 0.0);
        }
    }

    #[test]
    fn events_count_where_they_belong() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry).unwrap();
        let cancelled = MarketEvent::JobCancelled { job: 1 };
        let removed = MarketEvent::JobRemoved { job: 1 };
        let offence = pallet_offences::Event::Offence {
            kind: *b"babe:equivocatio",
            slot: vec![],
        };
        for event in [cancelled.into(), removed.into(), offence.into()] {
            metrics.count(&event);
        }
        assert_eq!(value(&registry, "ciro_jobs_total", Some("cancelled")), 1.0);
        let others = HAPPENINGS.iter().filter(|name| **name != "cancelled");
        for other in others {
            assert_eq!(value(&registry, "ciro_jobs_total", Some(other)), 0.0);
        }
        assert_eq!(value(&registry, "ciro_offences_total", None), 1.0);
        assert_eq!(value(&registry, "ciro_unread_blocks_total", None), 0.0);
    }
}
