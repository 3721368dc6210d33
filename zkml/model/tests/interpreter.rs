//! The interpreter against the definition, written out the slow way.

mod common;

use std::collections::BTreeSet;

use ciro_zkml_model::{
    Activation, Conv, Curve, Encoding, Map, Model, ModelError, Node, Op, Tree, TreeNode, Trees,
    Window,
};
use common::{
    branch, definition, linear, linear_of, node, of, perceptron, plain,
    refusal::{attention, tokens},
    requant,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

fn wide(values: &[i32]) -> Vec<i64> {
    values.iter().map(|&v| v as i64).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_the_definition((model, input) in common::model_and_input()) {
        let traces = model.trace(&input).unwrap();
        prop_assert_eq!(traces.len(), model.nodes.len());
        prop_assert_eq!(&model.run(&input).unwrap(), &traces.last().unwrap().acc);
        for (sample, x) in input.chunks(model.inputs()).enumerate() {
            for (trace, made) in traces.iter().zip(definition::run(&model, x)) {
                let parts = [(&trace.acc, made.acc), (&trace.q, made.q), (&trace.out, made.out)];
                for (traced, expected) in parts {
                    let rows = sample * expected.len()..(sample + 1) * expected.len();
                    prop_assert_eq!(traced.len(), expected.len() * (input.len() / model.inputs()));
                    prop_assert_eq!(wide(&traced[rows]), expected);
                }
            }
        }
    }

    #[test]
    fn stays_within_the_proven_bounds((model, input) in common::model_and_input()) {
        let bounds = model.validate().unwrap();
        prop_assert_eq!(bounds.accumulators.len(), model.nodes.len());
        prop_assert_eq!(bounds.quantised.len(), model.nodes.len());
        for (index, trace) in model.trace(&input).unwrap().iter().enumerate() {
            let (low, high) = bounds.quantised[index];
            prop_assert!(trace.acc.iter().all(|acc| acc.unsigned_abs() <= bounds.accumulators[index]));
            prop_assert!(trace.q.iter().all(|q| (low..=high).contains(q)));
        }
        let output = model.run(&input).unwrap();
        prop_assert!(output.iter().all(|acc| acc.unsigned_abs() <= bounds.output()));
    }
}

/// The properties above are about all of these.
#[test]
fn random_models_have_everything() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..1000 {
        let model = common::model().new_tree(&mut runner).unwrap().current();
        seen.insert(match model.input.encoding {
            Encoding::Affine { .. } => "affine",
            Encoding::Ranks(_) => "ranks",
            Encoding::Tokens { .. } => "tokens",
        });
        for node in &model.nodes {
            seen.extend(features(node));
        }
    }
    let all = [
        "affine",
        "channels last",
        "constant",
        "conv",
        "curve",
        "dense",
        "dense rows",
        "dilation",
        "embedding",
        "groups",
        "max",
        "max along an axis",
        "pads",
        "product",
        "product with a bias",
        "ranks",
        "residual",
        "scale",
        "select",
        "strides",
        "sum of convolutions",
        "sum of products",
        "tokens",
        "trees",
    ];
    assert_eq!(seen, BTreeSet::from(all));
}

fn features(node: &Node) -> Vec<&'static str> {
    let of_window = |window: &Window| {
        let mut seen = vec![];
        seen.extend((window.pads != [0; 4]).then_some("pads"));
        seen.extend((window.strides != [1, 1]).then_some("strides"));
        seen.extend((window.dilations != [1, 1]).then_some("dilation"));
        seen
    };
    let linear = match &node.op {
        Op::Linear(linear) => linear,
        Op::Product(product) if product.bias.is_empty() => return vec!["product"],
        Op::Product(_) => return vec!["product with a bias"],
        Op::Max => return vec!["max along an axis"],
        Op::Constant(_) => return vec!["constant"],
        Op::Embedding(_) => return vec!["embedding"],
        Op::MaxPool(window) => return [vec!["max"], of_window(window)].concat(),
        Op::Select(_) => return vec!["select"],
        Op::Trees(_) => return vec!["trees"],
    };
    let mut seen = vec![];
    for map in &linear.maps {
        match map {
            Map::Dense(_) if node.shape[0] > 1 => seen.push("dense rows"),
            Map::Dense(_) => seen.push("dense"),
            Map::Scale(_) if linear.channel_axis > 0 => seen.push("channels last"),
            Map::Scale(_) => seen.push("scale"),
            Map::Conv(conv) => {
                seen.push("conv");
                seen.extend((conv.groups > 1).then_some("groups"));
                seen.extend(of_window(&conv.window));
            }
        }
    }
    seen.extend(match linear.maps.as_slice() {
        [Map::Conv(_), Map::Conv(_), ..] => Some("sum of convolutions"),
        [Map::Dense(_), Map::Dense(_), ..] => Some("sum of products"),
        [_, Map::Scale(_), ..] => Some("residual"),
        _ => None,
    });
    let requant = linear.requant.as_ref();
    seen.extend(
        requant.and_then(|requant| {
            matches!(requant.activation, Activation::Curve(_)).then_some("curve")
        }),
    );
    seen
}

