//! What stands at the end of classifiers, and the linear models of scikit-learn.

use crate::{
    graph::attribute,
    network::Op,
    tensor::{Data, Tensor},
};

use super::{
    axes::Axes,
    call::{Call, Problem},
    wire::{Value, Wire},
    Lowering,
};

impl Lowering {
    /// Softmax and LogSoftmax, which keep the order of the values.
    pub(super) fn softmax(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = call.wire(0)?;
        let axis = call.int("axis", if call.opset < 13 { 1 } else { -1 });
        if wire.axes().axis(axis).ok() != wire.shape.len().checked_sub(1) {
            return Err(format!("axis {axis} is not supported; use the last one").into());
        }
        if call.op() == "Softmax" {
            return Ok(Value::Softmax(wire));
        }
        self.note_left_out(call.op());
        Ok(Value::Probabilities(wire))
    }

    /// Makes tensors of the softmaxes among a node's operands, unless the node does without.
    pub(super) fn softmax_made(&mut self, call: &mut Call) -> Result<(), Problem> {
        let first_may_be = match call.op() {
            "Identity" | "Cast" | "CastLike" | "Dropout" | "ArgMax" | "ZipMap" => true,
            "MatMul" => call.constant(1).is_err(),
            _ => false,
        };
        for (index, operand) in call.operands.iter_mut().enumerate() {
            if let (false, Some(Value::Softmax(wire))) = (first_may_be && index == 0, &operand) {
                let (scores, shape) = (self.scaled(wire)?, wire.shape.clone());
                let made = self.push(vec![scores], shape.clone(), Op::Softmax)?;
                *operand = Some(Value::Tensor(Wire::new(made, shape)));
            }
        }
        Ok(())
    }

    pub(super) fn arg_max(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = match call.value(0)? {
            Value::Softmax(wire) => {
                self.note_left_out("Softmax");
                wire.clone()
            }
            Value::Probabilities(wire) => wire.clone(),
            _ => {
                let wire = call.wire(0)?;
                self.without_sigmoid(wire)
            }
        };
        let axis = call.int("axis", 0);
        only_axis(&wire, axis)?;
        if call.int("select_last_index", 0) != 0 {
            return Err(
                "select_last_index is not supported; the first of equal values is taken".into(),
            );
        }
        let labels = (0..wire.len() as i64).collect();
        Ok(Value::Class(wire, labels))
    }

    /// The class labels that an index selects from.
    pub(super) fn array_feature_extractor(&mut self, call: &Call) -> Result<Value, Problem> {
        match call.value(1)? {
            Value::Class(wire, _) => {
                let labels = self.labels(call.constant(0)?.clone(), wire.len())?;
                Ok(Value::Class(wire.clone(), labels))
            }
            Value::Constant(indices) => {
                let wire = call.wire(0)?;
                let axes = Axes {
                    shape: &wire.shape,
                    batch: true,
                };
                let last = wire.shape.len().saturating_sub(1);
                let place = |index: i64| {
                    usize::try_from(index)
                        .ok()
                        .filter(|place| *place < axes.size(last))
                };
                let places: Option<Vec<usize>> = Tensor::clone(indices)
                    .into_ints()?
                    .into_iter()
                    .map(place)
                    .collect();
                let places = places
                    .filter(|places| !places.is_empty())
                    .ok_or("an index lies outside the sample")?;
                let (indices, shape) = axes.take(last, &places);
                Ok(Value::Tensor(self.read_at(&wire, Some(indices), shape)?))
            }
            _ => Err("its indices must be constants or a class; export the model again".into()),
        }
    }

    /// Labels, one for each of `count` outputs.
    fn labels(&mut self, classes: Tensor, count: usize) -> Result<Vec<i64>, Problem> {
        let labels = match classes.data {
            Data::Text(names) => {
                let listed = names.join(", ");
                self.notes.push(format!(
                    "labels are strings; the output is their index in [{listed}]"
                ));
                (0..names.len() as i64).collect()
            }
            _ => classes.into_ints()?,
        };
        match labels.len() == count {
            true => Ok(labels),
            false => Err(format!("there are {} labels for {count} outputs", labels.len()).into()),
        }
    }

    /// Other names for a classifier's labels.
    pub(super) fn label_encoder(&mut self, call: &Call) -> Result<Value, Problem> {
        let Value::Class(wire, labels) = call.value(0)?.clone() else {
            return Err("only the labels of a classifier can be renamed".into());
        };
        let keys = call
            .ints("keys_int64s")
            .ok_or("only labels that are integers can be renamed")?;
        let place = |label: &i64| keys.iter().position(|key| key == label);
        if let Some(values) = call.ints("values_int64s") {
            let default = call.int("default_int64", -1);
            let renamed = |label| {
                place(label)
                    .and_then(|at| values.get(at).copied())
                    .unwrap_or(default)
            };
            return Ok(Value::Class(wire, labels.iter().map(renamed).collect()));
        }
        let names = texts(call, "values_strings")
            .ok_or("labels can be renamed to integers or strings only")?;
        let renamed = |label| {
            place(label)
                .and_then(|at| names.get(at).cloned())
                .unwrap_or("_Unused".into())
        };
        let names: Vec<String> = labels.iter().map(renamed).collect();
        self.notes.push(format!(
            "labels are strings; the output is their index in [{}]",
            names.join(", ")
        ));
        Ok(Value::Class(wire, (0..names.len() as i64).collect()))
    }

