//! Sets in folders of pictures, and the names of classes.

use std::fs;

use image::{GrayImage, Luma, Rgba, RgbaImage};
use mnist_tui::{
    config::DataSource,
    data::{self, Splits},
};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Puts pictures of one grey each into the folder of a class.
    fn put(&self, class: &str, greys: &[u8]) {
        for (index, grey) in greys.iter().enumerate() {
            self.put_picture(
                &format!("{class}/{index}.png"),
                &GrayImage::from_pixel(10, 8, Luma([*grey])),
            );
        }
    }

    fn put_picture(&self, name: &str, picture: &GrayImage) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
    }

    fn write(&self, name: &str, text: &[u8]) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn load(&self, size: Option<&str>) -> Result<Splits, String> {
        let size = size.map(|size| size.parse().unwrap());
        let folder = format!("{}/", self.0.path().display());
        data::load(&DataSource::Path(self.0.path().to_owned()), size)
            .map_err(|error| error.to_string().replace(&folder, ""))
    }
}

fn greys(part: &data::Dataset) -> Vec<(u8, u8)> {
    (0..part.len()).map(|index| (part.image(index)[0], part.label(index))).collect()
}

#[test]
fn classes_are_the_folders_in_train_and_test() {
    for (train, test, is_noted) in
        [("train", "test", false), ("Training", "testing", false), ("train", "val", true)]
    {
        let folder = Folder::new();
        folder.put(&format!("{train}/ring"), &[1, 2]);
        folder.put(&format!("{train}/cross"), &[3, 4, 5]);
        folder.put(&format!("{test}/ring"), &[6]);
        folder.put(&format!("{test}/cross"), &[7]);
        folder.write(&format!("{train}/ring/Thumbs.db"), b"of another program");
        fs::create_dir(folder.0.path().join(train).join("__MACOSX")).unwrap();
        let set = folder.load(None).unwrap();
        assert_eq!(
            (set.info.shape, set.info.classes.join(" ")),
            ([1, 8, 10], "cross ring".to_owned())
        );
        assert_eq!(greys(&set.train), [(3, 0), (4, 0), (5, 0), (1, 1), (2, 1)]);
        assert_eq!(greys(&set.test), [(7, 0), (6, 1)]);
        assert_eq!(set.notes.len(), usize::from(is_noted), "{:?}", set.notes);
    }
}

#[test]
fn a_class_that_is_only_in_the_test_set_is_refused() {
    let folder = Folder::new();
    for class in ["train/a", "train/b", "test/a", "test/c"] {
        folder.put(class, &[1]);
    }
    assert_eq!(
        folder.load(None).unwrap_err(),
        "test holds the class c, expected one of the training classes: a, b"
    );
}

#[test]
fn one_level_of_folders_is_a_set_whose_test_images_are_held_out() {
    let folder = Folder::new();
    for class in ["10", "9", "1"] {
        folder.put(class, &[class.parse().unwrap(); 12]);
    }
    let set = folder.load(None).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (30, 6));
    assert_eq!(set.info.classes.join(" "), "1 9 10");
    assert_eq!(greys(&set.test), [(1, 0), (1, 0), (9, 1), (9, 1), (10, 2), (10, 2)]);
    assert_eq!(set.notes.len(), 1);
}

#[test]
fn pictures_of_several_sizes_are_refused_unless_they_are_scaled() {
    let folder = Folder::new();
    folder.put("a", &[1; 6]);
    folder.put("b", &[3; 6]);
    folder.put_picture(
        "b/x.png",
        &GrayImage::from_fn(64, 32, |x, _| Luma([if x < 32 { 0 } else { 200 }])),
    );
    assert_eq!(
        folder.load(None).unwrap_err(),
        "b/x.png is a picture of 32×64 pixels, expected 8×10 as a/0.png: scale all of them with \
         --image-size HxW"
    );
    let set = folder.load(Some("16x8")).unwrap();
    assert_eq!(set.info.shape, [1, 16, 8]);
    let all = [&set.train, &set.test].map(greys);
    let scaled =
        all.concat().iter().position(|grey| *grey == (0, 1)).expect("the one that is black first");
    let image =
        set.train.images().chunks(128).chain(set.test.images().chunks(128)).nth(scaled).unwrap();
    assert_eq!((image[0], image[7]), (0, 200));

    let folder = Folder::new();
    for class in ["a", "b"] {
        folder.put_picture(&format!("{class}/1.png"), &GrayImage::new(100, 100));
    }
    assert_eq!(
        folder.load(None).unwrap_err(),
        "a/1.png is a picture of 100×100 pixels, expected 8 to 64 along each side: scale all of them with \
         --image-size HxW"
    );
}

