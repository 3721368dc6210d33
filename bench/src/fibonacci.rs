//! stwo's yardstick: a table of squared Fibonacci sequences, with as many committed cells as a model's proof.

use anyhow::{anyhow, Result};
use stwo::core::channel::Blake2sChannel;
use stwo::core::fields::m31::BaseField;
use stwo::core::fields::qm31::SecureField;
use stwo::core::fields::FieldExpOps;
use stwo::core::pcs::PcsConfig;
use stwo::core::poly::circle::CanonicCoset;
use stwo::core::vcs_lifted::blake2_merkle::Blake2sMerkleChannel;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::poly::circle::{CircleEvaluation, PolyOps};
use stwo::prover::poly::twiddles::TwiddleTree;
use stwo::prover::{prove, CommitmentSchemeProver};
use stwo_constraint_framework::{
    EvalAtRow, FrameworkComponent, FrameworkEval, TraceLocationAllocator,
};

const LOG_ROWS: u32 = 12;
/// Columns of the two halves of the composition polynomial.
const COMPOSITION_COLUMNS: u64 = 8;

#[derive(Clone)]
struct Eval {
    columns: usize,
}

impl FrameworkEval for Eval {
    fn log_size(&self) -> u32 {
        LOG_ROWS
    }

    fn max_constraint_log_degree_bound(&self) -> u32 {
        LOG_ROWS + 1
    }

    fn evaluate<E: EvalAtRow>(&self, mut eval: E) -> E {
        let (mut a, mut b) = (eval.next_trace_mask(), eval.next_trace_mask());
        for _ in 2..self.columns {
            let c = eval.next_trace_mask();
            eval.add_constraint(c.clone() - (a.square() + b.square()));
            (a, b) = (b, c);
        }
        eval
    }
}

/// A table to be proved.
pub struct Fibonacci {
    config: PcsConfig,
    columns: Vec<BaseColumn>,
    twiddles: TwiddleTree<SimdBackend>,
}

impl Fibonacci {
    /// A table of 2^12 rows with about `cells` committed cells, the composition's included.
    pub fn new(config: PcsConfig, cells: u64) -> Self {
        let columns = (cells >> LOG_ROWS)
            .saturating_sub(COMPOSITION_COLUMNS)
            .max(3) as usize;
        let rows = 1u32 << LOG_ROWS;
        let mut table: Vec<Vec<BaseField>> = vec![
            vec![BaseField::from(1u32); rows as usize],
            (0..rows).map(BaseField::from).collect(),
        ];
        while table.len() < columns {
            let (a, b) = (&table[table.len() - 2], &table[table.len() - 1]);
            let next = a.iter().zip(b).map(|(a, b)| a.square() + b.square());
            table.push(next.collect());
        }
        let log_domain = LOG_ROWS + 1 + config.fri_config.log_blowup_factor;
        let domain = CanonicCoset::new(log_domain).circle_domain();
        Self {
            config,
            columns: table
                .into_iter()
                .map(|column| column.into_iter().collect())
                .collect(),
            twiddles: SimdBackend::precompute_twiddles(domain.half_coset),
        }
    }

    /// Committed cells, the composition's included.
    pub fn cells(&self) -> u64 {
        (self.columns.len() as u64 + COMPOSITION_COLUMNS) << LOG_ROWS
    }

    /// Proves the table.
    pub fn prove(&self) -> Result<()> {
        let mut channel = Blake2sChannel::default();
        let mut scheme = CommitmentSchemeProver::<SimdBackend, Blake2sMerkleChannel>::new(
            self.config,
            &self.twiddles,
        );
        scheme.tree_builder().commit(&mut channel);
        let domain = CanonicCoset::new(LOG_ROWS).circle_domain();
        let mut builder = scheme.tree_builder();
        let evaluations = self.columns.iter().cloned();
        builder.extend_evals(
            evaluations
                .map(|column| CircleEvaluation::new(domain, column))
                .collect(),
        );
        builder.commit(&mut channel);
        let component = FrameworkComponent::new(
            &mut TraceLocationAllocator::default(),
            Eval {
                columns: self.columns.len(),
            },
            SecureField::from(BaseField::from(0u32)),
        );
        prove(&[&component], &mut channel, scheme).map_err(|error| anyhow!("{error}"))?;
        Ok(())
    }
}
