//! Reading MNIST from a folder: every form that is accepted and every error by its sentence.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use mnist_tui::data::{self, DataError, PIXELS};
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

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn load(&self) -> Result<data::Splits, DataError> {
        data::from_dir(self.0.path())
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
fn gzip_and_dotted_names_give_the_same_set_as_raw_files() {
    let raw = Folder::new().load().unwrap();
    let folder = Folder::new();
    for name in NAMES {
        let bytes = fs::read(folder.path(name)).unwrap();
        fs::remove_file(folder.path(name)).unwrap();
        folder.put(&format!("{name}.gz"), &gzip(&bytes));
    }
    assert_eq!(folder.load().unwrap(), raw);
    for name in NAMES {
        folder.rename(&format!("{name}.gz"), &format!("{}.gz", name.replacen("-idx", ".idx", 1)));
    }
    assert_eq!(folder.load().unwrap(), raw);

    let folder = Folder::new();
    for name in NAMES {
        folder.rename(name, &name.replacen("-idx", ".idx", 1));
    }
    assert_eq!(folder.load().unwrap(), raw);
}

#[test]
fn a_raw_file_is_taken_before_a_gzip_one() {
    let folder = Folder::new();
    folder.put("train-images-idx3-ubyte.gz", b"not gzip");
    assert_eq!(folder.load().unwrap().train.len(), 12);
}

#[test]
fn a_missing_or_wrong_folder_is_named() {
    let folder = Folder::new();
    let advice = "--data takes `builtin`, `hub` or a folder with the four MNIST files";
    let none = folder.path("none");
    assert_eq!(
        data::from_dir(&none).unwrap_err().to_string(),
        format!("there is no folder {}: {advice}", none.display())
    );
    let file = folder.path(NAMES[0]);
    assert_eq!(
        data::from_dir(&file).unwrap_err().to_string(),
        format!("{} is not a folder: {advice}", file.display())
    );
    assert!(data::from_dir(Path::new("a\0b")).is_err());
}

#[test]
fn a_missing_file_is_named_with_what_is_needed() {
    for name in NAMES {
        let folder = Folder::new();
        fs::remove_file(folder.path(name)).unwrap();
        assert_eq!(
            folder.load().unwrap_err().to_string(),
            format!(
                "{} holds no {name} and no {name}.gz: expected train-images-idx3-ubyte, \
                 train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each \
                 raw or .gz",
                folder.0.path().display()
            )
        );
    }
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
    let folder = Folder::new();
    assert_eq!(
        folder.error_with(NAMES[0], &labels(12)),
        "train-images-idx3-ubyte starts with 0x00000801, expected 0x00000803 for IDX images: it \
         is another file under this name, or compressed"
    );
    assert_eq!(
        Folder::new().error_with(NAMES[3], &gzip(&labels(5))),
        "t10k-labels-idx1-ubyte starts with 0x1f8b0800, expected 0x00000801 for IDX labels: it is \
         another file under this name, or compressed"
    );
}

#[test]
fn images_of_another_size_are_refused() {
    for (rows, columns) in [(32, 32), (784, 1), (0, 0), (u32::MAX, u32::MAX)] {
        assert_eq!(
            Folder::new().error_with(NAMES[0], &header(&[0x803, 12, rows, columns])),
            format!(
                "train-images-idx3-ubyte holds images of {rows}×{columns} pixels, expected 28×28"
            )
        );
    }
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
         is damaged or no MNIST file"
    );
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
         is damaged or no MNIST file"
    );
    let folder = Folder::new();
    fs::remove_file(folder.path(NAMES[1])).unwrap();
    assert_eq!(
        folder.error_with("train-labels-idx1-ubyte.gz", &gzip(&bytes)),
        "train-labels-idx1-ubyte.gz goes on for 21 bytes or more, expected an end after 20: the \
         file is damaged or no MNIST file"
    );
}

#[test]
fn a_label_above_nine_is_refused() {
    let mut bytes = labels(12);
    bytes[8 + 7] = 10;
    assert_eq!(
        Folder::new().error_with(NAMES[1], &bytes),
        "train-labels-idx1-ubyte has 10 as label number 7 (from 0), expected labels below 10"
    );
}

#[test]
fn gzip_that_is_damaged_or_none_is_refused() {
    let whole = gzip(&images(12));
    let mut checksum = whole.clone();
    let at = checksum.len() - 6;
    checksum[at] ^= 1;
    let mut member = whole.clone();
    member.extend(b"rubbish after the end");
    for bytes in [&whole[..whole.len() / 2], &whole[..3], &checksum, &member, b"raw", b""] {
        let folder = Folder::new();
        fs::remove_file(folder.path(NAMES[0])).unwrap();
        let message = folder.error_with("train-images-idx3-ubyte.gz", bytes);
        assert!(
            message.starts_with("train-images-idx3-ubyte.gz is not whole gzip data (")
                && message.ends_with(
                    "): fetch it again, or drop the .gz from its name if it is already unpacked"
                ),
            "{message}"
        );
    }
}

#[cfg(not(feature = "hub"))]
#[test]
fn a_build_without_the_hub_says_how_to_get_it() {
    assert_eq!(
        data::from_hub().unwrap_err().to_string(),
        "this mnist-tui is built without the feature `hub`: build it with `cargo build --release \
         --features hub`, or use --data builtin"
    );
}
