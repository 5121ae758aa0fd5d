//! Training: a worker thread that owns the network, the data and every tensor.
//!
//! [`spawn`] starts it and gives a [`Worker`] to command it by; what happens comes back as a stream
//! of [`Event`](crate::protocol::Event)s. The worker never waits for those who listen.

mod accelerator;
mod classify;
mod clock;
mod control;
mod corrects;
mod device;
mod error;
mod evaluate;
mod history;
mod insides;
mod inspect;
mod losses;
mod networks;
mod outbox;
mod pace;
mod predictions;
mod rates;
mod remote;
mod results;
mod resume;
mod rough;
mod run;
mod sets;
mod shared;
mod snapshots;
mod step;
mod tools;
mod watch;
mod why;
mod worker;

pub use classify::Classifier;
pub use device::{arithmetic_peak, check_device};
pub use error::TrainError;
pub use evaluate::{MeasuredWeights, WeightsCheck, evaluate_weights};
pub use predictions::{Predicted, Predictions, StoredNetwork, predict};
pub use resume::Unfit;
pub use sets::describe_data;
pub use shared::SharedData;
pub use tools::Tools;
pub use worker::{Worker, spawn, spawn_with_screen, spawn_with_tools};
