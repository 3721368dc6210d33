//! Committing to a model once, and proving its runs.

use ciro_zkml_air::{
    commitment, transcript, Challenges, ClaimedSums, Committed, Form, KeyError, Machine, Tensor,
    VerifyingKey, MAX_BINDING,
};
use ciro_zkml_model::{Model, ModelError};
use ciro_zkml_verifier::{codec, Receipt, Statement};
use stwo::core::channel::Blake2sChannel;
use stwo::core::poly::circle::CanonicCoset;
use stwo::core::utils::MaybeOwned;
use stwo::core::vcs_lifted::blake2_merkle::Blake2sMerkleChannel;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::mempool::BaseColumnPool;
use stwo::prover::poly::circle::PolyOps;
use stwo::prover::poly::twiddles::TwiddleTree;
use stwo::prover::{prove, CommitmentSchemeProver, CommitmentTreeProver, ComponentProver};
use thiserror::Error;

use crate::interaction::{self, evaluation, Evaluations};
use crate::layout::Layout;
use crate::memory::{self, cells, composition_cells, Memory};
use crate::witness::Witness;

/// Keeping coefficients makes the evaluation at the random point a sum a column. Without them stwo computes barycentric
/// weights for each height, which costs a third of a small proof's time.
const STORE_COEFFICIENTS: bool = true;

/// Why a model or an input cannot be proved.
#[derive(Debug, Error)]
pub enum ProverError {
    /// The model is not valid, or the input does not fit it.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model's proof preset is unknown.
    #[error("proof preset {0} is unknown: import the model with preset fast, chain or proven")]
    Preset(u8),
    /// The model's key is out of range.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The model needs more rows than a component may have.
    #[error("the model's {what} need {rows} rows, and a proof holds at most {limit}")]
    TooLarge {
        /// What needs the rows.
        what: &'static str,
        /// How many.
        rows: usize,
        /// The most there may be.
        limit: usize,
    },
    /// A node looks across positions of a sequence in a way that the constraint system has no words for.
    #[error("node {node} cannot be proved: {what}")]
    Layout {
        /// The node, from 0.
        node: usize,
        /// What is in the way.
        what: &'static str,
    },
    /// The machine has too little memory.
    #[error(
        "proving takes about {needed} MiB of memory and {available} MiB are free: use a machine with more, \
         fewer samples in a proof, or the preset fast"
    )]
    Memory {
        /// Mebibytes that the proof takes.
        needed: u64,
        /// Mebibytes that there are.
        available: u64,
    },
    /// The batch is empty or too large.
    #[error("a proof of this model holds 1 to {limit} samples, not {found}: split the input")]
    Batch {
        /// Samples of the input.
        found: usize,
        /// The most there may be.
        limit: usize,
    },
    /// What is committed to takes more permutations than the model's tallest component has rows.
    #[error("the commitments take more rows than the model has: put fewer samples into a proof")]
    Commitment,
    /// The binding is too long.
    #[error("a proof is bound to at most {MAX_BINDING} bytes, not {0}")]
    Binding(usize),
    /// The model's accumulators left the proven range, so the model was changed after it was checked.
    #[error("the trace does not satisfy the constraints: the model and its bounds disagree")]
    Constraints,
    /// The random challenges fell on a pole; proving again with another binding succeeds.
    #[error("the challenges fell on a pole, which happens once in 2^100 proofs: prove again")]
    Degenerate,
}

/// What a proof of a model costs, apart from time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofStats {
    /// Cells committed for each proof: main, interaction and composition columns.
    pub committed_cells: u64,
    /// Cells of weights, wiring and tables, committed once.
    pub preprocessed_cells: u64,
    /// Estimate of the memory that the prover holds at most, the model itself not counted.
    pub memory_bytes: u64,
}

/// A model laid out and committed to, ready to prove its runs.
pub struct Prover {
    model: Model,
    pub(crate) layout: Layout,
    pub(crate) preprocessed: Vec<BaseColumn>,
    tree: CommitmentTreeProver<SimdBackend, Blake2sMerkleChannel>,
    twiddles: TwiddleTree<SimdBackend>,
}

impl Prover {
    /// Lays `model` out and commits to it.
    ///
    /// # Errors
    /// If the model is not valid, too large for one proof, or too large for the memory that is free.
    pub fn new(model: &Model) -> Result<Self, ProverError> {
        let mut layout = Layout::new(model)?;
        memory::check(Memory::new(&layout.key, Form::public(1)).total())?;
        let config = layout.key.preset.config();
        let log_blowup = config.fri_config.log_blowup_factor;
        let domain = CanonicCoset::new(layout.key.max_log_size() + log_blowup + 1).circle_domain();
        let twiddles = SimdBackend::precompute_twiddles(domain.half_coset);

        let preprocessed: Vec<BaseColumn> = std::mem::take(&mut layout.columns)
            .into_iter()
            .map(|column| column.into_iter().collect())
            .collect();
        let evaluations = preprocessed.iter().cloned().map(evaluation).collect();
        let polynomials = SimdBackend::interpolate_columns(evaluations, &twiddles);
        let tree = CommitmentTreeProver::<SimdBackend, Blake2sMerkleChannel>::new(
            polynomials,
            log_blowup,
            &twiddles,
            STORE_COEFFICIENTS,
            config.lifting_log_size,
            &BaseColumnPool::new(),
        );
        layout.key.root = tree.commitment.root().0;
        Ok(Self {
            model: model.clone(),
            layout,
            preprocessed,
            tree,
            twiddles,
        })
    }

