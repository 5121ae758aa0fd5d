//! Two blocks in one pass over each image, while it is in the fastest cache.
//!
//! To candle they remain two operations, one for each block's parameters, but the first is a
//! placeholder: it notes its operands and gives an empty tensor. The second computes both blocks
//! image by image and, going back, both blocks' gradients; it leaves those of the first block for
//! the placeholder to hand out. What lies between the blocks never becomes a tensor.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use pulp::{Simd, WithSimd};

use super::FEWEST_IMAGES;
use super::backward::{Backward, Partial};
use super::forward::Forward;
use super::geometry::Geometry;
use crate::nn::{chunks, host, simd};

/// Buffers that go from one batch to the next.
#[derive(Clone, Debug, Default)]
pub struct Buffers(Arc<Mutex<Vec<Between>>>);

/// What the forward pass leaves to the backward.
#[derive(Debug, Default)]
struct Between {
    /// The first block's outputs.
    maps: Vec<f32>,
    /// Which places gave them.
    first_winners: Vec<u8>,
    /// Which places gave the second block's outputs.
    second_winners: Vec<u8>,
}

/// What the two operations share.
struct Pass {
    first: Geometry,
    second: Geometry,
    images: Tensor,
    /// The first block's weight and bias.
    operands: [Tensor; 2],
    between: OnceLock<Between>,
    /// The gradients of the first block's weight and bias.
    grads: Mutex<Option<[Vec<f32>; 2]>>,
    buffers: Buffers,
}

/// Locks; a panic elsewhere leaves these values whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(between) = self.between.take() {
            lock(&self.buffers.0).push(between);
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
        first: first_geometry,
        second: second_geometry,
        images: images.clone(),
        operands: operands.map(|operand| operand.detach()),
        between: OnceLock::new(),
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
        let Pass { first, second, .. } = &*self.0;
        let n = placeholder.dims()[0];
        let weight = host::elements(weight, weight_layout)?;
        let bias = host::elements(bias, bias_layout)?;
        let second_block = Forward::new(second, weight, bias);
        let [weight, bias] = &self.0.operands;
        let first_block = host::with_elements(weight, |weight| {
            host::with_elements(bias, |bias| Ok(Forward::new(first, weight, bias)))
        })?;
        let mut between = lock(&self.0.buffers.0).pop().unwrap_or_default();
        between.maps.resize(n * first.output_len(), 0.0);
        between.first_winners.resize(n * first.output_len(), 0);
        between.second_winners.resize(n * second.output_len(), 0);
        let mut output = vec![0.0; n * second.output_len()];
        host::with_elements(&self.0.images, |images| {
            let chunk = chunks::chunk_len(n, FEWEST_IMAGES);
            let pieces = images
                .chunks(chunk * first.input_len())
                .zip(between.maps.chunks_mut(chunk * first.output_len()))
                .zip(between.first_winners.chunks_mut(chunk * first.output_len()))
                .zip(output.chunks_mut(chunk * second.output_len()))
                .zip(between.second_winners.chunks_mut(chunk * second.output_len()))
                .map(|((((images, maps), first_winners), output), second_winners)| ForwardImages {
                    geometries: [first, second],
                    blocks: [&first_block, &second_block],
                    images,
                    maps,
                    output,
                    winners: [first_winners, second_winners],
                })
                .collect();
            chunks::map(pieces, simd::run);
            Ok(())
        })?;
        if self.0.between.set(between).is_err() {
            bail!("{} remembers one forward pass and was applied twice", self.name());
        }
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
        let Pass { first, second, images, operands, .. } = &*self.0;
        let Some(between) = self.0.between.get() else {
            bail!("{} has no forward pass to go back through", self.name());
        };
        let n = placeholder.dim(0)?;
        let grad = grad.contiguous()?;
        let first_block =
            host::with_elements(&operands[0], |weight| Ok(Backward::new(first, weight, false)))?;
        let second_block =
            host::with_elements(weight, |weight| Ok(Backward::new(second, weight, true)))?;
        let partials = host::with_elements::<f32, _>(images, |images| {
            host::with_elements::<f32, _>(&grad, |grad| {
                let chunk = chunks::chunk_len(n, FEWEST_IMAGES);
                let pieces = images
                    .chunks(chunk * first.input_len())
                    .zip(between.maps.chunks(chunk * first.output_len()))
                    .zip(between.first_winners.chunks(chunk * first.output_len()))
                    .zip(between.second_winners.chunks(chunk * second.output_len()))
                    .zip(grad.chunks(chunk * second.output_len()))
                    .map(|((((images, maps), first_winners), second_winners), grad)| {
                        BackwardImages {
                            geometries: [first, second],
                            blocks: [&first_block, &second_block],
                            images,
                            maps,
                            grad,
                            winners: [first_winners, second_winners],
                        }
                    })
                    .collect();
                Ok(chunks::map(pieces, simd::run))
            })
        })?;
        let (first_partials, second_partials): (Vec<_>, Vec<_>) = partials.into_iter().unzip();
        let total = |block: &Backward, partials: Vec<Partial>| {
            let (weights, biases): (Vec<_>, Vec<_>) =
                partials.into_iter().map(|partial| (partial.weight, partial.bias)).unzip();
            [block.unpack(&chunks::add_all(weights)), chunks::add_all(biases)]
        };
        *lock(&self.0.grads) = Some(total(&first_block, first_partials));
        let [weight_grad, bias_grad] = total(&second_block, second_partials);
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
    geometries: [&'a Geometry; 2],
    blocks: [&'a Forward; 2],
    images: &'a [f32],
    maps: &'a mut [f32],
    output: &'a mut [f32],
    winners: [&'a mut [u8]; 2],
}

impl WithSimd for ForwardImages<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [first, second] = self.blocks;
        let [first_geometry, second_geometry] = self.geometries;
        let mut first_scratch = first.scratch();
        let mut second_scratch = second.scratch();
        let [first_winners, second_winners] = self.winners;
        let images = self
            .images
            .chunks_exact(first_geometry.input_len())
            .zip(self.maps.chunks_exact_mut(first_geometry.output_len()))
            .zip(first_winners.chunks_exact_mut(first_geometry.output_len()))
            .zip(self.output.chunks_exact_mut(second_geometry.output_len()))
            .zip(second_winners.chunks_exact_mut(second_geometry.output_len()));
        for ((((image, maps), first_winners), output), second_winners) in images {
            first.image(simd, &mut first_scratch, image, maps, first_winners);
            second.image(simd, &mut second_scratch, maps, output, second_winners);
        }
    }
}

