//! How the values of each layer were distributed over the run.

use crate::protocol::Distributions;

/// Samples that are kept; of more, every second one goes.
const MOST: usize = 240;

/// Which values are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Weights and biases.
    #[default]
    Weights,
    /// Gradients of a step.
    Gradients,
    /// Changes that a step made.
    Updates,
    /// What stages give for evaluation images.
    Activations,
}

impl Kind {
    /// All kinds in their order.
    pub const ALL: [Self; 4] = [Self::Weights, Self::Gradients, Self::Updates, Self::Activations];

    /// One word for a title.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weights => "weights",
            Self::Gradients => "gradients",
            Self::Updates => "updates",
            Self::Activations => "activations",
        }
    }
}

/// Samples of the run so far.
#[derive(Debug, Default)]
pub struct Samples {
    /// With their steps, which rise.
    samples: Vec<(u64, Distributions)>,
}

impl Samples {
    /// All samples with their steps, which rise.
    pub fn all(&self) -> &[(u64, Distributions)] {
        &self.samples
    }

    /// The newest sample in which all images were searched for dead units.
    pub fn searched(&self) -> Option<&(u64, Distributions)> {
        self.samples.iter().rev().find(|(_, it)| it.stages.iter().all(|stage| stage.dead.is_some()))
    }

    pub(super) fn push(&mut self, step: u64, sample: Distributions) {
        self.samples.retain(|(of, _)| *of < step);
        self.samples.push((step, sample));
        if self.samples.len() > MOST {
            let last = self.samples.len() - 1;
            let mut place = 0..;
            self.samples.retain(|_| place.next().is_some_and(|it| it % 2 == 0 || it == last));
        }
    }

    pub(super) fn forget_after(&mut self, step: u64) {
        self.samples.retain(|(of, _)| *of <= step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ImageSet;

    fn sample(images: u64) -> Distributions {
        let (layers, stages) = (Vec::new(), Vec::new());
        Distributions { layers, stages, set: ImageSet::Test, images, all_images: images }
    }

    #[test]
    fn samples_are_thinned_out_and_later_ones_go_with_their_trajectory() {
        let mut samples = Samples::default();
        for step in 0..1_000 {
            samples.push(step, sample(step));
            assert!(samples.all().len() <= MOST);
            assert_eq!(samples.all().last().map(|(step, _)| *step), Some(step));
        }
        assert_eq!(samples.all()[0].0, 0);
        samples.push(400, sample(7));
        let (step, last) = samples.all().last().expect("there are some");
        assert_eq!((*step, last.images), (400, 7), "in place of those from there on");
        samples.forget_after(100);
        assert!(samples.all().iter().all(|(step, _)| *step <= 100));
    }
}
