//! What a file is that is no data file.

/// What a file is, and how to get a set out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// With its article, such as `a web page`.
    pub what: &'static str,
    /// What to do, as a clause.
    pub advice: &'static str,
}

/// Bytes of a file's start that are enough to tell.
pub(super) const HEAD: usize = 64;

const SAVE_NPZ: &str = "load it in Python and save it with numpy.savez_compressed(\"set.npz\", \
                        x_train=…, y_train=…, x_test=…, y_test=…)";
const UNPACK: &str = "unpack it and give the folder";

/// Starts of files, what they are, and what to do.
const STARTS: [(&[u8], &str, &str); 20] = [
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file itself with `git lfs pull`"),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"\x1f\x8b", "gzip data", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"BZh", "bzip2 data", "unpack it"),
    (b"\xfd7zXZ\0", "xz data", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data", "unpack it"),
    (b"\x93NUMPY", "a single NumPy array", SAVE_NPZ),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", SAVE_NPZ),
    (b"PAR1", "a Parquet file", SAVE_NPZ),
    (b"ARROW1", "an Arrow file", SAVE_NPZ),
    (b"MATLAB 5.0", "a MATLAB file", SAVE_NPZ),
    (b"\x80\x02", "a Python pickle", SAVE_NPZ),
    (b"\x80\x03", "a Python pickle", SAVE_NPZ),
    (b"\x80\x04", "a Python pickle", SAVE_NPZ),
    (b"\x80\x05", "a Python pickle", SAVE_NPZ),
    (
        b"\x89PNG",
        "a PNG picture",
        "put the pictures into a folder for each class and give their folder",
    ),
    (
        b"\xff\xd8\xff",
        "a JPEG picture",
        "put the pictures into a folder for each class and give their folder",
    ),
    (b"%PDF", "a PDF document", "fetch the data set itself"),
];

/// What a file is that starts with `head`, if that is known.
pub(super) fn identify(head: &[u8]) -> Option<Foreign> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let tag = text.get(..5).unwrap_or(text).to_ascii_lowercase();
    if [&b"<!doc"[..], b"<html", b"<head", b"<?xml"].contains(&tag.as_slice()) {
        let advice = "the download was refused or redirected, so fetch the file itself";
        return Some(Foreign { what: "a web page", advice });
    }
    let found = STARTS.iter().find(|(start, ..)| head.starts_with(start));
    found.map(|&(_, what, advice)| Foreign { what, advice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_pages_are_known_by_their_first_tag() {
        for page in ["<!DOCTYPE html>", "\u{feff}<html>", "\n <HTML lang=en>", "<?xml version"] {
            let found = identify(page.as_bytes()).expect(page);
            assert_eq!(found.what, "a web page");
        }
        assert_eq!(identify(b"<1,2,3"), None);
    }

    #[test]
    fn other_files_are_known_by_their_first_bytes() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0";
        assert_eq!(identify(pointer).map(|found| found.what), Some("a Git LFS pointer"));
        for (start, what, _) in STARTS {
            assert!(start.len() <= HEAD);
            assert_eq!(identify(start).map(|found| found.what), Some(what));
        }
        assert_eq!(identify(b""), None);
        assert_eq!(identify(&[0, 0, 8, 3]), None);
    }
}
