//! Whether an event can come from a run: its numbers are such as runs have.

use super::{Evaluation, Event, NetworkInfo, Progress};

/// More steps or images no run has, and sums of a few of them cannot overflow.
const MOST: u64 = 1 << 45;
/// More images no set has.
const MOST_IMAGES: u64 = 1 << 32;
/// More stages or parameters no network has.
const MOST_LAYERS: usize = 1 << 12;
/// Longer no dimension is.
const MOST_VALUES: usize = 1 << 32;

impl Event {
    /// Whether all counts are within what a run can have. One that was read from a file need not be.
    pub fn is_plausible(&self) -> bool {
        match self {
            Self::Started(info) => {
                let images =
                    [info.train_images, info.eval_images, info.test_images, info.batch_size];
                info.set.is_supported()
                    && images.iter().all(|&images| images <= MOST_IMAGES)
                    && within(&[info.steps_per_epoch, info.total_steps, info.parameters])
                    && is_of_a_run(&info.network)
            }
            Self::Progress(progress) => are_of_a_run(progress),
            Self::Epoch(record) | Self::Evaluated(record) => {
                within(&[record.step, record.batches]) && is_possible(&record.evaluation)
            }
            Self::Epochs(epochs) => {
                epochs.reached.iter().all(are_of_a_run)
                    && epochs.brief.iter().all(|point| within(&[point.step]))
                    && epochs.whole.iter().all(|record| {
                        within(&[record.step, record.batches]) && is_possible(&record.evaluation)
                    })
            }
            Self::Rewound(rewound) => {
                within(&[rewound.step, rewound.batch, rewound.images])
                    && rewound.tail.len() as u64 <= rewound.step
            }
            Self::LearningRate(change) => within(&[change.step]),
            Self::Break(hit) => within(&[hit.step]),
            Self::Hardware(hardware) => within(&[hardware.step]),
            Self::Finished(summary) => {
                within(&[summary.steps, summary.images])
                    && summary.test.as_ref().is_none_or(is_possible)
            }
            Self::State(_)
            | Self::Inspected(_)
            | Self::Insides(_)
            | Self::Explained(_)
            | Self::Checkpoint(_)
            | Self::Found(_)
            | Self::Notice(_)
            | Self::Failed(_) => true,
        }
    }
}

fn within(counts: &[u64]) -> bool {
    counts.iter().all(|&count| count <= MOST)
}

fn are_of_a_run(progress: &Progress) -> bool {
    within(&[progress.first_step, progress.first_batch, progress.images])
        && progress.measures.iter().all(|measure| measure.step <= MOST)
}

/// Whether an evaluation's counts are those of a set, and its matrix can be summed up.
fn is_possible(evaluation: &Evaluation) -> bool {
    let counts = evaluation.confusion.cells().map(|cell| u64::from(cell.count));
    u32::try_from(counts.sum::<u64>()).is_ok()
        && evaluation.correct <= MOST_IMAGES
        && evaluation.total <= MOST_IMAGES
}

fn is_of_a_run(network: &NetworkInfo) -> bool {
    let NetworkInfo { stages, parameters, .. } = network;
    stages.len().max(parameters.len()) <= MOST_LAYERS
        && stages.iter().flat_map(|stage| &stage.shape).all(|&length| length <= MOST_VALUES)
        && parameters.iter().flat_map(|one| &one.shape).all(|&length| length <= MOST_VALUES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::RunInfo;

    #[test]
    fn a_run_has_classes_and_sizes_within_limits() {
        let plausible = |change: fn(&mut RunInfo)| {
            let mut info = RunInfo::example();
            change(&mut info);
            Event::Started(info).is_plausible()
        };
        assert!(plausible(|_| {}));
        assert!(plausible(|info| info.set.classes = vec!["x".into(); 100]));
        assert!(!plausible(|info| info.set.classes = vec!["x".into(); 101]));
        assert!(!plausible(|info| info.set.classes.clear()));
        assert!(!plausible(|info| info.set.shape = [1, 0, 28]));
        assert!(!plausible(|info| info.set.shape = [1, 28, usize::MAX]));
        assert!(!plausible(|info| info.network.stages[0].shape[1] = usize::MAX));
        assert!(!plausible(|info| info.network.parameters[0].shape[0] = usize::MAX));
    }
}
