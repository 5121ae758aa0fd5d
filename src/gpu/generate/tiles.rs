//! How much of a convolution a thread computes, by a model of the time that it takes.
//!
//! A multiprocessor has four schedulers of 32 lanes and hands out 128 bytes of shared memory a cycle. The
//! model counts instructions of a warp and visits to the memory's banks; it need not be right, but must
//! tell good tiles from bad ones.

use std::cmp::Ordering;

use super::THREADS;
use super::maps::Maps;

/// Most floats that a thread may hold: of 128 registers some are needed for addresses.
const MOST_HELD: usize = 88;

/// Most floats that sums of all parts of the gradients of a convolution's weights take.
const MOST_SUMS: usize = 12_800;

/// What a thread of `convolve` computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) down: usize,
    pub(super) across: usize,
    pub(super) channels: usize,
}

/// What a thread of `weight_gradients` computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Input channels.
    pub(super) inputs: usize,
    /// Pixels at a time.
    pub(super) pixels: usize,
    /// Groups of rows.
    pub(super) parts: usize,
}

/// Cycles that `items` threads take which each run `rounds` rounds of `products` multiplications and
/// `loads` loads, where a warp's loads visit the banks `visits` times.
fn cycles(items: usize, rounds: usize, [products, loads, visits]: [usize; 3]) -> usize {
    let warps = items.div_ceil(32);
    let most = THREADS / 32;
    let block = |warps: usize| {
        // Some instructions of a round are for addresses and the loop.
        let issued = warps.div_ceil(4) * (products + 2 * loads + 16);
        // A lone warp waits for its loads.
        let waited = products + loads + 60;
        rounds * issued.max(warps * visits).max(waited)
    };
    let full = warps / most;
    let rest = warps % most;
    full * block(most) + if rest > 0 { block(rest) } else { 0 }
}

/// How often a warp's load visits the banks if its lanes begin at these floats.
fn visits(addresses: impl Iterator<Item = usize>, vector: usize) -> usize {
    let banks = 32 / vector;
    let mut chunks: Vec<usize> = addresses.map(|address| address / vector).collect();
    chunks.sort_unstable();
    chunks.dedup();
    let mut counts = vec![0; banks];
    for chunk in chunks {
        counts[chunk % banks] += 1;
    }
    counts.into_iter().max().unwrap_or(1)
}

fn best<T>(candidates: impl Iterator<Item = (usize, T)>) -> Option<T> {
    candidates.min_by(|a, b| a.0.cmp(&b.0).then(Ordering::Less)).map(|(_, candidate)| candidate)
}

/// The tile of a convolution from `input` to `output` maps.
pub(super) fn tile(input: &Maps, output: &Maps, kernel: usize, stride: usize) -> Tile {
    let candidates = [1, 2].into_iter().flat_map(|down| {
        (1..=8).flat_map(move |across| [1, 2, 4, 8].map(|channels| Tile { down, across, channels }))
    });
    let rated = candidates.filter_map(|tile| {
        let Tile { down, across, channels } = tile;
        let seen = (across - 1) * stride + kernel;
        let vector = input.vector;
        let held = down * across * channels + down * seen * vector + channels;
        let fits = down <= output.height && across <= output.width;
        if held > MOST_HELD || !fits || channels > output.padded() {
            return None;
        }
        let parts = output.padded().div_ceil(channels);
        let columns = output.width.div_ceil(across);
        let items = parts * columns * output.height.div_ceil(down);
        let lanes = (0..items.min(32)).map(|t| {
            let (x, y) = (t / parts % columns * across, t / (parts * columns) * down);
            stride * (y * input.row() + x * input.pixel)
        });
        let pixels = down * seen;
        let weights = kernel * vector;
        let weight_visits = (parts.min(32) * channels).div_ceil(32);
        let products = weights * down * across * channels;
        let loads = pixels + weights * channels.div_ceil(4);
        let visits = pixels * visits(lanes, vector) + weights * weight_visits;
        let rounds = kernel * input.padded() / vector;
        Some((cycles(items, rounds, [products, loads, visits]), tile))
    });
    best(rated).unwrap_or(Tile { down: 1, across: 1, channels: 1 })
}

/// The share of a thread in the gradients of a convolution's weights. It depends on nothing but the shapes:
/// in another number of parts sums are rounded differently.
pub(super) fn share(input: &Maps, gradient: &Maps, kernel: usize, stride: usize) -> Share {
    let weights = gradient.channels * input.channels * kernel * kernel;
    let most_parts = (MOST_SUMS / weights).clamp(1, gradient.height);
    let candidates = [1, 2, 4]
        .into_iter()
        .filter(|inputs| input.padded().is_multiple_of(*inputs))
        .flat_map(|inputs| {
            (1..=8.min(gradient.width)).flat_map(move |pixels| {
                (1..=most_parts).map(move |parts| Share { inputs, pixels, parts })
            })
        });
    let outputs = gradient.vector;
    let rated = candidates.filter_map(|share| {
        let Share { inputs, pixels, parts } = share;
        let seen = (pixels - 1) * stride + kernel;
        let held = kernel * inputs * outputs + seen * inputs + pixels * outputs;
        if held > MOST_HELD {
            return None;
        }
        let across = gradient.padded() / outputs;
        let items = across * (input.padded() / inputs) * kernel * parts;
        let products = kernel * inputs * outputs * pixels;
        let loads = seen + pixels;
        let rows = gradient.height.div_ceil(parts);
        let rounds = rows * gradient.width.div_ceil(pixels);
        // Sums are written once and read once; gradients without sums are written far apart.
        let written = if parts == 1 { weights } else { parts * weights / 4 };
        Some((cycles(items, rounds, [products, loads, loads * 3 / 2]) + written, share))
    });
    best(rated).unwrap_or(Share { inputs: 1, pixels: 1, parts: 1 })
}

/// Threads that share each output of a linear layer.
pub(super) fn linear_parts(inputs: usize, outputs: usize) -> usize {
    let mut parts = 32;
    while parts > 1 && (parts > inputs || parts > 8 && parts * outputs > 4 * THREADS) {
        parts /= 2;
    }
    parts
}

/// Groups of outputs from which the gradient of each input of a linear layer is summed.
pub(super) fn linear_input_parts(inputs: usize, outputs: usize) -> usize {
    let mut parts = 1;
    while 2 * parts * inputs <= THREADS && 4 * parts <= outputs {
        parts *= 2;
    }
    parts
}
