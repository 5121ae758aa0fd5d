//! Any plan in main memory: forward and backward over its layers, a few images at a time.
//!
//! Images go forward and back in one visit, so that all in between stays in a cache close by. Batch
//! normalisation cuts the walk into segments: all images pass one segment before any enters the next.
//!
//! A batch is cut into parts by its size and the plan alone, and what the parts give is added up in
//! their order, so that results are the same bit for bit on any number of threads.

mod build;
mod conv;
mod convolution;
mod linear;
mod load;
mod map;
mod narrow;
mod norm;
mod pass;
mod pointwise;
mod pool;
mod read;
mod rows;
mod segments;
mod spread;
mod step;
#[cfg(test)]
mod tests;
mod workspace;

use std::ops::Range;
use std::sync::Arc;

use self::build::Program;
use self::map::{Map, SLACK};
pub(super) use self::pass::{Input, Outcome, Pixels};
use self::workspace::Workspaces;
use crate::network::{Plan, plan::Op};

/// Scalars that the images of a visit may have together: half of a usual second-level cache.
const VISIT: usize = 1 << 17;
/// Most images of a visit.
const MOST_IMAGES: usize = 32;
/// Images for each of two parts, whatever adding up costs: nearly every machine has two cores.
const TWO_PARTS: usize = 32;
/// Most parts of a batch: enough to keep 16 threads busy to the end.
const MOST_PARTS: usize = 64;

/// Most bytes of gradients of all parts together.
const MOST_SUMS: usize = 256 << 20;

/// Whether most of the work is in fully connected layers whose weights fill the cache: then as many
/// images as possible share each visit to them.
fn is_mostly_linear(plan: &Plan) -> bool {
    let weights = plan.nodes().iter().filter_map(|node| match node.op {
        Op::Linear { weight, .. } => Some(plan.params()[weight].range.len()),
        _ => None,
    });
    let weights: usize = weights.sum();
    weights > VISIT && 2 * weights as u64 > plan.multiply_adds()
}

/// A plan ready to compute.
#[derive(Debug)]
pub(super) struct Graph {
    plan: Arc<Plan>,
    program: Program,
    /// Steps that an image takes without waiting for others: the first begins with the image, each other
    /// with a batch normalisation.
    segments: Vec<Range<usize>>,
    /// Images of a visit.
    visit: usize,
    /// Fewest images of a part.
    fewest: usize,
    /// Most parts of a batch.
    most_parts: usize,
    workspaces: Workspaces,
}

impl Graph {
    /// Makes a plan ready.
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        let program = build::program(&plan);
        let norms = (0..program.steps.len()).filter(|&at| program.steps[at].batch_norm().is_some());
        let mut ends: Vec<usize> = norms.collect();
        ends.push(program.steps.len());
        let mut start = 0;
        let segments =
            ends.into_iter().map(|end| std::mem::replace(&mut start, end)..end).collect();
        // Values and gradients.
        let visit = (VISIT / (2 * program.image_len)).clamp(1, MOST_IMAGES);
        let visit = if is_mostly_linear(&plan) { MOST_IMAGES } else { visit };
        // Adding up a part's gradients must cost little compared with computing them.
        let images = 384 * program.sums_len as u64 / plan.multiply_adds().max(1);
        let fewest = (images as usize).clamp(2, 64);
        let most_parts = (MOST_SUMS / (4 * program.sums_len.max(1))).clamp(2, MOST_PARTS);
        let workspaces = Workspaces::default();
        Self { plan, program, segments, visit, fewest, most_parts, workspaces }
    }

    /// Parts of a batch of `n` images: a number that comes out even on any usual number of threads.
    fn count(&self, n: usize) -> usize {
        let count = (n / self.fewest).max((n / TWO_PARTS).min(2)).clamp(1, self.most_parts);
        if count < 16 { 1 << count.ilog2() } else { count / 16 * 16 }
    }

    /// The images of one of `count` parts of a batch, of which none has more than one image more than any
    /// other.
    fn part(place: usize, count: usize, n: usize) -> Range<usize> {
        place * n / count..(place + 1) * n / count
    }

    /// Whether a value of the plan is written at all.
    pub(super) fn writes(&self, value: usize) -> bool {
        self.program.maps.get(value).is_some_and(Option::is_some)
    }

    /// Where the logits are.
    fn logits(&self) -> Map {
        let last = self.program.maps.last().copied().flatten();
        last.expect("the logits are written last")
    }

    /// What each of the plan's stages gives for one image, `[channels, rows, columns]`, and its logits.
    pub(super) fn stages(
        &self,
        trained: &[f32],
        running: &[f32],
        image: &[f32],
    ) -> (Vec<Vec<f32>>, Vec<f32>) {
        let mut values = vec![0.0; self.program.image_len + SLACK];
        self.pass_one(trained, running, image, &mut values);
        let read = |map: Map| {
            let mut maps = vec![0.0; map.channels * map.height * map.width];
            map.read(&values, &mut maps);
            maps
        };
        let stages = self.plan.stages().map(|node| {
            let map = self.program.maps[node.output];
            read(map.expect("a stage is not a convolution whose ReLU is computed with it"))
        });
        (stages.collect(), read(self.logits()))
    }
}
