//! The built-in set is the canonical MNIST, byte for byte.

use mnist_tui::data::{self, Dataset};
use sha2::{Digest, Sha256};

/// SHA-256 sums of the IDX files that the set would make: images, labels.
#[expect(clippy::format_collect, reason = "two short strings")]
fn sums(dataset: &Dataset) -> [String; 2] {
    let count = (dataset.len() as u32).to_be_bytes();
    let side = 28u32.to_be_bytes();
    [
        Sha256::new()
            .chain_update([0, 0, 8, 3])
            .chain_update(count)
            .chain_update(side)
            .chain_update(side)
            .chain_update(dataset.images()),
        Sha256::new().chain_update([0, 0, 8, 1]).chain_update(count).chain_update(dataset.labels()),
    ]
    .map(|sum| sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[test]
fn the_built_in_set_has_the_canonical_sums() {
    let mnist = data::builtin().unwrap();
    assert_eq!((mnist.train.len(), mnist.test.len()), (60_000, 10_000));
    assert_eq!(
        sums(&mnist.train),
        [
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ]
    );
    assert_eq!(
        sums(&mnist.test),
        [
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ]
    );
}
