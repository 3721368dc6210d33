//! Embeddings as lookups of a vocabulary.

use ciro_zkml_air::components::embedding::words;
use ciro_zkml_air::{Kind, Sizes};
use ciro_zkml_model::Embedding;
use stwo::core::fields::m31::BaseField;

use super::words::Lookup;
use super::{column, signed_column, Memory, Table};

/// The rows of the two components, without padding.
#[derive(Default)]
pub(crate) struct Embeddings {
    pub lookups: Vec<Lookup>,
    /// Values of a token, and blocks of them.
    pub width: usize,
    pub blocks: usize,
    /// Number of tokens.
    pub vocabulary: usize,
    /// Values of the vocabulary by their place in a block, `[block][tokens * blocks]`.
    values: Vec<Vec<i32>>,
}

impl Embeddings {
    /// Adds the lookups of a node, a model's only one.
    pub(super) fn add(
        &mut self,
        embedding: &Embedding,
        width: usize,
        lookups: &[Lookup],
        block: usize,
        memory: &mut Memory,
    ) {
        for lookup in lookups {
            memory.read(lookup.upper);
            memory.read(lookup.lower);
        }
        self.lookups = lookups.to_vec();
        self.width = width;
        self.blocks = width.div_ceil(block);
        self.vocabulary = embedding.table.len() / width;
        let rows = embedding.table.chunks_exact(width);
        let blocks: Vec<&[i16]> = rows.flat_map(|row| row.chunks(block)).collect();
        let value = |block: &&[i16], at: usize| block.get(at).copied().unwrap_or(0).into();
        self.values = (0..block)
            .map(|at| blocks.iter().map(|block| value(block, at)).collect())
            .collect();
    }

    pub(super) fn tables(&mut self, sizes: Sizes, memory: &Memory) -> [Table; 2] {
        let of = |field: fn(&Lookup) -> u32| column(self.lookups.iter().map(field));
        let mut columns = vec![
            of(|lookup| lookup.upper),
            of(|lookup| lookup.lower),
            of(|_| 1),
            of(|lookup| lookup.block),
            of(|lookup| lookup.address),
        ];
        for word in 0..words(sizes) {
            let reads = self
                .lookups
                .iter()
                .map(|lookup| memory.reads(lookup.address + word));
            columns.push(reads.collect());
        }
        let rows = (0..self.vocabulary)
            .flat_map(|token| (0..self.blocks).map(move |block| (token, block)));
        let mut vocabulary: Vec<Vec<BaseField>> = vec![
            column(rows.clone().map(|(token, _)| token as u32)),
            column(rows.map(|(_, block)| block as u32)),
        ];
        let values = std::mem::take(&mut self.values);
        vocabulary.extend(values.into_iter().map(signed_column));
        [
            Table::new(Kind::Embedding, "tokens", columns),
            Table::new(Kind::Vocabulary, "vocabulary", vocabulary),
        ]
    }
}
