//! What this processor can do at most, to measure speeds against.

use std::time::Instant;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::simd::{self, fma};

/// Independent sums: enough to hide the latency of a fused multiply-add on two ports.
const SUMS: usize = 12;
/// Multiply-adds per sum in one measurement: a few milliseconds.
const ROUNDS: usize = 1 << 20;
/// Measurements; the fastest counts, because a disturbance can only slow one down.
const TRIES: usize = 8;

/// f32 multiply-adds a second of all threads of the current rayon pool together, measured on sums
/// that never leave the registers.
pub fn multiply_adds_per_second() -> f64 {
    let threads = rayon::current_num_threads();
    let best = (0..TRIES).map(|_| {
        let start = Instant::now();
        let chains = (0..threads).into_par_iter().with_max_len(1);
        let sum: f32 = chains.map(|_| simd::run(Chain { rounds: ROUNDS })).sum();
        // The sum is used, so that the work cannot be left out.
        std::hint::black_box(sum);
        start.elapsed().as_secs_f64()
    });
    let seconds = best.fold(f64::INFINITY, f64::min);
    multiply_adds(threads, ROUNDS) / seconds
}

/// What that many chains of that many rounds compute together.
fn multiply_adds(chains: usize, rounds: usize) -> f64 {
    (chains * rounds * SUMS * simd::lanes()) as f64
}

/// x ← 0.999 x + 0.001 from 0 on, in every lane of every sum; gives the total.
struct Chain {
    rounds: usize,
}

impl WithSimd for Chain {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let factor = simd.splat_f32s(std::hint::black_box(0.999));
        let term = simd.splat_f32s(std::hint::black_box(1e-3));
        let mut sums = [simd.splat_f32s(0.0); SUMS];
        for _ in 0..self.rounds {
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
    fn a_chain_makes_all_the_rounds_that_are_counted() {
        let lanes = simd::lanes() as f64;
        for rounds in [0_u16, 1, 7, 1_000] {
            let sum = f64::from(simd::run(Chain { rounds: rounds.into() }));
            let each = 1.0 - 0.999_f64.powi(rounds.into());
            let expected = each * SUMS as f64 * lanes;
            assert!((sum - expected).abs() <= 1e-4 * expected, "{rounds}: {sum}, not {expected}");
        }
        assert_eq!(multiply_adds(2, 1_000), 24_000.0 * lanes);
    }

    #[test]
    fn a_measurement_is_a_number_to_divide_by() {
        let peak = multiply_adds_per_second();
        assert!(peak.is_finite() && peak > 0.0, "{peak}");
    }
}
