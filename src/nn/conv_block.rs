//! Convolution → bias → `ReLU` → 2×2 max-pooling as one differentiable operation.
//!
//! Gradients are `PyTorch`'s: of equal values in a window the first, row by row, takes the whole
//! gradient, and `ReLU`'s derivative at 0 is 0. candle's own max-pooling spreads a window's
//! gradient wrongly and its `ReLU` has derivative 1 at 0, so neither is used here.

mod backward;
mod channels;
mod forward;
mod geometry;
mod patches;
mod positions;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use self::backward::Backward;
use self::forward::Forward;
use self::geometry::Geometry;
use super::{chunks, host, simd};

/// Fewest images worth handing to another thread.
const FEWEST_IMAGES: usize = 2;

/// Applies the block to a batch.
///
/// `input` is `[n, inputs, h, w]`, `weight` `[outputs, inputs, k, k]`, `bias` `[outputs]`; the
/// result is `[n, outputs, (h − k + 1) / 2, (w − k + 1) / 2]`, where an odd last row or column of
/// the convolution is left out. Stride 1, no padding.
///
/// f32 tensors in main memory go through [`forward_fused`], all others through
/// [`forward_composed`].
///
/// # Errors
/// When the shapes do not fit together, and those of candle.
pub fn forward(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if input.device().is_cpu() && input.dtype() == DType::F32 {
        forward_fused(input, weight, bias)
    } else {
        forward_composed(input, weight, bias)
    }
}

/// [`forward`] as one custom operation, for f32 tensors in main memory.
///
/// # Errors
/// As [`forward`], and for tensors on other devices or of other element types.
pub fn forward_fused(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (_, geometry) = Geometry::of(input, weight, bias)?;
    let block = FusedBlock { geometry, winners: OnceLock::new() };
    input.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, block)
}

/// [`forward`] as a composition of candle's operations, for any device and float type.
///
/// # Errors
/// As [`forward`].
pub fn forward_composed(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (n, geometry) = Geometry::of(input, weight, bias)?;
    let (height, width) = (geometry.pooled_height(), geometry.pooled_width());
    let maps = input.contiguous()?.conv2d(&weight.contiguous()?, 0, 1, 1, 1)?;
    let maps = maps.broadcast_add(&bias.reshape((1, geometry.outputs, 1, 1))?)?;
    let windows = maps.narrow(2, 0, 2 * height)?.narrow(3, 0, 2 * width)?.contiguous()?;
    let windows = windows.reshape((n * geometry.outputs * height, 2, width, 2))?;
    let place = |dy, dx| windows.narrow(1, dy, 1)?.narrow(3, dx, 1)?.contiguous();
    let upper = first_maximum(&place(0, 0)?, &place(0, 1)?)?;
    let lower = first_maximum(&place(1, 0)?, &place(1, 1)?)?;
    // ReLU after pooling is ReLU before pooling, on a quarter of the values.
    relu(&first_maximum(&upper, &lower)?)?.reshape((n, geometry.outputs, height, width))
}

/// The larger of two values and, of equal ones, the first, which takes the gradient.
fn first_maximum(first: &Tensor, second: &Tensor) -> Result<Tensor> {
    second.gt(first)?.where_cond(second, first)
}

/// `ReLU` with derivative 0 at 0. What is not a number stays so.
pub(super) fn relu(values: &Tensor) -> Result<Tensor> {
    values.gt(0.0)?.where_cond(values, &values.affine(0.0, 0.0)?)
}

struct FusedBlock {
    geometry: Geometry,
    /// Which place of its window gave each output; the forward pass leaves it to the backward.
    winners: OnceLock<Vec<u8>>,
}

impl CustomOp3 for FusedBlock {
    fn name(&self) -> &'static str {
        "conv-relu-max-pool"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let geometry = &self.geometry;
        let input = host::elements::<f32>(input, input_layout)?;
        let weight = host::elements(weight, weight_layout)?;
        let bias = host::elements(bias, bias_layout)?;
        let n = input_layout.dims()[0];
        let (input_len, output_len) = (geometry.input_len(), geometry.output_len());
        let mut output = vec![0.0; n * output_len];
        let mut winners = vec![0; n * output_len];
        let mut block = Forward::new(geometry);
        block.set(weight, bias);
        let chunk = chunks::chunk_len(n, FEWEST_IMAGES);
        if n <= chunk {
            let (output, winners) = (&mut output[..], &mut winners[..]);
            simd::run(forward::Images { forward: &block, geometry, input, output, winners });
        } else {
            let outputs = output.par_chunks_mut(chunk * output_len);
            let winners = winners.par_chunks_mut(chunk * output_len);
            let inputs = input.par_chunks(chunk * input_len);
            outputs.zip(winners).zip(inputs).with_max_len(1).for_each(
                |((output, winners), input)| {
                    simd::run(forward::Images {
                        forward: &block,
                        geometry,
                        input,
                        output,
                        winners,
                    });
                },
            );
        }
        if self.winners.set(winners).is_err() {
            bail!("{} remembers one forward pass and was applied twice", self.name());
        }
        let shape = (n, geometry.outputs, geometry.pooled_height(), geometry.pooled_width());
        Ok((CpuStorage::F32(output), shape.into()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _output: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let geometry = &self.geometry;
        let Some(winners) = self.winners.get() else {
            bail!("{} has no forward pass to go back through", self.name());
        };
        let (input_len, output_len) = (geometry.input_len(), geometry.output_len());
        let n = input.dim(0)?;
        let mut input_grad = input.track_op().then(|| vec![0.0; n * input_len]);
        let mut block = Backward::new(geometry, input_grad.is_some());
        host::with_elements(weight, |weight| {
            block.set(weight);
            Ok(())
        })?;
        let grad = grad.contiguous()?;
        let partials = host::with_elements(input, |input| {
            host::with_elements(&grad, |grad| {
                let chunk = chunks::chunk_len(n, FEWEST_IMAGES);
                let mut input_grads =
                    input_grad.as_mut().map(|values| values.chunks_mut(chunk * input_len));
                let pieces = input
                    .chunks(chunk * input_len)
                    .zip(winners.chunks(chunk * output_len))
                    .zip(grad.chunks(chunk * output_len))
                    .map(|((input, winners), grad)| {
                        let input_grad = input_grads.as_mut().and_then(Iterator::next);
                        backward::Images { backward: &block, input, winners, grad, input_grad }
                    })
                    .collect();
                Ok(chunks::map(pieces, simd::run))
            })
        })?;
        let weight_grad = chunks::add_all(partials.iter().map(|partial| &partial.weight[..]));
        let weight_grad = block.unpack(&weight_grad);
        let bias_grad = chunks::add_all(partials.iter().map(|partial| &partial.bias[..]));
        let device = input.device();
        Ok((
            input_grad.map(|grad| Tensor::from_vec(grad, input.shape(), device)).transpose()?,
            Some(Tensor::from_vec(weight_grad, weight.shape(), device)?),
            Some(Tensor::from_vec(bias_grad, bias.shape(), device)?),
        ))
    }
}
