//! One pass of a batch over all steps.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::norm::{BatchNorm, Coefficients, GradSums, Moments};
use super::step::{Images, Shared, Sums};
use super::workspace::{Part, Workspace, grow};
use super::{Graph, MOST_PARTS, SLACK};
use crate::nn::engine::Mode;
use crate::nn::loss::log_sum_exp;
use crate::nn::simd;

/// Gradients that one thread adds up over the parts.
const SLICE: usize = 4_096;

/// The pixels of a batch, image after image, `[n, channels, rows, columns]`.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn) enum Pixels<'a> {
    /// Bytes, which count as their value divided by 255.
    Bytes(&'a [u8]),
    /// Numbers as they are.
    Floats(&'a [f32]),
}

/// What a pass works on.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn) struct Input<'a> {
    /// The trained parameters one after the other.
    pub(in crate::nn) trained: &'a [f32],
    /// The running statistics one after the other.
    pub(in crate::nn) running: &'a [f32],
    /// The images.
    pub(in crate::nn) pixels: Pixels<'a>,
    /// The class of each.
    pub(in crate::nn) labels: &'a [u32],
    /// Whether layers behave as in training.
    pub(in crate::nn) mode: Mode,
    /// Whether gradients are wanted.
    pub(in crate::nn) with_gradients: bool,
}

impl<'a> Input<'a> {
    fn trains(&self) -> bool {
        matches!(self.mode, Mode::Train(_))
    }

    fn shared<'b>(&self, packed: &'b [f32], norms: &'b [Coefficients]) -> Shared<'b>
    where
        'a: 'b,
    {
        Shared { trained: self.trained, packed, norms, mode: self.mode }
    }
}

/// What a pass gives.
#[derive(Clone, Debug)]
pub(in crate::nn) struct Outcome {
    /// The sum of the images' cross-entropies.
    pub(in crate::nn) loss: f64,
    /// `[n, classes]`.
    pub(in crate::nn) logits: Vec<f32>,
    /// The gradient of the mean loss with respect to the trained parameters, if wanted.
    pub(in crate::nn) grads: Vec<f32>,
    /// The running statistics after a batch of training.
    pub(in crate::nn) running: Vec<f32>,
}

impl<'a> Pixels<'a> {
    fn slice(self, range: Range<usize>) -> Pixels<'a> {
        match self {
            Self::Bytes(bytes) => Pixels::Bytes(&bytes[range]),
            Self::Floats(floats) => Pixels::Floats(&floats[range]),
        }
    }
}

/// Writes pixels as numbers.
struct LoadRow<'a> {
    pixels: Pixels<'a>,
    to: &'a mut [f32],
}

impl WithSimd for LoadRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.pixels {
            Pixels::Bytes(bytes) => {
                for (to, &byte) in self.to.iter_mut().zip(bytes) {
                    *to = f32::from(byte) / 255.0;
                }
            }
            Pixels::Floats(floats) => self.to.copy_from_slice(floats),
        }
    }
}

impl Graph {
    /// Sends a batch through the network, and back if gradients are wanted.
    ///
    /// # Panics
    /// If arrays have other lengths than the plan and the number of labels say, or a label is no class.
    pub(in crate::nn) fn run(&self, input: &Input) -> Outcome {
        let n = input.labels.len();
        let classes = self.plan.classes();
        let mut outcome = Outcome {
            loss: 0.0,
            logits: vec![0.0; n * classes],
            grads: Vec::new(),
            running: input.running.to_vec(),
        };
        if n == 0 {
            return outcome;
        }
        let mut workspace = self.workspaces.take();
        self.pack(input, &mut workspace.packed);
        // As many images for each part but the last, whatever the threads.
        let len = n.div_ceil(MOST_PARTS).next_multiple_of(self.visit).max(self.fewest);
        let count = n.div_ceil(len);
        if workspace.parts.len() < count {
            workspace.parts.resize_with(count, Part::default);
        }
        let mut norms = self.running_norms(input);
        // The gradients of a normalisation's scale and shift need all images, too.
        let waits = input.trains() || input.with_gradients;
        if waits && self.segments.len() > 1 {
            self.run_segments(input, &mut workspace, len, &mut norms, &mut outcome);
        } else {
            let packed = &workspace.packed;
            let shared = input.shared(packed, &norms);
            let parts = workspace.parts[..count].par_iter_mut();
            parts
                .zip(outcome.logits.par_chunks_mut(len * classes))
                .enumerate()
                .with_max_len(1)
                .for_each(|(place, (part, logits))| {
                    self.run_part(input, &shared, place * len, part, logits);
                });
        }
        outcome.loss = workspace.parts[..count].iter().map(|part| part.loss).sum();
        if input.with_gradients {
            self.add_up(&mut workspace.parts[..count]);
            let sums = &mut workspace.parts[0].sums;
            for step in &self.steps.steps {
                step.unpack(sums);
            }
            // The normalisations' own are known already.
            for range in self.norms().flat_map(|norm| [norm.scale.clone(), norm.shift.clone()]) {
                sums[range.clone()].copy_from_slice(&outcome.grads[range]);
            }
            outcome.grads.clear();
            outcome.grads.extend_from_slice(&sums[..self.plan.trained_len()]);
        }
        self.workspaces.give(workspace);
        outcome
    }

