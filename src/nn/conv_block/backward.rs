//! The backward pass in main memory, which visits only the positions that won their window.
//!
//! After 2×2 pooling at most one in four outputs of the convolution has a gradient, and `ReLU`
//! takes more away. For each output channel the remaining ones are listed; each adds its gradient
//! times a patch of the image to the kernel's gradient and its gradient times the kernel to the
//! image's. Images are held with their channels innermost, so that a row of a patch is one run of
//! `kernel · inputs` values.

use pulp::{Simd, WithSimd};

use super::forward::DEAD;
use super::geometry::Geometry;
use super::patches::{self, SUMS};
use crate::nn::simd;

/// A block's weights laid out for the backward pass, and where a patch finds its values.
pub(super) struct Backward {
    geometry: Geometry,
    /// Length of a row of a patch, rounded up to whole vectors.
    row_len: usize,
    /// Where each tap of a kernel lies among its rows.
    places: Vec<usize>,
    /// `[outputs][kernel rows][row_len]`, zero beyond a row's end. Empty if the image's gradient
    /// is not asked for.
    weights: Vec<f32>,
    /// Offset in the image of each vector of a patch: `kernel · row_len / lanes` of them.
    vectors: Vec<usize>,
    /// Offset in the image of the patch of the first place of each window.
    corners: Vec<u32>,
}

/// What one piece of a batch adds to the gradients of the parameters.
pub(super) struct Partial {
    /// In the layout of [`Backward::weights`].
    pub(super) weight: Vec<f32>,
    /// `[outputs]`.
    pub(super) bias: Vec<f32>,
}

impl Backward {
    /// The pass for these extents, its weights zero.
    pub(super) fn new(geometry: &Geometry, with_input_grad: bool) -> Self {
        let Geometry { inputs, outputs, kernel, width, .. } = *geometry;
        let lanes = simd::lanes();
        let row_len = (kernel * inputs).next_multiple_of(lanes);
        let places: Vec<_> =
            geometry.taps().map(|(input, ky, kx)| ky * row_len + kx * inputs + input).collect();
        let weights = vec![0.0; if with_input_grad { outputs * kernel * row_len } else { 0 }];
        let vectors = (0..kernel)
            .flat_map(|ky| {
                (0..row_len).step_by(lanes).map(move |start| ky * width * inputs + start)
            })
            .collect();
        let corners = (0..geometry.pooled_height())
            .flat_map(|y| {
                (0..geometry.pooled_width()).map(move |x| (2 * (y * width + x) * inputs) as u32)
            })
            .collect();
        Self { geometry: *geometry, row_len, places, weights, vectors, corners }
    }

    /// Takes over `weight` (`[outputs, inputs, kernel, kernel]`); the image's gradient depends on it.
    pub(super) fn set(&mut self, weight: &[f32]) {
        let kernels = weight.chunks_exact(self.places.len());
        let rows = self.weights.chunks_exact_mut(self.geometry.kernel * self.row_len);
        for (kernel, rows) in kernels.zip(rows) {
            for (place, value) in self.places.iter().zip(kernel) {
                rows[*place] = *value;
            }
        }
    }

    /// Buffers for [`Backward::image`].
    pub(super) fn scratch(&self) -> Scratch {
        let pooled = self.geometry.pooled();
        // A row of a patch at the end of the image runs over it by less than `row_len`.
        let image_len = self.geometry.input_len() + self.row_len;
        Scratch {
            image: vec![0.0; image_len],
            image_grads: [(); SUMS]
                .map(|()| vec![0.0; if self.weights.is_empty() { 0 } else { image_len }]),
            offsets: vec![0; pooled + 1],
            grads: vec![0.0; pooled + 1],
        }
    }

    /// Sums of nothing yet.
    pub(super) fn partial(&self) -> Partial {
        let Geometry { outputs, kernel, .. } = self.geometry;
        Partial { weight: vec![0.0; outputs * kernel * self.row_len], bias: vec![0.0; outputs] }
    }

    /// Brings a kernel gradient into the layout of the weights, `[outputs, inputs, kernel, kernel]`.
    pub(super) fn unpack(&self, packed: &[f32]) -> Vec<f32> {
        let Geometry { outputs, kernel, .. } = self.geometry;
        let mut weight = Vec::with_capacity(outputs * self.places.len());
        for packed in packed.chunks_exact(kernel * self.row_len) {
            weight.extend(self.places.iter().map(|&place| packed[place]));
        }
        weight
    }
}

/// Buffers reused from image to image.
pub(super) struct Scratch {
    /// The image, its channels innermost.
    image: Vec<f32>,
    /// Partial sums of its gradient, its channels innermost.
    image_grads: [Vec<f32>; SUMS],
    /// Of the outputs of one channel that have a gradient, where the patch of each begins.
    offsets: Vec<u32>,
    /// Their gradients.
    grads: Vec<f32>,
}

