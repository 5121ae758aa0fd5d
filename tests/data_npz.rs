//! Sets in `.npz` files.

use std::{fs, io::Write, path::Path};

use flate2::{Compression, write::DeflateEncoder};
use mnist_tui::{
    config::DataSource,
    data::{self, DataError, Splits},
};
use proptest::prelude::*;
use tempfile::TempDir;

/// An array of a type and shape.
fn npy(descr: &str, shape: &[usize], values: &[u8]) -> Vec<u8> {
    let shape: Vec<_> = shape.iter().map(usize::to_string).collect();
    let shape = shape.join(", ");
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape},), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.bytes());
    bytes.extend(values);
    bytes
}

/// A zip archive, stored or deflated.
fn zip(members: &[(&str, Vec<u8>)], deflated: bool) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, contents) in members {
        let packed = if deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(contents).unwrap();
            encoder.finish().unwrap()
        } else {
            contents.clone()
        };
        // Version, flags, method, time, checksum, sizes, length of the name and of extra fields.
        let mut common = vec![20, 0, 0, 0, if deflated { 8 } else { 0 }, 0, 0, 0, 0, 0];
        common.extend(crc32fast::hash(contents).to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((contents.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((bytes.len() as u32).to_le_bytes());
        directory.extend(name.bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.bytes());
        bytes.extend(packed);
    }
    let start = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([(members.len() as u16).to_le_bytes(); 2].concat());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn pixels(count: usize) -> Vec<u8> {
    (0..count * 64).map(|index| (index * 7 % 256) as u8).collect()
}

fn labels(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 3) as u8).collect()
}

/// 12 training and 6 test images of 8×8 pixels.
fn keras() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("x_train.npy", npy("|u1", &[12, 8, 8], &pixels(12))),
        ("y_train.npy", npy("|u1", &[12], &labels(12))),
        ("x_test.npy", npy("|u1", &[6, 8, 8], &pixels(6))),
        ("y_test.npy", npy("|u1", &[6], &labels(6))),
    ]
}

fn load(path: &Path) -> Result<Splits, DataError> {
    data::load(&DataSource::Path(path.to_owned()), None)
}

/// Loads the only file of a folder.
fn load_bytes(bytes: &[u8]) -> Result<Splits, String> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("set.npz");
    fs::write(&path, bytes).unwrap();
    let place = format!("{}/", folder.path().display());
    load(&path).map_err(|error| error.to_string().replace(&place, ""))
}

/// The error with one of the arrays of [`keras`] replaced.
fn error_with(name: &str, array: Vec<u8>) -> String {
    let mut members = keras();
    members.iter_mut().find(|member| member.0 == name).unwrap().1 = array;
    load_bytes(&zip(&members, false)).unwrap_err()
}

#[test]
fn stored_and_deflated_archives_give_the_same_set_from_a_file_or_its_folder() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("set.npz");
    for deflated in [false, true] {
        fs::write(&path, zip(&keras(), deflated)).unwrap();
        for place in [&path, &folder.path().to_owned()] {
            let set = load(place).unwrap();
            assert_eq!((set.train.images(), set.test.images()), (&*pixels(12), &*pixels(6)));
            assert_eq!((set.train.labels(), set.test.labels()), (&*labels(12), &*labels(6)));
            assert_eq!(
                (set.info.shape, set.info.classes.join(" ")),
                ([1, 8, 8], "0 1 2".to_owned())
            );
        }
    }
    // Whatever it is called, if it is asked for.
    let renamed = folder.path().join("set");
    fs::rename(&path, &renamed).unwrap();
    assert_eq!(load(&renamed).unwrap().train.len(), 12);
}

#[test]
fn labels_of_every_type_and_images_of_every_shape_are_read() {
    let wide =
        |bytes: fn(u8) -> Vec<u8>| labels(12).into_iter().flat_map(bytes).collect::<Vec<_>>();
    let expected = load_bytes(&zip(&keras(), false)).unwrap();
    for array in [
        npy("<i8", &[12], &wide(|label| i64::from(label).to_le_bytes().to_vec())),
        npy(">i4", &[12], &wide(|label| i32::from(label).to_be_bytes().to_vec())),
        npy("<f8", &[12, 1], &wide(|label| f64::from(label).to_le_bytes().to_vec())),
        npy("<f4", &[12], &wide(|label| f32::from(label).to_le_bytes().to_vec())),
    ] {
        let mut members = keras();
        members[1].1 = array;
        assert_eq!(load_bytes(&zip(&members, true)).unwrap().train, expected.train);
    }
    for shape in [&[12, 8, 8, 1][..], &[12, 1, 8, 8], &[12, 64]] {
        let mut members = keras();
        members[0].1 = npy("|u1", shape, &pixels(12));
        assert_eq!(load_bytes(&zip(&members, false)).unwrap().train, expected.train, "{shape:?}");
    }
}

