//! One pass of a batch over all steps.

use std::ops::Range;

use rayon::prelude::*;

use super::norm::{BatchNorm, Coefficients};
use super::pointwise::Join;
use super::step::{Gradients, Images, Shared};
use super::workspace::{Part, grow};
use super::{Graph, SLACK};
use crate::nn::engine::Mode;
use crate::nn::loss::row_loss;
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
    /// What all classes share of each label.
    pub(in crate::nn) smoothing: f64,
}

impl<'a> Input<'a> {
    pub(super) fn trains(&self) -> bool {
        matches!(self.mode, Mode::Train(_))
    }

    pub(super) fn shared<'b>(&self, packed: &'b [f32], norms: &'b [Coefficients]) -> Shared<'b>
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

impl Graph {
    /// Sends a batch through the network, and back if gradients are wanted.
    ///
    /// # Panics
    /// If arrays have other lengths than the plan and the number of labels say, or a label is no class.
    pub(in crate::nn) fn run(&self, input: &Input) -> Outcome {
        let n = input.labels.len();
        let mut outcome = Outcome {
            loss: 0.0,
            logits: Vec::with_capacity(n * self.plan.classes()),
            grads: Vec::new(),
            running: input.running.to_vec(),
        };
        if n == 0 {
            return outcome;
        }
        let mut workspace = self.workspaces.take();
        self.pack(input, &mut workspace.packed);
        let count = self.count(n);
        if workspace.parts.len() < count {
            workspace.parts.resize_with(count, Part::default);
        }
        self.running_norms(input, &mut workspace.norms);
        // The gradients of a normalisation's scale and shift need all images, too.
        let waits = input.trains() || input.with_gradients;
        if waits && self.segments.len() > 1 {
            self.run_segments(input, &mut workspace, count, &mut outcome);
        } else {
            let shared = input.shared(&workspace.packed, &workspace.norms);
            let parts = workspace.parts[..count].par_iter_mut();
            parts.enumerate().with_max_len(1).for_each(|(place, part)| {
                self.run_part(input, &shared, Self::part(place, count, n), part);
            });
        }
        for part in &workspace.parts[..count] {
            outcome.logits.extend_from_slice(&part.logits);
        }
        outcome.loss = workspace.parts[..count].iter().map(|part| part.loss).sum();
        if input.with_gradients {
            // Those of batch normalisation are there already.
            outcome.grads.resize(self.plan.trained_len(), 0.0);
            self.add_up(&mut workspace.parts[..count], &mut outcome.grads);
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
            smoothing: 0.0,
        };
        let mut packed = Vec::new();
        self.pack(&input, &mut packed);
        let mut norms = Vec::new();
        self.running_norms(&input, &mut norms);
        let shared = input.shared(&packed, &norms);
        let step = values.len();
        let mut images = Images { values, grads: &mut [], step, first: 0 };
        self.load(&input, &mut images);
        for step in &self.program.steps {
            step.forward(&shared, &mut images);
        }
    }

    pub(super) fn pack(&self, input: &Input, packed: &mut Vec<f32>) {
        grow(packed, self.program.packed_len);
        for step in &self.program.steps {
            step.pack(input.trained, packed, input.with_gradients);
        }
    }

    pub(super) fn norms(&self) -> impl Iterator<Item = &BatchNorm> {
        self.program.steps.iter().filter_map(|step| step.batch_norm())
    }

    pub(super) fn running_norms(&self, input: &Input, norms: &mut Vec<Coefficients>) {
        norms.resize_with(self.norms().count(), Coefficients::default);
        for (norm, norms) in self.norms().zip(norms) {
            norm.running(norms, input.trained, input.running);
        }
    }

    /// Scalars from one image's values to the next.
    pub(super) fn image_step(&self) -> usize {
        // The last value has its slack, too.
        self.program.image_len + SLACK
    }

