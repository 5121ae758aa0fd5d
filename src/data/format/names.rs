//! What the names of files, folders and arrays say about their contents.

use std::{collections::BTreeMap, path::PathBuf};

use super::place::Place;
use crate::data::idx::Kind;

/// Which part of a set something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Train,
    Test,
    Validation,
}

/// What a name says: `emnist-letters-train-images-idx3-ubyte.gz`, `x_train`, `mnist_test.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    /// Words before the first that tells the part or the kind, joined by hyphens.
    pub(super) prefix: String,
    pub(super) part: Option<Part>,
    pub(super) kind: Option<Kind>,
    /// Whether it names an IDX file.
    pub(super) is_idx: bool,
}

impl Role {
    pub(super) fn of(name: &str) -> Self {
        let words = words(name);
        let known = words.iter().position(|word| part(word).is_some() || kind(word).is_some());
        Self {
            prefix: words[..known.unwrap_or(0)].join("-"),
            part: words.iter().find_map(|word| part(word)),
            kind: words.iter().find_map(|word| kind(word)),
            is_idx: words.iter().any(|word| ["idx1", "idx2", "idx3"].contains(&word.as_str())),
        }
    }
}

/// Files by what they hold; of several for the same, the first choice comes first.
pub(super) type Files = BTreeMap<(Part, Kind), Vec<PathBuf>>;

/// Picks the set at `place` out of those with different prefixes; the choices if there are several.
pub(super) fn choose<T>(
    place: &Place,
    mut sets: BTreeMap<String, T>,
) -> Option<Result<(String, T), Vec<String>>> {
    // The one that was asked for and not one whose prefix is longer; without a request the one without
    // a prefix, which cannot be asked for by it.
    if sets.contains_key(&place.prefix) {
        sets.retain(|prefix, _| *prefix == place.prefix);
    }
    match sets.len() {
        0 => None,
        1 => sets.pop_first().map(Ok),
        _ => Some(Err(sets.into_keys().collect())),
    }
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The words of a name, joined by hyphens whatever separates them.
pub(super) fn joined(name: &str) -> String {
    words(name).join("-")
}

fn part(word: &str) -> Option<Part> {
    Some(match word {
        "train" | "training" | "trainset" | "trainingset" => Part::Train,
        "test" | "testing" | "testset" | "t10k" => Part::Test,
        "val" | "valid" | "validation" | "dev" => Part::Validation,
        _ => return None,
    })
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "x" | "images" | "image" | "imgs" | "data" | "pixels" | "features" => Kind::Images,
        "y" | "labels" | "label" | "targets" | "target" => Kind::Labels,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_use_say_what_they_hold() {
        use {Kind::*, Part::*};
        for (name, prefix, part, kind) in [
            ("train-images-idx3-ubyte", "", Some(Train), Some(Images)),
            ("t10k-labels.idx1-ubyte.gz", "", Some(Test), Some(Labels)),
            (
                "emnist-letters-test-images-idx3-ubyte.gz",
                "emnist-letters",
                Some(Test),
                Some(Images),
            ),
            ("qmnist-train-labels-idx2-int", "qmnist", Some(Train), Some(Labels)),
            ("k49-val-imgs.npz", "k49", Some(Validation), Some(Images)),
            ("y_test", "", Some(Test), Some(Labels)),
            ("X", "", None, Some(Images)),
            ("fashion-mnist_train.csv", "fashion-mnist", Some(Train), None),
            ("mnist.csv", "", None, None),
            ("Training", "", Some(Train), None),
        ] {
            let role = Role::of(name);
            assert_eq!(
                (role.prefix.as_str(), role.part, role.kind),
                (prefix, part, kind),
                "{name}"
            );
            assert_eq!(role.is_idx, name.contains("idx"), "{name}");
        }
    }
}
