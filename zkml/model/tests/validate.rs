//! What `validate` proves: no input leaves the bounds, and they are no wider than they have to be.

mod common;

use ciro_zkml_model::{
    Activation, Conv, Curve, Embedding, Encoding, Linear, Map, Model, ModelError, Node, Op,
    Quantity, Tree, TreeNode, Trees, Window, ACCUMULATOR_LIMIT, QUANTISED_LIMIT, SPAN_LIMIT,
};
use common::{branch, linear, linear_of, node, of, plain, product, requant};
use proptest::prelude::*;

/// `inputs`-1-1 with the given first weights, bias, multiplier and activation.
fn model(weights: Vec<i8>, bias: i32, multiplier: u32, activation: Activation) -> Model {
    let inputs = plain(&[weights.len() as u32]);
    let requant = requant(vec![multiplier], activation);
    let first = linear(vec![Map::Dense(weights)], 0, vec![bias], requant);
    let second = linear(vec![Map::Dense(vec![-3])], 0, vec![1], None);
    of(
        inputs,
        vec![node(&[0], &[1], first), node(&[1], &[1], second)],
    )
}

fn overflow(node: usize, quantity: Quantity, bound: i64, limit: i64) -> Result<(), ModelError> {
    Err(ModelError::Overflow {
        node,
        channel: 0,
        quantity,
        bound: bound as u64,
        limit: limit as u64,
    })
}

#[test]
fn bounds_are_those_of_the_true_ranges() {
    let bounds = model(vec![2, -1], 10, 4096, Activation::RELU)
        .validate()
        .unwrap();
    // 10 + 2*[-128, 127] - [-128, 127] = [-373, 392]; then 1 - 3*[0, 255].
    assert_eq!(bounds.quantised, [(-373, 392), (0, 0)]);
    assert_eq!(bounds.accumulators, [392, 764]);
    assert_eq!(bounds.output(), 764);

    let bounds = model(vec![2, -1], 10, 4096, Activation::IDENTITY)
        .validate()
        .unwrap();
    assert_eq!(bounds.output(), 1 + 3 * 128);

    let curve = |values| Activation::Curve(Curve { first: 0, values });
    let of = |values| {
        let model = model(vec![2, -1], 10, 4096, curve(values));
        model.validate().unwrap().output()
    };
    assert_eq!([of(vec![9]), of(vec![-50, 7, 60])], [26, 179]);

    // Zero is always in the range of what is requantised.
    let bounds = model(vec![0], 5, 4096, Activation::RELU).validate();
    assert_eq!(bounds.unwrap().quantised[0], (0, 5));
    let bounds = model(vec![0], -5, 4096, Activation::RELU).validate();
    assert_eq!(bounds.unwrap().quantised[0], (-5, 0));
}

