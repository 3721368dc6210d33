//! What transformers add to a float network: products of computed matrices, norms, softmax and embeddings.

/// What hides a score from a softmax: added to any score, it leaves nothing of its exponential.
pub(crate) const MASKED: f32 = -1e9;
/// The largest number in a file that counts as a mask: its exponential is 0 even in double precision.
pub(crate) const LARGEST_MASK: f32 = -1e3;

/// `factor A B + bias` for the matrices in the last two axes of two tensors.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Product {
    /// Positive.
    pub factor: f32,
    /// The same for all pairs of matrices, row-major; empty for none. [`MASKED`] hides an element.
    pub bias: Vec<f32>,
}

impl Default for Product {
    fn default() -> Self {
        Self {
            factor: 1.0,
            bias: vec![],
        }
    }
}

/// `x / sqrt(mean(x^2) + epsilon)` for the rows `x` along the last axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Norm {
    /// Whether the row's mean is subtracted first.
    pub centred: bool,
    pub epsilon: f32,
}

impl Product {
    /// Whether it hides elements.
    pub fn is_masked(&self) -> bool {
        self.bias.iter().any(|bias| is_masked(*bias))
    }

    /// Number of terms of each sum, from the first source's shape.
    pub fn depth(first: &[usize]) -> usize {
        first.last().copied().unwrap_or(1)
    }

    pub fn run(&self, shape: &[usize], sources: &[&[f32]], shapes: &[&[usize]]) -> Vec<f32> {
        let (&[a, b], Some(first), [.., rows, columns]) = (sources, shapes.first(), shape) else {
            return vec![];
        };
        let (depth, columns) = (Self::depth(first).max(1), (*columns).max(1));
        let matrices = a.chunks_exact((rows * depth).max(1));
        let mut values = Vec::new();
        for (a, b) in matrices.zip(b.chunks_exact(depth * columns)) {
            let from = values.len();
            for a in a.chunks_exact(depth) {
                let mut sums = vec![0.0; columns];
                for (x, b) in a.iter().zip(b.chunks_exact(columns)) {
                    let terms = sums.iter_mut().zip(b);
                    terms.for_each(|(sum, y)| *sum += self.factor * x * y);
                }
                values.append(&mut sums);
            }
            let own = values.iter_mut().skip(from).zip(&self.bias);
            own.for_each(|(sum, bias)| *sum += bias);
        }
        values
    }
}

impl Norm {
    /// What is divided, and the quotients.
    pub fn run(self, shape: &[usize], values: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let width = shape.last().copied().unwrap_or(1).max(1);
        let (mut divided, mut quotients) = (Vec::new(), Vec::new());
        for row in values.chunks_exact(width) {
            let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / width as f64;
            let centre = match self.centred {
                true => mean(&mut row.iter().map(|&x| x.into())),
                false => 0.0,
            };
            let row: Vec<f64> = row.iter().map(|&x| f64::from(x) - centre).collect();
            let square = mean(&mut row.iter().map(|x| x * x));
            let norm = (square + f64::from(self.epsilon)).sqrt();
            divided.extend(row.iter().map(|x| *x as f32));
            quotients.extend(row.iter().map(|x| (x / norm) as f32));
        }
        (divided, quotients)
    }
}

/// Whether a score is hidden.
pub(crate) fn is_masked(score: f32) -> bool {
    score < MASKED / 2.0
}

/// The softmax along the last axis.
pub(crate) fn softmax(shape: &[usize], scores: &[f32]) -> Vec<f32> {
    let width = shape.last().copied().unwrap_or(1).max(1);
    let mut weights = exponentials(width, scores);
    for row in weights.chunks_exact_mut(width) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|weight| *weight /= sum);
    }
    weights
}

/// The exponential of each score less the largest of its row.
fn exponentials(width: usize, scores: &[f32]) -> Vec<f32> {
    let mut weights = scores.to_vec();
    for row in weights.chunks_exact_mut(width) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut()
            .for_each(|score| *score = (*score - largest).exp());
    }
    weights
}

/// The values summed up with the exponentials of their scores, and these sums over those of the exponentials.
pub(crate) fn attend(
    shape: &[usize],
    sources: &[&[f32]],
    shapes: &[&[usize]],
) -> (Vec<f32>, Vec<f32>) {
    let (&[scores, values], Some(first)) = (sources, shapes.first()) else {
        return (vec![], vec![]);
    };
    let weights = exponentials(Product::depth(first).max(1), scores);
    let sums = Product::default().run(shape, &[&weights, values], shapes);
    let mut quotients = sums.clone();
    let columns = shape.last().copied().unwrap_or(1).max(1);
    let rows = weights.chunks_exact(Product::depth(first).max(1));
    for (row, weights) in quotients.chunks_exact_mut(columns).zip(rows) {
        let sum: f32 = weights.iter().sum();
        row.iter_mut().for_each(|value| *value /= sum);
    }
    (sums, quotients)
}

/// The table's row of every token; NaN for what is no token.
pub(crate) fn embed(shape: &[usize], table: &[f32], tokens: &[f32]) -> Vec<f32> {
    let width = shape.last().copied().unwrap_or(1);
    let row = |token: &f32| {
        let from = (*token as usize).saturating_mul(width);
        let row = table.get(from..from.saturating_add(width));
        row.map_or(vec![f32::NAN; width], <[f32]>::to_vec)
    };
    tokens.iter().flat_map(row).collect()
}
