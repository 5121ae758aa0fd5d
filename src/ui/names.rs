//! The names of a run's classes, cut to the columns available.

use std::{borrow::Cow, collections::HashSet};

use super::table::width;
use crate::{app::App, data::DataInfo, protocol::Digit};

/// Columns from which a name that is cut ends in a sign for that.
const ROOM_FOR_A_SIGN: usize = 6;
/// Columns below which a name that is cut says less than a number.
const LEAST_OF_A_NAME: usize = 4;

/// The names of the classes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    classes: &'a [String],
    /// Whether the data set is read, so that these are its names.
    is_known: bool,
}

impl<'a> Names<'a> {
    /// The names of the run's classes.
    pub(super) fn of(app: &'a App) -> Self {
        Self { classes: &app.run.set().classes, is_known: app.run.info.is_some() }
    }

    /// The names of the classes of a data set.
    pub(super) fn of_set(set: &'a DataInfo) -> Self {
        Self { classes: &set.classes, is_known: true }
    }

    #[cfg(test)]
    pub(super) fn new(classes: &'a [String]) -> Self {
        Self { classes, is_known: true }
    }

    /// Classes that have a name.
    pub(super) fn count(self) -> usize {
        self.classes.len()
    }

    /// The whole name, or the label of a class that has none.
    pub(super) fn full(self, class: usize) -> Cow<'a, str> {
        match self.classes.get(class) {
            Some(name) => Cow::Borrowed(name.as_str()),
            None => Cow::Owned(class.to_string()),
        }
    }

    /// Columns of the widest name.
    pub(super) fn widest(self) -> usize {
        self.classes.iter().map(|name| width(name)).max().unwrap_or(1).max(1)
    }

    /// Whether the images show digits, each named by itself; false while the set is not known.
    pub(super) fn are_digits(self) -> bool {
        self.is_known
            && self
                .classes
                .iter()
                .all(|name| name.len() == 1 && name.as_bytes()[0].is_ascii_digit())
    }

    /// The word for an image: `digit`, or `image` where it may show anything.
    pub(super) fn noun(self) -> &'static str {
        if self.are_digits() { "digit" } else { "image" }
    }

    /// All names in at most `columns` each: whole, or else without their ends or, where others begin
    /// alike, their middles; `None` where they do not differ or too little of them is left.
    pub(super) fn abbreviations(self, columns: usize) -> Option<Vec<String>> {
        if columns < LEAST_OF_A_NAME && self.widest() > columns {
            return None;
        }
        let mut names: Vec<String> = self.classes.iter().map(|name| cut(name, columns)).collect();
        if columns >= ROOM_FOR_A_SIGN {
            let (mut seen, mut again) = (HashSet::new(), HashSet::new());
            again.extend(names.iter().filter(|&name| !seen.insert(name)).cloned());
            for (short, name) in names.iter_mut().zip(self.classes) {
                if again.contains(short) {
                    *short = without_middle(name, columns);
                }
            }
        }
        let mut seen = HashSet::new();
        names.iter().all(|name| !name.is_empty() && seen.insert(name)).then_some(names)
    }

    /// All names in at most `columns` each; the labels where names cut that short would not differ.
    pub(super) fn short(self, columns: usize) -> Vec<String> {
        self.abbreviations(columns)
            .unwrap_or_else(|| (0..self.classes.len()).map(|label| label.to_string()).collect())
    }

    /// The name of one class in at most `columns`, or its label.
    pub(super) fn shortened(self, class: usize, columns: usize) -> String {
        let full = self.full(class);
        if width(&full) <= columns {
            return full.into_owned();
        }
        self.abbreviations(columns)
            .and_then(|mut names| names.get_mut(class).map(std::mem::take))
            .unwrap_or_else(|| class.to_string())
    }

    /// A true and a predicted class in at most `columns`, so far as labels fit into these: `4→9`.
    pub(super) fn pair(self, truth: usize, predicted: usize, columns: usize) -> String {
        let room = columns.saturating_sub(1);
        let [first, second] = [truth, predicted].map(|class| width(&self.full(class)));
        // The columns that a short name leaves go to the other.
        let second = (room / 2).max(room.saturating_sub(first)).min(second.max(1));
        let first = room.saturating_sub(second);
        format!("{}→{}", self.shortened(truth, first), self.shortened(predicted, second))
    }

    /// Whether a true and a predicted class have so few columns that names become numbers.
    pub(super) fn are_cut_to_numbers(self, digit: &Digit, columns: usize) -> bool {
        let (truth, predicted) = (usize::from(digit.label), usize::from(digit.prediction));
        let numbers = format!("{truth}→{predicted}");
        let full = format!("{}→{}", self.full(truth), self.full(predicted));
        numbers != full && self.pair(truth, predicted, columns) == numbers
    }

    /// `4 predicted as 9` or `4 recognised`, with whole names.
    pub(super) fn verdict(self, truth: usize, predicted: usize) -> String {
        if truth == predicted {
            format!("{} recognised", self.full(truth))
        } else {
            format!("{} predicted as {}", self.full(truth), self.full(predicted))
        }
    }

    /// The same in at most `columns`, with shorter names where they are needed.
    pub(super) fn verdict_within(self, truth: usize, predicted: usize, columns: usize) -> String {
        let whole = self.verdict(truth, predicted);
        if width(&whole) <= columns {
            return whole;
        }
        if truth == predicted {
            let room = columns.saturating_sub(" recognised".len());
            return format!("{} recognised", self.shortened(truth, room));
        }
        let room = columns.saturating_sub(" predicted as ".len()) / 2;
        let [truth, predicted] = [truth, predicted].map(|class| self.shortened(class, room));
        format!("{truth} predicted as {predicted}")
    }

    /// The answer to an image in at most `columns`: `4` or `4→9`.
    pub(super) fn answer(self, digit: &Digit, columns: usize) -> String {
        let truth = usize::from(digit.label);
        match digit.predicted() {
            Some(_) if digit.is_right() => self.shortened(truth, columns),
            Some(predicted) => self.pair(truth, predicted.into(), columns),
            None => format!("{}→—", self.shortened(truth, columns.saturating_sub(2))),
        }
    }

    /// The answer to an image in words, in at most `columns`: as [`verdict_within`](Self::verdict_within).
    pub(super) fn answer_in_words(self, digit: &Digit, columns: usize) -> String {
        match digit.predicted() {
            Some(predicted) => self.verdict_within(digit.label.into(), predicted.into(), columns),
            None => self.answer(digit, columns),
        }
    }
}