/// The ranges of sources, through every kind of node.
#[test]
fn ranges_follow_the_tensors() {
    let step = 1 << Model::SHIFT;
    let layer = |source, activation| {
        let maps = vec![Map::Scale(vec![1])];
        let op = linear(maps, 0, vec![0], requant(vec![step], activation));
        node(&[source], &[1, 2, 2], op)
    };
    let curve = Activation::Curve(Curve {
        first: -1,
        values: vec![5, 6, 9],
    });
    let window = |pads| Window {
        kernel: [1, 2],
        strides: [1, 1],
        dilations: [1, 1],
        pads,
    };
    let conv = |weights: Vec<i8>, pads| Conv {
        window: window(pads),
        groups: 1,
        weights,
    };
    let bound = |nodes: Vec<Node>| of(plain(&[1, 2, 2]), nodes).validate().unwrap().output();
    let scale = |sources: &[u32], weights: &[i8]| {
        let maps = weights.iter().map(|&weight| Map::Scale(vec![weight]));
        node(
            sources,
            &[1, 2, 2],
            linear(maps.collect(), 0, vec![0], None),
        )
    };
    let select = |sources: &[u32]| node(sources, &[1, 2, 2], Op::Select(vec![0; 4]));

    // [0, 255] through a pool, and together with [-128, 127].
    let pool = node(&[1], &[1, 2, 2], Op::MaxPool(window([0, 1, 0, 0])));
    let relu = layer(0, Activation::RELU);
    assert_eq!(bound(vec![relu.clone(), pool, scale(&[2], &[-1])]), 255);
    assert_eq!(
        bound(vec![relu.clone(), scale(&[1, 0], &[2, 3])]),
        510 + 381
    );
    assert_eq!(
        bound(vec![relu.clone(), scale(&[1, 0], &[-2, 3])]),
        510 + 384
    );
    assert_eq!(
        bound(vec![relu.clone(), select(&[1]), scale(&[2], &[-1])]),
        255
    );
    let both = vec![relu, layer(0, Activation::IDENTITY), select(&[2, 1])];
    assert_eq!(bound([both.clone(), vec![scale(&[3], &[1])]].concat()), 255);
    assert_eq!(bound([both, vec![scale(&[3, 3], &[-1, 1])]].concat()), 383);

    // [5, 9] meets zeros beside the image.
    let mut nodes = vec![layer(0, curve)];
    let end = |weights, pads| linear(vec![Map::Conv(conv(weights, pads))], 0, vec![0], None);
    nodes.push(node(&[1], &[1, 2, 2], end(vec![4, -3], [0, 0, 0, 1])));
    assert_eq!(bound(nodes.clone()), 36);
    nodes[1] = node(&[1], &[1, 2, 2], end(vec![3, -4], [0, 1, 0, 0]));
    assert_eq!(bound(nodes.clone()), 36);
    nodes[1] = scale(&[1, 1], &[4, -4]);
    assert_eq!(bound(nodes), 16);
}

#[test]
fn trees_are_bounded_by_their_leaves() {
    let stump = |input, low: &[i32], high: &[i32]| Tree {
        outputs: vec![1, 0],
        nodes: vec![
            branch(input, 0, 1, 2),
            TreeNode::Leaf(low.to_vec()),
            TreeNode::Leaf(high.to_vec()),
        ],
    };
    let trees = |base: Vec<i32>, leaf: i32| {
        let trees = vec![
            stump(0, &[-7, 5], &[3, 6]),
            stump(1, &[-10, leaf], &[-1, 2]),
        ];
        let op = Op::Trees(Trees { base, trees });
        of(plain(&[2]), vec![node(&[0], &[2], op)])
    };
    // Output 0: 100 + [5, 6] + [1, 2]; output 1: 4 + [-7, 3] + [-10, -1].
    assert_eq!(
        trees(vec![100, 4], 1).validate().unwrap().accumulators,
        [108]
    );
    // 4 - 17 is larger than 0 + 8.
    assert_eq!(trees(vec![0, 4], 1).validate().unwrap().output(), 13);
    let room = (ACCUMULATOR_LIMIT - 1) as i32 - 6;
    assert_eq!(
        trees(vec![0, 0], room).validate().unwrap().output(),
        room as u32 + 6
    );
    let refused = overflow(
        0,
        Quantity::Accumulator,
        ACCUMULATOR_LIMIT,
        ACCUMULATOR_LIMIT,
    );
    assert_eq!(trees(vec![0, 0], room + 1).validate().map(drop), refused);
    // Only the sums count.
    let tree = Tree {
        outputs: vec![0, 0],
        nodes: vec![TreeNode::Leaf(vec![i32::MAX, -5])],
    };
    let (base, trees) = (vec![i32::MIN], vec![tree]);
    let op = Op::Trees(Trees { base, trees });
    let far = of(plain(&[1]), vec![node(&[0], &[1], op)]);
    assert_eq!(
        (far.validate().unwrap().output(), far.run(&[0])),
        (6, Ok(vec![-6]))
    );
}

