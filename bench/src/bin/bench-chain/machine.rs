//! What the nodes take of the machine, and what they say of their own work.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Sub;
use std::time::Instant;

use anyhow::{Context, Result};
use ciro_e2e::Node;

/// Clock ticks of a second in `/proc`, as the kernel shows them to every program.
const TICKS: f64 = 100.0;

/// What processes and nodes have done up to a moment.
#[derive(Clone)]
pub struct Usage {
    at: Instant,
    /// Processor seconds of all nodes.
    nodes: f64,
    /// Processor seconds of this program.
    own: f64,
    /// Processor seconds of everything on the machine.
    all: f64,
    /// Blocks that the nodes have built, and the seconds that took.
    built: [f64; 2],
    /// Why the nodes ended blocks, and how often.
    ends: BTreeMap<String, f64>,
}

/// What was done between two moments.
pub struct Work {
    /// Processors that the nodes kept busy, this program, and all other programs.
    pub nodes: f64,
    pub own: f64,
    pub others: f64,
    /// Mean time to build a block, in milliseconds.
    pub build_ms: f64,
    /// Why blocks were ended, as the nodes name it, and how often.
    pub ends: BTreeMap<String, u64>,
}

impl Usage {
    /// Looks at the nodes now.
    pub async fn now(nodes: &[Node]) -> Result<Self> {
        let mut seconds = 0.0;
        let mut built = [0.0; 2];
        let mut ends = BTreeMap::new();
        for node in nodes {
            seconds += processor_seconds(&node.process.id().to_string())?;
            for (name, value) in metrics(&node.metrics().await?) {
                const BUILT: &str = "substrate_proposer_block_constructed";
                const ENDED: &str = "substrate_proposer_end_proposal_reason";
                match name.split_once('{') {
                    Some((name, _)) if name == format!("{BUILT}_count") => built[0] += value,
                    Some((name, _)) if name == format!("{BUILT}_sum") => built[1] += value,
                    Some((ENDED, labels)) => {
                        let reason = label(labels, "reason").context("an end without a reason")?;
                        *ends.entry(reason.to_owned()).or_default() += value;
                    }
                    _ => {}
                }
            }
        }
        Ok(Self {
            at: Instant::now(),
            nodes: seconds,
            own: processor_seconds("self")?,
            all: busy_seconds()?,
            built,
            ends,
        })
    }
}

impl Sub for &Usage {
    type Output = Work;

    fn sub(self, before: &Usage) -> Work {
        let seconds = self.at.duration_since(before.at).as_secs_f64();
        let blocks = self.built[0] - before.built[0];
        let nodes = (self.nodes - before.nodes) / seconds;
        let own = (self.own - before.own) / seconds;
        let all = (self.all - before.all) / seconds;
        let ends = self.ends.iter().map(|(reason, count)| {
            let earlier = before.ends.get(reason).copied().unwrap_or_default();
            (reason.clone(), (count - earlier) as u64)
        });
        Work {
            nodes,
            own,
            others: (all - nodes - own).max(0.0),
            build_ms: (self.built[1] - before.built[1]) * 1e3 / blocks.max(1.0),
            ends: ends.filter(|(_, count)| *count > 0).collect(),
        }
    }
}

/// The most memory that each node ever held, in bytes.
pub fn peak_memory(nodes: &[Node]) -> Result<Vec<u64>> {
    nodes
        .iter()
        .map(|node| {
            let status = fs::read_to_string(format!("/proc/{}/status", node.process.id()))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = line.and_then(|line| line.split_whitespace().next());
            let kilobytes: u64 = kilobytes.context("no VmHWM of a node")?.parse()?;
            Ok(kilobytes * 1024)
        })
        .collect()
}

/// Processor seconds of a process.
fn processor_seconds(process: &str) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may hold anything; user and system time are the twelfth and thirteenth after it.
    let (_, rest) = stat.rsplit_once(')').context("an odd /proc/PID/stat")?;
    let times = rest.split_whitespace().skip(11).take(2);
    let ticks: f64 = times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS)
}

/// Seconds that the machine's processors were busy: user, nice, system, and both kinds of interrupts.
fn busy_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("an empty /proc/stat")?;
    let ticks: Vec<f64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    let busy = [0, 1, 2, 5, 6].iter().filter_map(|field| ticks.get(*field));
    Ok(busy.sum::<f64>() / TICKS)
}

/// Names, with their labels, and values in Prometheus's text format.
fn metrics(text: &str) -> impl Iterator<Item = (&str, f64)> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
}

/// The value of a label, as in `chain="dev",reason="no_more_transactions"}`.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let mut labels = labels.trim_end_matches('}').split(',');
    labels.find_map(|label| {
        let (key, value) = label.split_once('=')?;
        (key == name).then_some(value.trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_with_their_labels() {
        let text = "# HELP x y\n# TYPE x counter\n\
                    ended{chain=\"dev\",reason=\"hit_deadline\"} 3\nbuilt_sum{chain=\"dev\"} 0.25\n";
        let read: Vec<_> = metrics(text).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[1], ("built_sum{chain=\"dev\"}", 0.25));
        let (_, labels) = read[0].0.split_once('{').unwrap();
        assert_eq!(label(labels, "reason"), Some("hit_deadline"));
        assert_eq!(label(labels, "other"), None);
    }

    #[test]
    fn this_process_has_taken_time_and_the_machine_more() {
        let own = processor_seconds("self").unwrap();
        assert!(own >= 0.0 && busy_seconds().unwrap() > own);
    }
}
