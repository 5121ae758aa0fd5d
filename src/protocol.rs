//! What the worker and its listeners say to each other: plain data, in both directions.
//!
//! [`Command`] goes to the worker, [`Event`] comes from it. Everything that shows a run (dashboard,
//! plain lines, log) is fed by the same stream of events.

mod breakpoint;
mod evaluation;
mod hardware;
mod history;
mod inside;
mod network;
mod number;
mod plausible;
mod progress;
mod run;
mod shared;
mod state;
mod timeline;
mod why;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use breakpoint::{Breakpoint, SPIKE};
pub use evaluation::{EpochRecord, Epochs, EvalPoint, Evaluation};
pub use hardware::Hardware;
pub use history::{ImageHistory, List};
pub use inside::{
    FeatureMaps, Filters, Found, ImageSet, Insides, Inspection, ParameterUpdate, Query,
    RankedDigit, Subject,
};
pub use network::{NetworkInfo, ParameterInfo, StageInfo};
pub use progress::{Clock, Digit, Measure, Progress, Sample};
pub use run::{EvalSet, Failure, RunInfo, Summary, diverged_at};
pub use state::{Best, Slot, StoredWeights, TrainingProgress, TrainingState};
pub use timeline::{Break, RateChange, Rewound};
pub use why::{
    Answer, Arithmetic, Attribution, Content, Distributions, Landscape, LayerValues, Method,
    Projection, ProjectionPoint, Question, StageValues, Trajectory,
};

/// Learning rates that a person can set: beyond, the weights are lost or nothing moves.
pub const LEARNING_RATES: (f64, f64) = (1e-10, 1e3);

/// A command from the person at the screen. It takes effect before the next batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Stand still before the next batch.
    Pause,
    /// Train on.
    Resume,
    /// While paused: train this many batches, then pause. While training: pause after this many
    /// batches, counting the one in progress. Steps that are not done yet add up.
    Step(u64),
    /// Train to the end of the epoch, evaluate, then pause.
    FinishEpoch,
    /// Go back this many steps, or to the start of the run, and pause there.
    Back(u64),
    /// Go back to the start of the epoch, or from there to the one before, and pause.
    BackEpoch,
    /// Go to this step and pause there: train up to it, or rewind.
    GoTo(u64),
    /// Multiply the learning rate by this.
    ScaleLearningRate(f64),
    /// Set the learning rate.
    SetLearningRate(f64),
    /// Train at most this many batches a second; `None` for as many as possible.
    SetPace(Option<u32>),
    /// Pause on these conditions and no others.
    SetBreakpoints(Vec<Breakpoint>),
    /// Report an image's way through the network, now and a few times a second while training; `None`
    /// ends that.
    LookInside(Option<Subject>),
    /// Report what steps do, about twice a second while training, or no longer.
    Inspect(bool),
    /// Report images of an evaluation.
    Find(Query),
    /// Answer a question about the network, now and again as it changes; `None` ends that, and with it any
    /// computation for the question before.
    Explain(Option<Question>),
    /// Evaluate the network as it is now.
    Evaluate,
    /// Hand over a checkpoint.
    Checkpoint,
    /// Stand still before the next batch, whatever else was commanded, or no longer: the program is
    /// about to be suspended.
    Hold(bool),
    /// End the run.
    Stop,
}

/// What the worker is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Reading the data and building the network.
    #[default]
    Loading,
    /// Working through batches.
    Training,
    /// Measuring on images it is not trained on.
    Evaluating,
    /// Waiting for a command.
    Paused,
    /// Ended as asked.
    Done,
    /// Ended by an error.
    Failed,
}

/// What the worker reports, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The data is read and the network built; training is about to start.
    Started(RunInfo),
    /// The worker goes over to something else.
    State(RunState),
    /// Batches were trained.
    Progress(Progress),
    /// An epoch has ended and was evaluated.
    Epoch(EpochRecord),
    /// The network was evaluated before the first step, or on request: the epoch has not ended.
    Evaluated(EpochRecord),
    /// Several epochs have ended; only a screen gets them so, others one by one.
    Epochs(Box<Epochs>),
    /// The run has been rewound to an earlier step.
    Rewound(Rewound),
    /// The learning rate was changed, by a person or by going to where another one applied.
    LearningRate(RateChange),
    /// A breakpoint has paused the run.
    Break(Break),
    /// What the last step did. The newest takes the place of those that were not yet taken.
    Inspected(#[serde(with = "shared")] Arc<Inspection>),
    /// An image's way through the network. The newest takes the place of those not yet taken.
    Insides(#[serde(with = "shared")] Arc<Insides>),
    /// Everything the run needs to resume from here: after each epoch, on request and at the end.
    Checkpoint(#[serde(with = "shared")] Arc<TrainingState>),
    /// Images of an evaluation. The newest takes the place of those not yet taken.
    Found(Found),
    /// An answer about the network. The newest takes the place of those not yet taken.
    Explained(#[serde(with = "shared")] Arc<Answer>),
    /// What the machine is doing, about once a second where somebody may look. The newest takes the place of those
    /// not yet taken.
    Hardware(Hardware),
    /// A request cannot be met; the reason is a sentence.
    Notice(String),
    /// The run has done all its steps. An attended run can be rewound from there.
    Finished(Summary),
    /// The run ended by an error. The last event of a run.
    Failed(Failure),
}
