//! Models of sequences for tests.

use ciro_zkml_model::{
    Activation, Curve, Embedding, Encoding, Input, Linear, Map, Model, Node, Op, Product, Requant,
};

use super::{affine, finished, Random};

const STEP: u32 = 1 << Model::SHIFT;

/// A graph in the making.
struct Graph {
    random: Random,
    nodes: Vec<Node>,
}

impl Graph {
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            nodes: Vec::new(),
        }
    }

    /// Adds a node; returns its tensor.
    fn add(&mut self, sources: &[u32], shape: &[u32], op: Op) -> u32 {
        self.nodes.push(Node {
            sources: sources.to_vec(),
            shape: shape.to_vec(),
            op,
        });
        self.nodes.len() as u32
    }

    /// A linear node whose channels are along the last axis.
    fn linear(
        &mut self,
        sources: &[u32],
        shape: &[u32],
        maps: Vec<Map>,
        bias: Vec<i32>,
        requant: Option<(u32, Activation)>,
    ) -> u32 {
        let requant = requant.map(|(multiplier, activation)| Requant {
            multipliers: vec![multiplier; bias.len()],
            activation,
        });
        let op = Op::Linear(Linear {
            maps,
            channel_axis: shape.len() as u32 - 1,
            bias,
            requant,
        });
        self.add(sources, shape, op)
    }

    /// A dense layer with pseudo-random weights.
    fn dense(&mut self, source: u32, from: u32, shape: &[u32], multiplier: u32) -> u32 {
        let to = shape[shape.len() - 1] as usize;
        let weights = self.random.weights(from as usize * to);
        let bias = self.random.centred(to, 2001);
        let requant = Some((multiplier, Activation::IDENTITY));
        self.linear(&[source], shape, vec![Map::Dense(weights)], bias, requant)
    }

    fn product(
        &mut self,
        sources: [u32; 2],
        shape: &[u32],
        bias: Vec<i32>,
        (multiplier, activation): (u32, Activation),
    ) -> u32 {
        let requant = Requant {
            multipliers: vec![multiplier],
            activation,
        };
        self.add(&sources, shape, Op::Product(Product { bias, requant }))
    }

    fn select(&mut self, source: u32, shape: &[u32], elements: impl Iterator<Item = u32>) -> u32 {
        self.add(&[source], shape, Op::Select(elements.collect()))
    }

    fn reshape(&mut self, source: u32, shape: &[u32]) -> u32 {
        self.select(source, shape, 0..shape.iter().product())
    }
}

fn wide(bits: u32) -> Activation {
    let high = (1 << (bits - 1)) - 1;
    Activation::Clamp { low: -high, high }
}

fn curve(first: i32, last: i32, of: impl Fn(f64) -> f64) -> Activation {
    let value = |q: i32| of(q.into()).round() as i16;
    Activation::Curve(Curve {
        first,
        values: (first..=last).map(value).collect(),
    })
}