/// As much of a name as fits into `columns`, with a sign that there is more where there is room.
pub(super) fn cut(name: &str, columns: usize) -> String {
    if width(name) <= columns {
        return name.to_owned();
    }
    let sign = if columns >= ROOM_FOR_A_SIGN { "…" } else { "" };
    beginning(name, columns - width(sign)) + sign
}

/// The beginning of a name in at most `columns`.
fn beginning(name: &str, columns: usize) -> String {
    let mut kept = String::new();
    for c in name.chars() {
        kept.push(c);
        if width(&kept) > columns {
            kept.pop();
            break;
        }
    }
    kept.truncate(kept.trim_end().len());
    kept
}

/// The beginning and the end of a name that has no room in `columns`, at least two.
pub(super) fn without_middle(name: &str, columns: usize) -> String {
    if width(name) <= columns {
        return name.to_owned();
    }
    // The last word, or as much of the end as the half has room for.
    let word = name.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let mut end = String::new();
    for c in name.chars().rev() {
        end.insert(0, c);
        if width(&end) > columns / 2 {
            end.remove(0);
            break;
        }
    }
    let end = if !word.is_empty() && end.ends_with(word) { word } else { end.trim_start() };
    format!("{}…{end}", beginning(name, columns.saturating_sub(width(end) + 1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fashion() -> Vec<String> {
        let names = [
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
        names.map(str::to_owned).to_vec()
    }

    #[test]
    fn names_are_cut_as_long_as_they_differ_and_are_labels_otherwise() {
        let classes = fashion();
        let names = Names::new(&classes);
        assert_eq!(names.short(11), classes);
        let four = ["T-sh", "Trou", "Pull", "Dres", "Coat", "Sand", "Shir", "Snea", "Bag", "Ankl"];
        assert_eq!(names.short(4), four);
        assert_eq!(names.short(3), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        assert_eq!(names.shortened(9, 8), "Ankle b…");
        assert_eq!(names.shortened(9, 7), "Ankle…", "no blank before the sign");
        assert_eq!(names.shortened(200, 5), "200", "a class without a name");
    }

    #[test]
    fn names_that_begin_alike_keep_their_ends() {
        let classes: Vec<String> = (0..20).map(|class| format!("sea lion {class}")).collect();
        let names = Names::new(&classes);
        assert_eq!(names.shortened(17, 8), "sea l…17");
        assert_eq!(names.shortened(17, 4), "17");
        let classes = ["diagonal up", "diagonal down", "grid of lines"].map(str::to_owned);
        let names = Names::new(&classes);
        assert_eq!(names.short(8), ["diago…up", "dia…down", "grid of…"], "only those that need it");
    }

    #[test]
    fn a_pair_gives_one_name_the_room_that_the_other_leaves() {
        let classes = fashion();
        let names = Names::new(&classes);
        assert_eq!(names.pair(8, 9, 14), "Bag→Ankle boot");
        assert_eq!(names.pair(9, 8, 14), "Ankle boot→Bag");
        assert_eq!(names.pair(0, 9, 9), "T-sh→Ankl");
        assert_eq!(names.pair(0, 9, 3), "0→9");
    }

    #[test]
    fn wide_letters_count_as_two_columns() {
        let classes = ["お", "き", "す"].map(str::to_owned);
        let names = Names::new(&classes);
        assert_eq!((names.widest(), names.shortened(1, 2)), (2, "き".to_owned()));
        assert_eq!(names.shortened(1, 1), "1");
    }

    proptest! {
        #[test]
        fn short_names_differ_and_fit_wherever_labels_do(
            classes in prop::collection::vec("[a-cé漢 ]{0,9}", 2..100),
            columns in 2_usize..12,
        ) {
            let names = Names::new(&classes);
            let short = names.short(columns);
            prop_assert!(short.iter().all(|name| width(name) <= columns), "{short:?}");
            let different: HashSet<_> = short.iter().collect();
            prop_assert_eq!(different.len(), classes.len());
            for (first, second) in [(0, 1), (1, 0), (1, 1)] {
                prop_assert!(width(&names.pair(first, second, 2 * columns + 1)) <= 2 * columns + 1);
            }
        }
    }
}
