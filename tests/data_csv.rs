//! Sets in CSV files, as Kaggle has them.

use std::{fmt::Write as _, fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};
use mnist_tui::{
    config::DataSource,
    data::{self, DataError, Splits},
};
use proptest::prelude::*;
use tempfile::TempDir;

/// Lines of a label and the pixels of an 8×8 image, of 3 classes.
fn lines(count: usize) -> String {
    let mut text = String::new();
    for image in 0..count {
        let _ = write!(text, "{}", image % 3);
        for pixel in pixels(image) {
            let _ = write!(text, ",{pixel}");
        }
        text += "\n";
    }
    text
}

fn pixels(image: usize) -> [u8; 64] {
    std::array::from_fn(|place| (image * 50 + place) as u8)
}

/// The names of the columns of [`lines`].
fn header() -> String {
    (0..64).fold("label".to_owned(), |text, pixel| text + &format!(",pixel{pixel}")) + "\n"
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), bytes).unwrap();
    }

    /// Loads a file of the folder, or all of it.
    fn load(&self, name: &str) -> Result<Splits, String> {
        let load = |path: &Path| -> Result<Splits, DataError> {
            data::load(&DataSource::Path(path.to_owned()), None)
        };
        let folder = format!("{}/", self.0.path().display());
        load(&self.0.path().join(name)).map_err(|error| error.to_string().replace(&folder, ""))
    }

    fn error(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        self.put(name, bytes);
        self.load(name).unwrap_err()
    }
}

#[test]
fn tables_with_and_without_a_header_give_the_same_set() {
    let folder = Folder::new();
    folder.put("mnist_train.csv", lines(12));
    folder.put("mnist_test.csv", lines(6));
    let set = folder.load("").unwrap();
    assert_eq!((set.train.len(), set.test.len(), set.train.label(4)), (12, 6, 1));
    assert_eq!((set.train.image(11), set.test.image(5)), (&pixels(11)[..], &pixels(5)[..]));
    assert_eq!((set.info.name.as_str(), set.info.shape), ("mnist", [1, 8, 8]));
    let same = |name: &str, text: String| {
        folder.put(name, text);
        assert_eq!(folder.load("").unwrap(), set, "{name}");
    };
    same("mnist_train.csv", header() + &lines(12));
    same("mnist_train.csv", "\u{feff}".to_owned() + &header() + &lines(12).replace('\n', "\r\n"));
    same("mnist_train.csv", (header() + &lines(12)).replace(',', ";"));
    same("mnist_train.csv", (header() + &lines(12)).replace(',', ", "));
    same("mnist_train.csv", lines(12).replace(',', ".0,"));
    // The label may be anywhere, if its column says so.
    let (first, rest) = (header(), lines(12));
    let turned = [first.as_str()].into_iter().chain(rest.lines()).map(|line| {
        let (label, pixels) = line.trim_end().split_once(',').unwrap();
        format!("{pixels},{label}\n")
    });
    same("mnist_train.csv", turned.collect());
    fs::remove_file(folder.0.path().join("mnist_train.csv")).unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(lines(12).as_bytes()).unwrap();
    folder.put("mnist_train.csv.gz", encoder.finish().unwrap());
    assert_eq!(folder.load("").unwrap(), set);
}

#[test]
fn a_table_without_labels_is_no_test_set() {
    let folder = Folder::new();
    let unlabelled = |text: &str| {
        let lines = text.lines().map(|line| line.split_once(',').unwrap().1.to_owned() + "\n");
        lines.collect::<String>()
    };
    folder.put("train.csv", header() + &lines(12));
    folder.put("test.csv", unlabelled(&(header() + &lines(6))));
    folder.put("sample_submission.csv", "ImageId,Label\n1,0\n");
    let set = folder.load("").unwrap();
    assert_eq!((set.train.len(), set.test.len()), (10, 2));
    assert!(set.notes[0].ends_with("test.csv has no labels and is not used."), "{:?}", set.notes);
    assert_eq!(set.notes.len(), 2);
    assert_eq!(
        folder.load("test.csv").unwrap_err(),
        "test.csv has no labels, expected a column called label, or labels in the first"
    );
    assert_eq!(
        folder.error("plain.csv", unlabelled(&lines(3))),
        "plain.csv has no labels, expected a column called label, or labels in the first"
    );
    fs::remove_file(folder.0.path().join("train.csv")).unwrap();
    let message = folder.load("").unwrap_err();
    assert!(
        message.ends_with("holds no CSV file with `train` in its name, which belongs to test.csv"),
        "{message}"
    );
}

#[test]
fn a_single_table_of_any_name_is_a_set() {
    let folder = Folder::new();
    folder.put("marks", lines(12));
    assert_eq!(folder.load("marks").unwrap().train.len(), 10);
    folder.put("marks.csv", lines(12));
    let set = folder.load("").unwrap();
    assert_eq!(set.train, folder.load("marks.csv").unwrap().train);
    folder.put("other.csv", lines(12));
    let message = folder.load("").unwrap_err();
    assert!(message.contains("several data sets (marks.csv, other.csv)"), "{message}");
}

