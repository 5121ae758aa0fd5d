//! Memory that goes from one pass to the next, so that training allocates next to nothing.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::norm::{Coefficients, Found};

/// Arrays that no pass is using.
#[derive(Default)]
pub(super) struct Workspaces(Mutex<Vec<Workspace>>);

impl fmt::Debug for Workspaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspaces").finish_non_exhaustive()
    }
}

/// What a pass over a batch computes with.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    /// What the steps made of the parameters.
    pub(super) packed: Vec<f32>,
    /// What each batch normalisation multiplies and adds.
    pub(super) norms: Vec<Coefficients>,
    /// What all parts found out for a normalisation.
    pub(super) found: Found,
    /// One for each part.
    pub(super) parts: Vec<Part>,
}

/// What one part computes with. Values keep the zeros around their maps from one pass to the next.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) values: Vec<f32>,
    pub(super) grads: Vec<f32>,
    pub(super) sums: Vec<f32>,
    pub(super) scratch: Vec<f32>,
    pub(super) logits: Vec<f32>,
    pub(super) found: Found,
    pub(super) loss: f64,
}

impl Workspaces {
    pub(super) fn take(&self) -> Workspace {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(super) fn give(&self, workspace: Workspace) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
    }
}

/// Makes `values` at least so long; what is new is zero.
pub(super) fn grow(values: &mut Vec<f32>, len: usize) {
    if values.len() < len {
        values.resize(len, 0.0);
    }
}

#[cfg(test)]
impl Workspace {
    /// Where each array lies and how much it can hold.
    pub(super) fn memory(&self) -> Vec<(*const (), usize)> {
        fn place<T>(values: &Vec<T>) -> (*const (), usize) {
            (values.as_ptr().cast(), values.capacity())
        }
        let mut places = vec![place(&self.packed), place(&self.norms), place(&self.parts)];
        places.extend(self.norms.iter().flat_map(Coefficients::memory));
        places.extend(self.found.memory());
        for part in &self.parts {
            let Part { values, grads, sums, scratch, logits, found, .. } = part;
            places.extend([values, grads, sums, scratch, logits].map(place));
            places.extend(found.memory());
        }
        places
    }
}
