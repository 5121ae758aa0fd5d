//! `predict` as scripts use it: pictures in, digits out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use image::{DynamicImage, GrayImage, Luma, LumaA, Rgb};
use mnist_tui::data::{self, Dataset};
use serde_json::Value;
use tempfile::TempDir;

/// Pictures that are written for each kind.
const PICTURES: usize = 40;

struct Ended {
    status: i32,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str], folder: &Path) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        status: status.code().expect("no signal ended it"),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

fn test_images() -> &'static Dataset {
    static IMAGES: OnceLock<Dataset> = OnceLock::new();
    IMAGES.get_or_init(|| data::builtin().expect("it is inside the program").test)
}

/// Weights of half an epoch, which recognise most digits.
fn weights() -> &'static str {
    static WEIGHTS: OnceLock<(TempDir, String)> = OnceLock::new();
    let (_, path) = WEIGHTS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let arguments = ["--headless", "--steps", "600", "--save", "w.safetensors"];
        let ended = run(&arguments, folder.path());
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        let path = folder.path().join("w.safetensors").to_str().expect("UTF-8").to_owned();
        (folder, path)
    });
    path
}

/// An image of the test set, each pixel `scale` times as large.
fn enlarged(index: usize, scale: u32) -> GrayImage {
    let pixels = test_images().image(index);
    GrayImage::from_fn(28 * scale, 28 * scale, |x, y| {
        Luma([pixels[(y / scale * 28 + x / scale) as usize]])
    })
}

fn predict(arguments: &[&str], folder: &Path) -> Ended {
    run(&[&["predict", "--weights", weights()], arguments].concat(), folder)
}

/// Writes the first test images as pictures and gives how many of them are recognised.
fn recognised(extension: &str, picture: impl Fn(usize) -> DynamicImage) -> usize {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names: Vec<String> = (0..PICTURES).map(|index| format!("{index}.{extension}")).collect();
    for (index, name) in names.iter().enumerate() {
        picture(index).save(folder.path().join(name)).expect("written");
    }
    let mut arguments = vec!["--json"];
    arguments.extend(names.iter().map(String::as_str));
    let ended = predict(&arguments, folder.path());
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout.lines().count(), PICTURES);
    let right = ended.stdout.lines().enumerate().filter(|&(index, line)| {
        let answer: Value = serde_json::from_str(line).expect("a JSON object");
        assert_eq!(answer["file"], *names[index]);
        let shares = answer["probabilities"].as_array().expect("ten numbers");
        let sum: f64 = shares.iter().map(|share| share.as_f64().expect("a number")).sum();
        assert!(shares.len() == 10 && (sum - 1.0).abs() < 1e-3, "{line}");
        answer["digit"] == test_images().label(index)
    });
    right.count()
}

#[test]
fn digits_are_recognised_however_they_are_put_into_a_picture() {
    let most = PICTURES * 9 / 10;
    let check = |what: &str, right: usize| assert!(right >= most, "{what}: {right} of {PICTURES}");
    check("as they are", recognised("png", |index| enlarged(index, 1).into()));
    check("inverted", {
        recognised("png", |index| {
            let mut picture = enlarged(index, 1);
            image::imageops::invert(&mut picture);
            picture.into()
        })
    });
    check("ten times as large", recognised("png", |index| enlarged(index, 10).into()));
    check("black on nothing", {
        recognised("png", |index| {
            let ink = enlarged(index, 5);
            let (width, height) = ink.dimensions();
            let picture = image::ImageBuffer::from_fn(width, height, |x, y| {
                LumaA([0, ink.get_pixel(x, y).0[0]])
            });
            DynamicImage::ImageLumaA8(picture)
        })
    });
    check("red on a wide green ground", {
        recognised("png", |index| {
            let ink = enlarged(index, 4);
            let picture =
                image::ImageBuffer::from_fn(ink.width() * 3, ink.height() + 40, |x, y| {
                    let at = x.checked_sub(ink.width()).zip(y.checked_sub(20));
                    let pixel = at.and_then(|(x, y)| ink.get_pixel_checked(x, y));
                    let share = pixel.map_or(0, |pixel| u16::from(pixel.0[0]));
                    Rgb([(60 + 140 * share / 255) as u8, (220 - 200 * share / 255) as u8, 70])
                });
            DynamicImage::ImageRgb8(picture)
        })
    });
    check("dark on light in JPEG", {
        recognised("jpg", |index| {
            let mut picture = enlarged(index, 8);
            image::imageops::invert(&mut picture);
            picture.into()
        })
    });
}