/// A tree compares with 8 bits and a sign: it cannot read what goes further, up or down.
#[test]
fn trees_read_values_of_8_bits() {
    let of = |activation| {
        let mut model = model(vec![1], 0, 1, activation);
        let leaf = TreeNode::Leaf(vec![1]);
        let tree = Tree {
            outputs: vec![0],
            nodes: vec![branch(0, 127, 1, 2), leaf.clone(), leaf],
        };
        let (base, trees) = (vec![0], vec![tree]);
        model.nodes[1].op = Op::Trees(Trees { base, trees });
        model.validate().map(|bounds| bounds.output())
    };
    let curve = |most| {
        Activation::Curve(Curve {
            first: 0,
            values: vec![most],
        })
    };
    assert_eq!([of(Activation::IDENTITY), of(curve(127))], [Ok(1), Ok(1)]);
    let refused = Err(ModelError::Trees { node: 1 });
    assert_eq!(of(Activation::RELU), refused);
    assert_eq!(of(curve(128)), refused);
    assert_eq!(of(curve(-129)), refused);
}

/// The larger of two values is proved by looking their difference up.
#[test]
fn compared_values_are_close_together() {
    let of = |low, high, op: &Op| {
        let scale = |source| {
            let requant = requant(vec![1], Activation::Clamp { low, high });
            let op = linear(vec![Map::Scale(vec![1])], 0, vec![0], requant);
            node(&[source], &[1, 1, 1], op)
        };
        let mut end = scale(2);
        if let Op::Linear(linear) = &mut end.op {
            linear.requant = None;
        }
        let largest = node(&[1], &[1, 1, 1], op.clone());
        let model = of(plain(&[1, 1, 1]), vec![scale(0), largest, end]);
        model.validate().map(|bounds| bounds.output())
    };
    let pool = Op::MaxPool(Window {
        kernel: [1, 1],
        strides: [1, 1],
        dilations: [1, 1],
        pads: [0; 4],
    });
    for op in [pool, Op::Max] {
        assert_eq!(of(0, 4095, &op), Ok(4095));
        assert_eq!(of(-2048, 2047, &op), Ok(2048));
        for (low, high) in [(0, 4096), (-4096, 0), (-2048, 2048)] {
            let refused = ModelError::Span {
                node: 1,
                span: SPAN_LIMIT as u64,
                limit: SPAN_LIMIT as u64,
            };
            assert_eq!(of(low, high, &op), Err(refused));
        }
        assert_eq!(
            of(-i16::MAX, i16::MAX, &op),
            Err(ModelError::Span {
                node: 1,
                span: 65_534,
                limit: 4096
            })
        );
    }
}

/// A product of `[2, 2]` and `[2, 1]`, the first after that activation, with biases 100 and -7.
fn product_after(activation: Activation) -> Model {
    let maps = vec![Map::Scale(vec![1; 2])];
    let step = 1 << Model::SHIFT;
    let first = linear(maps, 0, vec![0; 2], requant(vec![step; 2], activation));
    let product = product(vec![100, -7], step, Activation::IDENTITY);
    let end = linear(vec![Map::Scale(vec![1; 2])], 0, vec![0; 2], None);
    of(
        plain(&[2, 2]),
        vec![
            node(&[0], &[2, 2], first),
            node(&[0], &[2, 1], Op::Select(vec![0, 1])),
            node(&[1, 2], &[2, 1], product),
            node(&[3], &[2, 1], end),
        ],
    )
}

#[test]
fn products_are_bounded_by_the_ends_of_their_factors() {
    let of = |activation| {
        let bounds = product_after(activation).validate().unwrap();
        (bounds.quantised[2], bounds.accumulators[2])
    };
    // Twice [-128, 127] * [-128, 127] = [-16256, 16384], and the biases; some input gets there.
    assert_eq!(of(Activation::IDENTITY), ((-32_519, 32_868), 32_868));
    let reached = |input: [i8; 4]| {
        let traces = product_after(Activation::IDENTITY).trace(&input).unwrap();
        traces[2].acc.clone()
    };
    assert_eq!(reached([-128; 4])[0], 32_868);
    assert_eq!(reached([127, 127, -128, -128])[1], -32_519);
    // Twice [0, 255] * [-128, 127].
    assert_eq!(of(Activation::RELU), ((-65_287, 64_870), 65_287));
    // Twice [5, 9] and [-9, -5] * [-128, 127], and nothing.
    let curve = |values| of(Activation::Curve(Curve { first: 0, values }));
    assert_eq!(curve(vec![5, 9]), ((-2311, 2386), 2386));
    assert_eq!(curve(vec![-5, -9]), ((-2293, 2404), 2404));
    assert_eq!(curve(vec![0]), ((-7, 100), 100));
}