#[test]
fn a_model_computed_by_hand() {
    let model = perceptron();
    // acc = (1*2 + 2*4, -1*2 + 3*4 + 5) = (10, 15); q = (10, floor(7.5 + 0.5) = 8).
    let traces = model.trace(&[2, 4]).unwrap();
    assert_eq!(
        (&traces[0].acc, &traces[0].q),
        (&vec![10, 15], &vec![10, 8])
    );
    assert_eq!(model.run(&[2, 4]).unwrap(), [10, 7]);
    assert_eq!(model.outline(), "2 -> dense 2 -> dense 2");
    assert_eq!(
        (
            model.inputs(),
            model.columns(),
            model.outputs(),
            model.parameters()
        ),
        (2, 2, 2, 12)
    );
}

#[test]
fn an_image_computed_by_hand() {
    // A sum of 2x2 neighbours with a border at the top and left, and the largest of each 2x2.
    let window = |pads| Window {
        kernel: [2, 2],
        strides: [1, 1],
        dilations: [1, 1],
        pads,
    };
    let conv = Conv {
        window: window([1, 1, 0, 0]),
        groups: 1,
        weights: vec![1; 4],
    };
    let sum = linear(
        vec![Map::Conv(conv)],
        0,
        vec![-1],
        requant(vec![1 << Model::SHIFT], Activation::RELU),
    );
    // The input and the largest values of it, weighed, element by element.
    let scale = linear(
        vec![Map::Scale(vec![3]), Map::Scale(vec![-2])],
        0,
        vec![7],
        None,
    );
    let nodes = vec![
        node(&[0], &[1, 2, 2], sum),
        node(&[1], &[1, 2, 2], Op::MaxPool(window([0, 0, 1, 1]))),
        node(&[2, 0], &[4], Op::Select(vec![0, 4, 4, 3])),
        node(&[0, 3], &[1, 2, 2], scale),
    ];
    let model = of(plain(&[1, 2, 2]), nodes);
    assert_eq!(
        model.outline(),
        "1x2x2 -> conv 1x2x2 -> max 1x2x2 -> select 4 -> sum 1x2x2"
    );
    let traces = model.trace(&[-3, 5, 20, 1]).unwrap();
    assert_eq!(traces[0].acc, [-4, 1, 16, 22]);
    assert_eq!(traces[0].out, [0, 1, 16, 22]);
    assert_eq!(traces[1].out, [22, 22, 22, 22]);
    assert_eq!(traces[2].out, [22, -3, -3, 22]);
    assert_eq!(
        traces[3].acc,
        [7 - 9 - 44, 7 + 15 + 6, 7 + 60 + 6, 7 + 3 - 44]
    );
    assert!(traces[3].out.is_empty() && traces[3].q.is_empty() && traces[2].acc.is_empty());
}

#[test]
fn products_computed_by_hand() {
    let model = attention();
    assert_eq!(
        model.outline(),
        "3x2 -> select 1x3x2 -> select 1x2x3 -> product 1x3x3 -> max 1x3x1 -> constant 1x3x1 -> sum 1x3x1"
    );
    assert_eq!(model.parameters(), 9 + 3 + 6 + 3);
    let input = [1, 2, -5, 1, 0, 12];
    let traces = model.trace(&[input, [0; 6]].concat()).unwrap();
    let scores = [5, -3, 24, -3, 26, 12, 24, 12, 144];
    assert_eq!(traces[2].acc, [scores, [0; 9]].concat());
    assert_eq!(traces[2].q, traces[2].acc);
    assert_eq!(traces[2].out[..9], [5, -3, 24, -3, 26, 12, 24, 12, 127]);
    assert_eq!(traces[3].out, [24, 26, 127, 0, 0, 0]);
    assert_eq!(traces[4].out, [5, -300, 7, 5, -300, 7]);
    assert_eq!(traces[5].acc, [24 + 10, 26 - 600, 127 + 14, 10, -600, 14]);
}

