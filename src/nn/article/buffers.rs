//! Sums that go from one part of a batch to the next.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::image::Sums;

/// Sums of gradients that no part of a batch is using, so that training allocates next
/// to nothing.
#[derive(Default)]
pub(super) struct Buffers(Mutex<Vec<Box<Sums>>>);

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").finish_non_exhaustive()
    }
}

impl Buffers {
    /// Sums of nothing yet.
    pub(super) fn take(&self) -> Box<Sums> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.map_or_else(Sums::new, |mut sums| {
            sums.clear();
            sums
        })
    }

    /// Keeps `sums` for another part.
    pub(super) fn give(&self, sums: Box<Sums>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sums);
    }
}
