//! Any plan as a composition of candle's operations, for devices other than the processor, and for
//! any float type.
//!
//! Gradients are `PyTorch`'s: of equal values in a window the first, row by row, takes the whole
//! gradient, and `ReLU`'s derivative at 0 is 0. candle's own max-pooling spreads a window's gradient
//! wrongly and its `ReLU` has derivative 1 at 0, so neither is used here.

use candle_core::{D, Result, Tensor, bail};

use super::dropout;
use super::engine::Mode;
use crate::network::plan::{Node, Op, Plan};

/// Keeps the divisor of batch normalisation away from zero.
const EPSILON: f64 = 1e-5;
/// Share of a batch's statistics in the running ones.
const MOMENTUM: f64 = 0.1;

/// What each of a plan's values is for a batch, and the running statistics after it.
#[derive(Debug)]
pub struct Values {
    /// By the plan's values: `[n, channels, rows, columns]` for maps and `[n, len]` for rows.
    pub values: Vec<Tensor>,
    /// As they were, in evaluation.
    pub running: Tensor,
}

impl Values {
    /// The last ones.
    pub fn logits(&self) -> Tensor {
        self.values[self.values.len() - 1].clone()
    }
}

/// Sends a batch `[n, channels, rows, columns]` of numbers through the network. `trained` and `running`
/// are flat arrays, all of one float type on one device.
///
/// # Errors
/// When the shapes do not fit, and those of candle.
pub fn forward(
    plan: &Plan,
    trained: &Tensor,
    running: &Tensor,
    images: &Tensor,
    mode: Mode,
) -> Result<Values> {
    match images.dims() {
        [_, rest @ ..] if rest == plan.input() => {}
        dims => bail!("the network takes images [n, {:?}], found {dims:?}", plan.input()),
    }
    let part = |place: usize| {
        let param = &plan.params()[place];
        let values = trained.narrow(0, param.range.start, param.range.len())?;
        values.reshape(param.shape.as_slice())
    };
    let mut statistics = Vec::new();
    let mut values = vec![images.clone()];
    for node in plan.nodes() {
        let input = &values[node.input];
        let output = match node.op {
            Op::Conv { weight, bias, kernel, stride, padding } => {
                let weight = part(weight)?.contiguous()?;
                let input = seen(input, plan, node, [kernel, stride, padding])?;
                let maps = input.contiguous()?.conv2d(&weight, 0, stride, 1, 1)?;
                match bias {
                    Some(bias) => maps.broadcast_add(&part(bias)?.reshape((1, (), 1, 1))?)?,
                    None => maps,
                }
            }
            Op::Linear { weight, bias } => {
                let row = input.matmul(&part(weight)?.t()?)?;
                match bias {
                    Some(bias) => row.broadcast_add(&part(bias)?)?,
                    None => row,
                }
            }
            Op::BatchNorm { scale, mean } => {
                let [scale, shift] = [part(scale)?, part(scale + 1)?];
                let statistic = |place: usize| {
                    let param = &plan.running()[place];
                    running.narrow(0, param.range.start, param.range.len())
                };
                let before = [statistic(mean)?, statistic(mean + 1)?];
                let (output, after) = normalise(input, &scale, &shift, before, mode)?;
                statistics.extend(after);
                output
            }
            Op::Relu => relu(input)?,
            Op::Gelu => gelu(input)?,
            Op::MaxPool { size, stride } => {
                let mut windows = windows(input, size, stride, plan, node)?.into_iter();
                let Some(first) = windows.next() else { bail!("a window has a first value") };
                windows.try_fold(first, |largest, value| first_maximum(&largest, &value))?
            }
            Op::AvgPool { size, stride } => {
                let windows = windows(input, size, stride, plan, node)?;
                (Tensor::stack(&windows, 0)?.sum(0)? / windows.len() as f64)?
            }
            Op::GlobalAvgPool => input.flatten_from(2)?.mean(D::Minus1)?,
            Op::Dropout { p, index } => drop_some(input, mode, index, p)?,
            Op::Flatten => input.flatten_from(1)?,
            Op::Add { with } => (input + &values[with])?,
        };
        values.push(output);
    }
    let running = match (mode, statistics.is_empty()) {
        (Mode::Train(_), false) => Tensor::cat(&statistics, 0)?.detach(),
        _ => running.clone(),
    };
    Ok(Values { values, running })
}

