//! The gradients of the second block: of its kernels and of the maps it sees.
//!
//! Only the place of a window that won it has a gradient, and only if `ReLU` let it through. For
//! each place of each window the output maps that won there are listed; the patch of the image and
//! the sum of its gradient stay in registers while the list is worked off. Maps are held with their
//! channels innermost, so that a row of a patch is one run of 5 · 6 values.

use pulp::Simd;

use super::layout::{
    FEATURES, KERNEL, MAP_LEN, MAP_SIDE, MAPS, OUTPUT_LEN, OUTPUT_SIDE, OUTPUTS, TAPS1, TAPS2,
};
use crate::nn::simd::{fma, load, store};

/// A row of a patch, rounded up to whole vectors.
const ROW: usize = 32;
/// Scalars of a patch in rows.
pub(super) const PATCH: usize = KERNEL * ROW;
/// Scalars of the maps with their channels innermost; the last row of a patch runs over them.
pub(super) const INNER: usize = MAPS * MAP_LEN + ROW;

/// Kernels in rows of patches, `[OUTPUTS][PATCH]`, on cache lines.
#[repr(align(64))]
pub(super) struct Packed(pub(super) [f32; OUTPUTS * PATCH]);

impl Packed {
    /// Zeros.
    pub(super) fn new() -> Self {
        Self([0.0; OUTPUTS * PATCH])
    }
}

/// Brings kernels (`[OUTPUTS][TAPS2]`) into rows of patches.
pub(super) fn pack(kernels: &[[f32; TAPS2]], packed: &mut Packed) {
    for (kernel, packed) in kernels.iter().zip(packed.0.chunks_exact_mut(PATCH)) {
        for (ky, row) in packed.chunks_exact_mut(ROW).enumerate() {
            for kx in 0..KERNEL {
                for map in 0..MAPS {
                    row[kx * MAPS + map] = kernel[map * TAPS1 + ky * KERNEL + kx];
                }
            }
        }
    }
}

/// The reverse of [`pack`].
pub(super) fn unpack(packed: &Packed, kernels: &mut [f32]) {
    let kernels = kernels.chunks_exact_mut(TAPS2);
    for (kernel, packed) in kernels.zip(packed.0.chunks_exact(PATCH)) {
        for (ky, row) in packed.chunks_exact(ROW).enumerate() {
            for kx in 0..KERNEL {
                for map in 0..MAPS {
                    kernel[map * TAPS1 + ky * KERNEL + kx] = row[kx * MAPS + map];
                }
            }
        }
    }
}

/// `[MAPS][MAP_LEN]` → `[MAP_LEN][MAPS]`.
#[inline(always)]
pub(super) fn channels_innermost(maps: &[f32; MAPS * MAP_LEN], inner: &mut [f32; INNER]) {
    let (pixels, _) = inner.as_chunks_mut::<MAPS>();
    for (position, pixel) in pixels[..MAP_LEN].iter_mut().enumerate() {
        for (map, value) in pixel.iter_mut().enumerate() {
            *value = maps[map * MAP_LEN + position];
        }
    }
}

/// The sum of two of `[MAP_LEN][MAPS]` → `[MAPS][MAP_LEN]`.
#[inline(always)]
pub(super) fn channels_outermost(inner: &[[f32; INNER]; 2], grads: &mut [f32; MAPS * MAP_LEN]) {
    let [first, second] = inner.each_ref().map(|part| part.as_chunks::<MAPS>().0);
    for (position, (first, second)) in first[..MAP_LEN].iter().zip(second).enumerate() {
        for map in 0..MAPS {
            grads[map * MAP_LEN + position] = first[map] + second[map];
        }
    }
}

