//! Counts of true against predicted classes, and the figures they give.

use std::{fmt, ops::RangeInclusive};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

/// How often each true class (row) was predicted as each class (column).
///
/// Its serialised form is the rows of counts. In memory only cells that are not zero take room, since
/// an event with a matrix waits in queues, and a screen keeps thousands of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: u8,
    /// True class, predicted class and count, in this order; no count is 0.
    cells: Vec<(u8, u8, u32)>,
}

/// A true class, a predicted class and how often they came together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confused {
    /// True class.
    pub truth: usize,
    /// Predicted class.
    pub predicted: usize,
    /// How often.
    pub count: u32,
}

impl Confusion {
    /// Numbers of classes that a matrix can have.
    pub const CLASSES: RangeInclusive<usize> = 2..=100;

    /// A matrix without images.
    ///
    /// # Panics
    /// If the number of classes is not in [`CLASSES`](Self::CLASSES).
    pub fn new(classes: usize) -> Self {
        assert!(Self::CLASSES.contains(&classes), "a matrix of {classes} classes");
        Self { classes: classes as u8, cells: Vec::new() }
    }

    /// A matrix from its counts: rows true, columns predicted.
    #[cfg(test)]
    pub(crate) fn from_counts<const N: usize>(counts: [[u32; N]; N]) -> Self {
        let mut confusion = Self::new(N);
        for (truth, row) in counts.iter().enumerate() {
            confusion.add_row(truth, row);
        }
        confusion
    }

    /// Adds the counts of the next row.
    fn add_row(&mut self, truth: usize, counts: &[u32]) {
        let cells = (0..).zip(counts).filter(|&(_, &count)| count > 0);
        self.cells.extend(cells.map(|(predicted, &count)| (truth as u8, predicted, count)));
    }

    /// Rows and columns.
    pub fn classes(&self) -> usize {
        self.classes.into()
    }

    /// Counts one image.
    ///
    /// # Panics
    /// If a class is not below [`classes`](Self::classes).
    pub fn record(&mut self, truth: usize, predicted: usize) {
        let classes = self.classes();
        assert!(truth < classes && predicted < classes, "({truth}, {predicted}) of {classes}");
        let (truth, predicted) = (truth as u8, predicted as u8);
        match self.find(truth, predicted) {
            Ok(place) => self.cells[place].2 += 1,
            Err(place) => self.cells.insert(place, (truth, predicted, 1)),
        }
    }

    fn find(&self, truth: u8, predicted: u8) -> Result<usize, usize> {
        self.cells
            .binary_search_by_key(&(truth, predicted), |&(truth, predicted, _)| (truth, predicted))
    }

    /// How often `truth` was predicted as `predicted`; 0 for classes that are not in the matrix.
    pub fn count(&self, truth: usize, predicted: usize) -> u32 {
        let (Ok(truth), Ok(predicted)) = (u8::try_from(truth), u8::try_from(predicted)) else {
            return 0;
        };
        self.find(truth, predicted).map_or(0, |place| self.cells[place].2)
    }

    /// The cells that are not zero, row after row.
    pub fn cells(&self) -> impl Iterator<Item = Confused> {
        self.cells.iter().map(|&(truth, predicted, count)| Confused {
            truth: truth.into(),
            predicted: predicted.into(),
            count,
        })
    }

    /// All images counted.
    pub fn total(&self) -> u32 {
        self.cells().map(|cell| cell.count).sum()
    }

    /// Images on the diagonal.
    pub fn correct(&self) -> u32 {
        self.cells().filter(|cell| cell.truth == cell.predicted).map(|cell| cell.count).sum()
    }

    /// Share of images on the diagonal, in 0..=1; `None` before any image.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.correct(), self.total())
    }

    /// Images of this true class.
    pub fn support(&self, class: usize) -> u32 {
        self.cells().filter(|cell| cell.truth == class).map(|cell| cell.count).sum()
    }

    /// Images predicted as this class.
    pub fn predicted(&self, class: usize) -> u32 {
        self.cells().filter(|cell| cell.predicted == class).map(|cell| cell.count).sum()
    }

    /// Of the images predicted as `class`, the share that are; `None` if none were.
    pub fn precision(&self, class: usize) -> Option<f64> {
        ratio(self.count(class, class), self.predicted(class))
    }

    /// Of the images of `class`, the share recognised; `None` if there are none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        ratio(self.count(class, class), self.support(class))
    }

    /// The recall of every class, in one pass.
    pub fn recalls(&self) -> Vec<Option<f64>> {
        let mut counts = vec![(0, 0); self.classes()];
        for cell in self.cells() {
            let (correct, support) = &mut counts[cell.truth];
            *support += cell.count;
            if cell.predicted == cell.truth {
                *correct = cell.count;
            }
        }
        counts.into_iter().map(|(correct, support)| ratio(correct, support)).collect()
    }

    /// Harmonic mean of precision and recall; `None` where either is or both are zero.
    pub fn f1(&self, class: usize) -> Option<f64> {
        let (precision, recall) = (self.precision(class)?, self.recall(class)?);
        let sum = precision + recall;
        (sum > 0.0).then(|| 2.0 * precision * recall / sum)
    }

    /// Confused pairs, most frequent first; ties in order of true, then predicted class.
    pub fn most_confused(&self) -> Vec<Confused> {
        let mut pairs: Vec<_> = self.cells().filter(|cell| cell.truth != cell.predicted).collect();
        // The sort is stable, which keeps ties in matrix order.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs
    }
}

