//! Sets in folders of IDX files: every name and form that is accepted, and every error by its sentence.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use mnist_tui::{
    config::DataSource,
    data::{self, DataError, PIXELS, Splits},
};
use tempfile::TempDir;

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

fn header(fields: &[u32]) -> Vec<u8> {
    fields.iter().flat_map(|field| field.to_be_bytes()).collect()
}

fn images(count: u32) -> Vec<u8> {
    let pixels = (0..count as usize * PIXELS).map(|index| (index % 251) as u8);
    header(&[0x803, count, 28, 28]).into_iter().chain(pixels).collect()
}

fn labels(count: u32) -> Vec<u8> {
    header(&[0x801, count]).into_iter().chain((0..count).map(|index| (index % 10) as u8)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn load(path: &Path) -> Result<Splits, DataError> {
    data::load(&DataSource::Path(path.to_owned()), None)
}

/// The images and labels of both parts.
fn contents(set: &Splits) -> [&[u8]; 4] {
    [set.train.images(), set.train.labels(), set.test.images(), set.test.labels()]
}

/// A folder with 12 training and 5 test images.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        for (name, bytes) in NAMES.into_iter().zip([images(12), labels(12), images(5), labels(5)]) {
            folder.put(name, &bytes);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn load(&self) -> Result<Splits, DataError> {
        load(self.0.path())
    }

    /// The error after `name` was replaced by `bytes`, without the folder's path.
    fn error_with(&self, name: &str, bytes: &[u8]) -> String {
        self.put(name, bytes);
        self.error()
    }

    fn error(&self) -> String {
        let message = self.load().unwrap_err().to_string();
        let folder = format!("{}/", self.0.path().display());
        assert!(message.contains(folder.trim_end_matches('/')), "no path in: {message}");
        message.replace(&folder, "")
    }
}

#[test]
fn raw_files_are_read_as_they_are() {
    let mnist = Folder::new().load().unwrap();
    assert_eq!((mnist.train.len(), mnist.test.len()), (12, 5));
    assert_eq!(mnist.train.images(), &images(12)[16..]);
    assert_eq!(mnist.train.labels(), &labels(12)[8..]);
    assert_eq!(mnist.test.images(), &images(5)[16..]);
    assert_eq!(mnist.test.image(3), &images(5)[16 + 3 * PIXELS..16 + 4 * PIXELS]);
    assert_eq!(mnist.test.label(3), 3);
}

#[test]
fn every_name_in_use_gives_the_same_set() {
    let raw = Folder::new().load().unwrap();
    let dotted = |name: &str| name.replacen("-idx", ".idx", 1);
    let renamings: [&dyn Fn(&str) -> String; 6] = [
        &dotted,
        &|name| format!("{name}.gz"),
        &|name| format!("{}.gz", dotted(name)),
        &|name| format!("MNIST/raw/{name}"),
        &|name| format!("{name}/{name}"),
        &|name| format!("{name}/{}", dotted(name)),
    ];
    for renamed in renamings {
        for packed in [false, true] {
            let folder = Folder::new();
            for name in NAMES {
                let bytes = fs::read(folder.path(name)).unwrap();
                folder.remove(name);
                let path = folder.path(&renamed(name));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                // Whether it is gzip is told by its content, whatever its name.
                fs::write(path, if packed { gzip(&bytes) } else { bytes }).unwrap();
            }
            let set = folder.load().unwrap();
            assert_eq!(contents(&set), contents(&raw), "{}", renamed(NAMES[0]));
            assert!(set.notes.is_empty(), "{:?}", set.notes);
        }
    }
}

#[test]
fn a_raw_file_is_taken_before_a_gzip_one() {
    let folder = Folder::new();
    folder.put("train-images-idx3-ubyte.gz", b"not gzip");
    assert_eq!(folder.load().unwrap().train.len(), 12);
}

#[test]
fn an_intact_gzip_is_read_in_place_of_a_file_that_was_not_wholly_unpacked() {
    let folder = Folder::new();
    folder.put("train-images-idx3-ubyte.gz", &gzip(&images(12)));
    folder.put("train-images-idx3-ubyte", &images(12)[..5000]);
    let set = folder.load().unwrap();
    assert_eq!(set.train.images(), &images(12)[16..]);
    assert_eq!(
        set.notes,
        [
            "train-images-idx3-ubyte is damaged or incomplete: train-images-idx3-ubyte.gz was read in its \
          place."
        ]
    );
    // If both are damaged, the first is reported.
    assert_eq!(
        folder.error_with("train-images-idx3-ubyte.gz", b"not gzip"),
        "train-images-idx3-ubyte ends after 5000 bytes, expected 9424: the file is cut short, fetch it \
         again"
    );
}

#[test]
fn labels_of_qmnist_are_the_first_of_eight_numbers() {
    let folder = Folder::new();
    for (name, count) in [("train", 12), ("test", 5)] {
        let wide = header(&[0xc02, count, 8]).into_iter().chain(
            (0..count).flat_map(|index| header(&[index % 10, index, index, 0, 0, 0, u32::MAX, 0])),
        );
        folder.put(&format!("qmnist-{name}-labels-idx2-int.gz"), &gzip(&wide.collect::<Vec<_>>()));
        folder.put(&format!("qmnist-{name}-images-idx3-ubyte"), &images(count));
    }
    for name in NAMES {
        folder.remove(name);
    }
    let set = folder.load().unwrap();
    assert_eq!(contents(&set), contents(&Folder::new().load().unwrap()));
    assert_eq!(set.info.name, "QMNIST");
    let negative = header(&[0xc02, 12, 1]).into_iter().chain(header(&[u32::MAX; 12]));
    assert_eq!(
        folder.error_with("qmnist-train-labels-idx2-int.gz", &negative.collect::<Vec<_>>()),
        "qmnist-train-labels-idx2-int.gz has -1 as label number 0 (from 0), expected 0 to 99"
    );
    let wide = header(&[0xc02, 12, 1 << 31]);
    assert_eq!(
        folder.error_with("qmnist-train-labels-idx2-int.gz", &wide),
        "qmnist-train-labels-idx2-int.gz has 2147483648 numbers for each label, expected 1 to 16, the \
         first of which is the class"
    );
}

/// Adds a split of EMNIST, whose images are transposed, with labels up to `highest`.
fn put_emnist(folder: &Folder, split: &str, lowest: u8, highest: u8) {
    for (part, count) in [("train", 12_usize), ("test", 5)] {
        let upright = images(count as u32);
        let mut transposed = upright.clone();
        for (image, turned) in upright[16..].chunks(PIXELS).zip(transposed[16..].chunks_mut(PIXELS))
        {
            for place in 0..PIXELS {
                turned[place % 28 * 28 + place / 28] = image[place];
            }
        }
        let mut labels = header(&[0x801, count as u32]);
        labels.extend((0..count).map(|index| if index % 2 == 0 { lowest } else { highest }));
        let name = |rest| format!("emnist-{split}-{part}-{rest}.gz");
        folder.put(&name("images-idx3-ubyte"), &gzip(&transposed));
        folder.put(&name("labels-idx1-ubyte"), &gzip(&labels));
    }
}

#[test]
fn emnist_is_set_upright_and_its_classes_have_their_characters() {
    for (split, lowest, highest, classes, first, last) in [
        ("letters", 1, 26, 26, "A", "Z"),
        ("balanced", 0, 46, 47, "0", "t"),
        ("bymerge", 0, 46, 47, "0", "t"),
        ("byclass", 0, 61, 62, "0", "z"),
        ("digits", 0, 9, 10, "0", "9"),
    ] {
        let folder = Folder(TempDir::new().unwrap());
        put_emnist(&folder, split, lowest, highest);
        let set = folder.load().unwrap();
        assert_eq!(set.train.images(), &images(12)[16..], "{split}");
        assert_eq!(set.test.images(), &images(5)[16..], "{split}");
        assert_eq!(set.train.labels()[..2], [0, highest - lowest], "{split}");
        let names = &set.info.classes;
        assert_eq!((names.len(), names[0].as_str()), (classes, first), "{split}");
        assert_eq!(names.last().map(String::as_str), Some(last), "{split}");
        assert_eq!(set.info.name, format!("EMNIST {split}"));
    }
    let folder = Folder(TempDir::new().unwrap());
    put_emnist(&folder, "letters", 0, 26);
    assert_eq!(
        folder.error(),
        "emnist-letters-train-labels-idx1-ubyte.gz has 0 as label number 0 (from 0), expected 1 to 26"
    );
}

#[test]
fn of_several_sets_in_a_folder_one_is_chosen_by_the_start_of_its_names() {
    let folder = Folder(TempDir::new().unwrap());
    put_emnist(&folder, "letters", 1, 26);
    put_emnist(&folder, "digits", 0, 9);
    let path = folder.0.path().display().to_string();
    assert_eq!(
        folder.load().unwrap_err().to_string(),
        format!(
            "{path} holds several data sets (emnist-digits, emnist-letters): choose one, as in --data \
             {path}/emnist-digits"
        )
    );
    let set = load(&folder.path("emnist-digits")).unwrap();
    assert_eq!(set.info.name, "EMNIST digits");
    assert_eq!(load(&folder.path("EMNIST-letters")).unwrap().info.classes.len(), 26);
    for none in ["emnist-other", "---"] {
        let message = load(&folder.path(none)).unwrap_err().to_string();
        assert!(message.starts_with("there is no file or folder"), "{message}");
    }
    let message = load(&folder.path("emnist")).unwrap_err().to_string();
    assert!(message.contains("holds several data sets"), "{message}");
}

#[test]
fn sets_in_folders_below_are_found_unless_there_are_several() {
    let folder = Folder::new();
    for name in NAMES {
        for place in ["a/MNIST/raw", "b/FashionMNIST/raw"] {
            fs::create_dir_all(folder.path(place)).unwrap();
            fs::copy(folder.path(name), folder.path(&format!("{place}/{name}"))).unwrap();
        }
        folder.remove(name);
    }
    let set = load(&folder.path("b")).unwrap();
    assert_eq!(
        (set.info.name.as_str(), set.info.classes[9].as_str()),
        ("Fashion-MNIST", "Ankle boot")
    );
    let path = folder.0.path().display();
    assert_eq!(
        folder.load().unwrap_err().to_string(),
        format!(
            "{path} holds several data sets (a/MNIST/raw, b/FashionMNIST/raw): choose one, as in --data \
             {path}/a/MNIST/raw"
        )
    );
}

#[test]
fn a_missing_or_unknown_place_is_named_with_what_is_accepted() {
    let folder = Folder::new();
    let advice = "--data takes `builtin`, `hub`, a folder of IDX files such as train-images-idx3-ubyte, an \
                  .npz file, a CSV file or a folder of them, or a folder with a folder of pictures for \
                  each class";
    let none = folder.path("none");
    assert_eq!(
        load(&none).unwrap_err().to_string(),
        format!("there is no file or folder {}: {advice}", none.display())
    );
    let file = folder.path(NAMES[0]);
    assert_eq!(
        load(&file).unwrap_err().to_string(),
        format!(
            "{} is one file of a set, expected the folder that holds all of them",
            file.display()
        )
    );
    fs::create_dir(&none).unwrap();
    let unknown = |found| {
        let path = none.display();
        assert_eq!(
            load(&none).unwrap_err().to_string(),
            format!("{path} holds no data set that is known here ({found}): {advice}")
        );
    };
    unknown("the folder is empty");
    for name in ["a", "b", "c", "d", "e"] {
        fs::write(none.join(name), "text").unwrap();
    }
    unknown("it contains a, b, c, d, …");
    assert!(load(Path::new("a\0b")).is_err());
}

#[test]
fn files_of_other_programs_are_recognised_with_what_to_do() {
    for (name, start, what, advice) in [
        ("mnist.parquet", "PAR1", "a Parquet file", "numpy.savez_compressed"),
        ("archive.zip", "PK\u{3}\u{4}", "a zip archive", "unpack it"),
        ("page", "<!DOCTYPE html><html>", "a web page", "fetch the file itself"),
    ] {
        let folder = Folder(TempDir::new().unwrap());
        folder.put(name, start.as_bytes());
        for error in [folder.load(), load(&folder.path(name))] {
            let message = error.unwrap_err().to_string();
            assert!(message.contains(&format!("{name} is {what}, expected IDX")), "{message}");
            assert!(message.contains(advice), "{message}");
        }
    }
}

#[test]
fn a_web_page_or_a_git_lfs_pointer_under_the_name_of_a_file_is_recognised() {
    let page = b"<!DOCTYPE html><html><title>403 Forbidden</title></html>";
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9912422\n";
    let refused = |what| format!("train-images-idx3-ubyte is {what}");
    let page_message = refused(
        "a web page, expected IDX images, raw or .gz: the download was refused or redirected, so fetch \
         the file itself",
    );
    assert_eq!(Folder::new().error_with(NAMES[0], page), page_message);
    assert_eq!(Folder::new().error_with(NAMES[0], &gzip(page)), page_message);
    assert_eq!(
        Folder::new().error_with(NAMES[0], pointer),
        refused(
            "a Git LFS pointer, expected IDX images, raw or .gz: fetch the file itself with `git lfs pull`"
        )
    );
}

#[test]
fn a_missing_file_is_named_with_the_one_it_belongs_to() {
    for name in NAMES {
        let folder = Folder::new();
        folder.remove(name);
        let present = if name == NAMES[0] { NAMES[1] } else { NAMES[0] };
        assert_eq!(
            folder.load().unwrap_err().to_string(),
            format!(
                "{} holds no {name} and no {name}.gz, which belongs to {present}",
                folder.0.path().display()
            )
        );
    }
}

#[test]
fn without_test_files_a_sixth_of_each_class_is_held_out() {
    let folder = Folder::new();
    folder.put(NAMES[0], &images(600));
    folder.put(NAMES[1], &labels(600));
    folder.remove(NAMES[2]);
    folder.remove(NAMES[3]);
    let set = folder.load().unwrap();
    assert_eq!((set.train.len(), set.test.len()), (500, 100));
    assert_eq!(
        set.notes,
        ["There are no test images: 100 images, a sixth of each class, are held out as such."]
    );
    let mut held_out = set.test.labels().to_vec();
    held_out.sort_unstable();
    assert!(
        held_out.chunks(10).zip(0..).all(|(chunk, class)| chunk == [class; 10]),
        "{held_out:?}"
    );
    assert_eq!(folder.load().unwrap(), set, "the choice is always the same");
    folder.put(NAMES[0], &images(3));
    folder.put(NAMES[1], &labels(3));
    assert!(
        folder.error().ends_with("has 3 training and 0 test images, expected at least one of each")
    );
}

#[test]
fn a_folder_under_the_name_of_a_file_is_refused() {
    let folder = Folder::new();
    fs::remove_file(folder.path(NAMES[1])).unwrap();
    fs::create_dir(folder.path(NAMES[1])).unwrap();
    assert_eq!(
        folder.error(),
        "train-labels-idx1-ubyte is not a regular file: expected IDX labels, raw or .gz"
    );
}

#[cfg(unix)]
#[test]
fn devices_sockets_and_links_to_nowhere_are_refused() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    let folder = Folder::new();
    let path = folder.path(NAMES[0]);
    let refused = "train-images-idx3-ubyte is not a regular file: expected IDX images, raw or .gz";
    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    assert_eq!(folder.error(), refused);

    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    assert_eq!(
        folder.error(),
        "cannot read train-images-idx3-ubyte: No such file or directory (os error 2)"
    );

    fs::remove_file(&path).unwrap();
    let _listener = UnixListener::bind(&path).unwrap();
    assert_eq!(folder.error(), refused);
}

