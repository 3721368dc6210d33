//! The canonical encoding of a proof.
//!
//! Little-endian words, no lengths: claimed sums, roots of the three trees, sampled values, roots of the FRI layers,
//! coefficients of the last layer, proof-of-work nonce; then the openings, whose sizes follow from the query positions.
//! Field elements are below the modulus, so that a proof has one encoding.

use alloc::vec::Vec;
use ciro_zkml_air::ClaimedSums;
use stwo::core::fields::m31::{BaseField, P};
use stwo::core::fields::qm31::SecureField;
use stwo::core::fri::{FriLayerProof, FriProof};
use stwo::core::pcs::quotients::CommitmentSchemeProof;
use stwo::core::pcs::{PcsConfig, TreeVec};
use stwo::core::poly::line::LinePoly;
use stwo::core::proof::StarkProof;
use stwo::core::vcs::blake2_hash::Blake2sHash;
use stwo::core::vcs_lifted::blake2_merkle::Blake2sMerkleHasher;
use stwo::core::vcs_lifted::verifier::MerkleDecommitmentLifted;

use crate::shape::{Openings, Shape};

/// Trees of columns: preprocessed, main, interaction, composition. The first one's root comes from the key.
pub(crate) const N_TREES: usize = 4;

type Proof = StarkProof<Blake2sMerkleHasher>;

/// All of a proof that the query positions depend on.
#[derive(Clone, Debug)]
pub(crate) struct Commitments {
    pub claimed: ClaimedSums,
    /// Roots of the main, interaction and composition trees.
    pub roots: [Blake2sHash; N_TREES - 1],
    pub sampled_values: TreeVec<Vec<Vec<SecureField>>>,
    pub fri_roots: Vec<Blake2sHash>,
    pub last_layer: Vec<SecureField>,
    pub nonce: u64,
}

/// Reads a proof front to back. Every read is `None` past the end.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    fn base(&mut self) -> Option<BaseField> {
        let value = u32::from_le_bytes(self.array()?);
        (value < P).then(|| BaseField::from_u32_unchecked(value))
    }

    fn secure(&mut self) -> Option<SecureField> {
        let [a, b, c, d] = [self.base()?, self.base()?, self.base()?, self.base()?];
        Some(SecureField::from_m31(a, b, c, d))
    }

    fn hash(&mut self) -> Option<Blake2sHash> {
        self.array().map(Blake2sHash)
    }

    /// Reads `n` items, none of which is shorter than a field element.
    fn many<T>(
        &mut self,
        n: usize,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        if n > self.0.len() {
            return None;
        }
        let mut items = Vec::with_capacity(n);
        for _ in 0..n {
            items.push(read(self)?);
        }
        Some(items)
    }

    pub fn commitments(&mut self, shape: &Shape) -> Option<Commitments> {
        Some(Commitments {
            claimed: self.many(shape.n_components, Self::secure)?,
            roots: [self.hash()?, self.hash()?, self.hash()?],
            sampled_values: TreeVec(
                shape
                    .samples_per_column()
                    .into_iter()
                    .map(|columns| {
                        columns
                            .into_iter()
                            .map(|samples| self.many(samples, Self::secure))
                            .collect()
                    })
                    .collect::<Option<_>>()?,
            ),
            fri_roots: self.many(shape.fri_layers.len(), Self::hash)?,
            last_layer: self.many(shape.last_layer_coefficients, Self::secure)?,
            nonce: u64::from_le_bytes(self.array()?),
        })
    }

    /// Reads the openings and puts the proof together in the library's form.
    pub fn openings(
        &mut self,
        shape: &Shape,
        openings: &Openings,
        root: [u8; 32],
        config: PcsConfig,
        commitments: Commitments,
    ) -> Option<Proof> {
        let queried_values = shape
            .samples_per_column()
            .into_iter()
            .map(|columns| {
                columns
                    .into_iter()
                    .map(|_| self.many(openings.queried, Self::base))
                    .collect()
            })
            .collect::<Option<_>>()?;
        let decommitments = self.many(N_TREES, |reader| {
            reader.decommitment(openings.column_hashes)
        })?;
        let mut layers = Vec::new();
        for (layer, commitment) in openings.layers.iter().zip(commitments.fri_roots) {
            layers.push(FriLayerProof {
                fri_witness: self.many(layer.witnesses, Self::secure)?,
                decommitment: self.decommitment(layer.hashes)?,
                commitment,
            });
        }
        let mut layers = layers.into_iter();
        let roots = core::iter::once(Blake2sHash(root)).chain(commitments.roots);
        Some(StarkProof(CommitmentSchemeProof {
            config,
            commitments: TreeVec(roots.collect()),
            sampled_values: commitments.sampled_values,
            decommitments: TreeVec(decommitments),
            queried_values: TreeVec(queried_values),
            proof_of_work: commitments.nonce,
            fri_proof: FriProof {
                first_layer: layers.next()?,
                inner_layers: layers.collect(),
                last_layer_poly: LinePoly::new(commitments.last_layer),
            },
        }))
    }

    fn decommitment(
        &mut self,
        hashes: usize,
    ) -> Option<MerkleDecommitmentLifted<Blake2sMerkleHasher>> {
        Some(MerkleDecommitmentLifted {
            hash_witness: self.many(hashes, Self::hash)?,
        })
    }
}

/// Encodes what the prover made.
pub fn encode(claimed: &ClaimedSums, proof: &Proof) -> Vec<u8> {
    let mut out = Vec::new();
    let proof = &proof.0;
    claimed.iter().for_each(|sum| put_secure(&mut out, sum));
    for root in proof.commitments.iter().skip(1) {
        out.extend(root.0);
    }
    for value in proof.sampled_values.iter().flatten().flatten() {
        put_secure(&mut out, value);
    }
    let fri = &proof.fri_proof;
    let layers = || core::iter::once(&fri.first_layer).chain(&fri.inner_layers);
    for layer in layers() {
        out.extend(layer.commitment.0);
    }
    for value in fri.last_layer_poly.iter() {
        put_secure(&mut out, value);
    }
    out.extend(proof.proof_of_work.to_le_bytes());

    for value in proof.queried_values.iter().flatten().flatten() {
        out.extend(value.0.to_le_bytes());
    }
    for hash in proof
        .decommitments
        .iter()
        .flat_map(|tree| &tree.hash_witness)
    {
        out.extend(hash.0);
    }
    for layer in layers() {
        for value in &layer.fri_witness {
            put_secure(&mut out, value);
        }
        for hash in &layer.decommitment.hash_witness {
            out.extend(hash.0);
        }
    }
    out
}

fn put_secure(out: &mut Vec<u8>, value: &SecureField) {
    for limb in value.to_m31_array() {
        out.extend(limb.0.to_le_bytes());
    }
}