/// The input in its frame of zeros, without the rows and columns at the end that no kernel reaches: for
/// those candle's gradient of a strided convolution has the wrong shape.
fn seen(
    input: &Tensor,
    plan: &Plan,
    node: &Node,
    [kernel, stride, padding]: [usize; 3],
) -> Result<Tensor> {
    let [_, height, width] = plan.values()[node.output].shape;
    let framed = input.pad_with_zeros(2, padding, padding)?.pad_with_zeros(3, padding, padding)?;
    let reached = |outputs: usize| (outputs - 1) * stride + kernel;
    framed.narrow(2, 0, reached(height))?.narrow(3, 0, reached(width))
}

/// The normalised input, and the running mean and variance after it.
fn normalise(
    input: &Tensor,
    scale: &Tensor,
    shift: &Tensor,
    before: [Tensor; 2],
    mode: Mode,
) -> Result<(Tensor, [Tensor; 2])> {
    let channels = scale.dim(0)?;
    // One row a channel.
    let rows = input.transpose(0, 1)?.contiguous()?.reshape((channels, ()))?;
    let count = rows.dim(1)? as f64;
    let ([mean, variance], after) = match mode {
        Mode::Evaluate => (before.each_ref().map(Tensor::clone), before),
        Mode::Train(_) => {
            let mean = rows.mean(1)?;
            let squares = rows.broadcast_sub(&mean.unsqueeze(1)?)?.sqr()?.sum(1)?;
            let [before_mean, before_variance] = before;
            let moved = |before: Tensor, now: &Tensor, share: f64| {
                (before * (1.0 - MOMENTUM))? + (now.detach() * (MOMENTUM * share))?
            };
            let variance = if count < 2.0 {
                before_variance
            } else {
                moved(before_variance, &squares, 1.0 / (count - 1.0))?
            };
            let after = [moved(before_mean, &mean, 1.0)?, variance];
            ([mean, (squares / count)?], after)
        }
    };
    let mut shape = vec![1; input.rank()];
    shape[1] = channels;
    let factor = scale.div(&(variance + EPSILON)?.sqrt()?)?;
    let offset = (shift - (mean * &factor)?)?;
    let [factor, offset] = [factor, offset].map(|row| row.reshape(shape.as_slice()));
    Ok((input.broadcast_mul(&factor?)?.broadcast_add(&offset?)?, after))
}

/// For each place of a window the values there, row by row, in the output's shape.
fn windows(
    input: &Tensor,
    size: usize,
    stride: usize,
    plan: &Plan,
    node: &Node,
) -> Result<Vec<Tensor>> {
    let [_, height, width] = plan.values()[node.output].shape;
    let every = |start: usize, count: usize| {
        let places = (0..count).map(|place| (start + place * stride) as u32);
        Tensor::from_iter(places, input.device())
    };
    let mut windows = Vec::new();
    for row in 0..size {
        let rows = input.contiguous()?.index_select(&every(row, height)?, 2)?;
        for column in 0..size {
            windows.push(rows.index_select(&every(column, width)?, 3)?);
        }
    }
    Ok(windows)
}

fn drop_some(input: &Tensor, mode: Mode, index: usize, p: f64) -> Result<Tensor> {
    let Mode::Train(key) = mode else { return Ok(input.clone()) };
    let n = input.dim(0)?;
    let len = input.elem_count() / n.max(1);
    let mut factors = vec![0.0; n * len];
    for (image, factors) in factors.chunks_exact_mut(len.max(1)).enumerate() {
        dropout::Factors::new(key, image, index, p).fill(factors);
    }
    let factors = Tensor::from_vec(factors, input.shape(), input.device())?;
    input.mul(&factors.to_dtype(input.dtype())?)
}

/// The larger of two values and, of equal ones, the first, which takes the gradient.
fn first_maximum(first: &Tensor, second: &Tensor) -> Result<Tensor> {
    second.gt(first)?.where_cond(second, first)
}

/// x·Φ(x). candle's own has a derivative of six digits.
fn gelu(values: &Tensor) -> Result<Tensor> {
    let below = (values * std::f64::consts::FRAC_1_SQRT_2)?.erf()?.affine(0.5, 0.5)?;
    values.mul(&below)
}

/// `ReLU` with derivative 0 at 0. What is not a number stays so.
fn relu(values: &Tensor) -> Result<Tensor> {
    values.gt(0.0)?.where_cond(values, &values.affine(0.0, 0.0)?)
}