#[test]
fn another_magic_number_is_refused() {
    assert_eq!(
        Folder::new().error_with(NAMES[0], &labels(12)),
        "train-images-idx3-ubyte starts with 0x00000801, expected 0x00000803 for IDX images: it is \
         another file under this name"
    );
}

#[test]
fn images_of_8_to_64_pixels_a_side_are_read() {
    let folder = Folder::new();
    for name in [NAMES[0], NAMES[2]] {
        let count = if name == NAMES[0] { 12 } else { 5 };
        let mut bytes = header(&[0x803, count, 8, 64]);
        bytes.extend((0..count * 8 * 64).map(|index| index as u8));
        folder.put(name, &bytes);
    }
    let set = folder.load().unwrap();
    assert_eq!((set.info.shape, set.train.shape()), ([1, 8, 64], [1, 8, 64]));
    assert_eq!((set.train.image(1).len(), set.train.image(1)[1]), (512, 1));
    folder.put(NAMES[2], &images(5));
    assert!(
        folder.error().starts_with(
            "t10k-images-idx3-ubyte holds images of 28×28 pixels, expected 8×64 as in "
        )
    );
}

#[test]
fn images_of_other_sizes_are_refused() {
    for (rows, columns) in [(7, 28), (28, 65), (784, 1), (0, 0), (u32::MAX, u32::MAX)] {
        assert_eq!(
            Folder::new().error_with(NAMES[0], &header(&[0x803, 12, rows, columns])),
            format!(
                "train-images-idx3-ubyte holds images of {rows}×{columns} pixels, expected 8 to 64 along \
                 each side"
            )
        );
    }
    let size = "14".parse().ok();
    let folder = Folder::new();
    let message =
        data::load(&DataSource::Path(folder.0.path().into()), size).unwrap_err().to_string();
    assert!(message.ends_with(
        "holds images of 28×28 pixels, expected 14×14: leave out --image-size, which only scales pictures"
    ), "{message}");
}

