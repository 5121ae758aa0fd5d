//! A pass in segments, where batch normalisation needs all images before it can continue.

use rayon::prelude::*;

use super::Graph;
use super::norm::BatchNorm;
use super::pass::{Input, Outcome};
use super::step::{Gradients, Images};
use super::workspace::{Part, Workspace};

impl Graph {
    /// One segment after the other for the whole batch, and back.
    pub(super) fn run_segments(
        &self,
        input: &Input,
        workspace: &mut Workspace,
        count: usize,
        outcome: &mut Outcome,
    ) {
        let n = input.labels.len();
        let step = self.image_step();
        let Workspace { packed, norms, found: all, parts } = workspace;
        let parts = &mut parts[..count];
        for (place, part) in parts.iter_mut().enumerate() {
            let range = Self::part(place, count, n);
            self.prepare(part, range.len(), input.with_gradients);
        }
        let images_of = |place: usize| {
            let range = Self::part(place, count, n);
            (range.start, range.len() * step)
        };
        for (number, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(number + 1).filter(|_| input.trains());
            let next = next.map(|next| self.norm(next.start));
            let shared = input.shared(packed, norms);
            parts.par_iter_mut().enumerate().with_max_len(1).for_each(|(place, part)| {
                let (first, len) = images_of(place);
                let grads_len = if input.with_gradients { len } else { 0 };
                let Part { values, grads, found, .. } = part;
                let mut images = Images {
                    values: &mut values[..len],
                    grads: &mut grads[..grads_len],
                    step,
                    first,
                };
                if number == 0 {
                    self.load(input, &mut images);
                }
                for step in &self.program.steps[segment.clone()] {
                    step.forward(&shared, &mut images);
                }
                if let Some(norm) = next {
                    norm.find_moments(&mut images, found);
                }
            });
            if let Some(norm) = next {
                all.moments.clear(norm.channels());
                for part in &*parts {
                    all.moments.merge(&part.found.moments);
                }
                let norms = &mut norms[norm.index];
                norm.batch(norms, input.trained, &all.moments, &mut outcome.running);
            }
        }
        for (place, part) in parts.iter_mut().enumerate() {
            let (first, len) = images_of(place);
            let grads_len = if input.with_gradients { len } else { 0 };
            let Part { values, grads, logits, .. } = part;
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
            parts.par_iter_mut().enumerate().with_max_len(1).for_each(|(place, part)| {
                let (first, len) = images_of(place);
                let Part { values, grads, sums, scratch, found, .. } = part;
                let mut images =
                    Images { values: &mut values[..len], grads: &mut grads[..len], step, first };
                let mut sums = Gradients { sums, first: true, scratch };
                for step in self.program.steps[steps.clone()].iter().rev() {
                    step.backward(&shared, &mut images, &mut sums);
                }
                if let Some(norm) = norm {
                    norm.find_grad_sums(&mut images, &shared.norms[norm.index], found);
                }
            });
            if let Some(norm) = norm {
                all.grad_sums.clear(norm.channels());
                for part in &*parts {
                    all.grad_sums.merge(&part.found.grad_sums);
                }
                let batch = input.trains().then_some(n);
                norm.prepare(&mut norms[norm.index], &all.grad_sums, batch, &mut outcome.grads);
            }
        }
    }

    /// Where the steps end that go back with the segment ending at `end`: with the normalisation after it.
    fn back_end(&self, end: usize) -> usize {
        if end < self.program.steps.len() { end + 1 } else { end }
    }

    /// The batch normalisation at this step.
    fn norm(&self, step: usize) -> &BatchNorm {
        let norm = self.program.steps[step].batch_norm();
        norm.expect("segments after the first begin with a batch normalisation")
    }
}