/// Consecutive images of a batch on their way back.
struct BackwardImages<'a> {
    geometries: [&'a Geometry; 2],
    blocks: [&'a Backward; 2],
    images: &'a [f32],
    maps: &'a [f32],
    grad: &'a [f32],
    winners: [&'a [u8]; 2],
}

impl WithSimd for BackwardImages<'_> {
    type Output = (Partial, Partial);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let [first, second] = self.blocks;
        let [first_geometry, second_geometry] = self.geometries;
        let (mut first_scratch, mut second_scratch) = (first.scratch(), second.scratch());
        let (mut first_partial, mut second_partial) = (first.partial(), second.partial());
        let mut maps_grad = vec![0.0; first_geometry.output_len()];
        let [first_winners, second_winners] = self.winners;
        let images = self
            .images
            .chunks_exact(first_geometry.input_len())
            .zip(self.maps.chunks_exact(first_geometry.output_len()))
            .zip(first_winners.chunks_exact(first_geometry.output_len()))
            .zip(second_winners.chunks_exact(second_geometry.output_len()))
            .zip(self.grad.chunks_exact(second_geometry.output_len()));
        for ((((image, maps), first_winners), second_winners), grad) in images {
            second.image(
                simd,
                &mut second_scratch,
                &mut second_partial,
                maps,
                second_winners,
                grad,
                Some(&mut maps_grad),
            );
            first.image(
                simd,
                &mut first_scratch,
                &mut first_partial,
                image,
                first_winners,
                &maps_grad,
                None,
            );
        }
        (first_partial, second_partial)
    }
}
