//! Predictions and losses of all images of a set over the run, in three bytes an image and step.

use super::results::ImageResult;
use crate::protocol::{ImageHistory, List};

/// Most bytes that the rows of a set take together; of more, every second one goes.
const MOST: usize = 32 << 20;
/// In place of a prediction that is not known: no set has as many classes.
pub(super) const UNKNOWN: u8 = u8::MAX;
/// The level of a loss that is not finite or not known.
const NOT_FINITE: u8 = u8::MAX;
/// Losses below 2⁻¹¹ have the level 0, and each octave above has 16 levels: a level is right to 1/32.
const LOWEST: u32 = (127 - 11) << 4;
/// Bits of a number's significand that a level leaves out.
const LEFT_OUT: u32 = 23 - 4;

/// A loss as a byte.
fn level(loss: f32) -> u8 {
    if !loss.is_finite() {
        return NOT_FINITE;
    }
    let octave = if loss > 0.0 { loss.to_bits() >> LEFT_OUT } else { 0 };
    octave.saturating_sub(LOWEST).min(u32::from(NOT_FINITE) - 1) as u8
}

/// The middle of the losses of a level.
fn loss(level: u8) -> f32 {
    match level {
        0 => 0.0,
        NOT_FINITE => f32::NAN,
        level => f32::from_bits(((u32::from(level) + LOWEST) << LEFT_OUT) | 1 << (LEFT_OUT - 1)),
    }
}

/// What the network made of an image at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Noted {
    /// The image's place in its set.
    pub(super) index: u32,
    /// Most probable class, or [`UNKNOWN`].
    pub(super) prediction: u8,
    /// The network's probability of that class, in 0..=1.
    pub(super) probability: f32,
    /// Cross-entropy.
    pub(super) loss: f32,
}

/// What was predicted for an image with which probability, in 255ths, and the level of its loss.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    prediction: u8,
    confidence: u8,
    level: u8,
}

impl Cell {
    const UNKNOWN: Self = Self { prediction: UNKNOWN, confidence: 0, level: NOT_FINITE };
    /// The least confidence with which a wrong prediction speaks against the label.
    const CONFIDENT: u8 = (List::CONFIDENT * 255.0) as u8;

    fn of(noted: Noted) -> Self {
        let confidence = (noted.probability * 255.0).round() as u8;
        Self { prediction: noted.prediction, confidence, level: level(noted.loss) }
    }

    fn is_known(self) -> bool {
        self.prediction != UNKNOWN
    }

    /// Whether another class than the label was predicted with confidence.
    fn contradicts(self, label: u8) -> bool {
        self.is_known() && self.prediction != label && self.confidence >= Self::CONFIDENT
    }
}

#[derive(Debug)]
struct Row {
    step: u64,
    cells: Vec<Cell>,
}

/// The images of a set over the run.
///
/// A row belongs to the step that completes it. Training fills it in batch by batch, and again after the
/// run was rewound, so that it is right whenever the run has reached its step.
#[derive(Debug)]
pub(super) struct History {
    /// By rising step.
    rows: Vec<Row>,
    most: usize,
}

impl Default for History {
    fn default() -> Self {
        Self { rows: Vec::new(), most: MOST }
    }
}

/// The histories of a run.
#[derive(Debug, Default)]
pub(super) struct Histories {
    /// Of the images that epochs are evaluated on, after each evaluation.
    pub(super) evaluation: History,
    /// Of the training images, as each was before the update of its batch.
    pub(super) training: History,
}

impl Histories {
    /// Notes an evaluation made after `step`.
    pub(super) fn evaluated(&mut self, step: u64, images: &[ImageResult]) {
        let noted = (0..).zip(images).map(|(index, image)| Noted {
            index,
            prediction: image.known_prediction(),
            probability: image.probability,
            loss: image.loss,
        });
        self.evaluation.note(step, images.len(), noted);
    }

    /// Notes answers of the training pass over `images` images that ends with the step `epoch_end`.
    pub(super) fn trained(
        &mut self,
        epoch_end: u64,
        images: usize,
        answers: impl Iterator<Item = Noted>,
    ) {
        self.training.note(epoch_end, images, answers);
    }

    /// Drops what was noted after `step`, but for the epoch in progress, which ends with `epoch_end`.
    pub(super) fn forget_after(&mut self, step: u64, epoch_end: u64) {
        self.evaluation.forget_after(step);
        self.training.forget_after(epoch_end);
    }
}

/// An image whose label may be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Suspect {
    pub(super) index: u32,
    /// The class that it was confidently predicted as most often.
    pub(super) class: u8,
    /// In how many of the known epochs.
    pub(super) count: u32,
    known: u32,
    /// Mean loss in those.
    loss: f32,
}

impl History {
    /// Notes what was made of some of a set of `images` in the row of `step`.
    fn note(&mut self, step: u64, images: usize, noted: impl Iterator<Item = Noted>) {
        let place = match self.rows.binary_search_by_key(&step, |row| row.step) {
            Ok(place) => place,
            Err(place) => {
                let cells = vec![Cell::UNKNOWN; images];
                self.rows.insert(place, Row { step, cells });
                self.thin_out(step);
                self.rows.partition_point(|row| row.step < step)
            }
        };
        let cells = &mut self.rows[place].cells;
        for noted in noted {
            if let Some(cell) = cells.get_mut(noted.index as usize) {
                *cell = Cell::of(noted);
            }
        }
    }