#[test]
fn embeddings_computed_by_hand() {
    let model = tokens();
    assert_eq!(model.outline(), "2x2 -> embedding 2x3 -> dense 2x1");
    // Token 299 is 256 + 43; its row starts at 897.
    let traces = model.trace(&[-127, -85, -128, -128]).unwrap();
    assert_eq!(traces[0].out, [897, 898, 899, 0, 1, 2]);
    assert_eq!(traces[1].acc, [897 + 898 + 899, 3]);
}

#[test]
fn trees_computed_by_hand() {
    let stump = |input, threshold, outputs: &[u32], low: &[i32], high: &[i32]| Tree {
        outputs: outputs.to_vec(),
        nodes: vec![
            branch(input, threshold, 1, 2),
            TreeNode::Leaf(low.to_vec()),
            TreeNode::Leaf(high.to_vec()),
        ],
    };
    let trees = vec![
        stump(0, -3, &[0, 1], &[1, 2], &[10, 20]),
        stump(1, 127, &[1], &[100], &[200]),
        Tree {
            outputs: vec![1, 1],
            nodes: vec![TreeNode::Leaf(vec![3000, 4000])],
        },
    ];
    assert_eq!(trees[0].path(&[-3, 0]).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(trees[2].path(&[-3, 0]).collect::<Vec<_>>(), [0]);
    assert_eq!((trees[0].depth(), trees[2].depth()), (1, 0));
    let model = of(
        plain(&[2]),
        vec![node(
            &[0],
            &[2],
            Op::Trees(Trees {
                base: vec![-5, 0],
                trees,
            }),
        )],
    );
    // Equal values go low, and nothing is above 127.
    assert_eq!(model.run(&[-3, 127, -2, 127]).unwrap(), [-4, 7102, 5, 7120]);
    assert_eq!(model.parameters(), 7);
    assert_eq!(model.outline(), "2 -> 3 trees of depth 1");
}

#[test]
fn activations_end_in_their_last_values() {
    let curve = Activation::Curve(Curve {
        first: -1,
        values: vec![9, -128, 255],
    });
    assert_eq!(
        [i32::MIN, -2, -1, 0, 1, 2, i32::MAX].map(|q| curve.apply(q)),
        [9, 9, 9, -128, 255, 255, 255]
    );
    assert_eq!(curve.range(), (-128, 255));
    let (low, high) = (-3, 5);
    let clamp = Activation::Clamp { low, high };
    assert_eq!(
        [i32::MIN, -4, -3, 5, 6, i32::MAX].map(|q| clamp.apply(q)),
        [-3, -3, -3, 5, 5, 5]
    );
    assert_eq!(clamp.range(), (-3, 5));
}

#[test]
fn incomplete_samples_are_refused() {
    let model = perceptron();
    for length in [0, 1, 3] {
        let refused = ModelError::InputLength {
            found: length,
            sample: 2,
        };
        assert_eq!(model.run(&vec![0; length]), Err(refused.clone()));
        assert_eq!(model.quantise(&vec![0.0; length]), Err(refused));
    }
}

#[test]
fn a_model_that_was_not_validated_cannot_overflow_silently() {
    let mut model = perceptron();
    linear_of(&mut model, 1).bias[0] = i32::MAX;
    assert_eq!(
        model.run(&[127, 127]),
        Err(ModelError::Unvalidated { node: 1 })
    );
    let first = linear_of(&mut model, 0);
    first.requant = requant(vec![u32::MAX; 2], Activation::RELU);
    first.bias[0] = i32::MAX - 1000;
    assert_eq!(
        model.run(&[127, 127]),
        Err(ModelError::Unvalidated { node: 0 })
    );
    let leaf = |value| Tree {
        outputs: vec![0],
        nodes: vec![TreeNode::Leaf(vec![value])],
    };
    let trees = Trees {
        base: vec![i32::MAX],
        trees: vec![leaf(1)],
    };
    model = of(plain(&[1]), vec![node(&[0], &[1], Op::Trees(trees))]);
    assert_eq!(model.run(&[0]), Err(ModelError::Unvalidated { node: 0 }));
    model.nodes.clear();
    assert_eq!(model.run(&[1]), Err(ModelError::NoNodes));
}
