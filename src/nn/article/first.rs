//! The gradient of the first block's kernels.
//!
//! The lanes of a vector are neighbouring windows. Each window's gradient belongs to one of its
//! four places, so the pixels that it meets are selected for each lane: first by row, then by
//! column, which takes 55 selections for 25 taps where four masked sums would take 75 products
//! more.

use pulp::Simd;

use super::layout::{KERNEL, MAP_LEN, MAP_SIDE, MAPS, TAPS1};
use super::windows::{FIELD, run};
use crate::nn::simd::{fma, load, store};

/// Adds the gradients of one image to `kernels`, `[MAPS][TAPS1][lanes]`, `BLOCK` maps at a time.
///
/// `grads` are those of the pooled values, already 0 where `ReLU` lets none through.
#[inline(always)]
pub(super) fn backward<S: Simd, const BLOCK: usize>(
    simd: S,
    planes: &[f32],
    right: &[f32],
    down: &[f32],
    grads: &[f32],
    kernels: &mut [f32],
) {
    let half = simd.splat_f32s(0.5);
    for block in (0..MAPS).step_by(BLOCK) {
        for ky in 0..KERNEL {
            let mut sums = [[simd.splat_f32s(0.0); KERNEL]; BLOCK];
            for position in (0..MAP_LEN).step_by(S::F32_LANES) {
                let mut rows = [[simd.splat_f32s(0.0); FIELD]; 2];
                for (dy, row) in rows.iter_mut().enumerate() {
                    for (j, pixels) in row.iter_mut().enumerate() {
                        *pixels = load::<S>(planes, run(MAP_SIDE, ky + dy, j) + position);
                    }
                }
                let [upper, lower] = rows;
                for (map, sums) in sums.iter_mut().enumerate() {
                    let at = (block + map) * MAP_LEN + position;
                    let grad = load::<S>(grads, at);
                    let right = simd.greater_than_f32s(load::<S>(right, at), half);
                    let down = simd.greater_than_f32s(load::<S>(down, at), half);
                    let mut left = simd.select_f32s(down, lower[0], upper[0]);
                    for (kx, sum) in sums.iter_mut().enumerate() {
                        let next = simd.select_f32s(down, lower[kx + 1], upper[kx + 1]);
                        let pixels = simd.select_f32s(right, next, left);
                        *sum = fma(simd, grad, pixels, *sum);
                        left = next;
                    }
                }
            }
            for (map, sums) in sums.into_iter().enumerate() {
                for (kx, sum) in sums.into_iter().enumerate() {
                    let tap = (block + map) * TAPS1 + ky * KERNEL + kx;
                    let total = simd.add_f32s(load::<S>(kernels, tap * S::F32_LANES), sum);
                    store::<S>(kernels, tap * S::F32_LANES, total);
                }
            }
        }
    }
}
