//! What this processor can do at most, to measure speeds against.

use std::time::Instant;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::simd::{self, fma};

/// Independent sums: enough to hide the latency of a fused multiply-add on two ports.
const SUMS: usize = 12;
/// Multiply-adds per sum in one measurement: a few milliseconds.
const ROUNDS: usize = 1 << 20;
/// Measurements, of which the fastest counts: whatever disturbs one only slows it.
const TRIES: usize = 8;

/// f32 multiply-adds a second of all threads of the current rayon pool together, measured on sums
/// that never leave the registers.
pub fn multiply_adds_per_second() -> f64 {
    let threads = rayon::current_num_threads();
    let best = (0..TRIES).map(|_| {
        let start = Instant::now();
        let sum: f32 = (0..threads).into_par_iter().with_max_len(1).map(|_| simd::run(Chain)).sum();
        // The sum is used, so that the work cannot be left out.
        std::hint::black_box(sum);
        start.elapsed().as_secs_f64()
    });
    let seconds = best.fold(f64::INFINITY, f64::min);
    (threads * SUMS * ROUNDS * simd::lanes()) as f64 / seconds
}

struct Chain;

impl WithSimd for Chain {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let factor = simd.splat_f32s(std::hint::black_box(0.999));
        let term = simd.splat_f32s(std::hint::black_box(1e-3));
        let mut sums = [simd.splat_f32s(1.0); SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = fma(simd, *sum, factor, term);
            }
        }
        sums.into_iter().map(|sum| simd.reduce_sum_f32s(sum)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_computes_what_it_says() {
        // x ← 0.999 x + 0.001 stays at its fixed point 1.
        let lanes = simd::lanes() as f32;
        let sum = simd::run(Chain);
        assert!((sum / (SUMS as f32 * lanes) - 1.0).abs() < 1e-3, "{sum}");
        assert!(multiply_adds_per_second() > 1e6);
    }
}