/// Operands of [`backward`].
pub(super) struct Operands<'a> {
    /// As [`pack`] lays them out.
    pub(super) kernels: &'a Packed,
    /// The maps the block saw.
    pub(super) inner: &'a [f32; INNER],
    /// Which place of each window won it, 0 to 3, or 4 where `ReLU` lets nothing through;
    /// `[OUTPUTS][OUTPUT_LEN]`.
    pub(super) places: &'a [u8; FEATURES],
    /// Gradients of the pooled values.
    pub(super) grads: &'a [f32; FEATURES],
    /// Receives the gradients of `inner`, as two parts of a sum: places next to each other take
    /// turns, since their patches overlap, and a load that covers parts of several stores must
    /// wait until they have reached the cache.
    pub(super) inner_grads: &'a mut [[f32; INNER]; 2],
    /// What the gradients of the kernels are added to.
    pub(super) kernel_grads: &'a mut Packed,
}

/// Goes back through one image, `N` vectors of a patch at a time.
#[inline(always)]
pub(super) fn backward<S: Simd, const N: usize>(simd: S, operands: Operands) {
    let Operands { kernels, inner, places, grads, inner_grads, kernel_grads } = operands;
    inner_grads.as_flattened_mut().fill(0.0);
    for window in 0..OUTPUT_LEN {
        let (lists, counts) = list(places, window);
        let corner = 2 * (window / OUTPUT_SIDE * MAP_SIDE + window % OUTPUT_SIDE);
        for (place, list) in lists[..4].iter().enumerate() {
            let list = &list[..usize::from((counts >> (8 * place)) as u8).min(OUTPUTS)];
            if list.is_empty() {
                continue;
            }
            let inner_grads = &mut inner_grads[place % 2];
            let start = (corner + place / 2 * MAP_SIDE + place % 2) * MAPS;
            for first in (0..PATCH / S::F32_LANES).step_by(N) {
                let offset = |vector: usize| {
                    let at = (first + vector) * S::F32_LANES;
                    start + at / ROW * (MAP_SIDE * MAPS) + at % ROW
                };
                let mut patch = [simd.splat_f32s(0.0); N];
                let mut sums = patch;
                for (i, (patch, sum)) in patch.iter_mut().zip(&mut sums).enumerate() {
                    *patch = load::<S>(inner, offset(i));
                    *sum = load::<S>(inner_grads, offset(i));
                }
                for &output in list {
                    let output = usize::from(output);
                    let grad = simd.splat_f32s(grads[output % OUTPUTS * OUTPUT_LEN + window]);
                    let at = output * PATCH + first * S::F32_LANES;
                    let kernel = &kernels.0[at..][..N * S::F32_LANES];
                    let kernel_grad = &mut kernel_grads.0[at..][..N * S::F32_LANES];
                    for (i, sum) in sums.iter_mut().enumerate() {
                        *sum = fma(simd, grad, load::<S>(kernel, i * S::F32_LANES), *sum);
                    }
                    for (i, &patch) in patch.iter().enumerate() {
                        let lane = i * S::F32_LANES;
                        let sum = fma(simd, grad, patch, load::<S>(kernel_grad, lane));
                        store::<S>(kernel_grad, lane, sum);
                    }
                }
                for (i, sum) in sums.into_iter().enumerate() {
                    store::<S>(inner_grads, offset(i), sum);
                }
            }
        }
    }
}

/// For each place of `window` (and 4, for none) the output maps that won there, and how many, in a
/// byte for each place.
#[inline(always)]
fn list(places: &[u8; FEATURES], window: usize) -> ([[u8; OUTPUTS]; 8], u64) {
    let mut lists = [[0; OUTPUTS]; 8];
    // Counters in one register: in memory, each would wait for the store before.
    let mut counts = 0u64;
    for output in 0..OUTPUTS {
        let place = places[output * OUTPUT_LEN + window] % 8;
        let count = (counts >> (8 * place)) as usize % OUTPUTS;
        lists[usize::from(place)][count] = output as u8;
        counts += 1 << (8 * place);
    }
    (lists, counts)
}
