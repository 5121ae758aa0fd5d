//! Vectors of the processor this runs on, chosen when it runs.
//!
//! A kernel is written once, over [`pulp::Simd`], and compiled for AVX-512, AVX2 with FMA, NEON or
//! the plain baseline; [`run`] picks the widest the processor has.

use std::any::TypeId;

use pulp::{Arch, Scalar128b, Simd, WithSimd};

/// Runs `kernel` with the widest vectors that this processor has.
#[inline]
pub(super) fn run<K: WithSimd>(kernel: K) -> K::Output {
    #[cfg(test)]
    match tests::forced() {
        tests::Width::Widest => {}
        tests::Width::Baseline => return Scalar128b.vectorize(kernel),
        #[cfg(target_arch = "x86_64")]
        tests::Width::Avx2(avx2) => return Simd::vectorize(avx2, kernel),
    }
    match Arch::new() {
        // Four lanes the compiler can map to SSE or leave scalar, where one lane would forbid both.
        Arch::Scalar => Scalar128b.vectorize(kernel),
        arch => arch.dispatch(kernel),
    }
}

/// How many f32 values one vector of [`run`] holds.
pub(crate) fn lanes() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    run(Lanes)
}

/// The vector that starts at `values[at]`; it needs no alignment.
#[inline(always)]
pub(super) fn load<S: Simd>(values: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&values[at..][..S::F32_LANES]).0[0]
}

/// Writes `vector` to the lanes that start at `values[at]`.
#[inline(always)]
pub(super) fn store<S: Simd>(values: &mut [f32], at: usize, vector: S::f32s) {
    S::as_mut_simd_f32s(&mut values[at..][..S::F32_LANES]).0[0] = vector;
}

/// `a * b + c`, rounded once where the processor does so in one instruction.
#[inline(always)]
pub(super) fn fma<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    // Without the instruction, a fused product is a library call for every lane.
    if TypeId::of::<S>() == TypeId::of::<Scalar128b>() {
        simd.add_f32s(simd.mul_f32s(a, b), c)
    } else {
        simd.mul_add_e_f32s(a, b, c)
    }
}

/// `target[i] += scale * values[i]` over the common length.
#[inline(always)]
pub(super) fn add_scaled<S: Simd>(simd: S, target: &mut [f32], scale: f32, values: &[f32]) {
    let len = target.len().min(values.len());
    let (targets, target_tail) = S::as_mut_simd_f32s(&mut target[..len]);
    let (sources, source_tail) = S::as_simd_f32s(&values[..len]);
    let factor = simd.splat_f32s(scale);
    for (target, &source) in targets.iter_mut().zip(sources) {
        *target = fma(simd, factor, source, *target);
    }
    for (target, source) in target_tail.iter_mut().zip(source_tail) {
        *target += scale * source;
    }
}

/// The sum of the products of two rows of equal length.
#[inline(always)]
pub(super) fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let len = a.len().min(b.len());
    let (heads_a, tail_a) = S::as_simd_f32s(&a[..len]);
    let (heads_b, tail_b) = S::as_simd_f32s(&b[..len]);
    // Four independent sums: one would wait for the latency of every addition.
    let mut sums = [simd.splat_f32s(0.0); 4];
    let (quads_a, rest_a) = heads_a.as_chunks::<4>();
    let (quads_b, rest_b) = heads_b.as_chunks::<4>();
    for (a, b) in quads_a.iter().zip(quads_b) {
        for lane in 0..4 {
            sums[lane] = fma(simd, a[lane], b[lane], sums[lane]);
        }
    }
    for (&a, &b) in rest_a.iter().zip(rest_b) {
        sums[0] = fma(simd, a, b, sums[0]);
    }
    let sum = simd.add_f32s(simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
    let tail: f32 = tail_a.iter().zip(tail_b).map(|(a, b)| a * b).sum();
    simd.reduce_sum_f32s(sum) + tail
}

/// The sum of a row.
#[inline(always)]
pub(super) fn sum<S: Simd>(simd: S, values: &[f32]) -> f32 {
    let (heads, tail) = S::as_simd_f32s(values);
    // No closure: it would not be compiled for the vectors of this function.
    let mut total = simd.splat_f32s(0.0);
    for &head in heads {
        total = simd.add_f32s(total, head);
    }
    simd.reduce_sum_f32s(total) + tail.iter().sum::<f32>()
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use super::*;

    /// Vectors that a test wants instead of the widest.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::nn) enum Width {
        Widest,
        Baseline,
        #[cfg(target_arch = "x86_64")]
        Avx2(pulp::x86::V3),
    }

    thread_local! {
        static FORCED: Cell<Width> = const { Cell::new(Width::Widest) };
    }

    pub(super) fn forced() -> Width {
        FORCED.get()
    }

    /// Runs `test` with every kind of vectors this processor has.
    pub(in crate::nn) fn on_every_width(test: impl Fn() + Sync) {
        let mut widths = vec![Width::Widest, Width::Baseline];
        #[cfg(target_arch = "x86_64")]
        widths.extend(pulp::x86::V3::try_new().map(Width::Avx2));
        // The choice belongs to a thread, so all work must stay on one.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.expect("the system has a thread to give");
        for width in widths {
            pool.install(|| {
                FORCED.set(width);
                test();
            });
        }
    }

    #[test]
    fn the_widths_differ() {
        let found = std::sync::Mutex::new(Vec::new());
        on_every_width(|| found.lock().expect("no test panicked").push(lanes()));
        let found = found.into_inner().expect("no test panicked");
        assert_eq!(found[1], 4);
        if let Some(avx2) = found.get(2) {
            assert_eq!(*avx2, 8);
        }
        assert!(found.iter().all(|lanes| found[0] >= *lanes), "{found:?}");
    }

    #[test]
    fn rows_of_every_length_are_summed_to_the_last_value() {
        struct Sums<'a>(&'a [f32], &'a mut [f32]);
        impl WithSimd for Sums<'_> {
            type Output = (f32, f32);
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> (f32, f32) {
                add_scaled(simd, self.1, 2.0, self.0);
                (sum(simd, self.0), dot(simd, self.0, self.0))
            }
        }
        on_every_width(|| {
            for len in 0..80u16 {
                let row: Vec<_> = (1..=len).map(f32::from).collect();
                let mut target = vec![1.0; row.len()];
                let (sum, dot) = run(Sums(&row, &mut target));
                let n = f32::from(len);
                // Sums of small integers are exact.
                assert_eq!(sum.to_bits(), (n * (n + 1.0) / 2.0).to_bits());
                assert_eq!(dot.to_bits(), (n * (n + 1.0) * (2.0 * n + 1.0) / 6.0).to_bits());
                let expected: Vec<_> = row.iter().map(|value| 2.0 * value + 1.0).collect();
                assert_eq!(target, expected);
            }
        });
    }
}
