//! How a batch is cut into pieces for the threads.
//!
//! The cut depends on the size of the batch alone and partial sums are added in the order of the
//! pieces, so that results are the same bit for bit on any number of threads.

use rayon::prelude::*;

/// Most pieces of one batch: enough to keep 16 threads busy to the end.
const MOST: usize = 64;

/// How many of `n` images go into one piece, at least `fewest` (below which handing a piece to
/// another thread costs more than it gains).
pub(super) fn chunk_len(n: usize, fewest: usize) -> usize {
    n.div_ceil(MOST).max(fewest)
}

/// Runs every job, on the threads of the current pool where there are several, and gives the
/// results in the order of the jobs.
pub(super) fn map<J: Send, R: Send>(jobs: Vec<J>, work: impl Fn(J) -> R + Sync + Send) -> Vec<R> {
    if jobs.len() < 2 || rayon::current_num_threads() < 2 {
        jobs.into_iter().map(work).collect()
    } else {
        jobs.into_par_iter().with_max_len(1).map(work).collect()
    }
}

/// Adds partial sums of equal length in their order.
pub(super) fn add_all<'a>(partial: impl IntoIterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut partial = partial.into_iter();
    let mut total = partial.next().unwrap_or_default().to_vec();
    for part in partial {
        for (total, part) in total.iter_mut().zip(part) {
            *total += part;
        }
    }
    total
}
