//! Questions about why the network answers as it does, and the worker's answers.

mod arithmetic;
mod attribution;
mod distributions;
mod landscape;
mod projection;

use serde::{Deserialize, Serialize};

pub use arithmetic::Arithmetic;
pub use attribution::{Attribution, Method};
pub use distributions::{Distributions, LayerValues, StageValues};
pub use landscape::{Landscape, Trajectory};
pub use projection::{Projection, ProjectionPoint};

use super::{EvalSet, Subject};
use crate::metrics::Calibration;

/// Something to be explained, again and again while the run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Which pixels of an image a class's logit depends on.
    Attribution {
        /// The image.
        subject: Subject,
        /// How that is measured.
        method: Method,
        /// The class; `None` for the predicted one.
        class: Option<u8>,
    },
    /// How a value of a feature map comes about.
    Arithmetic {
        /// The image.
        subject: Subject,
        /// The stage, which is the output of a convolution.
        stage: u32,
        /// Map, row and column.
        place: [u32; 3],
    },
    /// Whether confidence says how often predictions are right, in the evaluation of a step.
    Calibration {
        /// The evaluation after this step.
        step: u64,
        /// The set that it was made on.
        set: EvalSet,
    },
    /// Where the features of evaluation images lie along their principal components.
    Projection,
    /// How the values of each layer are distributed, and which units are dead.
    Distributions,
    /// The loss on a plane through the weights, along random directions; only while nothing is trained.
    Landscape,
    /// The same on the plane in which the run's weights varied most; only while nothing is trained.
    Trajectory,
}

/// An answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    pub question: Question,
    /// Steps that the weights were trained.
    pub step: u64,
    /// What was found.
    pub content: Content,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// To [`Question::Attribution`].
    Attribution(Attribution),
    /// To [`Question::Arithmetic`].
    Arithmetic(Arithmetic),
    /// To [`Question::Calibration`]; `None` where that evaluation's images are no longer known.
    Calibration(Option<Calibration>),
    /// To [`Question::Projection`].
    Projection(Projection),
    /// To [`Question::Distributions`], twice where dead units are searched for: the second one knows them.
    Distributions(Distributions),
    /// To [`Question::Landscape`] and [`Question::Trajectory`], several times until it is complete.
    Landscape(Landscape),
    /// There is no answer, for a reason that is a whole sentence.
    Nothing(String),
}
