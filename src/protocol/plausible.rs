//! Whether an event can come from a run: its numbers are such as runs have.

use super::{Evaluation, Event};

/// More steps or images no run has, and sums of a few of them cannot overflow.
const MOST: u64 = 1 << 45;
/// More images no set has.
const MOST_IMAGES: u64 = 1 << 32;

impl Event {
    /// Whether all counts are within what a run can have. One that was read from a file need not be.
    pub fn is_plausible(&self) -> bool {
        let within = |counts: &[u64]| counts.iter().all(|&count| count <= MOST);
        match self {
            Self::Started(info) => {
                let images =
                    [info.train_images, info.eval_images, info.test_images, info.batch_size];
                info.set.is_supported()
                    && images.iter().all(|&images| images <= MOST_IMAGES)
                    && within(&[info.steps_per_epoch, info.total_steps, info.parameters])
            }
            Self::Progress(progress) => {
                within(&[progress.first_step, progress.first_batch, progress.images])
            }
            Self::Epoch(record) => {
                within(&[record.step, record.batches]) && is_possible(&record.evaluation)
            }
            Self::Epochs(epochs) => {
                epochs.reached.iter().all(|reached| {
                    within(&[reached.first_step, reached.first_batch, reached.images])
                }) && epochs.brief.iter().all(|point| within(&[point.step]))
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
            Self::Finished(summary) => {
                within(&[summary.steps, summary.images])
                    && summary.test.as_ref().is_none_or(is_possible)
            }
            Self::State(_)
            | Self::Inspected(_)
            | Self::Insides(_)
            | Self::Checkpoint(_)
            | Self::Found(_)
            | Self::Notice(_)
            | Self::Failed(_) => true,
        }
    }
}

/// Whether an evaluation's counts are those of a set, and its matrix can be summed up.
fn is_possible(evaluation: &Evaluation) -> bool {
    let classes = 0..crate::metrics::confusion::CLASSES;
    let cells = classes.clone().flat_map(|truth| classes.clone().map(move |taken| (truth, taken)));
    let counts = cells.map(|(truth, taken)| u64::from(evaluation.confusion.count(truth, taken)));
    u32::try_from(counts.sum::<u64>()).is_ok()
        && evaluation.correct <= MOST_IMAGES
        && evaluation.total <= MOST_IMAGES
}
