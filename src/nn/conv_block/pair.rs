//! Two blocks in one pass over each image, while it is in the fastest cache.
//!
//! To candle they remain two operations, one for each block's parameters, but the first is a
//! placeholder: it notes its operands and gives an empty tensor. The second computes both blocks
//! image by image and, going back, both blocks' gradients; it leaves those of the first block for
//! the placeholder to hand out. What lies between the blocks never becomes a tensor.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use pulp::{Simd, WithSimd};

use super::FEWEST_IMAGES;
use super::backward::Backward;
use super::buffers::{Between, Buffers, Scratch, lock};
use super::forward::{self, Forward};
use super::geometry::Geometry;
use crate::nn::{chunks, host, simd};

/// What the two operations share.
struct Pass {
    geometries: [Geometry; 2],
    images: Tensor,
    /// The first block's weight and bias.
    operands: [Tensor; 2],
    /// Filled by the forward pass.
    between: Mutex<Option<Between>>,
    /// The gradients of the first block's weight and bias, filled by the second's backward pass.
    grads: Mutex<Option<[Vec<f32>; 2]>>,
    buffers: Buffers,
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(between) = lock(&self.between).take() {
            self.buffers.give(between);
        }
    }
}

/// Applies two blocks, each given by weight and bias, one after the other; for f32 tensors in
/// main memory. Equal to [`super::forward_fused`] twice, bit for bit, and faster.
///
/// # Errors
/// As [`super::forward_fused`] twice, and when a gradient of the images is asked for.
pub fn forward_pair(
    images: &Tensor,
    first: [&Tensor; 2],
    second: [&Tensor; 2],
    buffers: &Buffers,
) -> Result<Tensor> {
    if images.track_op() {
        bail!("two blocks in one pass give no gradient of the images");
    }
    let images = images.contiguous()?;
    let (n, first_geometry) = Geometry::of(&images, first[0], first[1])?;
    let maps =
        (n, first_geometry.outputs, first_geometry.pooled_height(), first_geometry.pooled_width());
    let second_geometry = Geometry::of_shape(maps, second[0], second[1])?;
    let operands = [first[0].contiguous()?, first[1].contiguous()?];
    let [weight, bias] = operands.clone();
    let pass = Arc::new(Pass {
        geometries: [first_geometry, second_geometry],
        images: images.clone(),
        operands: operands.map(|operand| operand.detach()),
        between: Mutex::new(None),
        grads: Mutex::new(None),
        buffers: buffers.clone(),
    });
    let placeholder = images.apply_op3(&weight, &bias, FirstBlock(Arc::clone(&pass)))?;
    placeholder.apply_op3(&second[0].contiguous()?, &second[1].contiguous()?, SecondBlock(pass))
}

struct FirstBlock(Arc<Pass>);

impl CustomOp3 for FirstBlock {
    fn name(&self) -> &'static str {
        "first-conv-relu-max-pool"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        images: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(Vec::new()), (images.dims()[0], 0).into()))
    }

    fn bwd(
        &self,
        _images: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _output: &Tensor,
        _grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some([weight_grad, bias_grad]) = lock(&self.0.grads).take() else {
            bail!("the gradients of {} come with those of the second block", self.name());
        };
        let device = weight.device();
        let weight_grad = Tensor::from_vec(weight_grad, weight.shape(), device)?;
        let bias_grad = Tensor::from_vec(bias_grad, bias.shape(), device)?;
        Ok((None, Some(weight_grad), Some(bias_grad)))
    }
}

struct SecondBlock(Arc<Pass>);

