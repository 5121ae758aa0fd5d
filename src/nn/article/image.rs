//! One image's way forward through the network and back, all of it in the fastest cache.

use pulp::Simd;

use super::layout::{
    CLASSES, FEATURES, MAP_LEN, MAP_SIDE, MAPS, OUTPUT_LEN, OUTPUT_SIDE, OUTPUTS, PARAMETERS,
    PIXELS, PLACES, TAPS1, TAPS2, Weights,
};
use super::windows::{Pooled, convolve, lay, planes, split};
use super::{first, last, second};
use crate::nn::loss::row_loss;
use crate::nn::simd;

/// Most lanes of a vector.
const LANES: usize = 16;
/// Half the scalars of all maps, which are more than those of the image.
const HALF: usize = MAPS * MAP_LEN / 2;
const PLANES1: usize = planes(MAP_SIDE);
const PLANES2: usize = planes(OUTPUT_SIDE);

/// What is computed with, and laid out once for a step.
pub(super) struct Step<'a> {
    pub(super) weights: Weights<'a>,
    /// The second block's kernels as the backward pass reads them.
    pub(super) packed: &'a second::Packed,
    /// What an image counts in the mean.
    pub(super) share: f32,
    /// What all classes share of each label.
    pub(super) smoothing: f64,
}

/// Buffers reused from image to image, on cache lines.
#[repr(align(64))]
pub(super) struct Scratch {
    /// An image or maps, split by the parity of the column.
    halves: [[f32; HALF]; 2],
    planes1: [f32; PLANES1],
    maps: [f32; MAPS * MAP_LEN],
    right1: [f32; MAPS * MAP_LEN],
    down1: [f32; MAPS * MAP_LEN],
    map_grads: [f32; MAPS * MAP_LEN],
    planes2: [f32; MAPS * PLANES2],
    features: [f32; FEATURES],
    right2: [f32; FEATURES],
    down2: [f32; FEATURES],
    feature_grads: [f32; FEATURES],
    inner: [f32; second::INNER],
    inner_grads: [[f32; second::INNER]; 2],
    places: [u8; FEATURES],
}

impl Scratch {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self {
            halves: [[0.0; HALF]; 2],
            planes1: [0.0; PLANES1],
            maps: [0.0; MAPS * MAP_LEN],
            right1: [0.0; MAPS * MAP_LEN],
            down1: [0.0; MAPS * MAP_LEN],
            map_grads: [0.0; MAPS * MAP_LEN],
            planes2: [0.0; MAPS * PLANES2],
            features: [0.0; FEATURES],
            right2: [0.0; FEATURES],
            down2: [0.0; FEATURES],
            feature_grads: [0.0; FEATURES],
            inner: [0.0; second::INNER],
            inner_grads: [[0.0; second::INNER]; 2],
            places: [0; FEATURES],
        })
    }

    /// The logits of an image that [`Scratch::lay`] has laid out.
    #[inline(always)]
    pub(super) fn forward<S: Simd>(&mut self, simd: S, weights: &Weights, logits: &mut [f32]) {
        let out = Pooled { values: &mut self.maps, right: &mut self.right1, down: &mut self.down1 };
        let Weights { kernels1, biases1, kernels2, biases2, .. } = *weights;
        // With 32 registers, all the sums of a window that its pixels go into.
        if S::REGISTER_COUNT >= 32 {
            convolve::<S, TAPS1, MAP_SIDE, MAP_LEN, MAPS>(
                simd,
                kernels1,
                biases1,
                &self.planes1,
                out,
            );
        } else {
            convolve::<S, TAPS1, MAP_SIDE, MAP_LEN, 2>(simd, kernels1, biases1, &self.planes1, out);
        }
        let [even, odd] = &mut self.halves;
        split(&self.maps, [even, odd], |value| value);
        let halves = even.chunks_exact(MAP_LEN / 2).zip(odd.chunks_exact(MAP_LEN / 2));
        for ((even, odd), planes) in halves.zip(self.planes2.chunks_exact_mut(PLANES2)) {
            lay::<OUTPUT_SIDE>([even, odd], planes);
        }
        let out =
            Pooled { values: &mut self.features, right: &mut self.right2, down: &mut self.down2 };
        if S::REGISTER_COUNT >= 32 {
            convolve::<S, TAPS2, OUTPUT_SIDE, OUTPUT_LEN, 4>(
                simd,
                kernels2,
                biases2,
                &self.planes2,
                out,
            );
        } else {
            convolve::<S, TAPS2, OUTPUT_SIDE, OUTPUT_LEN, 2>(
                simd,
                kernels2,
                biases2,
                &self.planes2,
                out,
            );
        }
        last::forward(simd, weights, &self.features, logits);
    }

    /// Lays out an image, `[28, 28]`; `value` makes a value in 0..=1 of a pixel.
    #[inline(always)]
    pub(super) fn lay<T: Copy>(&mut self, image: &[T; PIXELS], value: impl Fn(T) -> f32) {
        let [even, odd] = &mut self.halves;
        let (even, odd) = (&mut even[..PIXELS / 2], &mut odd[..PIXELS / 2]);
        split(image, [even, odd], value);
        lay::<MAP_SIDE>([even, odd], &mut self.planes1);
    }

    /// Goes back from the gradients of the logits that [`Scratch::forward`] has given.
    #[inline(always)]
    pub(super) fn backward<S: Simd>(
        &mut self,
        simd: S,
        step: &Step,
        logit_grads: &[f32; CLASSES],
        sums: &mut Sums,
    ) {
        for (sum, grad) in sums.biases3.iter_mut().zip(logit_grads) {
            *sum += grad;
        }
        last::backward(
            simd,
            &step.weights,
            &self.features,
            logit_grads,
            &mut sums.linear,
            &mut self.feature_grads,
        );
        let windows = self.feature_grads.iter_mut().zip(&self.features);
        let places = self.right2.iter().zip(&self.down2).zip(&mut self.places);
        for ((grad, value), ((right, down), place)) in windows.zip(places) {
            let alive = *value > 0.0;
            *place = if alive { (*right + 2.0 * *down) as u8 } else { 4 };
            *grad = if alive { *grad } else { 0.0 };
        }
        for (sum, grads) in
            sums.biases2.iter_mut().zip(self.feature_grads.as_chunks::<OUTPUT_LEN>().0)
        {
            *sum += simd::sum(simd, grads);
        }
        second::channels_innermost(&self.maps, &mut self.inner);
        let operands = second::Operands {
            kernels: step.packed,
            inner: &self.inner,
            places: &self.places,
            grads: &self.feature_grads,
            inner_grads: &mut self.inner_grads,
            kernel_grads: &mut sums.kernels2,
        };
        if S::REGISTER_COUNT >= 32 && S::F32_LANES == LANES {
            second::backward::<S, 10>(simd, operands);
        } else {
            second::backward::<S, 5>(simd, operands);
        }
        second::channels_outermost(&self.inner_grads, &mut self.map_grads);
        for (grad, value) in self.map_grads.iter_mut().zip(&self.maps) {
            *grad = if *value > 0.0 { *grad } else { 0.0 };
        }
        for (sum, grads) in sums.biases1.iter_mut().zip(self.map_grads.as_chunks::<MAP_LEN>().0) {
            *sum += simd::sum(simd, grads);
        }
        let Self { planes1, right1, down1, map_grads, .. } = self;
        if S::REGISTER_COUNT >= 32 {
            first::backward::<S, 3>(simd, planes1, right1, down1, map_grads, &mut sums.kernels1);
        } else {
            first::backward::<S, 1>(simd, planes1, right1, down1, map_grads, &mut sums.kernels1);
        }
    }

    /// Forward and, where `sums` are given, back: adds to them; writes the logits and gives the
    /// loss.
    #[inline(always)]
    pub(super) fn learn<S: Simd>(
        &mut self,
        simd: S,
        step: &Step,
        label: usize,
        logits: &mut [f32; CLASSES],
        sums: Option<&mut Sums>,
    ) -> f64 {
        self.forward(simd, &step.weights, logits);
        let mut grads = [0.0; CLASSES];
        let loss = row_loss(logits, label, step.smoothing, &mut grads);
        if let Some(sums) = sums {
            self.backward(simd, step, &grads.map(|grad| grad * step.share), sums);
        }
        loss
    }
}