#[test]
fn fractions_and_a_few_greys_are_stretched_to_bytes() {
    let with_images = |descr: &str, bytes: &dyn Fn(u8) -> Vec<u8>| {
        let mut members = keras();
        for (place, count) in [(0, 12), (2, 6)] {
            let values: Vec<u8> = pixels(count).into_iter().flat_map(bytes).collect();
            members[place].1 = npy(descr, &[count, 8, 8], &values);
        }
        load_bytes(&zip(&members, true)).unwrap()
    };
    let fractions = with_images("<f4", &|pixel| (f32::from(pixel) / 255.0).to_le_bytes().to_vec());
    assert_eq!(fractions.train.images(), pixels(12));
    let whole = with_images("<f8", &|pixel| f64::from(pixel).to_le_bytes().to_vec());
    assert_eq!(whole.train.images(), pixels(12));
    assert!(fractions.notes.is_empty() && whole.notes.is_empty());
    let greys = with_images("<i2", &|pixel| i16::from(pixel % 17).to_le_bytes().to_vec());
    assert_eq!(greys.notes, ["Pixels from 0 to 16 were stretched to 0 to 255."]);
    let expected = pixels(12).into_iter().map(|pixel| (u16::from(pixel % 17) * 255 / 16) as u8);
    assert_eq!(greys.train.images(), expected.collect::<Vec<_>>());
}

#[test]
fn arrays_under_other_names_are_found() {
    let renamed = |names: &[&'static str]| {
        let members: Vec<_> =
            names.iter().copied().zip(keras().into_iter().map(|one| one.1)).collect();
        load_bytes(&zip(&members, false)).unwrap()
    };
    let expected = renamed(&["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"]);
    for names in [
        ["train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy"],
        ["arr_0.npy", "arr_1.npy", "arr_2.npy", "arr_3.npy"],
    ] {
        assert_eq!(renamed(&names), expected);
    }
    for names in [["images.npy", "labels.npy"], ["X.npy", "y.npy"], ["arr_0.npy", "arr_1.npy"]] {
        let set = renamed(&names);
        assert_eq!((set.train.len(), set.test.len(), set.notes.len()), (10, 2, 1));
    }
    let validated =
        renamed(&["train_images.npy", "train_labels.npy", "val_images.npy", "val_labels.npy"]);
    assert_eq!((&validated.test, validated.notes.len()), (&expected.test, 1));
    assert_eq!(
        load_bytes(&zip(&[("a.npy", npy("|u1", &[1], &[0]))], false)).unwrap_err(),
        "there are no training images with labels in set.npz with the arrays a: expected arrays named \
         x_train and y_train and, if there are test images, x_test and y_test"
    );
}

#[test]
fn arrays_may_have_a_file_each() {
    let folder = TempDir::new().unwrap();
    let names = ["train-imgs", "train-labels", "test-imgs", "test-labels"];
    for (set, shift) in [("kmnist", 0), ("k49", 1)] {
        for ((_, array), name) in keras().into_iter().zip(names) {
            let mut array = array;
            *array.last_mut().unwrap() = shift;
            let path = folder.path().join(format!("{set}-{name}.npz"));
            fs::write(path, zip(&[("arr_0.npy", array)], true)).unwrap();
        }
    }
    let set = load(&folder.path().join("k49-")).unwrap();
    assert_eq!((set.train.len(), set.test.label(5), set.info.name.as_str()), (12, 1, "k49"));
    let message = load(folder.path()).unwrap_err().to_string();
    assert!(message.contains("several data sets (k49, kmnist): choose one"), "{message}");
}

#[test]
fn of_several_files_the_one_of_keras_is_read() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str| fs::write(folder.path().join(name), zip(&keras(), false)).unwrap();
    write("one.npz");
    write("two.npz");
    let message = load(folder.path()).unwrap_err().to_string();
    assert!(message.contains("several data sets (one.npz, two.npz)"), "{message}");
    write("mnist.npz");
    assert_eq!(load(folder.path()).unwrap().train.len(), 12);
}