#[test]
fn pictures_in_colour_and_in_jpeg_are_read_in_grey() {
    let folder = Folder::new();
    folder.put("a", &[50; 6]);
    folder.put("b", &[60; 6]);
    let colour = RgbaImage::from_pixel(10, 8, Rgba([200, 200, 200, 255]));
    colour.save(folder.0.path().join("a/c.png")).unwrap();
    folder.put_picture("a/j.jpg", &GrayImage::from_pixel(10, 8, Luma([128])));
    let set = folder.load(None).unwrap();
    let mut found = [greys(&set.train), greys(&set.test)].concat();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, [(50, 0), (60, 1), (128, 0), (200, 0)]);
}

#[test]
fn a_picture_that_is_damaged_is_named() {
    let folder = Folder::new();
    folder.put("a", &[1, 2]);
    folder.put("b", &[3, 4]);
    folder.write("b/2.png", b"text");
    let message = folder.load(None).unwrap_err();
    assert!(message.starts_with("b/2.png is neither PNG nor JPEG"), "{message}");
}

#[test]
fn more_than_a_hundred_classes_are_refused() {
    let folder = Folder::new();
    for class in 0..101 {
        folder.put(&class.to_string(), &[1]);
    }
    let message = folder.load(None).unwrap_err();
    assert!(
        message.ends_with("holds pictures in 101 folders, expected at most 100 classes"),
        "{message}"
    );
}

/// A table of 8×8 images, `labels.txt` next to it, and the names of the classes.
fn named(labels: &[u8], text: &[u8]) -> Result<Vec<String>, String> {
    let folder = Folder::new();
    let line = |label| format!("{label}{}\n", ",9,200".repeat(32));
    let lines = labels.iter().map(line).collect::<Vec<_>>().concat();
    folder.write("x.csv", lines.as_bytes());
    folder.write("labels.txt", text);
    let set = folder.load(None)?;
    let file =
        data::load(&DataSource::Path(folder.0.path().join("x.csv")), None).expect("the same");
    assert_eq!(file.info.classes, set.info.classes);
    Ok(set.info.classes)
}

#[test]
fn classes_have_the_names_in_labels_txt() {
    let labels = [0, 1, 2].repeat(4);
    let names = named(&labels, "\u{feff}cross\r\nring\n\n dot \n".as_bytes()).unwrap();
    assert_eq!(names, ["cross", "ring", "dot"]);
    // More classes than occur in the images.
    assert_eq!(named(&labels, b"a\nb\nc\nd").unwrap().len(), 4);
    assert_eq!(
        named(&labels, b"one").unwrap_err(),
        "labels.txt names 1 classes, expected 3, one a line"
    );
    assert_eq!(
        named(&labels, &b"a\n".repeat(101)).unwrap_err(),
        "labels.txt names 101 classes, expected 3, one a line"
    );
    let long = format!("{}\nb\nc\n", "é".repeat(100));
    assert_eq!(named(&labels, long.as_bytes()).unwrap()[0].chars().count(), 64);
    assert!(named(&labels, b"\xff\nb\nc\n").is_ok());
}

#[test]
fn a_set_of_one_class_is_two_so_that_a_network_has_something_to_tell_apart() {
    let folder = Folder::new();
    folder.write("x.csv", format!("0{}\n", ",9,200".repeat(32)).repeat(12).as_bytes());
    assert_eq!(folder.load(None).unwrap().info.classes, ["0", "1"]);
}
