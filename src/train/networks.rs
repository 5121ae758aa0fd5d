//! Which networks can be trained.

use std::path::Path;

use super::error::TrainError;
use crate::{
    checkpoint::{self, LoadedWeights},
    config::ConfigError,
    data::DataInfo,
    network::{NetworkSpec, Plan},
    nn::parameters::Parameters,
};

/// Checks that the engine can compute a network.
///
/// # Errors
/// If it is any but the article's.
pub fn check_network(spec: &NetworkSpec) -> Result<(), ConfigError> {
    if *spec == NetworkSpec::article() {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "this version computes only the network \"article\": it can describe {spec}, with \
         `mnist-tui model`, but not train or evaluate it"
    )))
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
    let plan = Plan::of(spec, set.shape, set.classes.len())
        .map_err(|error| ConfigError::new(error.to_string()))?;
    Ok(checkpoint::load_weights_for(path, &plan)?)
}

/// Checks that a network takes the images of a set.
///
/// # Errors
/// If they have another size or so many other classes.
pub(super) fn check_set(plan: &Plan, set: &DataInfo) -> Result<(), ConfigError> {
    let describe = |[_, rows, columns]: [usize; 3], classes| {
        format!("{rows}×{columns} images of {classes} classes")
    };
    let (takes, has) = ((plan.input(), plan.classes()), (set.shape, set.classes.len()));
    if takes == has {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "the weights are for {}, and {} has {}: give the images that they were trained on with --data",
        describe(takes.0, takes.1),
        set.name,
        describe(has.0, has.1)
    )))
}

/// The parameters of weights that the engine can compute with.
///
/// # Errors
/// If they are of any network but the article's, or of images of another size.
pub(super) fn parameters(loaded: &LoadedWeights) -> Result<Parameters, ConfigError> {
    let plan = &loaded.plan;
    check_network(plan.spec())?;
    if !plan.is_article() {
        let [channels, rows, columns] = plan.input();
        return Err(ConfigError::new(format!(
            "this version computes networks of 28×28 images of 10 classes: these weights are for \
             {channels}×{rows}×{columns} and {} classes",
            plan.classes()
        )));
    }
    Ok(Parameters::of(&Plan::article(), &loaded.trained))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_for_other_images_are_refused() {
        let set = DataInfo { name: "Letters".into(), ..DataInfo::mnist() };
        assert_eq!(check_set(&Plan::article(), &set), Ok(()));
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        let refused = check_set(&Plan::article(), &DataInfo { classes, ..set });
        assert_eq!(
            refused.expect_err("two classes").to_string(),
            "the weights are for 28×28 images of 10 classes, and Letters has 28×28 images of 2 classes: \
             give the images that they were trained on with --data"
        );
    }
}
