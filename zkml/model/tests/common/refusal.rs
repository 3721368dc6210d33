//! Valid models of each kind, and that changes of them are refused.

use ciro_zkml_model::{
    Activation, Conv, Embedding, Encoding, Map, Model, ModelError, Op, Ranks, Tree, TreeNode,
    Trees, Window,
};

use super::{branch, linear, node, of, plain, product, requant};

/// Why a valid model is refused after a change; it does not run either.
pub fn refused(good: &Model, change: impl Fn(&mut Model)) -> ModelError {
    assert_eq!(good.validate().map(drop), Ok(()));
    let mut model = good.clone();
    change(&mut model);
    let error = model.validate().unwrap_err();
    assert_eq!(
        model.run(&[0]),
        Err(error.clone()),
        "it is not refused when it runs"
    );
    error
}

/// A change gives that part of some node another size than its own.
#[track_caller]
pub fn shape(good: &Model, part: &str, change: impl Fn(&mut Model)) {
    let error = refused(good, change);
    assert!(
        matches!(error, ModelError::Shape { what, .. } if what == part),
        "{error:?}"
    );
}

/// A change takes something over a limit.
#[track_caller]
pub fn too_large(good: &Model, change: impl Fn(&mut Model)) {
    let error = refused(good, change);
    assert!(matches!(error, ModelError::TooLarge { .. }), "{error:?}");
}

/// 2-1-1.
pub fn dense() -> Model {
    let first = linear(
        vec![Map::Dense(vec![1, 2])],
        0,
        vec![0],
        requant(vec![1], Activation::RELU),
    );
    let second = linear(vec![Map::Dense(vec![-3])], 0, vec![1], None);
    of(
        plain(&[2]),
        vec![node(&[0], &[1], first), node(&[1], &[1], second)],
    )
}

pub fn window(kernel: [u32; 2], pads: [u32; 4]) -> Window {
    let (strides, dilations) = ([1, 1], [1, 1]);
    Window {
        kernel,
        strides,
        dilations,
        pads,
    }
}

/// A convolution of an image of 4 channels and 6x6 in 2 groups, a pool, and a sum of two tensors by channels.
pub fn image() -> Model {
    let conv = Conv {
        window: window([3, 3], [1; 4]),
        groups: 2,
        weights: vec![1; 2 * 2 * 9],
    };
    let conv = linear(
        vec![Map::Conv(conv)],
        0,
        vec![0; 2],
        requant(vec![1 << Model::SHIFT; 2], Activation::IDENTITY),
    );
    let pool = Op::MaxPool(window([2, 2], [0, 0, 1, 1]));
    let sum = linear(
        vec![Map::Scale(vec![1, 2]), Map::Scale(vec![3, -4])],
        0,
        vec![0; 2],
        None,
    );
    let shape = &[2, 6, 6];
    of(
        plain(&[4, 6, 6]),
        vec![
            node(&[0], shape, conv),
            node(&[1], shape, pool),
            node(&[1, 2], shape, sum),
        ],
    )
}

/// Trees over 3 ranked inputs of 2 columns, after a selection.
pub fn forest() -> Model {
    let tree = Tree {
        outputs: vec![1, 0],
        nodes: vec![
            branch(2, -5, 2, 1),
            TreeNode::Leaf(vec![1, 2]),
            branch(0, 5, 3, 4),
            TreeNode::Leaf(vec![3, 4]),
            TreeNode::Leaf(vec![5, 6]),
        ],
    };
    let (base, trees) = (vec![0; 2], vec![tree.clone(), tree]);
    let nodes = vec![
        node(&[0], &[3], Op::Select(vec![2, 1, 0])),
        node(&[1], &[2], Op::Trees(Trees { base, trees })),
    ];
    let mut model = of(plain(&[2]), nodes);
    let ranks = |column| Ranks {
        column,
        thresholds: vec![-1.0, 0.0, 1.0],
        missing: None,
    };
    model.input.encoding = Encoding::Ranks([0, 1, 1].map(ranks).to_vec());
    model
}

/// The largest score of each of 3 positions with 2 values each, and a constant.
pub fn attention() -> Model {
    let transposed = (0..6).map(|at| at % 3 * 2 + at / 3).collect();
    let scores = product(vec![0; 9], 1 << Model::SHIFT, Activation::IDENTITY);
    let sum = vec![Map::Scale(vec![1; 3]), Map::Scale(vec![2; 3])];
    of(
        plain(&[3, 2]),
        vec![
            node(&[0], &[1, 3, 2], Op::Select((0..6).collect())),
            node(&[0], &[1, 2, 3], Op::Select(transposed)),
            node(&[1, 2], &[1, 3, 3], scores),
            node(&[3], &[1, 3, 1], Op::Max),
            node(&[], &[1, 3, 1], Op::Constant(vec![5, -300, 7])),
            node(&[4, 5], &[1, 3, 1], linear(sum, 1, vec![0; 3], None)),
        ],
    )
}

/// The sum of the values of each of 2 tokens.
pub fn tokens() -> Model {
    let table = (0..900).collect();
    let sum = linear(vec![Map::Dense(vec![1; 3])], 1, vec![0], None);
    let embedding = Op::Embedding(Embedding { table });
    let mut model = of(
        plain(&[2]),
        vec![node(&[0], &[2, 3], embedding), node(&[1], &[2, 1], sum)],
    );
    model.input.encoding = Encoding::Tokens { vocabulary: 300 };
    model
}