    /// Drops every second row, but not that of `step`, where all take too much.
    fn thin_out(&mut self, step: u64) {
        let size = self.rows.iter().map(|row| row.cells.len() * size_of::<Cell>()).sum::<usize>();
        if size > self.most {
            let mut place = 0;
            self.rows.retain(|row| {
                place += 1;
                place % 2 == 1 || row.step == step
            });
        }
    }

    /// Drops the rows after `step`.
    pub(super) fn forget_after(&mut self, step: u64) {
        self.rows.retain(|row| row.step <= step);
    }

    fn up_to(&self, step: u64) -> &[Row] {
        &self.rows[..self.rows.partition_point(|row| row.step <= step)]
    }

    /// The steps of the rows up to `step`.
    pub(super) fn steps(&self, step: u64) -> Vec<u64> {
        self.up_to(step).iter().map(|row| row.step).collect()
    }

    /// The history of an image with this label up to `step`; `listed` is the class that it is listed with.
    pub(super) fn of(&self, index: u32, label: u8, listed: u8, step: u64) -> ImageHistory {
        let cell = |row: &Row| row.cells.get(index as usize).copied().unwrap_or(Cell::UNKNOWN);
        let cells: Vec<Cell> = self.up_to(step).iter().map(cell).collect();
        let is_listed = |cell: &&Cell| cell.prediction == listed && cell.contradicts(label);
        ImageHistory {
            predictions: cells
                .iter()
                .map(|cell| cell.is_known().then_some(cell.prediction))
                .collect(),
            losses: cells.iter().map(|cell| loss(cell.level)).collect(),
            forgotten: forgotten(cells.iter().copied(), label),
            mistaken: cells.iter().filter(is_listed).count() as u32,
        }
    }

    /// The images that were forgotten up to `step`, and how often, in the order of the set.
    pub(super) fn forgotten(&self, labels: &[u8], step: u64) -> Vec<(u32, u32)> {
        let mut images = vec![(false, 0); labels.len()];
        // Row by row, as they lie in memory.
        for row in self.up_to(step) {
            for (((was_right, count), &label), cell) in
                images.iter_mut().zip(labels).zip(&row.cells)
            {
                if cell.is_known() {
                    let is_right = cell.prediction == label;
                    *count += u32::from(*was_right && !is_right);
                    *was_right = is_right;
                }
            }
        }
        let counts = (0..).zip(images).map(|(index, (_, count))| (index, count));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// The images whose labels may be wrong after `step`, the most suspicious first.
    pub(super) fn suspected(&self, labels: &[u8], step: u64) -> Vec<Suspect> {
        let rows = self.up_to(step);
        let mut images = vec![(0_u32, 0_u32); labels.len()];
        // Row by row, as they lie in memory: few images are worth a closer look.
        for row in rows {
            for (((known, wrong), &label), cell) in images.iter_mut().zip(labels).zip(&row.cells) {
                *known += u32::from(cell.is_known());
                *wrong += u32::from(cell.contradicts(label));
            }
        }
        let is_worth = |&(_, (known, wrong)): &(usize, (u32, u32))| {
            known as usize >= List::EPOCHS && 2 * wrong > known
        };
        let found = images.into_iter().enumerate().filter(is_worth);
        let mut suspects: Vec<Suspect> = found
            .filter_map(|(index, (known, _))| suspect(rows, index, labels[index], known))
            .collect();
        suspects.sort_by(|a, b| {
            let share = |it: &Suspect| f64::from(it.count) / f64::from(it.known);
            let by_share = share(b).total_cmp(&share(a));
            by_share.then(b.loss.total_cmp(&a.loss)).then(a.index.cmp(&b.index))
        });
        suspects
    }
}

/// How often an image goes from right to wrong.
fn forgotten(cells: impl Iterator<Item = Cell>, label: u8) -> u32 {
    let mut was_right = false;
    let mut count = 0;
    for cell in cells.filter(|cell| cell.is_known()) {
        let is_right = cell.prediction == label;
        count += u32::from(was_right && !is_right);
        was_right = is_right;
    }
    count
}

/// An image that was confidently predicted as one other class in most of the `known` rows.
fn suspect(rows: &[Row], index: usize, label: u8, known: u32) -> Option<Suspect> {
    let cells = rows.iter().filter_map(|row| row.cells.get(index).copied());
    let wrong: Vec<Cell> = cells.filter(|cell| cell.contradicts(label)).collect();
    let count = |class: u8| wrong.iter().filter(|cell| cell.prediction == class).count() as u32;
    // Of a class in more than half of the rows there is only one.
    let class = wrong.iter().map(|cell| cell.prediction).find(|&it| 2 * count(it) > known)?;
    let losses = wrong.iter().filter(|cell| cell.prediction == class).map(|cell| loss(cell.level));
    let (sum, count) = (losses.sum::<f32>(), count(class));
    Some(Suspect { index: index as u32, class, count, known, loss: sum / count as f32 })
}

#[cfg(test)]
mod tests;