/// Gradients summed over images, as the kernels lay them out.
#[repr(align(64))]
pub(super) struct Sums {
    /// `[MAPS][TAPS1][lanes]`, to be summed over the lanes.
    kernels1: [f32; MAPS * TAPS1 * LANES],
    kernels2: second::Packed,
    linear: [f32; CLASSES * FEATURES],
    biases1: [f32; MAPS],
    biases2: [f32; OUTPUTS],
    biases3: [f32; CLASSES],
}

impl Sums {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self {
            kernels1: [0.0; MAPS * TAPS1 * LANES],
            kernels2: second::Packed::new(),
            linear: [0.0; CLASSES * FEATURES],
            biases1: [0.0; MAPS],
            biases2: [0.0; OUTPUTS],
            biases3: [0.0; CLASSES],
        })
    }

    fn parts(&self) -> [&[f32]; 6] {
        let Self { kernels1, kernels2, linear, biases1, biases2, biases3 } = self;
        [kernels1, biases1, &kernels2.0, biases2, linear, biases3]
    }

    fn parts_mut(&mut self) -> [&mut [f32]; 6] {
        let Self { kernels1, kernels2, linear, biases1, biases2, biases3 } = self;
        [kernels1, biases1, &mut kernels2.0, biases2, linear, biases3]
    }

    /// Back to sums of nothing.
    pub(super) fn clear(&mut self) {
        self.parts_mut().into_iter().for_each(|part| part.fill(0.0));
    }

    /// Adds the sums over other images.
    #[inline(always)]
    pub(super) fn add<S: Simd>(&mut self, simd: S, other: &Self) {
        for (part, other) in self.parts_mut().into_iter().zip(other.parts()) {
            simd::add_scaled(simd, part, 1.0, other);
        }
    }

    /// The gradients in the order of the parameters.
    #[inline(always)]
    pub(super) fn flat<S: Simd>(&self, simd: S) -> Vec<f32> {
        let mut flat = vec![0.0; PARAMETERS];
        let lanes = self.kernels1.chunks_exact(S::F32_LANES);
        for (grad, lanes) in flat[PLACES[0].clone()].iter_mut().zip(lanes) {
            *grad = simd.reduce_sum_f32s(simd::load::<S>(lanes, 0));
        }
        second::unpack(&self.kernels2, &mut flat[PLACES[2].clone()]);
        for place in [1, 3, 4, 5] {
            flat[PLACES[place].clone()].copy_from_slice(self.parts()[place]);
        }
        flat
    }
}
