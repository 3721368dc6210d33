//! How much memory a proof takes, and whether there is as much.

use ciro_zkml_air::{ColumnLayout, Form, TreeLayout, VerifyingKey};

use crate::ProverError;

/// Bytes of a field element.
const FIELD: u64 = 4;
/// Bytes of the nodes of a Merkle tree for each of its leaves.
const NODES: u64 = 64;
/// Bytes of the composition's and the quotients' values for each point of the domain.
const QUOTIENTS: u64 = 128;

/// Bytes that every machine has.
const LITTLE: u64 = 1 << 28;

/// Cells of columns.
pub(crate) fn cells(columns: &[ColumnLayout]) -> u64 {
    columns.iter().map(|column| 1 << column.log_size).sum()
}

/// Cells of the two halves of the composition polynomial.
pub(crate) fn composition_cells(key: &VerifyingKey) -> u64 {
    8 << key.max_log_size()
}

/// Bytes that a prover holds at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Between proofs: the preprocessed columns.
    pub held: u64,
    /// While it proves, besides.
    pub proof: u64,
}

impl Memory {
    /// For proofs of statements of `form` under `key`: each column as it was made, its coefficients and its values on the larger
    /// domain, the trees over them, and the quotients.
    pub fn new(key: &VerifyingKey, form: Form) -> Self {
        let layout = TreeLayout::new(key, form);
        let blowup = 1 << key.preset.config().fri_config.log_blowup_factor;
        let bytes = |cells: u64| cells * (2 + blowup) * FIELD;
        let committed = cells(&layout.main) + cells(&layout.interaction) + composition_cells(key);
        let domain = blowup << key.max_log_size();
        Self {
            held: bytes(cells(&layout.preprocessed)),
            proof: bytes(committed) + domain * (3 * NODES + QUOTIENTS),
        }
    }

    /// All of it.
    pub fn total(self) -> u64 {
        self.held + self.proof
    }
}

/// Refuses to begin what this machine has no memory for. A little is never refused: to ask would take longer than it saves.
pub(crate) fn check(needed: u64) -> Result<(), ProverError> {
    if needed < LITTLE {
        return Ok(());
    }
    match available() {
        Some(available) if needed > available => Err(ProverError::Memory {
            needed: needed.div_ceil(1 << 20),
            available: available >> 20,
        }),
        _ => Ok(()),
    }
}

/// Bytes that this process can still have: what the machine has free, within the limit of its control group. `None` where
/// the system does not say.
fn available() -> Option<u64> {
    let read = |path| std::fs::read_to_string(path).ok();
    let information = read("/proc/meminfo")?;
    let line = information
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    let number = |path| read(path)?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
    let free = limit.map_or(u64::MAX, |limit| limit.saturating_sub(used));
    Some((kilobytes * 1024).min(free))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;
    use crate::Prover;

    #[test]
    fn what_cannot_fit_is_refused_before_work_starts() {
        assert!(matches!(
            check(1 << 60),
            Err(ProverError::Memory { needed, available }) if needed > available
        ));
        assert!(check(0).is_ok());
    }

    #[test]
    fn a_larger_blowup_and_a_larger_batch_need_more() {
        let [fast, chain] = [0, 1].map(|preset| Prover::new(&model(&[20, 30, 4], preset)).unwrap());
        let needed =
            |prover: &Prover, batch| Memory::new(prover.key(), Form::public(batch)).total();
        assert!(needed(&chain, 1) > 4 * needed(&fast, 1));
        assert!(needed(&fast, 64) > needed(&fast, 1));
    }
}
