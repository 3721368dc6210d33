//! Windows that move over images: convolutions and pools.

use ciro_zkml_model::Window;

use crate::{
    function::Function,
    network::{Conv, Linear, Map, Op},
};

use super::{
    call::{Call, Problem},
    wire::{Value, Wire},
    Lowering,
};

/// A sample as an image, and the rank of the file's own: 2 if its rows have no height.
struct Image {
    wire: Wire,
    shape: [usize; 3],
    flat: bool,
}

impl Image {
    fn new(wire: Wire) -> Result<Self, Problem> {
        match *wire.shape.as_slice() {
            [channels, width] => Ok(Self { wire, shape: [channels, 1, width], flat: true }),
            [channels, height, width] => Ok(Self { wire, shape: [channels, height, width], flat: false }),
            _ => Err(format!(
                "samples of shape {:?} are no images [channels, height, width] or rows [channels, length]",
                wire.shape
            )
            .into()),
        }
    }

    fn size(&self) -> [u32; 2] {
        let [_, height, width] = self.shape;
        [height, width].map(|size| size as u32)
    }

    /// The same tensor as the file's graph sees it.
    fn seen(&self, tensor: usize, shape: [usize; 3]) -> Wire {
        let [channels, height, width] = shape;
        let shape = if self.flat {
            vec![channels, width]
        } else {
            vec![channels, height, width]
        };
        Wire::new(tensor, shape)
    }

    /// Horizontal and vertical numbers of an attribute; along the missing height of rows `missing`.
    fn pair(&self, list: Option<Vec<i64>>, missing: u32) -> Result<[u32; 2], Problem> {
        let number = |value: i64| {
            let number = u32::try_from(value)
                .ok()
                .filter(|number| *number > 0 && *number < 1 << 16);
            number.ok_or_else(|| Problem::from(format!("{value} is no size of a window or step")))
        };
        match (list.as_deref(), self.flat) {
            (None, _) => Ok([1, 1]),
            (Some([width]), true) => Ok([missing, number(*width)?]),
            (Some([height, width]), false) => Ok([number(*height)?, number(*width)?]),
            (Some(list), _) => Err(format!(
                "{list:?} does not fit samples of shape {:?}",
                self.wire.shape
            )
            .into()),
        }
    }
}

impl Lowering {
    pub(super) fn conv(&mut self, call: &Call) -> Result<Value, Problem> {
        let (wire, added) = match call.value(0)? {
            Value::Padded(wire, pads) => (wire.clone(), *pads),
            _ => (call.wire(0)?, [0; 4]),
        };
        let image = Image::new(wire)?;
        let weights = call.constant(1)?.clone();
        let (&[outputs, per_group, ref kernel @ ..], groups) =
            (weights.dims.as_slice(), call.int("group", 1))
        else {
            return Err(format!("weights of shape {:?} make no convolution", weights.dims).into());
        };
        let kernel = image.pair(Some(kernel.iter().map(|&size| size as i64).collect()), 1)?;
        let [channels, ..] = image.shape;
        let groups = usize::try_from(groups)
            .ok()
            .filter(|groups| *groups > 0)
            .filter(|groups| {
                groups.checked_mul(per_group) == Some(channels)
                    && outputs > 0
                    && outputs.is_multiple_of(*groups)
            });
        let groups = groups.ok_or_else(|| {
            format!(
                "weights of shape {:?} in {:?} groups do not fit {channels} channels",
                weights.dims,
                call.int("group", 1)
            )
        })?;
        let (window, [height, width]) = self.window(call, &image, kernel, added)?;
        let bias = match call.optional(2)? {
            Some(bias) => bias.clone().broadcast(&[outputs])?,
            None => vec![0.0; outputs],
        };
        let maps = vec![Map::Conv(Conv {
            window,
            groups,
            weights: weights.into_floats()?,
        })];
        self.image_node(&image, maps, bias, [outputs, height, width])
    }

    /// Appends a convolution.
    fn image_node(
        &mut self,
        image: &Image,
        maps: Vec<Map>,
        bias: Vec<f32>,
        shape: [usize; 3],
    ) -> Result<Value, Problem> {
        let source = self.tensor(&image.wire, &image.shape)?;
        let linear = Linear {
            maps,
            axis: 0,
            bias,
            function: Function::identity(),
            range: None,
        };
        let tensor = self.push(vec![source], shape.to_vec(), Op::Linear(linear))?;
        Ok(Value::Tensor(image.seen(tensor, shape)))
    }