impl CustomOp3 for SecondBlock {
    fn name(&self) -> &'static str {
        "second-conv-relu-max-pool"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        placeholder: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let Pass { geometries, images, operands: [first_weight, first_bias], .. } = &*self.0;
        let [first, second] = geometries;
        let n = placeholder.dims()[0];
        let chunk = chunks::chunk_len(n, FEWEST_IMAGES);
        let mut between = self.0.buffers.take(*geometries);
        between.resize(n, chunk);
        host::with_elements(first_weight, |weight| {
            host::with_elements(first_bias, |bias| {
                between.forward[0].set(weight, bias);
                Ok(())
            })
        })?;
        let weight = host::elements(weight, weight_layout)?;
        between.forward[1].set(weight, host::elements(bias, bias_layout)?);
        between.backward[1].set(weight);
        let mut output = vec![0.0; n * second.output_len()];
        host::with_elements(images, |images| {
            let Between { forward: blocks, maps, winners: [winners1, winners2], pieces, .. } =
                &mut between;
            let pieces = images
                .chunks(chunk * first.input_len())
                .zip(maps.chunks_mut(chunk * first.output_len()))
                .zip(winners1.chunks_mut(chunk * first.output_len()))
                .zip(output.chunks_mut(chunk * second.output_len()))
                .zip(winners2.chunks_mut(chunk * second.output_len()))
                .zip(pieces)
                .map(|(((((images, maps), winners1), output), winners2), scratch)| ForwardImages {
                    geometries,
                    blocks,
                    images,
                    maps,
                    output,
                    winners: [winners1, winners2],
                    scratch: &mut scratch.forward,
                })
                .collect();
            chunks::map(pieces, simd::run);
            Ok(())
        })?;
        *lock(&self.0.between) = Some(between);
        let shape = (n, second.outputs, second.pooled_height(), second.pooled_width());
        Ok((CpuStorage::F32(output), shape.into()))
    }

    fn bwd(
        &self,
        placeholder: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _output: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Pass { geometries, images, .. } = &*self.0;
        let [first, second] = geometries;
        let mut between = lock(&self.0.between);
        let Some(Between { backward: blocks, maps, winners: [winners1, winners2], pieces, .. }) =
            &mut *between
        else {
            bail!("{} has no forward pass to go back through", self.name());
        };
        let n = placeholder.dim(0)?;
        let chunk = chunks::chunk_len(n, FEWEST_IMAGES);
        let pieces = &mut pieces[..n.div_ceil(chunk)];
        let grad = grad.contiguous()?;
        host::with_elements(images, |images| {
            host::with_elements(&grad, |grad| {
                let pieces = images
                    .chunks(chunk * first.input_len())
                    .zip(maps.chunks(chunk * first.output_len()))
                    .zip(winners1.chunks(chunk * first.output_len()))
                    .zip(winners2.chunks(chunk * second.output_len()))
                    .zip(grad.chunks(chunk * second.output_len()))
                    .zip(&mut *pieces)
                    .map(|(((((images, maps), winners1), winners2), grad), scratch)| {
                        BackwardImages {
                            geometries,
                            blocks,
                            images,
                            maps,
                            grad,
                            winners: [winners1, winners2],
                            scratch,
                        }
                    })
                    .collect();
                chunks::map(pieces, simd::run);
                Ok(())
            })
        })?;
        let [first_grads, second_grads] = [0, 1].map(|block| {
            let total = pieces.iter().map(|piece| &piece.partial[block]);
            let weight = chunks::add_all(total.clone().map(|partial| &partial.weight[..]));
            let bias = chunks::add_all(total.map(|partial| &partial.bias[..]));
            [blocks[block].unpack(&weight), bias]
        });
        *lock(&self.0.grads) = Some(first_grads);
        let [weight_grad, bias_grad] = second_grads;
        let device = weight.device();
        Ok((
            // Nothing flows through the placeholder, but only with a gradient is it visited.
            Some(placeholder.zeros_like()?),
            Some(Tensor::from_vec(weight_grad, weight.shape(), device)?),
            Some(Tensor::from_vec(bias_grad, bias.shape(), device)?),
        ))
    }
}

/// Consecutive images of a batch on their way forward.
struct ForwardImages<'a> {
    geometries: &'a [Geometry; 2],
    blocks: &'a [Forward; 2],
    images: &'a [f32],
    maps: &'a mut [f32],
    output: &'a mut [f32],
    winners: [&'a mut [u8]; 2],
    scratch: &'a mut [forward::Scratch; 2],
}

impl WithSimd for ForwardImages<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [first, second] = self.blocks;
        let [first_geometry, second_geometry] = self.geometries;
        let [first_scratch, second_scratch] = self.scratch;
        let [first_winners, second_winners] = self.winners;
        let images = self
            .images
            .chunks_exact(first_geometry.input_len())
            .zip(self.maps.chunks_exact_mut(first_geometry.output_len()))
            .zip(first_winners.chunks_exact_mut(first_geometry.output_len()))
            .zip(self.output.chunks_exact_mut(second_geometry.output_len()))
            .zip(second_winners.chunks_exact_mut(second_geometry.output_len()));
        for ((((image, maps), first_winners), output), second_winners) in images {
            first.image(simd, first_scratch, image, maps, first_winners);
            second.image(simd, second_scratch, maps, output, second_winners);
        }
    }
}

/// Consecutive images of a batch on their way back.
struct BackwardImages<'a> {
    geometries: &'a [Geometry; 2],
    blocks: &'a [Backward; 2],
    images: &'a [f32],
    maps: &'a [f32],
    grad: &'a [f32],
    winners: [&'a [u8]; 2],
    scratch: &'a mut Scratch,
}

impl WithSimd for BackwardImages<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [first, second] = self.blocks;
        let [first_geometry, second_geometry] = self.geometries;
        let Scratch { backward: [scratch1, scratch2], partial, maps_grad, .. } = self.scratch;
        let [partial1, partial2] = partial;
        partial1.clear();
        partial2.clear();
        let [first_winners, second_winners] = self.winners;
        let images = self
            .images
            .chunks_exact(first_geometry.input_len())
            .zip(self.maps.chunks_exact(first_geometry.output_len()))
            .zip(first_winners.chunks_exact(first_geometry.output_len()))
            .zip(second_winners.chunks_exact(second_geometry.output_len()))
            .zip(self.grad.chunks_exact(second_geometry.output_len()));
        for ((((image, maps), first_winners), second_winners), grad) in images {
            let given = Some(&mut maps_grad[..]);
            second.image(simd, scratch2, partial2, maps, second_winners, grad, given);
            first.image(simd, scratch1, partial1, image, first_winners, maps_grad, None);
        }
    }
}