#[test]
fn counts_of_zero_and_absurd_ones_are_refused() {
    let folder = Folder::new();
    assert_eq!(
        folder.error_with(NAMES[2], &images(0)),
        "t10k-images-idx3-ubyte announces 0 images, expected at least 1"
    );
    assert_eq!(
        Folder::new().error_with(NAMES[1], &header(&[0x801, u32::MAX])),
        "train-labels-idx1-ubyte announces 4294967295 labels, expected at most 1000000: the file \
         is damaged, or too large"
    );
}

#[test]
fn images_that_would_take_more_than_a_gibibyte_are_refused_before_they_are_unpacked() {
    for (bytes, most) in [
        (header(&[0x803, 262_145, 64, 64]), "announces 262145 images, expected at most 262144"),
        (header(&[0x803, 1_000_001, 28, 28]), "announces 1000001 images, expected at most 1000000"),
    ] {
        let message = Folder::new().error_with(NAMES[0], &gzip(&bytes));
        assert!(message.contains(most), "{message}");
    }
}

#[test]
fn counts_that_disagree_are_refused() {
    let folder = Folder::new();
    assert_eq!(
        folder.error_with(NAMES[1], &labels(11)),
        "train-images-idx3-ubyte holds 12 images and train-labels-idx1-ubyte holds 11 labels, \
         expected as many labels as images: take both files from the same set"
    );
}