#[test]
fn products_stay_below_the_limits() {
    let of = |values: [i16; 2], bias, multiplier| {
        let constant = |value| node(&[], &[1, 1], Op::Constant(vec![value]));
        let product = product(vec![bias], multiplier, Activation::RELU);
        let end = linear(vec![Map::Scale(vec![1])], 0, vec![0], None);
        let nodes = vec![
            constant(values[0]),
            constant(values[1]),
            node(&[1, 2], &[1, 1], product),
            node(&[3], &[1, 1], end),
        ];
        let bounds = common::of(plain(&[1]), nodes).validate()?;
        Ok(bounds.quantised[2])
    };
    let refused = |quantity, bound, limit| overflow(2, quantity, bound, limit).map(|()| (0, 0));

    assert_eq!(of([8191, -32_767], 0, 1), Ok((-65_526, 0)));
    let wide = refused(Quantity::Requantised, 65_542, QUANTISED_LIMIT);
    assert_eq!(of([-8193, -32_767], 0, 1), wide);

    let most = ACCUMULATOR_LIMIT;
    let largest = refused(Quantity::Accumulator, most, most);
    assert_eq!(of([1, 1], most as i32 - 1, 1), largest);
    assert_eq!(of([-1, 1], 1 - most as i32, 1), largest);

    assert_eq!(of([32_767, 1], 0, 8192), Ok((0, 65_534)));
    let far = refused(Quantity::Rescaled, 32_767 * 32_769 + 4096, most);
    assert_eq!(of([32_767, 1], 0, 32_769), far);
    let zero = ModelError::ZeroMultiplier {
        node: 2,
        channel: 0,
    };
    assert_eq!(of([32_767, 1], 0, 0), Err(zero));
}

#[test]
fn tables_hold_all_values_of_16_bits_but_one() {
    fn sum() -> Node {
        let op = linear(vec![Map::Scale(vec![1])], 0, vec![0], None);
        node(&[1], &[1, 2], op)
    }
    fn constant(values: [i16; 2]) -> Model {
        let op = Op::Constant(values.to_vec());
        of(plain(&[1]), vec![node(&[], &[1, 2], op), sum()])
    }
    fn embedding(values: [i16; 2]) -> Model {
        let table = values.to_vec();
        let op = Op::Embedding(Embedding { table });
        let mut model = of(plain(&[1]), vec![node(&[0], &[1, 2], op), sum()]);
        model.input.encoding = Encoding::Tokens { vocabulary: 1 };
        model
    }
    for of in [constant, embedding as fn([i16; 2]) -> Model] {
        let bound = |values| of(values).validate().map(|bounds| bounds.output());
        assert_eq!(bound([-5, 3]), Ok(5));
        assert_eq!(bound([7, 3]), Ok(7));
        assert_eq!(bound([i16::MIN + 1, 0]), Ok(32_767));
        assert_eq!(bound([0, i16::MAX]), Ok(32_767));
        assert_eq!(bound([0, i16::MIN]), Err(ModelError::Table { node: 0 }));
    }
}