    /// Sends one image through the network as in evaluation; `values` receives all there is.
    pub(super) fn pass_one(
        &self,
        trained: &[f32],
        running: &[f32],
        image: &[f32],
        values: &mut [f32],
    ) {
        let input = Input {
            trained,
            running,
            pixels: Pixels::Floats(image),
            labels: &[0],
            mode: Mode::Evaluate,
            with_gradients: false,
        };
        let mut packed = Vec::new();
        self.pack(&input, &mut packed);
        let norms = self.running_norms(&input);
        let shared = input.shared(&packed, &norms);
        let step = values.len();
        let mut images = Images { values, grads: &mut [], step, first: 0 };
        self.load(&input, &mut images);
        for step in &self.steps.steps {
            step.forward(&shared, &mut images);
        }
    }

    fn pack(&self, input: &Input, packed: &mut Vec<f32>) {
        grow(packed, self.steps.packed_len);
        for step in &self.steps.steps {
            step.pack(input.trained, packed, input.with_gradients);
        }
    }

    fn norms(&self) -> impl Iterator<Item = &BatchNorm> {
        self.steps.steps.iter().filter_map(|step| step.batch_norm())
    }

    fn running_norms(&self, input: &Input) -> Vec<Coefficients> {
        self.norms().map(|norm| norm.running(input.trained, input.running)).collect()
    }

    /// Scalars from one image's values to the next.
    fn image_step(&self) -> usize {
        // The last value has its slack, too.
        self.steps.image_len + SLACK
    }

    /// Forward and back over all steps, a few images at a time.
    fn run_part(
        &self,
        input: &Input,
        shared: &Shared,
        first: usize,
        part: &mut Part,
        logits: &mut [f32],
    ) {
        let classes = self.plan.classes();
        let count = logits.len() / classes;
        let step = self.image_step();
        let with_gradients = input.with_gradients;
        self.prepare(part, self.visit.min(count), with_gradients);
        for start in (0..count).step_by(self.visit) {
            let visited = self.visit.min(count - start);
            let grads_len = if with_gradients { visited * step } else { 0 };
            let mut images = Images {
                values: &mut part.values[..visited * step],
                grads: &mut part.grads[..grads_len],
                step,
                first: first + start,
            };
            self.load(input, &mut images);
            for step in &self.steps.steps {
                step.forward(shared, &mut images);
            }
            let logits = &mut logits[start * classes..][..visited * classes];
            part.loss += self.loss(input, &mut images, logits);
            if with_gradients {
                let mut sums = Sums { sums: &mut part.sums, scratch: &mut part.scratch };
                for step in self.steps.steps.iter().rev() {
                    step.backward(shared, &mut images, &mut sums);
                }
            }
        }
    }

    /// Makes room for so many images and sets sums to zero.
    fn prepare(&self, part: &mut Part, images: usize, with_gradients: bool) {
        let len = images * self.image_step();
        grow(&mut part.values, len);
        part.loss = 0.0;
        if with_gradients {
            grow(&mut part.grads, len);
            part.sums.clear();
            part.sums.resize(self.steps.sums_len, 0.0);
        }
    }

    /// One segment after the other for the whole batch, and back.
    fn run_segments(
        &self,
        input: &Input,
        workspace: &mut Workspace,
        len: usize,
        norms: &mut [Coefficients],
        outcome: &mut Outcome,
    ) {
        let n = input.labels.len();
        let (step, classes) = (self.image_step(), self.plan.classes());
        let Workspace { packed, parts } = workspace;
        let parts = &mut parts[..n.div_ceil(len)];
        for (place, part) in parts.iter_mut().enumerate() {
            self.prepare(part, len.min(n - place * len), input.with_gradients);
        }
        let images_of = |place: usize| {
            let first = place * len;
            (first, len.min(n - first) * step)
        };
        for (number, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(number + 1).filter(|_| input.trains());
            let next = next.map(|next| self.norm(next.start));
            let shared = input.shared(packed, norms);
            let pass = |(place, part): (usize, &mut Part)| {
                let (first, len) = images_of(place);
                let grads_len = if input.with_gradients { len } else { 0 };
                let Part { values, grads, .. } = part;
                let mut images = Images {
                    values: &mut values[..len],
                    grads: &mut grads[..grads_len],
                    step,
                    first,
                };
                if number == 0 {
                    self.load(input, &mut images);
                }
                for step in &self.steps.steps[segment.clone()] {
                    step.forward(&shared, &mut images);
                }
                next.map(|norm| norm.moments(&mut images))
            };
            let found: Vec<Option<Moments>> =
                parts.par_iter_mut().enumerate().with_max_len(1).map(pass).collect();
            if let Some(norm) = next {
                let mut moments = Moments::default();
                for part in found.iter().flatten() {
                    moments.merge(part);
                }
                norms[norm.index] = norm.batch(input.trained, &moments, &mut outcome.running);
            }
        }
        for ((place, part), logits) in
            parts.iter_mut().enumerate().zip(outcome.logits.chunks_mut(len * classes))
        {
            let (first, len) = images_of(place);
            let grads_len = if input.with_gradients { len } else { 0 };
            let Part { values, grads, .. } = part;
            let mut images =
                Images { values: &mut values[..len], grads: &mut grads[..grads_len], step, first };
            part.loss = self.loss(input, &mut images, logits);
        }
        if !input.with_gradients {
            return;
        }
        outcome.grads.resize(self.plan.trained_len(), 0.0);
        for (number, segment) in self.segments.iter().enumerate().rev() {
            let norm = (number > 0).then(|| self.norm(segment.start));
            // A segment's own normalisation goes back with the segment before: it needs the sums first.
            let end = segment.end;
            let steps = segment.start + usize::from(norm.is_some())..self.back_end(end);
            let shared = input.shared(packed, norms);
            let pass = |(place, part): (usize, &mut Part)| {
                let (first, len) = images_of(place);
                let Part { values, grads, sums, scratch, .. } = part;
                let mut images =
                    Images { values: &mut values[..len], grads: &mut grads[..len], step, first };
                let mut sums = Sums { sums, scratch };
                for step in self.steps.steps[steps.clone()].iter().rev() {
                    step.backward(&shared, &mut images, &mut sums);
                }
                norm.map(|norm| norm.grad_sums(&mut images, &shared.norms[norm.index]))
            };
            let found: Vec<Option<GradSums>> =
                parts.par_iter_mut().enumerate().with_max_len(1).map(pass).collect();
            if let Some(norm) = norm {
                let mut sums = GradSums::default();
                for part in found.iter().flatten() {
                    sums.merge(part);
                }
                let batch = input.trains().then_some(n);
                norm.prepare(&mut norms[norm.index], &sums, batch, &mut outcome.grads);
            }
        }
    }

