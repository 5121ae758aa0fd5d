//! Published data sets: what their classes are called, and how the sets are recognised.

use std::path::Path;

use super::{Checksums, DataInfo};

/// A published set of 28×28 images with ten classes.
struct Known {
    name: &'static str,
    classes: [&'static str; 10],
    /// What the name of a file or folder of it contains, in lower case.
    in_names: &'static [&'static str],
    /// Of its images and labels as published.
    checksums: Option<Checksums>,
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const FASHION: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];
/// Romanised as in torchvision: terminals disagree about the width of hiragana.
const KMNIST: [&str; 10] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"];

const KNOWN: [Known; 4] = [
    Known {
        name: "Fashion-MNIST",
        classes: FASHION,
        in_names: &["fashion"],
        checksums: Some(Checksums {
            train_images: 0xae65_dccd,
            train_labels: 0x2ed6_e46a,
            test_images: 0x1272_8439,
            test_labels: 0x242b_c73f,
        }),
    },
    Known { name: "KMNIST", classes: KMNIST, in_names: &["kmnist", "kuzushiji"], checksums: None },
    Known { name: "QMNIST", classes: DIGITS, in_names: &["qmnist"], checksums: None },
    Known {
        name: "MNIST",
        classes: DIGITS,
        in_names: &[],
        checksums: Some(Checksums {
            train_images: 0xf363_9b56,
            train_labels: 0xba07_e8ef,
            test_images: 0xe4ca_5f57,
            test_labels: 0xee86_04d9,
        }),
    },
];

/// The published set with these checksums, or with 28×28 images of `classes` classes whose path names
/// it.
pub(super) fn recognise(
    path: &Path,
    shape: [usize; 3],
    classes: usize,
    checksums: &Checksums,
) -> Option<DataInfo> {
    let names: Vec<String> = path
        .iter()
        .rev()
        // Folders further up are those of the user.
        .take(3)
        .map(|part| part.to_string_lossy().to_lowercase())
        .collect();
    let is_named = |known: &&Known| {
        let contains = |word: &&str| names.iter().any(|name| name.contains(*word));
        shape == [1, 28, 28]
            && classes <= known.classes.len()
            && known.in_names.iter().any(contains)
    };
    let is_same = |known: &&Known| known.checksums == Some(*checksums);
    let known = KNOWN.iter().find(is_same).or_else(|| KNOWN.iter().find(is_named))?;
    Some(DataInfo { name: known.name.to_owned(), shape, classes: owned(known.classes) })
}

/// Fashion-MNIST, as it is published.
#[cfg(feature = "hub")]
pub(super) fn fashion_mnist() -> DataInfo {
    DataInfo { name: "Fashion-MNIST".to_owned(), shape: [1, 28, 28], classes: owned(FASHION) }
}

/// The classes of a split of EMNIST, and the label of the first.
pub(super) fn emnist(split: &str) -> Option<(Vec<String>, u8)> {
    let upper = 'A'..='Z';
    // Letters whose small form looks like the capital are one class with it.
    let merged = "abdefghnqrt".chars();
    let digits = '0'..='9';
    let characters: String = match split {
        "digits" | "mnist" => digits.collect(),
        "letters" => return Some((named(upper), 1)),
        "balanced" | "bymerge" => digits.chain(upper).chain(merged).collect(),
        "byclass" => digits.chain(upper).chain('a'..='z').collect(),
        _ => return None,
    };
    Some((named(characters.chars()), 0))
}

fn named(characters: impl Iterator<Item = char>) -> Vec<String> {
    characters.map(String::from).collect()
}

fn owned(names: [&str; 10]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

/// The names of classes that have none: their numbers.
pub(super) fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    fn name(path: &str, shape: [usize; 3], classes: usize) -> Option<String> {
        let checksums = Checksums::default();
        recognise(Path::new(path), shape, classes, &checksums).map(|info| info.name)
    }

    #[test]
    fn sets_are_recognised_by_the_end_of_their_path() {
        let shape = [1, 28, 28];
        for (path, expected) in [
            ("/data/FashionMNIST/raw", Some("Fashion-MNIST")),
            ("fashion-mnist_train.csv", Some("Fashion-MNIST")),
            ("kmnist-train", Some("KMNIST")),
            ("/home/fashion/a/b/c/d", None),
            ("mnist", None),
        ] {
            assert_eq!(name(path, shape, 10).as_deref(), expected, "{path}");
        }
        assert_eq!(name("fashion", [1, 32, 32], 10), None);
        assert_eq!(name("fashion", shape, 11), None);
    }

    #[test]
    fn sets_are_recognised_by_their_checksums_wherever_they_are() {
        let checksums = Checksums::of(&data::builtin().expect("it is inside the program"));
        let info = recognise(Path::new("x"), [1, 28, 28], 10, &checksums);
        assert_eq!(info, Some(DataInfo::mnist()));
        // Of Debian's package dataset-fashion-mnist.
        let checksums = Checksums {
            train_images: 0xae65_dccd,
            train_labels: 0x2ed6_e46a,
            test_images: 0x1272_8439,
            test_labels: 0x242b_c73f,
        };
        let info = recognise(Path::new("x"), [1, 28, 28], 10, &checksums).expect("it is known");
        assert_eq!((info.name.as_str(), info.classes[9].as_str()), ("Fashion-MNIST", "Ankle boot"));
    }

    #[test]
    fn emnist_has_as_many_classes_as_published() {
        for (split, count, first) in [
            ("byclass", 62, 0),
            ("bymerge", 47, 0),
            ("balanced", 47, 0),
            ("letters", 26, 1),
            ("mnist", 10, 0),
        ] {
            let (classes, lowest) = emnist(split).expect(split);
            assert_eq!((classes.len(), lowest), (count, first), "{split}");
        }
        let (balanced, _) = emnist("balanced").expect("it is a split");
        assert_eq!(balanced[36..].concat(), "abdefghnqrt");
        assert_eq!(emnist("other"), None);
    }
}