#[test]
fn an_accumulator_stays_below_the_limit() {
    let largest = (ACCUMULATOR_LIMIT - 1) as i32;
    let mut last = model(vec![0], 0, 1, Activation::RELU);
    let end = linear_of(&mut last, 1);
    (end.maps, end.bias) = (vec![Map::Dense(vec![0])], vec![largest]);
    assert_eq!(last.validate().unwrap().output(), largest as u32);
    linear_of(&mut last, 1).bias[0] = -largest - 1;
    let refused = overflow(
        1,
        Quantity::Accumulator,
        ACCUMULATOR_LIMIT,
        ACCUMULATOR_LIMIT,
    );
    assert_eq!(last.validate().map(drop), refused);
    // As many inputs as overflow by themselves: 66,053 * 127 * 128 is just above 2^30.
    let wide = |inputs| model(vec![-127; inputs], 0, 1, Activation::RELU).validate();
    assert!(matches!(
        wide(66_053),
        Err(ModelError::Overflow {
            node: 0,
            channel: 0,
            quantity: Quantity::Accumulator,
            ..
        })
    ));
    // One fewer does not; its requantised values still are too large for the table.
    assert!(matches!(
        wide(66_052),
        Err(ModelError::Overflow {
            quantity: Quantity::Rescaled,
            ..
        })
    ));
}

#[test]
fn a_requantised_value_fits_the_table() {
    let step = 1 << Model::SHIFT;
    let of = |q: i32| model(vec![0], q, step, Activation::RELU).validate();
    assert_eq!(
        of(QUANTISED_LIMIT as i32 - 1).unwrap().quantised[0],
        (0, 65_535)
    );
    assert_eq!(
        of(-QUANTISED_LIMIT as i32).unwrap().quantised[0],
        (-65_536, 0)
    );
    let refused = |q: i64| overflow(0, Quantity::Requantised, q, QUANTISED_LIMIT);
    assert_eq!(
        of(QUANTISED_LIMIT as i32).map(drop),
        refused(QUANTISED_LIMIT)
    );
    assert_eq!(
        of(-QUANTISED_LIMIT as i32 - 1).map(drop),
        refused(QUANTISED_LIMIT)
    );
    let product = model(vec![0], 1 << 29, 2, Activation::RELU).validate();
    assert_eq!(
        product.map(drop),
        overflow(0, Quantity::Rescaled, (1 << 30) + 4096, ACCUMULATOR_LIMIT)
    );
}

/// Also where it multiplies nothing but zeros: a proof divides by it, and 2^31 - 1 is the zero of the field.
#[test]
fn a_multiplier_is_a_nonzero_element_of_the_field() {
    let of = |multiplier| model(vec![0], 0, multiplier, Activation::RELU).validate();
    let largest = ((1 << 30) - (1 << Model::SHIFT) - 1) as u32;
    assert!(of(largest).is_ok());
    for multiplier in [largest + 1, (1 << 31) - 1, u32::MAX] {
        let bound = i64::from(multiplier) + (1 << Model::SHIFT);
        let refused = overflow(0, Quantity::Rescaled, bound, ACCUMULATOR_LIMIT);
        assert_eq!(of(multiplier).map(drop), refused);
    }
    let zero = ModelError::ZeroMultiplier {
        node: 0,
        channel: 0,
    };
    assert_eq!(of(0).map(drop), Err(zero));
}

/// Sums of squares are not negative, however the elements were moved; products with any other element may be.
#[test]
fn squares_are_not_negative() {
    let select = |source, shape: &[u32], indices: &[u32]| {
        node(&[source], shape, Op::Select(indices.to_vec()))
    };
    let bounds = |row: Node, column: Node, shape: &[u32]| {
        let end = linear(vec![Map::Scale(vec![1])], 0, vec![0], None);
        let elements = shape.iter().product();
        let biases = (shape[1] * shape[2]) as usize;
        let nodes = vec![
            select(0, &[4], &[3, 2, 1, 0]),
            row,
            column,
            node(
                &[2, 3],
                shape,
                product(vec![-5; biases], 4096, Activation::RELU),
            ),
            node(&[4], &[1, elements], end),
        ];
        of(plain(&[4]), nodes).validate().unwrap().quantised[3]
    };
    let row = || select(1, &[2, 1, 2], &[0, 1, 2, 3]);
    let column = |source, indices: &[u32]| select(source, &[2, 2, 1], indices);
    let (lowest, largest) = (2 * -128 * 127 - 5, 2 * 128 * 128 - 5);
    // The row holds the input in reverse.
    let same = [(1, [0, 1, 2, 3]), (0, [3, 2, 1, 0])];
    for (source, indices) in same {
        let found = bounds(row(), column(source, &indices), &[2, 1, 1]);
        assert_eq!(found, (-5, largest));
    }
    let other = [(1, [0, 1, 3, 2]), (0, [0, 1, 2, 3]), (1, [0, 1, 2, 2])];
    for (source, indices) in other {
        let found = bounds(row(), column(source, &indices), &[2, 1, 1]);
        assert_eq!(found, (lowest, largest));
    }
    // Every element with every other.
    let outer = bounds(
        select(0, &[1, 2, 1], &[0, 1]),
        select(0, &[1, 1, 2], &[0, 1]),
        &[1, 2, 2],
    );
    assert_eq!(outer, (-128 * 127 - 5, 128 * 128 - 5));
}