fn ratio(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

impl Serialize for Confusion {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut rows = vec![vec![0; self.classes()]; self.classes()];
        for Confused { truth, predicted, count } in self.cells() {
            rows[truth][predicted] = count;
        }
        rows.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Confusion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Rows)
    }
}

/// Reads a matrix row by row, so that one of the wrong size ends at once.
struct Rows;

impl<'de> Visitor<'de> for Rows {
    type Value = Confusion;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (Confusion::CLASSES.start(), Confusion::CLASSES.end());
        write!(f, "the rows of a square matrix of {least} to {most} classes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Confusion, A::Error> {
        let Some(first) = rows.next_element::<Vec<u32>>()? else {
            return Err(A::Error::invalid_length(0, &self));
        };
        let classes = first.len();
        if !Confusion::CLASSES.contains(&classes) {
            return Err(A::Error::invalid_length(classes, &self));
        }
        let mut confusion = Confusion::new(classes);
        confusion.add_row(0, &first);
        let mut known = 1;
        while let Some(row) = rows.next_element::<Vec<u32>>()? {
            if row.len() != classes || known == classes {
                return Err(A::Error::invalid_length(row.len(), &self));
            }
            confusion.add_row(known, &row);
            known += 1;
        }
        if known < classes {
            return Err(A::Error::invalid_length(known, &self));
        }
        Ok(confusion)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small() -> Confusion {
        let mut confusion = Confusion::new(10);
        for (truth, predicted) in [(4, 4), (4, 9), (4, 9), (9, 9), (9, 4), (7, 7)] {
            confusion.record(truth, predicted);
        }
        confusion
    }

    #[test]
    fn precision_counts_columns_and_recall_counts_rows() {
        let confusion = small();
        assert_eq!(confusion.precision(4), Some(0.5));
        assert_eq!(confusion.recall(4), Some(1.0 / 3.0));
        let each: Vec<_> = (0..10).map(|class| confusion.recall(class)).collect();
        assert_eq!(confusion.recalls(), each);
        assert_eq!(confusion.f1(4), Some(0.4));
        assert_eq!(confusion.accuracy(), Some(0.5));
    }

    #[test]
    fn figures_without_images_are_absent_rather_than_nan() {
        let empty = Confusion::new(10);
        assert_eq!(
            (empty.accuracy(), empty.precision(0), empty.recall(0), empty.f1(0)),
            (None, None, None, None)
        );
        assert!(empty.most_confused().is_empty());
    }

    #[test]
    fn the_most_confused_pair_comes_first() {
        let pairs = small().most_confused();
        assert_eq!(pairs[0], Confused { truth: 4, predicted: 9, count: 2 });
        assert_eq!(pairs[1], Confused { truth: 9, predicted: 4, count: 1 });
        assert_eq!(pairs.len(), 2);
    }

    #[test]
    fn the_serialised_form_is_rows_of_counts_for_any_number_of_classes() {
        let mut three = Confusion::new(3);
        three.record(2, 0);
        three.record(2, 0);
        three.record(0, 0);
        let json = serde_json::to_string(&three).expect("plain data");
        assert_eq!(json, "[[1,0,0],[0,0,0],[2,0,0]]");
        assert_eq!(serde_json::from_str::<Confusion>(&json).expect("it reads"), three);
    }

    #[test]
    fn what_is_no_square_matrix_is_refused() {
        let wide = format!("[[{}0]]", "0,".repeat(100));
        for json in ["[]", "[[]]", "[[1]]", "[[1,2]]", "[[1,2],[3]]", "[[1,2],[3,4],[5,6]]", &wide]
        {
            let error = serde_json::from_str::<Confusion>(json).expect_err(json).to_string();
            assert!(error.contains("a square matrix of 2 to 100 classes"), "{json}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_matrix_reads_back_as_it_was(
            classes in Confusion::CLASSES,
            images in prop::collection::vec((0usize..100, 0usize..100), 0..300),
        ) {
            let mut confusion = Confusion::new(classes);
            let mut dense = vec![0; classes * classes];
            for (truth, predicted) in images {
                let (truth, predicted) = (truth % classes, predicted % classes);
                confusion.record(truth, predicted);
                dense[truth * classes + predicted] += 1;
            }
            let json = serde_json::to_vec(&confusion).expect("plain data");
            prop_assert_eq!(&serde_json::from_slice::<Confusion>(&json).expect("it reads"), &confusion);
            for (place, count) in dense.into_iter().enumerate() {
                prop_assert_eq!(confusion.count(place / classes, place % classes), count);
            }
        }

        #[test]
        fn totals_agree_however_images_fall(images in prop::collection::vec((0usize..10, 0usize..10), 0..300)) {
            let mut confusion = Confusion::new(10);
            for &(truth, predicted) in &images {
                confusion.record(truth, predicted);
            }
            let right = images.iter().filter(|(truth, predicted)| truth == predicted).count() as u32;
            let wrong: u32 = confusion.most_confused().iter().map(|pair| pair.count).sum();
            prop_assert_eq!(confusion.total() as usize, images.len());
            prop_assert_eq!(confusion.correct(), right);
            prop_assert_eq!(confusion.correct() + wrong, confusion.total());
        }
    }
}
