//! Whether a state belongs to a run.

use crate::{
    config::RunConfig,
    network::Plan,
    nn::model::Weights,
    protocol::{TrainingProgress, TrainingState},
};

/// Why a run cannot go on from a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Another network.
    #[error("the checkpoint holds {found} weights, and the network has {expected}")]
    Weights {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A place that the run does not pass.
    #[error(
        "the checkpoint stands at step {step}, batch {batch} of epoch {epoch}, where a run of \
         {per_epoch} steps an epoch on these images never stands: are the data another?"
    )]
    Place {
        /// Steps of the run.
        step: u64,
        /// Batches of the epoch.
        batch: u64,
        /// The epoch.
        epoch: u32,
        /// Steps of an epoch.
        per_epoch: u64,
    },
    /// Learning rates that no run has.
    #[error("the checkpoint's learning rates are out of order: it is damaged")]
    Rates,
}

/// The state's weights, if they are as many as the network has.
pub(super) fn weights(state: &TrainingState, plan: &Plan) -> Result<Weights, Unfit> {
    let parts =
        [(state.weights.len(), plan.trained_len()), (state.running.len(), plan.running_len())];
    if let Some((found, expected)) = parts.into_iter().find(|(found, expected)| found != expected) {
        return Err(Unfit::Weights { found, expected });
    }
    Ok(Weights { trained: state.weights.clone(), running: state.running.clone() })
}

/// Checks that a run over this many training images passes the point where the state was taken.
pub(super) fn check_place(
    progress: &TrainingProgress,
    config: &RunConfig,
    images: usize,
) -> Result<(), Unfit> {
    let per_epoch = config.steps_per_epoch(images);
    let TrainingProgress { epoch, batch, step, .. } = *progress;
    let step_there = u64::from(epoch).checked_sub(1).and_then(|before| {
        before.checked_mul(per_epoch).and_then(|steps| steps.checked_add(batch))
    });
    let images_there = |step: u64| {
        let (epochs, rest) = (step / per_epoch, step % per_epoch);
        u128::from(epochs) * images as u128 + u128::from(rest) * config.batch_size as u128
    };
    let fits = step_there == Some(step)
        && epoch <= config.epochs
        && progress.optimiser_step == step
        && batch <= per_epoch
        && step <= config.total_steps(images)
        && u128::from(progress.images) == images_there(step);
    if fits { Ok(()) } else { Err(Unfit::Place { step, batch, epoch, per_epoch }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataInfo;

    fn at(epoch: u32, batch: u64, step: u64, images: u64) -> TrainingProgress {
        let optimiser_step = step;
        TrainingProgress {
            epoch,
            batch,
            step,
            images,
            optimiser_step,
            ..TrainingProgress::default()
        }
    }

    #[test]
    fn only_places_that_the_run_passes_are_taken() {
        let config = RunConfig { batch_size: 7, epochs: 3, ..RunConfig::default() };
        let check = |progress: TrainingProgress| check_place(&progress, &config, 20);
        // Three steps an epoch: 7, 7 and 6 images.
        for fitting in
            [at(1, 0, 0, 0), at(1, 3, 3, 20), at(2, 0, 3, 20), at(2, 1, 4, 27), at(3, 3, 9, 60)]
        {
            assert_eq!(check(fitting.clone()), Ok(()), "{fitting:?}");
        }
        for other in [
            at(0, 0, 0, 0),
            at(1, 4, 4, 27),
            at(2, 1, 5, 34),
            at(2, 1, 4, 28),
            at(4, 0, 9, 60),
            at(4, 1, 10, 67),
            at(u32::MAX, u64::MAX, u64::MAX, u64::MAX),
        ] {
            assert!(check(other.clone()).is_err(), "{other:?}");
        }
    }

    #[test]
    fn weights_of_another_network_are_refused() {
        let state = |weights: usize, running: usize| TrainingState {
            progress: TrainingProgress::default(),
            weights: vec![0.5; weights],
            running: vec![0.0; running],
            slots: Vec::new(),
            average: None,
            best: None,
            losses: Vec::new(),
            set: DataInfo::mnist(),
        };
        let plan = Plan::article();
        let refused = |found, expected| Err(Unfit::Weights { found, expected });
        assert_eq!(weights(&state(5_141, 0), &plan), refused(5_141, 5_142));
        assert_eq!(weights(&state(5_142, 2), &plan), refused(2, 0));
        assert_eq!(weights(&state(5_142, 0), &plan).expect("they fit").trained.len(), 5_142);
    }
}