    /// The label, and the scores before the function that turns them into probabilities.
    pub(super) fn linear_classifier(&mut self, call: &Call) -> Result<Vec<Value>, Problem> {
        let wire = call.wire(0)?;
        let coefficients = call.floats("coefficients");
        let outputs = coefficients.len().checked_div(wire.len()).unwrap_or(0);
        let mut bias = call.floats("intercepts").to_vec();
        if bias.is_empty() {
            bias = vec![0.0; outputs];
        }
        let scores = self.rows(&wire, coefficients, bias)?;
        self.class_and_scores(call, scores)
    }

    /// One or more scores as a classifier's two outputs.
    fn class_and_scores(&mut self, call: &Call, scores: Wire) -> Result<Vec<Value>, Problem> {
        let classes = match (
            call.ints("classlabels_ints"),
            texts(call, "classlabels_strings"),
        ) {
            (Some(ints), _) if !ints.is_empty() => Tensor::ints(&ints),
            (_, Some(names)) => Tensor::new(vec![names.len()], Data::Text(names)),
            _ => return Err("it has no labels; export the model again".into()),
        };
        // A single score stands for the second class against the first.
        let scores = match (scores.len(), classes.len()) {
            (1, 2) => self.zero_before(&scores)?,
            _ => scores,
        };
        let labels = self.labels(classes, scores.len())?;
        let post = call.text("post_transform");
        if !matches!(post.as_str(), "" | "NONE") {
            self.note_left_out(&post);
        }
        Ok(vec![
            Value::Class(scores.clone(), labels),
            Value::Probabilities(scores),
        ])
    }

    pub(super) fn linear_regressor(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = call.wire(0)?;
        no_transform(call)?;
        let targets = usize::try_from(call.int("targets", 1)).unwrap_or(0);
        let bias = match call.floats("intercepts") {
            [] if targets <= call.floats("coefficients").len() => vec![0.0; targets],
            intercepts => intercepts.to_vec(),
        };
        Ok(Value::Tensor(self.rows(
            &wire,
            call.floats("coefficients"),
            bias,
        )?))
    }

    pub(super) fn svm_regressor(&mut self, call: &Call) -> Result<Value, Problem> {
        let wire = call.wire(0)?;
        no_transform(call)?;
        if call.int("one_class", 0) != 0 {
            return Err("one-class machines are not supported".into());
        }
        let weights = support(call, &wire)?;
        let bias = call.floats("rho").first().copied().unwrap_or(0.0);
        Ok(Value::Tensor(self.rows(&wire, &weights, vec![bias])?))
    }

    /// A support vector machine of two classes: one linear score.
    pub(super) fn svm_classifier(&mut self, call: &Call) -> Result<Vec<Value>, Problem> {
        let wire = call.wire(0)?;
        let classes = call
            .ints("classlabels_ints")
            .map_or(0, |labels| labels.len());
        let classes =
            classes.max(texts(call, "classlabels_strings").map_or(0, |labels| labels.len()));
        if classes != 2 {
            return Err("only machines of two classes are supported, as more are decided by votes; use LinearSVC".into());
        }
        if !call.floats("prob_a").is_empty() {
            return Err(
                "calibrated probabilities are not supported; train with probability=False".into(),
            );
        }
        let mut weights = support(call, &wire)?;
        // A positive sum speaks for the first class.
        weights.iter_mut().for_each(|weight| *weight = -*weight);
        let bias = -call.floats("rho").first().copied().unwrap_or(0.0);
        let score = self.rows(&wire, &weights, vec![bias])?;
        self.class_and_scores(call, score)
    }
}

/// The weights of a linear kernel: the support vectors times their coefficients, summed.
fn support(call: &Call, wire: &Wire) -> Result<Vec<f32>, Problem> {
    let kernel = call.text("kernel_type");
    if !matches!(kernel.as_str(), "" | "LINEAR") {
        return Err(format!("kernel {kernel} is not supported; only LINEAR is").into());
    }
    let (vectors, coefficients) = (call.floats("support_vectors"), call.floats("coefficients"));
    if vectors.is_empty() {
        return Ok(coefficients.to_vec());
    }
    let width = wire.len();
    if width.checked_mul(coefficients.len()) != Some(vectors.len()) {
        return Err("its support vectors do not fit its coefficients and the sample".into());
    }
    let mut weights = vec![0.0_f64; width];
    for (vector, factor) in vectors.chunks_exact(width).zip(coefficients) {
        weights
            .iter_mut()
            .zip(vector)
            .for_each(|(weight, x)| *weight += f64::from(*x) * f64::from(*factor));
    }
    Ok(weights.into_iter().map(|weight| weight as f32).collect())
}

fn no_transform(call: &Call) -> Result<(), Problem> {
    match call.text("post_transform").as_str() {
        "" | "NONE" => Ok(()),
        other => Err(format!("post_transform {other} of a regressor is not supported").into()),
    }
}

/// A list of strings.
fn texts(call: &Call, name: &str) -> Option<Vec<String>> {
    let strings = attribute(call.node, name).map(|attribute| &attribute.strings)?;
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    (!strings.is_empty()).then(|| strings.iter().map(text).collect())
}

/// Checks that an axis of the whole tensor, batch included, is the only axis of the sample larger than 1.
fn only_axis(wire: &Wire, axis: i64) -> Result<(), Problem> {
    let last = wire.shape.len() as i64;
    match (axis == last || axis == -1) && wire.shape.last() == Some(&wire.len()) {
        true => Ok(()),
        false => {
            Err(format!("axis {axis} is not supported; use the last one of a flat sample").into())
        }
    }
}
