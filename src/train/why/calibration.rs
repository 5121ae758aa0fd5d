//! Confidence against accuracy in an evaluation that was made.

use crate::{data::Dataset, metrics::Calibration, protocol::EvalSet, train::results::Results};

/// The calibration of the evaluation made on `set`, whose images are `data`, after `step`; `None` where
/// its images are no longer known.
pub(super) fn of(
    results: &Results,
    data: &Dataset,
    step: u64,
    set: EvalSet,
) -> Option<Calibration> {
    let images = results.of(step, set)?.iter().zip(data.labels());
    let predictions = images.map(|(image, &label)| (image.probability, image.prediction == label));
    Some(Calibration::of(predictions, Calibration::BINS))
}