    /// Where the steps end that go back with the segment ending at `end`: with the normalisation after it.
    fn back_end(&self, end: usize) -> usize {
        if end < self.steps.steps.len() { end + 1 } else { end }
    }

    /// The batch normalisation at this step.
    fn norm(&self, step: usize) -> &BatchNorm {
        let norm = self.steps.steps[step].batch_norm();
        norm.expect("segments after the first begin with a batch normalisation")
    }

    /// Writes the pixels of the images where the first layer reads them.
    fn load(&self, input: &Input, images: &mut Images) {
        let map = self.steps.maps[0].expect("the image has a place");
        let [channels, height, width] = self.plan.input();
        let pixels = height * width;
        let first = images.first;
        for (place, values) in images.each_values().enumerate() {
            let image: Range<usize> =
                (first + place) * channels * pixels..(first + place + 1) * channels * pixels;
            let values = &mut values[map.start..];
            if channels == 1 {
                let mut from = image.start;
                for row in map.rows() {
                    let pixels = input.pixels.slice(from..from + row.len());
                    from += row.len();
                    simd::run(LoadRow { pixels, to: &mut values[row] });
                }
                continue;
            }
            for row in 0..height {
                let to = map.pixel(row, 0);
                for channel in 0..channels {
                    let from = image.start + channel * pixels + row * width;
                    let targets = values[to + channel..].iter_mut().step_by(channels);
                    match input.pixels {
                        Pixels::Bytes(bytes) => {
                            for (target, &byte) in targets.zip(&bytes[from..][..width]) {
                                *target = f32::from(byte) / 255.0;
                            }
                        }
                        Pixels::Floats(floats) => {
                            for (target, &value) in targets.zip(&floats[from..][..width]) {
                                *target = value;
                            }
                        }
                    }
                }
            }
        }
    }

    /// Copies the logits out, writes the gradients of the mean loss, and gives the sum of the losses.
    fn loss(&self, input: &Input, images: &mut Images, logits: &mut [f32]) -> f64 {
        let map = self.logits();
        let share = 1.0 / input.labels.len() as f32;
        let labels = &input.labels[images.first..];
        let mut total = 0.0;
        let step = images.step;
        for (place, logits) in logits.chunks_exact_mut(self.plan.classes()).enumerate() {
            let label = labels[place] as usize;
            logits.copy_from_slice(&images.values[place * step + map.start..][..logits.len()]);
            let mut row = [0.0; 128];
            let grads = match images.grads.get_mut(place * step + map.start..) {
                Some(grads) => &mut grads[..logits.len()],
                // There are at most 100 classes.
                None => &mut row[..logits.len()],
            };
            total += log_sum_exp(logits, grads) - f64::from(logits[label]);
            grads[label] -= 1.0;
            for grad in grads {
                *grad *= share;
            }
        }
        total
    }

    /// Adds the sums of all parts to those of the first, in the order of the parts.
    fn add_up(&self, parts: &mut [Part]) {
        let Some((first, others)) = parts.split_first_mut() else { return };
        first.sums.par_chunks_mut(SLICE).enumerate().for_each(|(slice, sums)| {
            for part in &*others {
                let start = slice * SLICE;
                for (sum, value) in sums.iter_mut().zip(&part.sums[start..]) {
                    *sum += value;
                }
            }
        });
    }
}
