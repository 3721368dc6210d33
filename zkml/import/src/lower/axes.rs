//! Where operators that move data read each element.

use ciro_zkml_model::{MAX_ELEMENTS, MAX_RANK};

use crate::tensor::product;

use super::call::{Call, Problem};

/// Where a movement reads each element (`None`: all in order), and the shape of what it makes.
pub(super) type Moved = (Option<Vec<u32>>, Vec<usize>);

/// The axes of a sample or of a constant.
#[derive(Clone, Copy)]
pub(super) struct Axes<'a> {
    pub shape: &'a [usize],
    /// Whether the graph counts an axis for the batch before these.
    pub batch: bool,
}

impl Axes<'_> {
    /// The axis of the shape that the graph calls `axis`.
    pub fn axis(self, axis: i64) -> Result<usize, Problem> {
        self.place(axis, self.shape.len())
    }

    /// The same among `rank` axes.
    fn place(self, axis: i64, rank: usize) -> Result<usize, Problem> {
        let before = i64::from(self.batch);
        let rank = rank as i64;
        let from_front = if axis < 0 {
            axis.saturating_add(rank + before)
        } else {
            axis
        };
        match from_front.checked_sub(before) {
            Some(-1) if self.batch => {
                Err("it works along the batch axis, which mixes samples".into())
            }
            Some(place) if (0..rank).contains(&place) => Ok(place as usize),
            _ => Err(format!(
                "there is no axis {axis} in samples of shape {:?}",
                self.shape
            )
            .into()),
        }
    }

    /// Size of an axis.
    pub fn size(self, axis: usize) -> usize {
        self.shape.get(axis).copied().unwrap_or(0)
    }

    /// The shape with all axes from `axis` on as one.
    pub fn flatten(self, axis: i64) -> Result<Vec<usize>, Problem> {
        let rank = self.shape.len() as i64 + i64::from(self.batch);
        let at = if axis < 0 {
            axis.saturating_add(rank)
        } else {
            axis
        };
        match (self.batch, at) {
            (true, 1) => Ok(vec![self.shape.iter().product()]),
            (true, _) => Err(format!("axis {axis} mixes samples; flatten from axis 1").into()),
            (false, at) => {
                let at = usize::try_from(at)
                    .ok()
                    .filter(|at| *at <= self.shape.len());
                let (rows, columns) = self
                    .shape
                    .split_at(at.ok_or_else(|| format!("there is no axis {axis}"))?);
                Ok(vec![rows.iter().product(), columns.iter().product()])
            }
        }
    }

    /// The shape without axes of size 1: those named, or all.
    pub fn squeeze(self, axes: Option<Vec<i64>>) -> Result<Vec<usize>, Problem> {
        let axes = match axes {
            Some(axes) => axes
                .iter()
                .map(|&axis| self.axis(axis))
                .collect::<Result<Vec<_>, _>>()?,
            None => (0..self.shape.len())
                .filter(|&axis| self.size(axis) == 1)
                .collect(),
        };
        match axes.iter().all(|&axis| self.size(axis) == 1) {
            true => Ok((0..self.shape.len())
                .filter(|axis| !axes.contains(axis))
                .map(|axis| self.size(axis))
                .collect()),
            false => Err(format!(
                "samples of shape {:?} have more than one value along these axes",
                self.shape
            )
            .into()),
        }
    }

    /// The shape with more axes of size 1.
    pub fn unsqueeze(self, axes: &[i64]) -> Result<Vec<usize>, Problem> {
        let rank = self.shape.len().saturating_add(axes.len());
        if rank > MAX_RANK {
            return Err(format!(
                "the result would have {rank} axes, above the limit of {MAX_RANK}"
            )
            .into());
        }
        let places = axes
            .iter()
            .map(|&axis| self.place(axis, rank))
            .collect::<Result<Vec<_>, _>>()?;
        let mut own = self.shape.iter().copied();
        Ok((0..rank)
            .map(|axis| {
                if places.contains(&axis) {
                    1
                } else {
                    own.next().unwrap_or(1)
                }
            })
            .collect())
    }

    /// A permutation of the axes.
    pub fn transpose(self, order: Option<Vec<i64>>) -> Result<Moved, Problem> {
        let rank = self.shape.len();
        let order = match (order, self.batch) {
            (Some(order), true) => match order.split_first() {
                Some((0, order)) => order
                    .iter()
                    .map(|&axis| self.axis(axis))
                    .collect::<Result<Vec<_>, _>>()?,
                _ => return Err("it moves the batch axis, which mixes samples".into()),
            },
            (Some(order), false) => order
                .iter()
                .map(|&axis| self.axis(axis))
                .collect::<Result<Vec<_>, _>>()?,
            (None, true) => return Err("it moves the batch axis, which mixes samples".into()),
            (None, false) => (0..rank).rev().collect(),
        };
        self.permute(&order)
    }

    /// The shape with its axes in another order.
    pub fn permute(self, order: &[usize]) -> Result<Moved, Problem> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.shape.len()) {
            return Err(format!("{order:?} is no order of the axes of {:?}", self.shape).into());
        }
        let stride = |axis: usize| self.shape.iter().skip(axis + 1).product::<usize>() as u32;
        let mut places = vec![0_u32];
        for &axis in order {
            let steps = (0..self.size(axis) as u32).map(|at| at * stride(axis));
            let steps: Vec<u32> = steps.collect();
            places = places
                .iter()
                .flat_map(|place| steps.iter().map(move |step| place + step))
                .collect();
        }
        Ok((
            Some(places),
            order.iter().map(|&axis| self.size(axis)).collect(),
        ))
    }

    /// The elements at some places along an axis.
    pub fn take(self, axis: usize, places: &[usize]) -> (Vec<u32>, Vec<usize>) {
        let inner: usize = self.shape.iter().skip(axis + 1).product();
        let outer: usize = self.shape.iter().take(axis).product();
        let size = self.size(axis);
        let run = |block: usize| {
            places.iter().flat_map(move |place| {
                let first = (block * size + place) * inner;
                (first as u32)..(first + inner) as u32
            })
        };
        let mut shape = self.shape.to_vec();
        if let Some(size) = shape.get_mut(axis) {
            *size = places.len();
        }
        ((0..outer).flat_map(run).collect(), shape)
    }

    /// Ranges along axes.
    pub fn slice(self, call: &Call) -> Result<Moved, Problem> {
        let missing = "its starts and ends must be constants";
        let starts = call.list("starts", 1)?.ok_or(missing)?;
        let ends = call.list("ends", 2)?.ok_or(missing)?;
        let axes = match call.list("axes", 3)? {
            Some(axes) => axes,
            None => (0..starts.len() as i64).collect(),
        };
        let steps = call.list("steps", 4)?.unwrap_or(vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] || starts.len() > MAX_RANK {
            return Err("its starts, ends, axes and steps differ in number".into());
        }
        let mut places: Vec<u32> = (0..self.shape.iter().product::<usize>() as u32).collect();
        let mut shape = self.shape.to_vec();
        for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
            let now = Axes {
                shape: &shape,
                ..self
            };
            if self.batch && axis == 0 && (start, step) == (0, 1) && end >= i64::from(i32::MAX) {
                continue;
            }
            let axis = now.axis(axis)?;
            let chosen = sliced(start, end, step, now.size(axis)).ok_or("its step is 0")?;
            let (indices, sliced) = now.take(axis, &chosen);
            places = indices
                .iter()
                .filter_map(|index| places.get(*index as usize).copied())
                .collect();
            shape = sliced;
        }
        Ok((Some(places), shape))
    }

    /// The places along an axis that a constant names.
    pub fn gather(self, call: &Call) -> Result<Moved, Problem> {
        let axis = self.axis(call.int("axis", 0))?;
        let size = self.size(axis) as i64;
        let indices = call.constant(1)?.clone();
        let dims = indices.dims.clone();
        let place = |index: i64| {
            let index = if index < 0 {
                index.saturating_add(size)
            } else {
                index
            };
            usize::try_from(index)
                .ok()
                .filter(|index| (*index as i64) < size)
        };
        let places: Option<Vec<usize>> = indices.into_ints()?.into_iter().map(place).collect();
        let places =
            places.ok_or_else(|| format!("an index lies outside an axis of size {size}"))?;
        let inner: usize = self.shape.iter().skip(axis + 1).product();
        let outer: usize = self.shape.iter().take(axis).product();
        if product(&[outer, places.len(), inner]).is_none_or(|count| count as u64 > MAX_ELEMENTS) {
            return Err("it gathers too many values".into());
        }
        let (indices, _) = self.take(axis, &places);
        let (before, after) = self.shape.split_at(axis);
        Ok((
            Some(indices),
            [before, &dims, after.get(1..).unwrap_or(&[])].concat(),
        ))
    }

    /// DepthToSpace, or SpaceToDepth.
    pub fn blocks(self, call: &Call, to_space: bool) -> Result<Moved, Problem> {
        let unfit = || {
            format!(
                "samples of shape {:?} do not divide into its blocks",
                self.shape
            )
        };
        let block = usize::try_from(call.int("blocksize", 0))
            .ok()
            .filter(|block| *block > 0)
            .ok_or_else(unfit)?;
        let &[channels, height, width] = self.shape else {
            return Err(unfit().into());
        };
        let square = block.checked_mul(block).ok_or_else(unfit)?;
        let divides = match to_space {
            true => channels.is_multiple_of(square),
            false => height.is_multiple_of(block) && width.is_multiple_of(block),
        };
        if !divides {
            return Err(unfit().into());
        }
        let (split, order, shape) = match (to_space, call.text("mode").as_str()) {
            (true, "CRD") => {
                let depth = channels / square;
                (
                    [depth, block, block, height, width].to_vec(),
                    [0, 3, 1, 4, 2],
                    vec![depth, height * block, width * block],
                )
            }
            (true, _) => {
                let depth = channels / square;
                (
                    [block, block, depth, height, width].to_vec(),
                    [2, 3, 0, 4, 1],
                    vec![depth, height * block, width * block],
                )
            }
            (false, _) => {
                let (rows, columns) = (height / block, width / block);
                (
                    [channels, rows, block, columns, block].to_vec(),
                    [2, 4, 0, 1, 3],
                    vec![channels * square, rows, columns],
                )
            }
        };
        let (indices, _) = Axes {
            shape: &split,
            batch: false,
        }
        .permute(&order)?;
        Ok((indices, shape))
    }

    /// The shape after a Reshape to `target`; of a sample only if that keeps the batch axis.
    pub fn reshape(self, target: &[Option<i64>], fixed: Option<i64>) -> Option<Vec<usize>> {
        let (batch, own) = match self.batch {
            true => target
                .split_first()
                .map(|(batch, own)| (Some(*batch), own))?,
            false => (None, target),
        };
        if own.len() > MAX_RANK {
            return None;
        }
        let resolve = |(index, axis): (usize, &Option<i64>)| match axis {
            Some(0) => self.shape.get(index).copied(),
            axis => usize::try_from((*axis)?).ok(),
        };
        let free = own.iter().position(|axis| *axis == Some(-1));
        let known = own
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != free);
        let elements = product(self.shape)?;
        let known = product(&known.map(resolve).collect::<Option<Vec<_>>>()?)?;
        let rest = elements
            .checked_div(known)
            .filter(|rest| rest.checked_mul(known) == Some(elements))?;
        let keeps_batch = match batch {
            None | Some(None | Some(0)) => true,
            Some(Some(-1)) => free.is_none(),
            Some(size) => size == fixed,
        };
        if !keeps_batch || (free.is_none() && rest != 1) {
            return None;
        }
        own.iter()
            .enumerate()
            .map(|axis| {
                if Some(axis.0) == free {
                    Some(rest)
                } else {
                    resolve(axis)
                }
            })
            .collect()
    }
}

/// The places that a slice takes along an axis of size `size`; `None` if its step is 0.
fn sliced(start: i64, end: i64, step: i64, size: usize) -> Option<Vec<usize>> {
    let size = size as i64;
    let at = |place: i64| {
        if place < 0 {
            place.saturating_add(size)
        } else {
            place
        }
    };
    let stride = usize::try_from(step.unsigned_abs())
        .ok()
        .filter(|stride| *stride > 0)?;
    let places: Vec<usize> = match step > 0 {
        true => (at(start).clamp(0, size)..at(end).clamp(0, size))
            .map(|place| place as usize)
            .collect(),
        false => {
            let (first, last) = (at(start).clamp(-1, size - 1), at(end).clamp(-1, size - 1));
            ((last + 1)..=first)
                .rev()
                .map(|place| place as usize)
                .collect()
        }
    };
    Some(places.into_iter().step_by(stride).collect())
}