    /// The key that the model's proofs are verified with.
    pub fn key(&self) -> &VerifyingKey {
        &self.layout.key
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What a proof of a statement of `form` commits to.
    pub fn stats(&self, form: Form) -> ProofStats {
        let layout = ciro_zkml_air::TreeLayout::new(self.key(), form);
        let committed = cells(&layout.main) + cells(&layout.interaction);
        ProofStats {
            committed_cells: committed + composition_cells(self.key()),
            preprocessed_cells: cells(&layout.preprocessed),
            memory_bytes: Memory::new(self.key(), form).total(),
        }
    }

    /// Runs the model on `input` (`[batch][inputs]`, 1 to [`VerifyingKey::max_batch`] samples) and proves the run, bound to
    /// `binding`. Input and output are public.
    ///
    /// # Errors
    /// If the input or the binding do not fit, or if too little memory is free.
    pub fn prove(&self, binding: &[u8], input: &[i8]) -> Result<Receipt, ProverError> {
        let (receipt, _) = self.prove_committed(binding, input, Committed::default())?;
        Ok(receipt)
    }

    /// As [`Self::prove`], but the statement gives by commitments what `committed` says. Returns the last layer's
    /// accumulators, too, `[batch][outputs]`.
    ///
    /// # Errors
    /// As [`Self::prove`]; and if the commitments take more rows than the model's tallest component has.
    pub fn prove_committed(
        &self,
        binding: &[u8],
        input: &[i8],
        committed: Committed,
    ) -> Result<(Receipt, Vec<i32>), ProverError> {
        let form = self.form(input, committed)?;
        if binding.len() > MAX_BINDING {
            return Err(ProverError::Binding(binding.len()));
        }
        let key = self.key();
        memory::check(Memory::new(key, form).proof)?;
        let mut trace = self.model.trace(input)?;
        let witness = Witness::new(&self.layout, &self.model, form, input, &trace);
        let output = trace.pop().map(|last| last.acc).unwrap_or_default();
        let mut receipt = Receipt {
            model: key.id(),
            binding: binding.to_vec(),
            batch: form.batch,
            input: stated(input, committed.input),
            output: stated(&output, committed.output),
            proof: Vec::new(),
        };

        let mut session = Session::new(self, &receipt.statement());
        session.commit_witness(&witness);
        let challenges = session.draw_challenges()?;
        let (sums, claimed) =
            interaction::generate(key, form, &self.preprocessed, &witness, &challenges);
        receipt.proof = session.finish(&challenges, sums, &claimed)?;
        Ok((receipt, output))
    }

    /// The form of a statement about `input`.
    fn form(&self, input: &[i8], committed: Committed) -> Result<Form, ProverError> {
        let key = self.key();
        let batch = input.len() / self.model.inputs();
        let limit = key.max_batch() as usize;
        if !(1..=limit).contains(&batch) {
            return Err(ProverError::Batch {
                found: batch,
                limit,
            });
        }
        let form = Form {
            batch: batch as u32,
            committed,
        };
        form.fits(key)
            .then_some(form)
            .ok_or(ProverError::Commitment)
    }
}

/// A tensor as a statement gives it.
pub(crate) fn stated<T: Copy + Into<i32>>(values: &[T], committed: bool) -> Tensor<Vec<T>> {
    match committed {
        true => Tensor::Committed(commitment(values)),
        false => Tensor::Public(values.to_vec()),
    }
}

/// One proof in the making: the steps of the protocol, in their order.
pub(crate) struct Session<'a> {
    prover: &'a Prover,
    form: Form,
    channel: Blake2sChannel,
    scheme: CommitmentSchemeProver<'a, SimdBackend, Blake2sMerkleChannel>,
}

impl<'a> Session<'a> {
    /// Starts from a channel that holds the statement, and commits to the model.
    pub fn new(prover: &'a Prover, statement: &Statement<'_>) -> Self {
        let Statement {
            binding,
            batch,
            input,
            output,
        } = *statement;
        let mut channel = transcript::begin(prover.key(), binding, batch, input, output);
        let config = prover.key().preset.config();
        let mut scheme = CommitmentSchemeProver::new(config, &prover.twiddles);
        if STORE_COEFFICIENTS {
            scheme.set_store_polynomials_coefficients();
        }
        scheme.commit_tree(MaybeOwned::Borrowed(&prover.tree), &mut channel);
        Self {
            prover,
            form: statement.form(),
            channel,
            scheme,
        }
    }

    pub fn commit_witness(&mut self, witness: &Witness) {
        self.commit(witness.columns().cloned().map(evaluation).collect());
    }

    fn commit(&mut self, columns: Evaluations) {
        let mut builder = self.scheme.tree_builder();
        builder.extend_evals(columns);
        builder.commit(&mut self.channel);
    }

    pub fn draw_challenges(&mut self) -> Result<Challenges, ProverError> {
        let sizes = self.prover.key().sizes(self.form.batch);
        Challenges::draw(&mut self.channel, sizes).ok_or(ProverError::Degenerate)
    }

    /// Commits to the running sums and proves the constraints. Returns the proof's encoding.
    pub fn finish(
        mut self,
        challenges: &Challenges,
        sums: Evaluations,
        claimed: &ClaimedSums,
    ) -> Result<Vec<u8>, ProverError> {
        transcript::mix_claimed_sums(&mut self.channel, claimed);
        self.commit(sums);
        let machine = Machine::new(self.prover.key(), self.form, challenges, claimed);
        let components: Vec<&dyn ComponentProver<SimdBackend>> = machine
            .components()
            .iter()
            .map(|component| component as &dyn ComponentProver<SimdBackend>)
            .collect();
        let proof = prove(&components, &mut self.channel, self.scheme)
            .map_err(|_| ProverError::Constraints)?;
        Ok(codec::encode(claimed, &proof))
    }
}