#[test]
fn arrays_that_hold_no_images_or_labels_are_refused_in_a_sentence() {
    let shaped = |shape: &[usize]| npy("|u1", shape, &vec![0; shape.iter().product()]);
    for (name, array, expected) in [
        (
            "x_train.npy",
            shaped(&[12, 8, 8, 3]),
            "set.npz (x_train) has the shape (12, 8, 8, 3), expected grey images (n, height, width), with \
             or without a last dimension of 1",
        ),
        (
            "x_train.npy",
            shaped(&[12, 7, 8]),
            "set.npz (x_train) holds images of 7×8 pixels, expected 8 to 64 along each side",
        ),
        (
            "x_test.npy",
            shaped(&[6, 9, 9]),
            "set.npz (x_test) holds images of 9×9 pixels, expected 8×8 as in set.npz (x_train)",
        ),
        (
            "x_train.npy",
            shaped(&[0, 8, 8]),
            "set.npz (x_train) holds 0 images and set.npz (y_train)",
        ),
        ("x_train.npy", npy("|O", &[12, 8, 8], &[]), "set.npz (x_train) holds values of type |O"),
        (
            "y_train.npy",
            shaped(&[11]),
            "set.npz (x_train) holds 12 images and set.npz (y_train) holds 11 labels, expected as many \
             labels as images: take both files from the same set",
        ),
        (
            "y_train.npy",
            shaped(&[12, 10]),
            "set.npz (y_train) has the shape (12, 10), expected a number for each image: numpy.argmax",
        ),
        (
            "y_train.npy",
            npy("|u1", &[12], &[200; 12]),
            "set.npz (y_train) has 200 as label number 0 (from 0), expected 0 to 99",
        ),
        (
            "y_train.npy",
            npy("|i1", &[12], &[255; 12]),
            "set.npz (y_train) has -1 as label number 0 (from 0), expected 0 to 99",
        ),
        (
            "y_train.npy",
            npy("<f4", &[12], &0.5_f32.to_le_bytes().repeat(12)),
            "set.npz (y_train) has 0.5 as label number 0 (from 0), expected whole numbers",
        ),
        (
            "y_train.npy",
            npy("<f4", &[12], &f32::NAN.to_le_bytes().repeat(12)),
            "set.npz (y_train) has NaN as label number 0 (from 0), expected whole numbers",
        ),
        (
            "x_test.npy",
            npy("<f4", &[6, 8, 8], &f32::NAN.to_le_bytes().repeat(6 * 64)),
            "set.npz (x_test) holds pixels from inf to -inf and NaN, expected whole numbers from 0 to 255",
        ),
        (
            "x_test.npy",
            npy("<i2", &[6, 8, 8], &[1; 2 * 6 * 64]),
            "set.npz (x_test) holds pixels from 257 to 257, expected whole numbers from 0 to 255, or",
        ),
        (
            "x_test.npy",
            npy("|u1", &[6, 8, 8], &[0; 100]),
            "bytes for an array of shape (6, 8, 8), expected an intact .npz file: fetch it again",
        ),
        (
            "x_test.npy",
            b"\x93NUMPY".to_vec(),
            "set.npz (x_test) cannot be unpacked (it ends too early)",
        ),
        ("x_test.npy", vec![0; 100], "set.npz (x_test) does not start as an array does"),
    ] {
        let message = error_with(name, array);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn headers_that_claim_more_than_the_file_can_hold_are_refused_before_memory_is_taken() {
    let huge = npy("|u1", &[1_000_000, 64, 64], &[]);
    let message = error_with("x_train.npy", huge.clone());
    assert!(message.contains("bytes for an array of shape (1000000, 64, 64)"), "{message}");
    let overflowing = npy("<f8", &[usize::MAX, usize::MAX, 3], &[]);
    assert!(error_with("x_train.npy", overflowing).contains("bytes for an array of shape"));
    // The directory says the same as the header.
    let mut bytes = zip(&[("x_train.npy", huge), ("y_train.npy", npy("|u1", &[1], &[0]))], true);
    let claimed = 4_096_000_000_u32 + 100;
    let at = bytes.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    let first = bytes[..at].windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    bytes[first + 24..first + 28].copy_from_slice(&claimed.to_le_bytes());
    let message = load_bytes(&bytes).unwrap_err();
    assert!(message.contains("bytes cannot hold 4096000100"), "{message}");
}

#[test]
fn what_is_no_archive_or_a_damaged_one_is_refused() {
    let message = load_bytes(b"<!DOCTYPE html><html>").unwrap_err();
    assert!(
        message.starts_with("set.npz is a web page, expected an .npz file of NumPy:"),
        "{message}"
    );
    for deflated in [false, true] {
        let whole = zip(&keras(), deflated);
        let message = load_bytes(&whole[..whole.len() / 2]).unwrap_err();
        assert!(message.starts_with("set.npz cannot be unpacked ("), "{message}");
        let mut damaged = whole.clone();
        // Within the images.
        damaged[300] ^= 1;
        let message = load_bytes(&damaged).unwrap_err();
        assert!(message.contains("set.npz (x_train) cannot be unpacked ("), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_archives_end_in_a_set_or_a_sentence(
        deflated in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = zip(&keras(), deflated);
        for (place, value) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        match load_bytes(&bytes) {
            Ok(set) => prop_assert_eq!(set.train.pixels(), set.info.pixels()),
            Err(message) => prop_assert!(message.contains("set.npz"), "{}", message),
        }
    }
}