    /// Forward and back over all steps, a few images at a time.
    fn run_part(&self, input: &Input, shared: &Shared, range: Range<usize>, part: &mut Part) {
        let step = self.image_step();
        let with_gradients = input.with_gradients;
        self.prepare(part, self.visit.min(range.len()), with_gradients);
        let Part { values, grads, sums, scratch, logits, loss, .. } = part;
        for first in range.clone().step_by(self.visit) {
            let visited = self.visit.min(range.end - first);
            let grads_len = if with_gradients { visited * step } else { 0 };
            let mut images = Images {
                values: &mut values[..visited * step],
                grads: &mut grads[..grads_len],
                step,
                first,
            };
            self.load(input, &mut images);
            for step in &self.program.steps {
                step.forward(shared, &mut images);
            }
            *loss += self.loss(input, &mut images, logits);
            if with_gradients {
                let mut sums = Gradients { sums, first: first == range.start, scratch };
                for step in self.program.steps.iter().rev() {
                    step.backward(shared, &mut images, &mut sums);
                }
            }
        }
    }

    /// Makes room for `images` images.
    pub(super) fn prepare(&self, part: &mut Part, images: usize, with_gradients: bool) {
        let len = images * self.image_step();
        grow(&mut part.values, len);
        part.logits.clear();
        part.loss = 0.0;
        if with_gradients {
            grow(&mut part.grads, len);
            grow(&mut part.sums, self.program.sums_len);
            grow(&mut part.scratch, self.program.scratch_len);
        }
    }

    /// Copies the logits out, writes the gradients of the mean loss, and gives the sum of the losses.
    pub(super) fn loss(&self, input: &Input, images: &mut Images, logits: &mut Vec<f32>) -> f64 {
        let (map, classes) = (self.logits(), self.plan.classes());
        let share = 1.0 / input.labels.len() as f32;
        let labels = &input.labels[images.first..];
        let mut total = 0.0;
        let step = images.step;
        for (place, values) in images.values.chunks_exact(step).enumerate() {
            let label = labels[place] as usize;
            let row = &values[map.start..][..classes];
            logits.extend_from_slice(row);
            // There are at most 100 classes.
            let mut unused = [0.0; 128];
            let grads = match images.grads.get_mut(place * step + map.start..) {
                Some(grads) => &mut grads[..classes],
                None => &mut unused[..classes],
            };
            total += row_loss(row, label, input.smoothing, grads);
            for grad in grads {
                *grad *= share;
            }
        }
        total
    }

    /// Adds the sums of all parts, in their order, and writes the gradients of the parameters.
    fn add_up(&self, parts: &mut [Part], grads: &mut [f32]) {
        let Some((first, others)) = parts.split_first_mut() else { return };
        for step in &self.program.steps {
            let sums = step.sums();
            let add = |start: usize, target: &mut [f32], others: &[Part]| {
                for part in others {
                    let from = &part.sums[sums.start + start..][..target.len()];
                    simd::run(Join { from, to: &mut *target, add: true });
                }
            };
            if let Some(places) = step.plain() {
                let first = &first.sums[sums.clone()];
                in_slices(&mut grads[places], |start, target| {
                    let first = &first[start..][..target.len()];
                    let Some((second, others)) = others.split_first() else {
                        return target.copy_from_slice(first);
                    };
                    let second = &second.sums[sums.start + start..][..target.len()];
                    for ((target, first), second) in target.iter_mut().zip(first).zip(second) {
                        *target = first + second;
                    }
                    add(start, target, others);
                });
            } else {
                in_slices(&mut first.sums[sums.clone()], |start, target| {
                    add(start, target, others);
                });
                step.unpack(&first.sums[sums], grads);
            }
        }
    }
}

/// Calls `each` with slices of `values` and their starts, on many threads if there are many.
fn in_slices(values: &mut [f32], each: impl Fn(usize, &mut [f32]) + Sync) {
    if values.len() <= 4 * SLICE {
        each(0, values);
    } else {
        let slices = values.par_chunks_mut(SLICE).enumerate();
        slices.for_each(|(slice, values)| each(slice * SLICE, values));
    }
}