    /// The window of a node and the height and width of what it makes; `added` are zeros around the image.
    fn window(
        &self,
        call: &Call,
        image: &Image,
        kernel: [u32; 2],
        added: [u32; 4],
    ) -> Result<(Window, [usize; 2]), Problem> {
        let strides = image.pair(call.ints("strides"), 1)?;
        let dilations = image.pair(call.ints("dilations"), 1)?;
        let reach = |axis: usize| -> u64 {
            let [kernel, dilation] =
                [kernel, dilations].map(|pair| u64::from(pair.get(axis).copied().unwrap_or(1)));
            (kernel - 1) * dilation + 1
        };
        // What SAME adds along an axis in all: enough for ceil(size / stride) windows.
        let same = |axis: usize| -> u32 {
            let [size, stride] =
                [image.size(), strides].map(|pair| u64::from(pair.get(axis).copied().unwrap_or(1)));
            let covered = (size.div_ceil(stride).max(1) - 1) * stride + reach(axis);
            covered.saturating_sub(size) as u32
        };
        let [down, right] = [same(0), same(1)];
        let own = match call.text("auto_pad").as_str() {
            "SAME_UPPER" => [down / 2, right / 2, down.div_ceil(2), right.div_ceil(2)],
            "SAME_LOWER" => [down.div_ceil(2), right.div_ceil(2), down / 2, right / 2],
            "VALID" => [0; 4],
            "" | "NOTSET" => pads(call.ints("pads"), image.flat)?,
            other => return Err(format!("auto_pad {other} is not supported").into()),
        };
        let mut pads = own;
        for (pad, more) in pads.iter_mut().zip(added) {
            *pad = pad.checked_add(more).ok_or("its pads are too large")?;
        }
        let window = Window {
            kernel,
            strides,
            dilations,
            pads,
        };
        let [height, width] = window.output(image.size()).ok_or_else(|| {
            format!(
                "a window of {kernel:?} does not fit an image of {:?}",
                image.size()
            )
        })?;
        let [top, left, bottom, right] = pads;
        let small = |pad: u32, axis: usize| kernel.get(axis).is_some_and(|size| pad < *size);
        if !small(top.max(bottom), 0) || !small(left.max(right), 1) {
            return Err(format!("pads {pads:?} must be smaller than the window {kernel:?}").into());
        }
        if dilations != [1, 1] && pads != [0; 4] && kernel.iter().any(|size| size % 2 == 0) {
            return Err("a padded and dilated window must have odd sizes".into());
        }
        Ok((window, [height as usize, width as usize]))
    }

    /// Zeros around an image, for the convolution that follows.
    pub(super) fn pad(&mut self, call: &Call) -> Result<Value, Problem> {
        let image = Image::new(call.wire(0)?)?;
        let mode = call.text("mode");
        if !mode.is_empty() && mode != "constant" {
            return Err(format!("mode {mode} is not supported; pad with zeros").into());
        }
        let filling = match call.optional(2)? {
            Some(value) => value.uniform(),
            None => Some(call.float("value", 0.0)),
        };
        if filling != Some(0.0) || call.has(3) {
            return Err("only zeros around images are supported".into());
        }
        let list = call
            .list("pads", 1)?
            .ok_or("it does not say how much to add")?;
        let axes = if image.flat { 1 } else { 2 };
        let (before, after) = list.split_at(list.len() / 2);
        let [(outer_before, own_before), (outer_after, own_after)] =
            [before, after].map(|pads| pads.split_at(pads.len().saturating_sub(axes)));
        if [outer_before, outer_after]
            .concat()
            .iter()
            .any(|pad| *pad != 0)
            || list.len() != 2 * (axes + 2)
        {
            return Err("only the height and width of images can be padded".into());
        }
        let pads = pads(Some([own_before, own_after].concat()), image.flat)?;
        match pads == [0; 4] {
            true => Ok(Value::Tensor(image.wire)),
            false => Ok(Value::Padded(image.wire, pads)),
        }
    }

    pub(super) fn max_pool(&mut self, call: &Call) -> Result<Value, Problem> {
        if call.node.output.get(1).is_some_and(|name| !name.is_empty()) {
            return Err(
                "its second output, the places of the largest values, is not supported".into(),
            );
        }
        let image = Image::new(call.wire(0)?)?;
        let (window, size) = self.pool_window(call, &image, [0; 4])?;
        self.largest(&image, window, size)
    }

    fn largest(
        &mut self,
        image: &Image,
        window: Window,
        [height, width]: [usize; 2],
    ) -> Result<Value, Problem> {
        let [channels, ..] = image.shape;
        let shape = [channels, height, width];
        let source = self.tensor(&image.wire, &image.shape)?;
        let tensor = self.push(vec![source], shape.to_vec(), Op::MaxPool(window))?;
        Ok(Value::Tensor(image.seen(tensor, shape)))
    }

    pub(super) fn average_pool(&mut self, call: &Call) -> Result<Value, Problem> {
        let (wire, added) = match call.value(0)? {
            Value::Padded(wire, pads) => (wire.clone(), *pads),
            _ => (call.wire(0)?, [0; 4]),
        };
        let image = Image::new(wire)?;
        let (window, size) = self.pool_window(call, &image, added)?;
        if call.int("count_include_pad", 0) == 0 && window.pads != added {
            return Err(
                "windows that count only what lies inside the image are not supported; \
                        use count_include_pad=1 or no pads"
                    .into(),
            );
        }
        self.mean(&image, window, size, None)
    }

