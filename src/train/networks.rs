//! The network that a run trains.

use std::path::Path;

use super::error::TrainError;
use crate::{
    checkpoint::{self, LoadedWeights},
    config::ConfigError,
    data::DataInfo,
    network::{NetworkSpec, Plan},
};

/// What layers are for a data set.
///
/// # Errors
/// If the layers do not fit its images and classes.
pub(super) fn plan(spec: &NetworkSpec, set: &DataInfo) -> Result<Plan, TrainError> {
    let plan = Plan::of(spec, set.shape, set.classes.len());
    plan.map_err(|error| {
        ConfigError::new(format!("the network does not fit {}: {error}", set.name)).into()
    })
}

/// Reads weights, of the network given where the file need not say which it is of, for images like
/// those of `set`.
///
/// # Errors
/// If they cannot be read, or are of another network.
pub(super) fn load(
    path: &Path,
    model: Option<&NetworkSpec>,
    set: &DataInfo,
) -> Result<LoadedWeights, TrainError> {
    let Some(spec) = model else { return Ok(checkpoint::load_weights(path)?) };
    Ok(checkpoint::load_weights_for(path, &plan(spec, set)?)?)
}

/// Checks that a set has the images and the classes that saved weights are for.
///
/// # Errors
/// If it has others.
pub(super) fn check_fits(path: &Path, plan: &Plan, set: &DataInfo) -> Result<(), TrainError> {
    let classes = set.classes.len();
    if (plan.input(), plan.classes()) == (set.shape, classes) {
        return Ok(());
    }
    let [_, height, width] = plan.input();
    let message = format!(
        "{} holds a network for {height}×{width} images of {} classes, and {} has {}×{} images of \
         {classes} classes: give the set it was trained on with --data",
        path.display(),
        plan.classes(),
        set.name,
        set.height(),
        set.width(),
    );
    Err(ConfigError::new(message).into())
}
