//! Images cut so that a vector holds one pixel of the receptive field of neighbouring windows.
//!
//! A pool window and its kernel together see a field of 6×6 pixels, and windows are 2 pixels apart:
//! pixel `(i, j)` of the field of window `(y, x)` is `(2y + i, 2x + j)` of the image. For each `j`
//! and each parity of `i`, the pixels of all windows are laid side by side, so that those of a
//! given `(i, j)` are one run: the windows of a map fill vectors without a gap.

use pulp::Simd;

use super::layout::{KERNEL, TAPS1};
use crate::nn::simd::{fma, load, store};

/// Side of a field.
pub(super) const FIELD: usize = KERNEL + 1;

/// Length of the pixels of one `j` and one parity of `i` for maps of `side`², in whole cache lines.
const fn plane(side: usize) -> usize {
    ((side + 2) * side).next_multiple_of(16)
}

/// Scalars of all planes of one image channel.
pub(super) const fn planes(side: usize) -> usize {
    2 * FIELD * plane(side)
}

/// Where the run of pixel `(i, j)` begins among the planes of its channel.
pub(super) const fn run(side: usize, i: usize, j: usize) -> usize {
    (2 * j + i % 2) * plane(side) + i / 2 * side
}

/// Splits rows of even length into their even and odd columns.
#[inline(always)]
pub(super) fn split<T: Copy>(rows: &[T], halves: [&mut [f32]; 2], value: impl Fn(T) -> f32) {
    let [even, odd] = halves;
    for ((pair, even), odd) in rows.as_chunks::<2>().0.iter().zip(even).zip(odd) {
        *even = value(pair[0]);
        *odd = value(pair[1]);
    }
}

/// Lays out a channel that [`split`] has split, whose map has `SIDE`² windows.
#[inline(always)]
pub(super) fn lay<const SIDE: usize>(halves: [&[f32]; 2], planes: &mut [f32]) {
    let width = SIDE + 2;
    for (j, half) in (0..FIELD).map(|j| (j, halves[j % 2])) {
        for (y, row) in half.chunks_exact(width).enumerate() {
            let pixels: &[f32; SIDE] = row[j / 2..].first_chunk().expect("a row has two more");
            planes[run(SIDE, y, j)..][..SIDE].copy_from_slice(pixels);
        }
    }
}

/// What a block makes of an image: pooled values, and for each whether the right column and the
/// lower row of its window gave it (1 or 0).
pub(super) struct Pooled<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) right: &'a mut [f32],
    pub(super) down: &'a mut [f32],
}

/// Convolution → bias → `ReLU` → pooling of one image, `BLOCK` output maps at a time, whose `LEN`
/// windows are `SIDE`².
#[inline(always)]
pub(super) fn convolve<
    S: Simd,
    const TAPS: usize,
    const SIDE: usize,
    const LEN: usize,
    const BLOCK: usize,
>(
    simd: S,
    kernels: &[[f32; TAPS]],
    biases: &[f32],
    planes: &[f32],
    Pooled { values, right, down }: Pooled,
) {
    let (kernels, _) = kernels.as_chunks::<BLOCK>();
    let (biases, _) = biases.as_chunks::<BLOCK>();
    for (block, (kernels, biases)) in kernels.iter().zip(biases).enumerate() {
        for position in (0..LEN).step_by(S::F32_LANES) {
            let mut sums = biases.map(|bias| [simd.splat_f32s(bias); 4]);
            for (channel, planes) in planes.chunks_exact(self::planes(SIDE)).enumerate() {
                for ky in 0..KERNEL {
                    // As long as the last run begins and one vector: no load needs a check.
                    let len = run(SIDE, 0, FIELD - 1) + S::F32_LANES;
                    let upper = &planes[run(SIDE, ky, 0) + position..][..len];
                    let lower = &planes[run(SIDE, ky + 1, 0) + position..][..len];
                    let mut left = [load::<S>(upper, 0), load::<S>(lower, 0)];
                    for kx in 0..KERNEL {
                        let next = run(SIDE, 0, kx + 1);
                        let next = [load::<S>(upper, next), load::<S>(lower, next)];
                        for (sums, kernel) in sums.iter_mut().zip(kernels) {
                            let tap = channel * TAPS1 + ky * KERNEL + kx;
                            let weight = simd.splat_f32s(kernel[tap]);
                            sums[0] = fma(simd, left[0], weight, sums[0]);
                            sums[1] = fma(simd, next[0], weight, sums[1]);
                            sums[2] = fma(simd, left[1], weight, sums[2]);
                            sums[3] = fma(simd, next[1], weight, sums[3]);
                        }
                        left = next;
                    }
                }
            }
            for (lane, sums) in sums.into_iter().enumerate() {
                let at = (block * BLOCK + lane) * LEN + position;
                let [value, on_the_right, below] = pool(simd, sums);
                store::<S>(values, at, value);
                store::<S>(right, at, on_the_right);
                store::<S>(down, at, below);
            }
        }
    }
}

/// The largest of a window's four values, row by row, after `ReLU`, and whether it is on the right
/// and in the lower row: the first of equals.
///
/// A value that is not a number passes through `ReLU`, so that training that went wrong shows.
#[inline(always)]
fn pool<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 3] {
    let zero = simd.splat_f32s(0.0);
    let [upper, upper_right] = larger(simd, a, b);
    let [lower, lower_right] = larger(simd, c, d);
    let [best, down] = larger(simd, upper, lower);
    let lower_wins = simd.greater_than_f32s(down, zero);
    let right = simd.select_f32s(lower_wins, lower_right, upper_right);
    [simd.select_f32s(simd.less_than_f32s(best, zero), zero, best), right, down]
}

/// The larger of two values, the first of equals, and 1 where it is the second or else 0.
#[inline(always)]
fn larger<S: Simd>(simd: S, first: S::f32s, second: S::f32s) -> [S::f32s; 2] {
    let second_wins = simd.greater_than_f32s(second, first);
    [
        simd.select_f32s(second_wins, second, first),
        simd.select_f32s(second_wins, simd.splat_f32s(1.0), simd.splat_f32s(0.0)),
    ]
}
