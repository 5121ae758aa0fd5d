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

/// For each tap of a kernel, where the runs of its pixels at the four places of a window begin.
pub(super) const fn tap_runs<const TAPS: usize>(side: usize) -> [[usize; 4]; TAPS] {
    let mut runs = [[0; 4]; TAPS];
    let mut tap = 0;
    while tap < TAPS {
        let (y, x) = (tap % TAPS1 / KERNEL, tap % KERNEL);
        let mut place = 0;
        while place < 4 {
            runs[tap][place] = tap / TAPS1 * planes(side) + run(side, y + place / 2, x + place % 2);
            place += 1;
        }
        tap += 1;
    }
    runs
}

/// What a block makes of an image: pooled values, and for each whether the right column and the
/// lower row of its window gave it (1 or 0).
pub(super) struct Pooled<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) right: &'a mut [f32],
    pub(super) down: &'a mut [f32],
}

/// Convolution → bias → `ReLU` → pooling of one image, `BLOCK` output maps of `LEN` windows at a
/// time; `runs` are those of [`tap_runs`].
#[inline(always)]
pub(super) fn convolve<S: Simd, const TAPS: usize, const LEN: usize, const BLOCK: usize>(
    simd: S,
    runs: &[[usize; 4]; TAPS],
    kernels: &[[f32; TAPS]],
    biases: &[f32],
    planes: &[f32],
    out: Pooled,
) {
    let (kernels, _) = kernels.as_chunks::<BLOCK>();
    let (biases, _) = biases.as_chunks::<BLOCK>();
    for (block, (kernels, biases)) in kernels.iter().zip(biases).enumerate() {
        for position in (0..LEN).step_by(S::F32_LANES) {
            let mut sums = biases.map(|bias| [simd.splat_f32s(bias); 4]);
            let planes = &planes[position..];
            for (tap, runs) in runs.iter().enumerate() {
                let pixels = runs.map(|run| load::<S>(planes, run));
                for (sums, kernel) in sums.iter_mut().zip(kernels) {
                    let weight = simd.splat_f32s(kernel[tap]);
                    for place in 0..4 {
                        sums[place] = fma(simd, pixels[place], weight, sums[place]);
                    }
                }
            }
            for (lane, sums) in sums.into_iter().enumerate() {
                let at = (block * BLOCK + lane) * LEN + position;
                let [value, right, down] = pool(simd, sums);
                store::<S>(out.values, at, value);
                store::<S>(out.right, at, right);
                store::<S>(out.down, at, down);
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
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let larger = |first, second| {
        let second_wins = simd.greater_than_f32s(second, first);
        (simd.select_f32s(second_wins, second, first), simd.select_f32s(second_wins, one, zero))
    };
    let (upper, upper_right) = larger(a, b);
    let (lower, lower_right) = larger(c, d);
    let lower_wins = simd.greater_than_f32s(lower, upper);
    let best = simd.select_f32s(lower_wins, lower, upper);
    let right = simd.select_f32s(lower_wins, lower_right, upper_right);
    let down = simd.select_f32s(lower_wins, one, zero);
    [simd.select_f32s(simd.less_than_f32s(best, zero), zero, best), right, down]
}