/// Consecutive images of a batch.
pub(super) struct Images<'a> {
    pub(super) backward: &'a Backward,
    /// `[m, inputs, height, width]`.
    pub(super) input: &'a [f32],
    /// `[m, outputs, pooled_height, pooled_width]`, as the forward pass left them.
    pub(super) winners: &'a [u8],
    /// Gradients of the outputs, of the same shape.
    pub(super) grad: &'a [f32],
    /// Receives the gradients of the input if they are asked for.
    pub(super) input_grad: Option<&'a mut [f32]>,
}

impl WithSimd for Images<'_> {
    type Output = Partial;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Partial {
        let geometry = &self.backward.geometry;
        let mut scratch = self.backward.scratch();
        let mut partial = self.backward.partial();
        let mut input_grads =
            self.input_grad.map(|grad| grad.chunks_exact_mut(geometry.input_len()));
        let winners = self.winners.chunks_exact(geometry.output_len());
        let grads = self.grad.chunks_exact(geometry.output_len());
        let inputs = self.input.chunks_exact(geometry.input_len());
        for ((input, winners), grad) in inputs.zip(winners).zip(grads) {
            let input_grad = input_grads.as_mut().and_then(Iterator::next);
            self.backward.image(simd, &mut scratch, &mut partial, input, winners, grad, input_grad);
        }
        partial
    }
}

impl Backward {
    /// Goes back through one image: adds to `partial` and writes `input_grad`.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "each is one operand")]
    pub(super) fn image<S: Simd>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        partial: &mut Partial,
        input: &[f32],
        winners: &[u8],
        grads: &[f32],
        input_grad: Option<&mut [f32]>,
    ) {
        let pooled = self.geometry.pooled();
        let span = self.geometry.kernel * self.row_len;
        self.channels_innermost(input, &mut scratch.image);
        for image_grad in &mut scratch.image_grads {
            image_grad.fill(0.0);
        }
        let channels = winners.chunks_exact(pooled).zip(grads.chunks_exact(pooled));
        let sums = partial.weight.chunks_exact_mut(span).zip(&mut partial.bias);
        for (channel, ((winners, grads), (weight, bias))) in channels.zip(sums).enumerate() {
            let count = self.list(scratch, winners, grads);
            let (offsets, grads) = (&scratch.offsets[..count], &scratch.grads[..count]);
            *bias += simd::sum(simd, grads);
            patches::add_patches(simd, &self.vectors, weight, &scratch.image, offsets, grads);
            if !self.weights.is_empty() {
                let kernel = &self.weights[channel * span..(channel + 1) * span];
                patches::add_kernels(
                    simd,
                    &self.vectors,
                    &mut scratch.image_grads,
                    kernel,
                    offsets,
                    grads,
                );
            }
        }
        if let Some(input_grad) = input_grad {
            let [image_grad, rest @ ..] = &mut scratch.image_grads;
            for partial in rest {
                simd::add_scaled(simd, image_grad, 1.0, partial);
            }
            self.channels_outermost(image_grad, input_grad);
        }
    }

    /// Lists the outputs of one channel that have a gradient; gives their number.
    #[inline(always)]
    fn list(&self, scratch: &mut Scratch, winners: &[u8], grads: &[f32]) -> usize {
        let Geometry { inputs, width, .. } = self.geometry;
        let [right, down] = [inputs as u32, (width * inputs) as u32];
        let places = [0, right, down, down + right, 0, 0, 0, 0];
        let mut count = 0;
        // Every candidate is written and kept or overwritten: which of them are alive is close to
        // random, and a branch on it would often be predicted wrongly.
        let kept_offsets = &mut scratch.offsets[..=self.corners.len()];
        let kept_grads = &mut scratch.grads[..=self.corners.len()];
        for ((&winner, &grad), &corner) in winners.iter().zip(grads).zip(&self.corners) {
            kept_offsets[count] = corner + places[usize::from(winner % 8)];
            kept_grads[count] = grad;
            count += usize::from(winner < DEAD);
        }
        count
    }

    /// `[inputs, height, width]` → `[height, width, inputs]`.
    #[inline(always)]
    fn channels_innermost(&self, input: &[f32], image: &mut [f32]) {
        let Geometry { inputs, height, width, .. } = self.geometry;
        if inputs == 1 {
            image[..input.len()].copy_from_slice(input);
            return;
        }
        for (channel, values) in input.chunks_exact(height * width).enumerate() {
            for (pixel, value) in image.chunks_exact_mut(inputs).zip(values) {
                pixel[channel] = *value;
            }
        }
    }

    /// `[height, width, inputs]` → `[inputs, height, width]`.
    #[inline(always)]
    fn channels_outermost(&self, image: &[f32], output: &mut [f32]) {
        let Geometry { inputs, height, width, .. } = self.geometry;
        for (channel, values) in output.chunks_exact_mut(height * width).enumerate() {
            for (value, pixel) in values.iter_mut().zip(image.chunks_exact(inputs)) {
                *value = pixel[channel];
            }
        }
    }
}
