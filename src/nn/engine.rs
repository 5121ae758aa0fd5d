//! What a pass over a batch is for.

/// A training step, by which everything random in it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The run's seed.
    pub seed: u64,
    /// The epoch, from 1.
    pub epoch: u64,
    /// The step of the run, from 1.
    pub step: u64,
}

/// Whether layers behave as in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout drops and batch normalisation uses the batch's own statistics.
    Train(Key),
    /// Dropout passes all and batch normalisation uses its running statistics.
    Evaluate,
}