#[test]
fn a_file_that_ends_early_is_refused() {
    let whole = images(12);
    for (found, expected) in [(0, 16), (3, 16), (4, 16), (15, 16), (16, 9424), (9423, 9424)] {
        let message = format!(
            "train-images-idx3-ubyte ends after {found} bytes, expected {expected}: the file is \
             cut short, fetch it again"
        );
        assert_eq!(Folder::new().error_with(NAMES[0], &whole[..found]), message);

        let folder = Folder::new();
        fs::remove_file(folder.path(NAMES[0])).unwrap();
        let name = format!("{}.gz", NAMES[0]);
        let message = message.replace(NAMES[0], &name);
        assert_eq!(folder.error_with(&name, &gzip(&whole[..found])), message);
    }
}

#[test]
fn a_file_that_goes_on_is_refused() {
    let mut bytes = labels(12);
    bytes.extend([0; 5]);
    assert_eq!(
        Folder::new().error_with(NAMES[1], &bytes),
        "train-labels-idx1-ubyte goes on for 25 bytes or more, expected an end after 20: the file \
         is damaged"
    );
    assert_eq!(
        Folder::new().error_with(NAMES[1], &gzip(&bytes)),
        "train-labels-idx1-ubyte goes on for 21 bytes or more, expected an end after 20: the file is \
         damaged"
    );
}

