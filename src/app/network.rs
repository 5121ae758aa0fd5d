//! The image that the network view shows, and its chosen stage.

mod pixel;

use std::sync::Arc;

use super::{Direction, held::Held};
use crate::protocol::{EvalSet, ImageSet, Insides, RunInfo, Subject};

pub use pixel::Pixel;

/// Seconds that an answer stays while training, unless another image is asked for.
const DWELL: f64 = 0.4;
/// Images that a page forth or back skips.
const PAGE: u32 = 10;

/// State of the network view.
#[derive(Debug)]
pub struct Network {
    /// The image that is asked for.
    pub subject: Subject,
    /// Which stage is shown where there is no room for all, below [`Network::stages`].
    pub page: usize,
    /// The screen shown of a stage that does not fit on one; past the end means the last.
    pub part: usize,
    /// The pixel of a feature map whose arithmetic is shown; `None` for the stages.
    pub pixel: Option<Pixel>,
    shown: Held<Arc<Insides>>,
    /// Whether the newest answer is about another image than the one shown.
    turned: bool,
}

impl Default for Network {
    fn default() -> Self {
        let subject = Subject::Image { set: ImageSet::Test, index: 0 };
        Self { subject, page: 0, part: 0, pixel: None, shown: Held::new(DWELL), turned: false }
    }
}

impl Network {
    /// The answer to show: that about the image asked for or, until it comes, the one before.
    pub fn insides(&self) -> Option<&Insides> {
        self.shown.shown().map(Arc::as_ref)
    }

    /// The newest answer, whatever image it is about.
    pub fn newest(&self) -> Option<&Insides> {
        self.shown.newest().map(Arc::as_ref)
    }

    /// Stages that can be shown: filters if there are some, activations, and logits.
    pub fn stages(&self, info: Option<&RunInfo>) -> usize {
        match (self.insides(), info) {
            (Some(insides), _) => insides.filters.len() + insides.stages.len() + 1,
            (None, Some(info)) => info.network.stages.len() + 2,
            (None, None) => 1,
        }
    }

    pub(super) fn show(&mut self, insides: Arc<Insides>) {
        self.turned |= self
            .insides()
            .is_none_or(|old| (&old.subject, old.image) != (&insides.subject, insides.image));
        self.shown.offer(insides);
    }

    /// Goes over to the newest answer if its time has come, or `at_once`.
    pub(super) fn refresh(&mut self, now: f64, at_once: bool) {
        self.shown.refresh(now, at_once || self.turned);
        self.turned = false;
    }

    /// The set that the image asked for is in; the test set if that is not known.
    pub fn set(&self) -> ImageSet {
        self.place().0
    }

    /// Asks for an image of a set.
    pub(super) fn look_at(&mut self, set: ImageSet, index: u32) {
        self.subject = Subject::Image { set, index };
    }

    /// Asks for an image that was chosen in another view, and shows all stages of it.
    pub(super) fn open(&mut self, set: ImageSet, index: u32) {
        self.pixel = None;
        self.look_at(set, index);
    }

    /// Shows a stage from its beginning.
    pub(super) fn show_stage(&mut self, page: usize) {
        (self.page, self.part) = (page, 0);
    }

    /// Asks for the image with the highest loss.
    pub(super) fn hardest(&mut self) {
        self.subject = Subject::Hardest;
    }

    /// Asks for a drawing.
    pub(super) fn look_at_drawing(&mut self, pixels: Vec<u8>) {
        self.pixel = None;
        self.subject = Subject::Drawn(pixels);
    }

    /// Asks for the image at the same place of the next set that has images.
    pub(super) fn switch_set(&mut self, info: Option<&RunInfo>) {
        let (set, index) = self.place();
        let next = match set {
            ImageSet::Test => ImageSet::Train,
            ImageSet::Train if images(info, ImageSet::Validation) > 0 => ImageSet::Validation,
            ImageSet::Train | ImageSet::Validation => ImageSet::Test,
        };
        if let Some(last) = images(info, next).checked_sub(1) {
            self.look_at(next, index.min(last));
        }
    }

    /// Moves to another image, or up and down over the screens of the stages; the one shown has so
    /// many `parts`.
    pub(super) fn select(&mut self, direction: Direction, info: Option<&RunInfo>, parts: usize) {
        if self.pixel.is_some() {
            return self.move_pixel(direction);
        }
        let (set, index) = self.place();
        let Some(last) = images(info, set).checked_sub(1) else { return };
        let index = match direction {
            Direction::Up => {
                let part = self.part.min(parts.saturating_sub(1));
                match part.checked_sub(1) {
                    Some(before) => self.part = before,
                    // How many screens the stage before takes is known once it is shown.
                    None if self.page > 0 => (self.page, self.part) = (self.page - 1, usize::MAX),
                    None => self.part = 0,
                }
                return;
            }
            Direction::Down => {
                let part = self.part.min(parts.saturating_sub(1));
                if part + 1 < parts {
                    self.part = part + 1;
                } else if self.page + 1 < self.stages(info) {
                    (self.page, self.part) = (self.page + 1, 0);
                }
                return;
            }
            Direction::Left => index.saturating_sub(1),
            Direction::Right => index.saturating_add(1),
            Direction::PageUp => index.saturating_sub(PAGE),
            Direction::PageDown => index.saturating_add(PAGE),
            Direction::Home => 0,
            Direction::End => last,
        };
        self.look_at(set, index.min(last));
    }

    /// Takes the typed index of an image of the current set.
    ///
    /// # Errors
    /// With a sentence for the screen if there is no such image.
    pub(super) fn choose(&mut self, text: &str, info: Option<&RunInfo>) -> Result<(), String> {
        let (set, _) = self.place();
        let Some(last) = images(info, set).checked_sub(1) else {
            return Err("the images are not read yet".to_owned());
        };
        match text.trim().replace(',', "").parse::<u32>() {
            Ok(index) if index <= last => {
                self.look_at(set, index);
                Ok(())
            }
            _ => Err(format!("{} images are 0 to {last}", set.name())),
        }
    }

    /// Set and index of the image asked for; the first test image if they are not known.
    fn place(&self) -> (ImageSet, u32) {
        match &self.subject {
            Subject::Image { set, index } => Some((*set, *index)),
            Subject::Hardest => self
                .insides()
                .filter(|shown| shown.subject == Subject::Hardest)
                .and_then(|shown| shown.image),
            Subject::Drawn(_) => None,
        }
        .unwrap_or_default()
    }
}

/// How many images a set has; 0 until that is known.
fn images(info: Option<&RunInfo>, set: ImageSet) -> u32 {
    let count = info.map_or(0, |info| match (set, info.eval_set) {
        (ImageSet::Train, _) => info.train_images,
        (ImageSet::Test, _) => info.test_images,
        (ImageSet::Validation, EvalSet::Validation) => info.eval_images,
        (ImageSet::Validation, EvalSet::Test) => 0,
    });
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