fn seven(folder: &Path) -> PathBuf {
    // The first image of the test set shows a seven.
    let path = folder.join("seven.png");
    enlarged(0, 4).save(&path).expect("written");
    path
}

#[test]
fn without_a_terminal_two_lines_say_what_a_picture_shows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    seven(folder.path());
    let ended = predict(&["seven.png"], folder.path());
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stdout);
    assert!(lines[0].starts_with("seven.png: 7 (") && lines[0].ends_with("%)"), "{}", lines[0]);
    assert_eq!(lines[1].matches('%').count(), 10, "{}", lines[1]);
}

#[test]
fn what_cannot_be_used_is_told_and_the_rest_is_done() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    seven(folder.path());
    let path = |name: &str| folder.path().join(name);
    GrayImage::from_pixel(50, 40, Luma([230])).save(path("blank.png")).expect("written");
    fs::write(path("text.png"), "no picture").expect("written");
    let whole = fs::read(path("seven.png")).expect("it was written");
    fs::write(path("half.png"), &whole[..whole.len() / 2]).expect("written");
    fs::create_dir(path("folder.png")).expect("made");
    let long = GrayImage::from_pixel(16_385, 2, Luma([9]));
    long.save(path("long.png")).expect("written");
    let problems = [
        ("nowhere.png", "there is no file nowhere.png: expected a PNG or JPEG picture of a digit"),
        ("blank.png", "blank.png is blank: expected a digit that stands out from its background"),
        ("text.png", "text.png is neither PNG nor JPEG: convert it to one of them"),
        ("half.png", "half.png cannot be decoded ("),
        ("folder.png", "folder.png is not a regular file: expected a PNG or JPEG picture"),
        ("long.png", "long.png has 16385×2 pixels, expected at most 16384 along each side"),
    ];
    let mut arguments: Vec<&str> = problems.iter().map(|(name, _)| *name).collect();
    arguments.insert(3, "seven.png");
    let ended = predict(&arguments, folder.path());
    assert_eq!(ended.status, 1);
    assert!(ended.stdout.starts_with("seven.png: 7 ("), "{}", ended.stdout);
    assert_eq!(ended.stdout.lines().count(), 2, "{}", ended.stdout);
    let errors: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(errors.len(), problems.len(), "{}", ended.stderr);
    for (error, (_, message)) in errors.iter().zip(problems) {
        assert!(error.starts_with(&format!("error: {message}")), "{error}");
    }
}

#[test]
fn weights_that_cannot_be_used_and_wrong_usage_end_it_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    seven(folder.path());
    for (arguments, status, message) in [
        (&["--weights", "nowhere", "seven.png"][..], 1, "there is no file nowhere"),
        (&["--weights", "seven.png", "seven.png"][..], 1, "seven.png"),
        (&["--weights", weights()][..], 2, "<IMAGE>..."),
        (&["seven.png"][..], 2, "--weights <FILE>"),
        (&["--weights", weights(), "--threads", "0", "seven.png"][..], 2, "--threads is 0"),
    ] {
        let ended = run(&[&["predict"], arguments].concat(), folder.path());
        assert_eq!((ended.status, ended.stdout.as_str()), (status, ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
    }
}
