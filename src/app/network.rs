//! Which image's way through the network is shown.

use super::Direction;
use crate::protocol::{ImageSet, Insides, Subject};

/// What the network view shows.
#[derive(Debug)]
pub struct Network {
    /// The image that is asked for.
    pub subject: Subject,
    /// The newest answer.
    pub insides: Option<Insides>,
    /// Which stage is shown where there is no room for all.
    pub page: usize,
}

impl Default for Network {
    fn default() -> Self {
        let subject = Subject::Image { set: ImageSet::Test, index: 0 };
        Self { subject, insides: None, page: 0 }
    }
}

impl Network {
    pub(super) fn show(&mut self, insides: Insides) {
        self.insides = Some(insides);
    }

    pub(super) fn select(&mut self, direction: Direction) {
        let _ = direction;
    }
}
