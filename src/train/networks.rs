//! Networks of files.

use std::path::Path;

use super::error::TrainError;
use crate::{
    checkpoint::{self, LoadedWeights},
    config::ConfigError,
    data::DataInfo,
    network::{NetworkSpec, Plan},
};

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
    let plan = Plan::of(spec, set.shape, set.classes.len());
    let plan = plan.map_err(|error| ConfigError::new(format!("--model: {error}")))?;
    Ok(checkpoint::load_weights_for(path, &plan)?)
}

/// Checks that a network takes the images of a set.
///
/// # Errors
/// If they have another size or another number of classes.
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

/// What a user should know where weights of other classes are tried on a set.
pub(super) fn other_classes(trained_on: &DataInfo, set: &DataInfo) -> Option<String> {
    let names = |set: &DataInfo| {
        let first: Vec<_> = set.classes.iter().take(3).map(String::as_str).collect();
        let rest = if set.classes.len() > 3 { ", …" } else { "" };
        format!("{} ({}{rest})", set.name, first.join(", "))
    };
    (trained_on.classes != set.classes).then(|| {
        format!(
            "the weights are of {}, and the images of {}: their labels may mean other things",
            names(trained_on),
            names(set)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_other_classes_are_told() {
        let mnist = DataInfo::mnist();
        assert_eq!(
            other_classes(&mnist, &DataInfo { name: "digits".into(), ..mnist.clone() }),
            None
        );
        let classes = ["T-shirt", "Trouser"].map(str::to_owned).to_vec();
        let fashion = DataInfo { name: "Fashion".into(), classes, ..mnist.clone() };
        assert_eq!(
            other_classes(&fashion, &mnist).expect("they differ"),
            "the weights are of Fashion (T-shirt, Trouser), and the images of MNIST (0, 1, 2, …): their \
             labels may mean other things"
        );
    }

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