/// One layer of a transformer over tokens, with a causal mask, two heads, and a gate; the output is a sequence.
pub(crate) fn transformer(preset: u8) -> Model {
    const LENGTH: u32 = 32;
    const WIDTH: u32 = 32;
    const HEADS: u32 = 2;
    const HEAD: u32 = WIDTH / HEADS;
    let all = WIDTH as usize;
    let sequence = [LENGTH, WIDTH];
    let mut graph = Graph::new(7);
    let table = graph.random.centred(20 * all, 2001).into_iter();
    let table = table.map(|value| value as i16).collect();
    let tokens = graph.add(&[0], &sequence, Op::Embedding(Embedding { table }));
    let places = graph
        .random
        .centred((LENGTH * WIDTH) as usize, 801)
        .into_iter();
    let places = Op::Constant(places.map(|value| value as i16).collect());
    let places = graph.add(&[], &sequence, places);
    let bias = graph.random.centred(all, 101);
    let both = vec![Map::Scale(vec![1; all]), Map::Scale(vec![1; all])];
    let x = graph.linear(
        &[tokens, places],
        &sequence,
        both,
        bias,
        Some((STEP, wide(12))),
    );

    let mean = vec![Map::Dense(vec![1; all])];
    let mean = graph.linear(
        &[x],
        &[LENGTH, 1],
        mean,
        vec![0],
        Some((STEP / 32, wide(12))),
    );
    let centred = vec![Map::Scale(vec![1; all]), Map::Dense(vec![-1; all])];
    let centred = graph.linear(
        &[x, mean],
        &sequence,
        centred,
        vec![0; all],
        Some((STEP / 4, wide(10))),
    );
    let row = graph.reshape(centred, &[LENGTH, 1, WIDTH]);
    let column = graph.reshape(centred, &[LENGTH, WIDTH, 1]);
    let norm = curve(0, 2048, |q| 2048.0 / q.max(4.0).sqrt());
    let norm = graph.product([row, column], &[LENGTH, 1, 1], vec![], (1, norm));
    let normed = graph.product([column, norm], &[LENGTH, WIDTH, 1], vec![], (2, wide(8)));
    let normed = graph.reshape(normed, &sequence);

    let [q, k, v] = [(); 3].map(|()| graph.dense(normed, WIDTH, &sequence, 80));
    let by_head = |h: u32, t: u32, c: u32| t * WIDTH + h * HEAD + c;
    let heads = (0..HEADS).flat_map(|h| (0..LENGTH).map(move |t| (h, t)));
    let split = heads.flat_map(|(h, t)| (0..HEAD).map(move |c| by_head(h, t, c)));
    let turned = (0..HEADS).flat_map(|h| (0..HEAD).map(move |c| (h, c)));
    let turned = turned.flat_map(|(h, c)| (0..LENGTH).map(move |t| by_head(h, t, c)));
    let of_heads = [HEADS, LENGTH, HEAD];
    let q = graph.select(q, &of_heads, split.clone());
    let k = graph.select(k, &[HEADS, HEAD, LENGTH], turned);
    let v = graph.select(v, &of_heads, split);
    let same = vec![Map::Scale(vec![1; HEAD as usize])];
    let v = graph.linear(
        &[v],
        &of_heads,
        same,
        vec![0; HEAD as usize],
        Some((STEP, wide(8))),
    );

    let scores = [HEADS, LENGTH, LENGTH];
    let later = |index: u32| index % LENGTH > index / LENGTH;
    let mask = (0..LENGTH * LENGTH).map(|index| if later(index) { -(1 << 19) } else { 0 });
    let scores_of = graph.product([q, k], &scores, mask.collect(), (8, wide(11)));
    let largest = graph.add(&[scores_of], &[HEADS, LENGTH, 1], Op::Max);
    let below = vec![
        Map::Scale(vec![1; LENGTH as usize]),
        Map::Dense(vec![-1; LENGTH as usize]),
    ];
    let exponential = curve(-2046, 0, |q| 2047.0 * (q / 128.0).exp());
    let e = graph.linear(
        &[scores_of, largest],
        &scores,
        below,
        vec![0; LENGTH as usize],
        Some((STEP, exponential)),
    );
    let sum = vec![Map::Dense(vec![1; LENGTH as usize])];
    let reciprocal = curve(0, 4096, |q| f64::from(1 << 18) / q.max(128.0));
    let sum = graph.linear(
        &[e],
        &[HEADS, LENGTH, 1],
        sum,
        vec![0],
        Some((STEP / 16, reciprocal)),
    );
    let mixed = graph.product([e, v], &of_heads, vec![], (1, wide(12)));
    let mixed = graph.reshape(mixed, &[HEADS, LENGTH, HEAD, 1]);
    let sum = graph.reshape(sum, &[HEADS, LENGTH, 1, 1]);
    let attended = graph.product(
        [mixed, sum],
        &[HEADS, LENGTH, HEAD, 1],
        vec![],
        (1, wide(8)),
    );
    let joined = (0..LENGTH).flat_map(|t| (0..WIDTH).map(move |c| (t, c)));
    let joined = joined.map(|(t, c)| ((c / HEAD) * LENGTH + t) * HEAD + c % HEAD);
    let attended = graph.select(attended, &sequence, joined);

    let weights = graph.random.weights(all * all);
    let maps = vec![Map::Dense(weights), Map::Scale(vec![64; all])];
    let bias = graph.random.centred(all, 2001);
    let residual = graph.linear(
        &[attended, x],
        &sequence,
        maps,
        bias,
        Some((STEP / 64, wide(12))),
    );
    let one = graph.dense(residual, WIDTH, &sequence, 8);
    let two = graph.dense(residual, WIDTH, &sequence, 8);
    let each = [LENGTH * WIDTH, 1, 1];
    let (one, two) = (graph.reshape(one, &each), graph.reshape(two, &each));
    let gated = graph.product([one, two], &each, vec![], (32, wide(8)));
    let gated = graph.reshape(gated, &sequence);
    let weights = graph.random.weights(all * 7);
    let bias = graph.random.centred(7, 2001);
    graph.linear(
        &[gated],
        &[LENGTH, 7],
        vec![Map::Dense(weights)],
        bias,
        None,
    );

    let input = Input {
        shape: vec![LENGTH],
        encoding: Encoding::Tokens { vocabulary: 20 },
    };
    finished("transformer", preset, input, graph.nodes)
}

/// A sequence of real values whose mean and whose first position are classified.
pub(crate) fn pooled(preset: u8) -> Model {
    let mut graph = Graph::new(8);
    let x = graph.dense(0, 3, &[8, 20], 80);
    let same = vec![Map::Scale(vec![1; 20])];
    let x = graph.linear(&[x], &[8, 20], same, vec![0; 20], Some((STEP, wide(8))));
    let mean = graph.add(&[], &[1, 8], Op::Constant(vec![1; 8]));
    let mean = graph.product([mean, x], &[1, 20], vec![], (STEP / 8, wide(8)));
    let first = graph.add(&[], &[1, 8], Op::Constant(vec![1, 0, 0, 0, 0, 0, 0, 0]));
    let first = graph.product([first, x], &[1, 20], vec![], (STEP, wide(8)));
    let maps = vec![
        Map::Dense(graph.random.weights(100)),
        Map::Dense(graph.random.weights(100)),
    ];
    let bias = graph.random.centred(5, 2001);
    graph.linear(&[mean, first], &[1, 5], maps, bias, None);
    finished("pooled", preset, affine(&[8, 3]), graph.nodes)
}
