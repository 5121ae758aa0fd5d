//! Figures that tell whether a set is what it should be.

use std::collections::HashMap;

use serde::Serialize;

use super::{Checksums, DataInfo, Dataset, Splits};

/// A set in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// Name, image size and classes.
    #[serde(flatten)]
    pub info: DataInfo,
    /// The training images.
    pub train: PartDescription,
    /// The test images.
    pub test: PartDescription,
    /// Test images whose pixels are those of a training image.
    pub in_both: u64,
    /// Images whose pixels are those of an image with another label.
    pub contradictory: u64,
    /// CRC-32 of each part.
    pub checksums: Checksums,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// A part of a set in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartDescription {
    /// All of them.
    pub images: u64,
    /// Images of each class.
    pub counts: Vec<u64>,
    /// The least value of a pixel.
    pub lowest: u8,
    /// The greatest value of a pixel.
    pub highest: u8,
    /// Mean of all pixels.
    pub mean: f64,
    /// Standard deviation of all pixels.
    pub deviation: f64,
}

impl Description {
    /// The figures of `data`.
    pub fn of(data: &Splits) -> Self {
        let classes = data.info.classes.len();
        let (in_both, contradictory) = identical(&data.train, &data.test);
        Self {
            info: data.info.clone(),
            train: PartDescription::of(&data.train, classes),
            test: PartDescription::of(&data.test, classes),
            in_both,
            contradictory,
            checksums: Checksums::of(data),
            notes: data.notes.clone(),
        }
    }
}

impl PartDescription {
    fn of(part: &Dataset, classes: usize) -> Self {
        let mut counts = vec![0; classes];
        for &label in part.labels() {
            counts[usize::from(label)] += 1;
        }
        let mut histogram = [0_u64; 256];
        for &value in part.images() {
            histogram[usize::from(value)] += 1;
        }
        let seen = |value: &usize| histogram[*value] > 0;
        let pixels = part.images().len().max(1) as f64;
        let moment = |power: i32| {
            let values = histogram.iter().enumerate();
            values.map(|(value, &count)| (value as f64).powi(power) * count as f64).sum::<f64>()
                / pixels
        };
        let mean = moment(1);
        Self {
            images: part.len() as u64,
            counts,
            lowest: (0..256).find(seen).unwrap_or_default() as u8,
            highest: (0..256).rfind(seen).unwrap_or_default() as u8,
            mean,
            deviation: (moment(2) - mean * mean).max(0.0).sqrt(),
        }
    }
}

/// Images with the same pixels.
struct Group {
    label: u8,
    count: u64,
    is_trained: bool,
    contradicts: bool,
}

/// Test images that are training images, and images that are also there with another label.
fn identical(train: &Dataset, test: &Dataset) -> (u64, u64) {
    let mut groups: HashMap<&[u8], Group> = HashMap::with_capacity(train.len() + test.len());
    let mut in_both = 0;
    for (part, is_trained) in [(train, true), (test, false)] {
        for index in 0..part.len() {
            let label = part.label(index);
            let new = Group { label, count: 0, is_trained, contradicts: false };
            let group = groups.entry(part.image(index)).or_insert(new);
            group.count += 1;
            group.contradicts |= group.label != label;
            in_both += u64::from(group.is_trained && !is_trained);
        }
    }
    let contradictory = groups.values().filter(|group| group.contradicts);
    (in_both, contradictory.map(|group| group.count).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A set of images of one grey each.
    fn part(greys_and_labels: &[(u8, u8)]) -> Dataset {
        let images = greys_and_labels.iter().flat_map(|&(grey, _)| [grey; 64]).collect();
        let labels = greys_and_labels.iter().map(|&(_, label)| label).collect();
        Dataset::new([1, 8, 8], 3, images, labels).expect("labels below 3")
    }

    #[test]
    fn identical_images_are_counted_across_parts_and_labels() {
        let train = part(&[(1, 0), (1, 0), (2, 1), (2, 2), (3, 0)]);
        let test = part(&[(1, 0), (2, 1), (4, 1), (3, 2)]);
        // Of 1, 2 and 3; three of 2 and two of 3.
        assert_eq!(identical(&train, &test), (3, 5));
        assert_eq!(identical(&part(&[(1, 0), (1, 0)]), &part(&[(2, 1)])), (0, 0));
    }

    #[test]
    fn counts_and_values_are_those_of_the_images() {
        let figures = PartDescription::of(&part(&[(10, 2), (30, 0), (30, 2)]), 3);
        assert_eq!((figures.images, figures.counts), (3, vec![1, 0, 2]));
        assert_eq!((figures.lowest, figures.highest), (10, 30));
        assert!((figures.mean - 70.0 / 3.0).abs() < 1e-9);
        assert!((figures.deviation - (800.0_f64 / 9.0).sqrt()).abs() < 1e-9);
    }
}