/// The input that drives the accumulator of element `element` as far as it goes, up or down; `None` where the node's
/// window does not lie inside the image.
fn extreme(
    model: &Model,
    node: &Node,
    linear: &Linear,
    element: usize,
    up: bool,
) -> Option<Vec<i8>> {
    let mut input = vec![0; model.inputs()];
    let end = |weight: i8| {
        if (weight >= 0) == up {
            i8::MAX
        } else {
            i8::MIN
        }
    };
    match &linear.maps[0] {
        Map::Dense(weights) => {
            let outputs = linear.bias.len();
            let inputs = weights.len() / outputs;
            let column = weights.iter().skip(element % outputs).step_by(outputs);
            let row = &mut input[element / outputs * inputs..][..inputs];
            row.iter_mut()
                .zip(column)
                .for_each(|(x, &weight)| *x = end(weight));
        }
        Map::Scale(weights) => input[element] = end(weights[linear.channels(&node.shape)(element)]),
        Map::Conv(conv) => {
            let shape = model.tensor_shape(0)?;
            let &[channels, height, width] = shape.as_slice() else {
                return None;
            };
            let plane = (node.shape[1] * node.shape[2]) as usize;
            let (output, at) = (element / plane, (element % plane) as u32);
            let at = [at / node.shape[2], at % node.shape[2]];
            let taps: Vec<_> = conv.window.taps(at, [height, width]).collect();
            let kernel = (conv.window.kernel[0] * conv.window.kernel[1]) as usize;
            if taps.len() < kernel {
                return None;
            }
            let per_group = (channels / conv.groups) as usize;
            let first = output / (node.shape[0] / conv.groups) as usize * per_group;
            for channel in 0..per_group {
                for &(tap, pixel) in &taps {
                    let weight = conv.weights[(output * per_group + channel) * kernel + tap];
                    input[(first + channel) * (height * width) as usize + pixel] = end(weight);
                }
            }
        }
    }
    Some(input)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The bounds are attained: some input reaches the largest accumulator and both ends of the requantised values of
    /// every map of the input, if a whole window lies inside the image.
    #[test]
    fn bounds_are_tight(model in common::model()) {
        let bounds = model.validate().unwrap();
        for (index, node) in model.nodes.iter().enumerate() {
            let linear = match &node.op {
                Op::Linear(linear) if node.sources == [0] => linear,
                _ => continue,
            };
            let (mut largest, mut low, mut high, mut inside) = (0, 0, 0, false);
            for element in 0..node.elements() {
                for up in [false, true] {
                    let Some(input) = extreme(&model, node, linear, element, up) else { continue };
                    let trace = &model.trace(&input).unwrap()[index];
                    largest = trace.acc[element].unsigned_abs().max(largest);
                    let q = trace.q.get(element).copied().unwrap_or(0);
                    (low, high, inside) = (q.min(low), q.max(high), true);
                }
            }
            if inside {
                prop_assert_eq!(largest, bounds.accumulators[index]);
                prop_assert_eq!((low, high), bounds.quantised[index]);
            }
        }
    }
}