#[test]
fn a_label_above_99_is_refused() {
    let mut bytes = labels(12);
    bytes[8 + 7] = 99;
    let folder = Folder::new();
    folder.put(NAMES[1], &bytes);
    assert_eq!(folder.load().unwrap().info.classes.len(), 100);
    bytes[8 + 7] = 100;
    assert_eq!(
        Folder::new().error_with(NAMES[1], &bytes),
        "train-labels-idx1-ubyte has 100 as label number 7 (from 0), expected 0 to 99"
    );
}

#[test]
fn gzip_that_is_damaged_is_refused() {
    let whole = gzip(&images(12));
    let mut checksum = whole.clone();
    let at = checksum.len() - 6;
    checksum[at] ^= 1;
    let mut member = whole.clone();
    member.extend(b"rubbish after the end");
    for bytes in [&whole[..whole.len() / 2], &whole[..3], &checksum, &member] {
        let message = Folder::new().error_with(NAMES[0], bytes);
        assert!(
            message.starts_with("train-images-idx3-ubyte is not whole gzip data (")
                && message.ends_with("): fetch it again"),
            "{message}"
        );
    }
}

#[cfg(not(feature = "hub"))]
#[test]
fn a_build_without_the_hub_says_how_to_get_it() {
    assert_eq!(
        data::from_hub(mnist_tui::config::HubSet::Mnist).unwrap_err().to_string(),
        "this mnist-tui is built without the feature `hub` and cannot download MNIST: build it with \
         `cargo build --release --features hub`, or use --data builtin"
    );
}
