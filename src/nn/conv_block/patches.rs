//! The inner loops of the backward pass: patches of an image times the gradients of outputs.
//!
//! A patch is given by where it begins in the image and by `vectors`, the offset from there of each
//! of its vectors. `grads` go with `offsets`, one for each output that has a gradient.

use pulp::Simd;

use crate::nn::simd::{fma, load, store};

/// Vectors of a patch that are held in registers together.
const BLOCK: usize = 5;

/// Partial sums of the image's gradient that take turns. Patches next to each other overlap, and
/// a load that covers parts of several stores must wait until they have reached the cache.
pub(super) const SUMS: usize = 4;

/// `kernel_grad += Σ grad · patch of the image`.
#[inline(always)]
pub(super) fn add_patches<S: Simd>(
    simd: S,
    vectors: &[usize],
    kernel_grad: &mut [f32],
    image: &[f32],
    offsets: &[u32],
    grads: &[f32],
) {
    let (blocks, rest) = vectors.as_chunks::<BLOCK>();
    let (grad_blocks, grad_rest) = kernel_grad.split_at_mut(blocks.len() * BLOCK * S::F32_LANES);
    for (vectors, sums) in blocks.iter().zip(grad_blocks.chunks_exact_mut(BLOCK * S::F32_LANES)) {
        add_patches_of::<S, BLOCK>(simd, *vectors, sums, image, offsets, grads);
    }
    for (vector, sums) in rest.iter().zip(grad_rest.chunks_exact_mut(S::F32_LANES)) {
        add_patches_of::<S, 1>(simd, [*vector], sums, image, offsets, grads);
    }
}

/// `image_grad += grad · kernel` at every listed place, spread over the partial sums.
#[inline(always)]
pub(super) fn add_kernels<S: Simd>(
    simd: S,
    vectors: &[usize],
    image_grads: &mut [Vec<f32>; SUMS],
    kernel: &[f32],
    offsets: &[u32],
    grads: &[f32],
) {
    let (blocks, rest) = vectors.as_chunks::<BLOCK>();
    let (kernel_blocks, kernel_rest) = kernel.split_at(blocks.len() * BLOCK * S::F32_LANES);
    for (vectors, kernel) in blocks.iter().zip(kernel_blocks.chunks_exact(BLOCK * S::F32_LANES)) {
        add_kernels_of::<S, BLOCK>(simd, *vectors, kernel, image_grads, offsets, grads);
    }
    for (vector, kernel) in rest.iter().zip(kernel_rest.chunks_exact(S::F32_LANES)) {
        add_kernels_of::<S, 1>(simd, [*vector], kernel, image_grads, offsets, grads);
    }
}

/// [`add_patches`] for `N` vectors of the patch, whose sums stay in registers.
#[inline(always)]
fn add_patches_of<S: Simd, const N: usize>(
    simd: S,
    vectors: [usize; N],
    kernel_grad: &mut [f32],
    image: &[f32],
    offsets: &[u32],
    grads: &[f32],
) {
    let span = span::<S, N>(vectors);
    let mut sums = load_all::<S, N>(simd, kernel_grad);
    for (&offset, &grad) in offsets.iter().zip(grads) {
        let patch = &image[offset as usize..][..span];
        let grad = simd.splat_f32s(grad);
        for i in 0..N {
            sums[i] = fma(simd, grad, load::<S>(patch, vectors[i]), sums[i]);
        }
    }
    for (i, sum) in sums.into_iter().enumerate() {
        store::<S>(kernel_grad, i * S::F32_LANES, sum);
    }
}

/// [`add_kernels`] for `N` vectors of the kernel, which stay in registers.
#[inline(always)]
fn add_kernels_of<S: Simd, const N: usize>(
    simd: S,
    vectors: [usize; N],
    kernel: &[f32],
    image_grads: &mut [Vec<f32>; SUMS],
    offsets: &[u32],
    grads: &[f32],
) {
    let span = span::<S, N>(vectors);
    let kernel = load_all::<S, N>(simd, kernel);
    let (turns, rest) = offsets.as_chunks::<SUMS>();
    let (grad_turns, grad_rest) = grads.as_chunks::<SUMS>();
    for (offsets, grads) in turns.iter().zip(grad_turns) {
        for ((image_grad, &offset), &grad) in image_grads.iter_mut().zip(offsets).zip(grads) {
            let patch = &mut image_grad[offset as usize..][..span];
            add_kernel(simd, vectors, &kernel, patch, grad);
        }
    }
    for ((image_grad, &offset), &grad) in image_grads.iter_mut().zip(rest).zip(grad_rest) {
        let patch = &mut image_grad[offset as usize..][..span];
        add_kernel(simd, vectors, &kernel, patch, grad);
    }
}

/// `patch += grad · kernel`.
#[inline(always)]
fn add_kernel<S: Simd, const N: usize>(
    simd: S,
    vectors: [usize; N],
    kernel: &[S::f32s; N],
    patch: &mut [f32],
    grad: f32,
) {
    let grad = simd.splat_f32s(grad);
    for i in 0..N {
        let sum = fma(simd, grad, kernel[i], load::<S>(patch, vectors[i]));
        store::<S>(patch, vectors[i], sum);
    }
}

/// How far the vectors of a patch reach.
#[inline(always)]
fn span<S: Simd, const N: usize>(vectors: [usize; N]) -> usize {
    let span = vectors.iter().fold(0, |span, &vector| span.max(vector)) + S::F32_LANES;
    // Checked here, just as a load checks it, the vectors need no check for every patch.
    for vector in vectors {
        assert!(vector <= span && S::F32_LANES <= span - vector, "no vector ends after the last");
    }
    span
}

/// `N` vectors, one after the other.
#[inline(always)]
fn load_all<S: Simd, const N: usize>(simd: S, values: &[f32]) -> [S::f32s; N] {
    let mut vectors = [simd.splat_f32s(0.0); N];
    for (i, vector) in vectors.iter_mut().enumerate() {
        *vector = load::<S>(values, i * S::F32_LANES);
    }
    vectors
}
