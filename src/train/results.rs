//! What the network made of each image in the last evaluations.

use std::{cmp::Ordering, collections::VecDeque};

use super::history::UNKNOWN;
use crate::{
    data::Dataset,
    nn::loss::softmax,
    protocol::{Digit, EvalSet, Found, ImageSet, Query, RankedDigit},
};

/// What the network made of one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ImageResult {
    /// Most probable class.
    pub(super) prediction: u8,
    /// The network's probability of that class, in 0..=1.
    pub(super) probability: f32,
    /// Cross-entropy.
    pub(super) loss: f32,
}

impl ImageResult {
    /// From the image's logits and its true class; `prediction` is the place of the largest logit.
    pub(super) fn of(logits: &[f32], label: u8, prediction: usize) -> Self {
        let mut probabilities = vec![0.0; logits.len()];
        softmax(logits, &mut probabilities);
        let probability = probabilities[prediction];
        // The logarithm of the label's own probability would be infinite from a loss of 104 on; that
        // of the largest is exact.
        let behind = logits[prediction] - logits[usize::from(label)];
        Self { prediction: prediction as u8, probability, loss: behind - probability.ln() }
    }

    /// The prediction, or the sign for none where the logits are no numbers.
    pub(super) fn known_prediction(self) -> u8 {
        if self.probability.is_nan() { UNKNOWN } else { self.prediction }
    }
}

/// The images of one evaluation, in the order of its set.
#[derive(Debug)]
struct Kept {
    step: u64,
    set: EvalSet,
    images: Vec<ImageResult>,
}

/// The images of the last evaluations.
#[derive(Debug, Default)]
pub(super) struct Results {
    kept: VecDeque<Kept>,
}

impl Results {
    /// Most evaluations that are kept: at 12 bytes an image, 8 MB of test images.
    pub(super) const MOST: usize = 64;

    /// Keeps an evaluation made on `set` after `step`, in place of an earlier one there, or else of
    /// the oldest if there are too many.
    pub(super) fn keep(&mut self, step: u64, set: EvalSet, images: Vec<ImageResult>) {
        self.kept.retain(|kept| (kept.step, kept.set) != (step, set));
        if self.kept.len() == Self::MOST {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept { step, set, images });
    }

    /// Whether an evaluation made after `step` is kept.
    pub(super) fn has(&self, step: u64) -> bool {
        self.kept.iter().any(|kept| kept.step == step)
    }

    /// Forgets evaluations of steps that are given up.
    pub(super) fn forget_after(&mut self, step: u64) {
        self.kept.retain(|kept| kept.step <= step);
    }

    /// What was made of each image of `set` in the evaluation after `step`; `None` where it is not kept.
    pub(super) fn of(&self, step: u64, set: EvalSet) -> Option<&[ImageResult]> {
        let kept = self.kept.iter().find(|kept| (kept.step, kept.set) == (step, set))?;
        Some(&kept.images)
    }

    /// The set and the place of the image with the highest loss in the newest evaluation up to `step`.
    pub(super) fn hardest(&self, step: u64) -> Option<(ImageSet, u32)> {
        let newest =
            self.kept.iter().filter(|kept| kept.step <= step).max_by_key(|kept| kept.step)?;
        let places = 0..newest.images.len() as u32;
        let hardest = places.min_by(|&a, &b| harder_first(&newest.images, a, b))?;
        Some((newest.set.into(), hardest))
    }

    /// The images of an evaluation that `query` asks for, hardest first; `data` is the set that the
    /// evaluation was made on.
    pub(super) fn find(&self, query: Query, data: &Dataset) -> Found {
        let Some(images) = self.of(query.step, query.set) else { return Found::unknown(query) };
        let mut places: Vec<u32> = (0..images.len().min(data.len()) as u32).collect();
        places.retain(|&place| is_in_cell(query, data, images, place));
        places.sort_unstable_by(|&a, &b| harder_first(images, a, b));
        ranked(query, data, images, places)
    }

    /// The same of images that were forgotten, each with how often, most often first.
    pub(super) fn forgotten(
        &self,
        query: Query,
        data: &Dataset,
        forgotten: &[(u32, u32)],
    ) -> Found {
        let Some(images) = self.of(query.step, query.set) else { return Found::unknown(query) };
        let mut forgotten = forgotten.to_vec();
        forgotten.retain(|&(place, _)| {
            (place as usize) < images.len() && is_in_cell(query, data, images, place)
        });
        forgotten.sort_unstable_by(|&(a, often), &(b, less_often)| {
            less_often.cmp(&often).then_with(|| harder_first(images, a, b))
        });
        ranked(query, data, images, forgotten.into_iter().map(|(place, _)| place).collect())
    }
}