#[test]
fn the_set_in_a_table_is_known_by_its_name() {
    let folder = Folder::new();
    for name in ["emnist-letters-train.csv", "emnist-letters-test.csv"] {
        folder.put(name, lines(12).replace("\n0,", "\n3,").replacen("0,", "3,", 1));
    }
    let set = folder.load("emnist-letters").unwrap();
    assert_eq!((set.info.name.as_str(), set.info.classes.len()), ("EMNIST letters", 26));
    assert_eq!(set.train.labels()[..3], [2, 0, 1]);
    let transposed: Vec<u8> = (0..64).map(|place| pixels(1)[place % 8 * 8 + place / 8]).collect();
    assert_eq!(set.train.image(1), transposed);
}

#[test]
fn of_several_sets_one_is_chosen_by_the_words_before_its_part() {
    let folder = Folder::new();
    for (name, count) in [("sign_mnist_train.csv", 12), ("sign_mnist_b_train.csv", 24)] {
        folder.put(name, lines(count));
    }
    let message = folder.load("").unwrap_err();
    assert!(message.contains("several data sets (sign-mnist, sign-mnist-b): choose"), "{message}");
    for (name, count) in [("sign-mnist", 12), ("sign_mnist", 12), ("sign_mnist_b", 24)] {
        let set = folder.load(name).unwrap();
        assert_eq!(set.train.len() + set.test.len(), count, "{name}");
    }
}

#[test]
fn other_shapes_are_read_if_their_size_is_given() {
    let folder = Folder::new();
    let path = folder.0.path().join("x.csv");
    let widened = |columns| lines(12).replace('\n', &(",0".repeat(columns) + "\n"));
    folder.put("x.csv", widened(8));
    assert_eq!(
        folder.load("x.csv").unwrap_err(),
        "x.csv has 73 columns, expected a label and the pixels of a square image, such as 785 for 28×28: \
         give other shapes with --image-size HxW"
    );
    // As many columns as a square of 9×9 without labels has.
    folder.put("x.csv", widened(16));
    let set = data::load(&DataSource::Path(path), "8x10".parse().ok()).unwrap();
    assert_eq!((set.info.shape, set.train.image(0).len()), ([1, 8, 10], 80));
}

#[test]
fn few_greys_are_stretched() {
    let folder = Folder::new();
    let line = |label| format!("{label}{}\n", ",0,16".repeat(32));
    let text = (line(0) + &line(1)).repeat(6);
    folder.put("digits.csv", text);
    let set = folder.load("digits.csv").unwrap();
    assert_eq!(set.train.image(0)[..2], [0, 255]);
    assert_eq!(set.notes[0], "Pixels from 0 to 16 were stretched to 0 to 255.");
}

#[test]
fn lines_that_are_no_images_are_refused_by_number() {
    let folder = Folder::new();
    let first = header() + &lines(2);
    for (line, expected) in [
        ("1,2,3\n".to_owned(), "has 3 columns in line 4, expected 65"),
        (
            lines(1).replace(",9,", ",256,"),
            "has the pixel \"256\" in line 4, expected a whole number from 0 to 255",
        ),
        (
            lines(1).replace(",9,", ",0.5,"),
            "has the pixel \"0.5\" in line 4, expected a whole number",
        ),
        (
            lines(1).replace(",9,", ",NaN,"),
            "has the pixel \"NaN\" in line 4, expected a whole number",
        ),
        (lines(1).replace(",9,", ",,"), "has the pixel \"\" in line 4, expected a whole number"),
        (
            lines(1).replacen('0', "100", 1),
            "has the label \"100\" in line 4, expected a whole number from 0 to 99",
        ),
        (
            lines(1).replacen('0', "-1", 1),
            "has the label \"-1\" in line 4, expected a whole number from 0 to 99",
        ),
    ] {
        let message = folder.error("x.csv", first.clone() + &line);
        assert!(message.starts_with(&format!("x.csv {expected}")), "{message}");
    }
    assert_eq!(folder.error("x.csv", ""), "x.csv announces 0 images, expected at least 1");
    assert_eq!(folder.error("x.csv", header()), "x.csv announces 0 images, expected at least 1");
    let message = folder.error("x.csv", lines(1) + &"1".repeat(1 << 18));
    assert!(
        message.starts_with("x.csv cannot be read as a table (a line is too long)"),
        "{message}"
    );
    let message = folder.error("x.csv", "<html><body>");
    assert!(message.starts_with("x.csv is a web page, expected CSV lines"), "{message}");
    let message = folder.error("x.csv", b"\x1f\x8b\x08\x00rubbish");
    assert!(message.starts_with("x.csv cannot be read as a table ("), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_tables_end_in_a_set_or_a_sentence(
        with_header in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = (if with_header { header() } else { String::new() } + &lines(8)).into_bytes();
        for (place, value) in flips {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        let folder = Folder::new();
        folder.put("x.csv", bytes);
        match folder.load("x.csv") {
            Ok(set) => prop_assert_eq!(set.info.shape, [1, 8, 8]),
            Err(message) => prop_assert!(message.contains("x.csv"), "{}", message),
        }
    }
}