    /// The window of a pool. Rounding its number of windows up must change nothing.
    fn pool_window(
        &self,
        call: &Call,
        image: &Image,
        added: [u32; 4],
    ) -> Result<(Window, [usize; 2]), Problem> {
        let kernel = image.pair(
            Some(call.ints("kernel_shape").ok_or("it has no kernel_shape")?),
            1,
        )?;
        let (window, size) = self.window(call, image, kernel, added)?;
        if call.int("ceil_mode", 0) != 0 {
            let mut wider = window.clone();
            let [top, left, bottom, right] = wider.pads;
            let [down, across] = wider.strides;
            wider.pads = [
                top,
                left,
                bottom.saturating_add(down - 1),
                right.saturating_add(across - 1),
            ];
            if wider
                .output(image.size())
                .map(|size| size.map(|size| size as usize))
                != Some(size)
            {
                return Err("ceil_mode with a window that reaches out of the image is not supported; pad the image".into());
            }
        }
        Ok((window, size))
    }

    pub(super) fn global_pool(&mut self, call: &Call) -> Result<Value, Problem> {
        let image = Image::new(call.wire(0)?)?;
        let (window, size) = whole(&image);
        match call.op() {
            "GlobalMaxPool" => self.largest(&image, window, size),
            _ => self.mean(&image, window, size, None),
        }
    }

    /// Every channel's values times `weight`, summed; the result has shape `shape`.
    pub(super) fn whole_window(
        &mut self,
        wire: &Wire,
        weight: f32,
        shape: Vec<usize>,
    ) -> Result<Wire, Problem> {
        let image = Image::new(wire.clone())?;
        let (window, size) = whole(&image);
        match self.mean(&image, window, size, Some(weight))? {
            Value::Tensor(sum) => Ok(Wire { shape, ..sum }),
            _ => Err("it has no image to sum".into()),
        }
    }

    /// A convolution of every channel with one weight, by default that of a mean.
    fn mean(
        &mut self,
        image: &Image,
        window: Window,
        size: [usize; 2],
        weight: Option<f32>,
    ) -> Result<Value, Problem> {
        let [channels, ..] = image.shape;
        let [height, width] = size;
        let taps: usize = window.kernel.iter().map(|&size| size as usize).product();
        self.reserve_parameters((taps as u64).saturating_mul(channels as u64))?;
        let weights = vec![weight.unwrap_or(1.0 / taps as f32); taps * channels];
        let maps = vec![Map::Conv(Conv {
            window,
            groups: channels,
            weights,
        })];
        self.image_node(image, maps, vec![0.0; channels], [channels, height, width])
    }

    /// `(x - mean) / sqrt(var + epsilon) * scale + bias`, by channel.
    pub(super) fn batch_normalization(&mut self, call: &Call) -> Result<Value, Problem> {
        if call.int("training_mode", 0) != 0 {
            return Err("it is in training mode; export the model for inference".into());
        }
        let wire = call.wire(0)?;
        let channels = wire.shape.first().copied().unwrap_or(0);
        let run = wire.len() / channels.max(1);
        let list = |index: usize| -> Result<Vec<f32>, Problem> {
            Ok(call.constant(index)?.clone().broadcast(&[channels])?)
        };
        let (scale, bias, mean, variance) = (list(1)?, list(2)?, list(3)?, list(4)?);
        let epsilon = call.float("epsilon", 1e-5);
        let factors: Vec<f32> = scale
            .iter()
            .zip(&variance)
            .map(|(scale, of)| scale / (of + epsilon).sqrt())
            .collect();
        let offsets = bias
            .iter()
            .zip(&mean)
            .zip(&factors)
            .map(|((bias, mean), factor)| bias - mean * factor);
        let spread = |values: Vec<f32>| {
            values
                .into_iter()
                .flat_map(|value| std::iter::repeat_n(value, run))
                .collect()
        };
        let (factors, offsets): (Vec<f32>, Vec<f32>) =
            (spread(factors.clone()), spread(offsets.collect()));
        Ok(Value::Tensor(self.affine(wire, &factors, &offsets)?))
    }
}

/// The window that covers an image.
fn whole(image: &Image) -> (Window, [usize; 2]) {
    let window = Window {
        kernel: image.size(),
        strides: [1, 1],
        dilations: [1, 1],
        pads: [0; 4],
    };
    (window, [1, 1])
}

/// Positions added at the top, left, bottom and right.
fn pads(list: Option<Vec<i64>>, flat: bool) -> Result<[u32; 4], Problem> {
    let Some(list) = list else {
        return Ok([0; 4]);
    };
    let numbers: Option<Vec<u32>> = list
        .iter()
        .map(|&pad| u32::try_from(pad).ok().filter(|pad| *pad < 1 << 16))
        .collect();
    match (numbers.as_deref(), flat) {
        (Some([left, right]), true) => Ok([0, *left, 0, *right]),
        (Some([top, left, bottom, right]), false) => Ok([*top, *left, *bottom, *right]),
        _ => Err(format!("pads {list:?} are not supported").into()),
    }
}