/// Whether an image belongs to the cell that is asked for.
fn is_in_cell(query: Query, data: &Dataset, images: &[ImageResult], place: u32) -> bool {
    let result = images[place as usize];
    let here = (data.label(place as usize), result.prediction);
    query.cell.is_none_or(|cell| cell == here && !result.probability.is_nan())
}

/// The answer with the images at these places.
fn ranked(query: Query, data: &Dataset, images: &[ImageResult], mut places: Vec<u32>) -> Found {
    let total = Some(places.len() as u64);
    places.truncate(Found::MOST);
    let of_place = |index: u32| {
        let ImageResult { prediction, probability, loss } = images[index as usize];
        let pixels = data.image(index as usize).to_vec();
        let label = data.label(index as usize);
        RankedDigit { index, digit: Digit { pixels, label, prediction, probability }, loss }
    };
    let digits = places.into_iter().map(of_place).collect();
    Found { total, digits, ..Found::unknown(query) }
}

/// By falling loss, those that are not finite first; equals in the order of the set.
fn harder_first(images: &[ImageResult], a: u32, b: u32) -> Ordering {
    let [first, second] = [a, b].map(|place| images[place as usize].loss);
    let finite = first.is_finite().cmp(&second.is_finite());
    let falling = if first.is_finite() { second.total_cmp(&first) } else { Ordering::Equal };
    finite.then(falling).then(a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::Device;

    use super::*;
    use crate::train::error::TrainError;
    use crate::{
        data::PIXELS,
        network::Plan,
        nn::model::{Model, Weights},
        protocol::List,
        seed::{self, Purpose},
        train::evaluate::evaluate,
    };

    fn result(prediction: u8, loss: f32) -> ImageResult {
        ImageResult { prediction, probability: 0.5, loss }
    }

    /// Images that each show their place in the first pixel.
    fn set(labels: &[u8]) -> Dataset {
        let mut images = vec![0; labels.len() * PIXELS];
        for (place, image) in images.chunks_exact_mut(PIXELS).enumerate() {
            image[0] = place as u8;
        }
        Dataset::new([1, 28, 28], 10, images, labels.to_vec()).expect("an image for each label")
    }

    fn query(step: u64, cell: Option<(u8, u8)>) -> Query {
        Query { step, set: EvalSet::Test, cell, list: List::Hardest }
    }

    fn indices(found: &Found) -> Vec<u32> {
        found.digits.iter().map(|ranked| ranked.index).collect()
    }

    #[test]
    fn images_of_a_cell_come_hardest_first() {
        let data = set(&[4, 4, 9, 4, 4]);
        let mut results = Results::default();
        let images =
            vec![result(9, 1.0), result(9, 3.0), result(9, 9.0), result(4, 8.0), result(9, 2.0)];
        results.keep(12, EvalSet::Test, images);
        let found = results.find(query(12, Some((4, 9))), &data);
        assert_eq!((indices(&found), found.total), (vec![1, 4, 0], Some(3)));
        let hardest = &found.digits[0];
        assert_eq!((hardest.loss, hardest.digit.label, hardest.digit.prediction), (3.0, 4, 9));
        assert_eq!(hardest.digit.pixels, data.image(1));
        assert_eq!(indices(&results.find(query(12, None), &data)), [2, 3, 1, 4, 0]);
        assert_eq!(results.find(query(12, Some((0, 1))), &data).total, Some(0));
        assert_eq!(results.hardest(u64::MAX), Some((ImageSet::Test, 2)));
    }

    #[test]
    fn an_image_without_a_prediction_is_in_no_cell() {
        let (data, mut results) = (set(&[0, 0]), Results::default());
        let unknown = ImageResult::of(&[f32::NAN; 10], 0, 0);
        results.keep(1, EvalSet::Test, vec![unknown, result(0, 1.0)]);
        assert_eq!(indices(&results.find(query(1, Some((0, 0))), &data)), [1]);
        let all = results.find(query(1, None), &data);
        assert_eq!(
            all.digits.iter().map(|one| one.digit.predicted()).collect::<Vec<_>>(),
            [None, Some(0)]
        );
    }

    #[test]
    fn losses_that_are_not_finite_come_first_and_ties_in_the_order_of_the_set() {
        let data = set(&[0; 6]);
        let losses = [1.0, f32::NAN, 7.0, f32::INFINITY, 7.0, -f32::NAN];
        let mut results = Results::default();
        results.keep(1, EvalSet::Test, losses.map(|loss| result(0, loss)).to_vec());
        assert_eq!(indices(&results.find(query(1, None), &data)), [1, 3, 5, 2, 4, 0]);
    }

    #[test]
    fn no_more_images_are_handed_over_than_may_be() {
        let data = set(&[3; 500]);
        let mut results = Results::default();
        results.keep(1, EvalSet::Test, (0..500_u16).map(|i| result(3, f32::from(i))).collect());
        let found = results.find(query(1, None), &data);
        assert_eq!((found.digits.len(), found.total), (Found::MOST, Some(500)));
        assert_eq!((found.digits[0].index, found.digits[399].index), (499, 100));
    }

    #[test]
    fn the_oldest_evaluations_are_forgotten_and_those_given_up() {
        let data = set(&[3]);
        let mut results = Results::default();
        for step in 1..=Results::MOST as u64 + 1 {
            results.keep(step, EvalSet::Test, vec![result(3, 1.0)]);
        }
        let total = |results: &Results, step| results.find(query(step, None), &data).total;
        assert_eq!([1, 2, 65].map(|step| total(&results, step)), [None, Some(1), Some(1)]);
        results.forget_after(10);
        assert_eq!([2, 10, 11].map(|step| total(&results, step)), [Some(1), Some(1), None]);
    }

    #[test]
    fn an_evaluation_made_again_takes_the_place_of_the_first() {
        let (data, mut results) = (set(&[3]), Results::default());
        results.keep(5, EvalSet::Test, vec![result(3, 1.0)]);
        results.keep(5, EvalSet::Test, vec![result(8, 2.0)]);
        assert_eq!(results.kept.len(), 1);
        assert_eq!(results.find(query(5, None), &data).digits[0].loss, 2.0);
    }

    #[test]
    fn evaluations_of_two_sets_after_one_step_stand_side_by_side() {
        let (validation, test, mut results) = (set(&[3]), set(&[7, 7]), Results::default());
        results.keep(5, EvalSet::Validation, vec![result(3, 1.0)]);
        results.keep(5, EvalSet::Test, vec![result(7, 1.0), result(7, 2.0)]);
        let of = |set, data| results.find(Query { set, ..query(5, None) }, data);
        let found = of(EvalSet::Validation, &validation);
        assert_eq!((found.set, found.total), (ImageSet::Validation, Some(1)));
        assert_eq!(of(EvalSet::Test, &test).total, Some(2));
    }

    #[test]
    fn a_loss_is_exact_where_the_labels_probability_is_too_small_to_write() {
        let mut logits = [0.0; 10];
        logits[4] = 200.0;
        let result = ImageResult::of(&logits, 1, 4);
        assert_eq!((result.prediction, result.probability, result.loss), (4, 1.0, 200.0));
        logits[4] = 0.0;
        let uniform = ImageResult::of(&logits, 1, 0);
        assert!((uniform.loss - 10.0_f32.ln()).abs() < 1e-6, "{}", uniform.loss);
    }

    #[test]
    fn the_mean_of_the_images_losses_is_the_evaluations() -> Result<(), TrainError> {
        let plan = Arc::new(Plan::article());
        let weights = Weights::initial(&plan, &mut seed::rng(3, Purpose::Initialisation, 0, 0));
        let model = Model::new(plan, &weights, &Device::Cpu)?;
        // Two chunks, the second of one image.
        let labels: Vec<u8> = (0..1_001_u16).map(|place| (place % 10) as u8).collect();
        let data = set(&labels);
        let mut images = Vec::new();
        let all = Some(&mut images);
        let measured = evaluate((&model, None), &data, EvalSet::Test, &Device::Cpu, all, || true)?
            .expect("nothing stops it");
        assert_eq!(images.len(), 1_001);
        let mean = images.iter().map(|image| f64::from(image.loss)).sum::<f64>() / 1_001.0;
        assert!((mean - measured.loss).abs() < 1e-5, "{mean} and {}", measured.loss);
        let right = images.iter().zip(&labels).filter(|(image, label)| image.prediction == **label);
        assert_eq!(right.count() as u64, measured.correct);
        let without = evaluate((&model, None), &data, EvalSet::Test, &Device::Cpu, None, || true)?
            .expect("nothing stops it");
        assert_eq!((without.loss, without.confusion), (measured.loss, measured.confusion));
        Ok(())
    }
}
