//! Buffers of [`super::forward_pair`] that go from one batch to the next.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::backward::{self, Backward, Partial};
use super::forward::{self, Forward};
use super::geometry::Geometry;

/// What goes from one batch to the next, so that training allocates next to nothing.
#[derive(Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Between>>>);

impl Buffers {
    /// What an earlier batch of the same extents has left, or new.
    pub(super) fn take(&self, geometries: [Geometry; 2]) -> Between {
        let kept = lock(&self.0).pop();
        kept.filter(|between| between.geometries == geometries)
            .unwrap_or_else(|| Between::new(geometries))
    }

    /// Keeps `between` for a later batch.
    pub(super) fn give(&self, between: Between) {
        lock(&self.0).push(between);
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").finish_non_exhaustive()
    }
}

/// What the forward pass leaves to the backward.
pub(super) struct Between {
    pub(super) geometries: [Geometry; 2],
    pub(super) forward: [Forward; 2],
    pub(super) backward: [Backward; 2],
    /// The first block's outputs.
    pub(super) maps: Vec<f32>,
    /// Which places of their windows gave the outputs of each block.
    pub(super) winners: [Vec<u8>; 2],
    /// One for each piece of the largest batch so far.
    pub(super) pieces: Vec<Scratch>,
}

/// Buffers of one piece of a batch.
pub(super) struct Scratch {
    pub(super) forward: [forward::Scratch; 2],
    pub(super) backward: [backward::Scratch; 2],
    pub(super) partial: [Partial; 2],
    /// The gradient of one image's first outputs.
    pub(super) maps_grad: Vec<f32>,
}

impl Between {
    pub(super) fn new(geometries: [Geometry; 2]) -> Self {
        let [first, second] = &geometries;
        Self {
            forward: [Forward::new(first), Forward::new(second)],
            backward: [Backward::new(first, false), Backward::new(second, true)],
            geometries,
            maps: Vec::new(),
            winners: [Vec::new(), Vec::new()],
            pieces: Vec::new(),
        }
    }

    /// Makes room for `n` images in pieces of `chunk`.
    pub(super) fn resize(&mut self, n: usize, chunk: usize) {
        let [first_len, second_len] = self.geometries.map(|geometry| n * geometry.output_len());
        self.maps.resize(first_len, 0.0);
        self.winners[0].resize(first_len, 0);
        self.winners[1].resize(second_len, 0);
        while self.pieces.len() < n.div_ceil(chunk) {
            self.pieces.push(Scratch {
                forward: self.forward.each_ref().map(Forward::scratch),
                backward: self.backward.each_ref().map(Backward::scratch),
                partial: self.backward.each_ref().map(Backward::partial),
                maps_grad: vec![0.0; self.geometries[0].output_len()],
            });
        }
    }
}

/// Locks; a panic elsewhere leaves these values whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
