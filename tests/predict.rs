//! `predict` as scripts use it: pictures in, digits out.

#[path = "common/photographs.rs"]
mod photographs;

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, LumaA, Rgb, imageops};
use imageproc::drawing::draw_filled_circle_mut;
use mnist_tui::data::{self, Dataset};
use photographs::{KINDS, photograph};
use rayon::prelude::*;
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

/// Weights of two epochs, which recognise nearly all digits.
fn weights() -> &'static str {
    static WEIGHTS: OnceLock<(TempDir, String)> = OnceLock::new();
    let (_, path) = WEIGHTS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let arguments = ["--headless", "--epochs", "2", "--save", "w.safetensors"];
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
        ("folder.png", "folder.png holds no pictures: expected files whose names end in .png"),
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

/// Each kind is as good as pictures without a fault.
#[test]
fn digits_are_found_in_photographs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = 30;
    let path = |kind: &str, index: usize| folder.path().join(format!("{kind}/{index}.png"));
    for kind in KINDS {
        fs::create_dir(folder.path().join(kind)).expect("made");
        (first..first + 30).into_par_iter().for_each(|index| {
            let picture = photograph(kind, test_images().image(index), index as u64);
            picture.save(path(kind, index)).expect("written");
        });
    }
    weights();
    let right = KINDS.par_iter().map(|&kind| {
        let ended = predict(&["--json", kind], folder.path());
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{kind}");
        assert_eq!(ended.stdout.lines().count(), 30, "{kind}");
        let is_right = |(place, line): &(usize, &str)| {
            let answer: Value = serde_json::from_str(line).expect("a JSON object");
            let index = first + place;
            assert_eq!(answer["file"], format!("{kind}/{index}.png"));
            answer["digit"] == test_images().label(index)
        };
        (kind, ended.stdout.lines().enumerate().filter(is_right).count())
    });
    let right: Vec<_> = right.collect();
    assert!(right.iter().all(|&(_, right)| right >= 28), "{right:?}");
}

/// A digit of the test set, dark on light, with paper around it.
fn on_paper(index: usize) -> GrayImage {
    let mut paper = GrayImage::new(600, 400);
    let digit = imageops::resize(&enlarged(index, 1), 200, 200, imageops::FilterType::Triangle);
    imageops::replace(&mut paper, &digit, 50, 100);
    imageops::invert(&mut paper);
    paper
}

#[test]
fn what_does_not_look_like_one_digit_is_answered_with_a_warning() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let several = {
        let mut picture = on_paper(0);
        let other = imageops::crop_imm(&on_paper(2), 50, 100, 200, 200).to_image();
        imageops::replace(&mut picture, &other, 300, 100);
        picture
    };
    let faint = {
        let mut picture = on_paper(0);
        picture.iter_mut().for_each(|value| *value = 200 + *value / 14);
        picture
    };
    let mut disc = GrayImage::from_pixel(400, 400, Luma([220]));
    draw_filled_circle_mut(&mut disc, (200, 200), 80, Luma([40]));
    for (picture, warning, text) in [
        (&on_paper(0), None, ""),
        (&several, Some("several"), "warning: x.png shows several shapes that may be digits: "),
        (&faint, Some("faint"), "warning: x.png shows only faint ink: "),
        (
            &disc,
            Some("none"),
            "warning: x.png shows nothing that looks like the strokes of a digit: ",
        ),
    ] {
        picture.save(folder.path().join("x.png")).expect("written");
        let ended = predict(&["--json", "x.png"], folder.path());
        let answer: Value = serde_json::from_str(&ended.stdout).expect("a JSON object");
        assert_eq!((ended.status, answer["warning"].as_str()), (0, warning), "{answer}");
        assert!(ended.stderr.starts_with(text), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), usize::from(warning.is_some()));
        let message = answer["message"].as_str();
        assert_eq!(message.is_some(), warning.is_some());
        assert!(ended.stderr.contains(message.unwrap_or_default()), "{}", ended.stderr);
    }
}

fn jpeg(picture: &GrayImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).expect("memory takes everything");
    bytes.into_inner()
}

#[test]
fn a_jpeg_that_is_cut_short_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = jpeg(&on_paper(0));
    // A thumbnail has an end marker of its own.
    let thumbnail = [b"Exif\0\0".as_slice(), &jpeg(&enlarged(0, 1))].concat();
    let length = (thumbnail.len() as u16 + 2).to_be_bytes();
    let with_thumbnail = [&whole[..2], &[0xFF, 0xE1], &length, &thumbnail, &whole[2..]].concat();
    let followed = [whole.as_slice(), b"\0\0and more", &whole[..99]].concat();
    let half = |bytes: &[u8]| bytes[..bytes.len() - whole.len() / 2].to_vec();
    for (bytes, is_whole) in [
        (whole.clone(), true),
        (with_thumbnail.clone(), true),
        (followed, true),
        (half(&whole), false),
        (half(&with_thumbnail), false),
        (whole[..700].to_vec(), false),
        (whole[..whole.len() - 1].to_vec(), false),
        ([&half(&whole), &[0; 5000][..]].concat(), false),
    ] {
        fs::write(folder.path().join("x.jpg"), &bytes).expect("written");
        let ended = predict(&["x.jpg"], folder.path());
        if is_whole {
            assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
            assert!(ended.stdout.starts_with("x.jpg: 7 ("), "{}", ended.stdout);
        } else {
            assert_eq!((ended.status, ended.stdout.as_str()), (1, ""), "{} bytes", bytes.len());
            assert!(ended.stderr.contains("x.jpg cannot be decoded ("), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_folder_stands_for_the_pictures_in_it_by_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("in/deeper")).expect("made");
    for name in ["in/b.PNG", "in/deeper/c.png"] {
        on_paper(0).save(path(name)).expect("written");
    }
    fs::write(path("in/a.jpeg"), jpeg(&on_paper(2))).expect("written");
    fs::write(path("in/notes.txt"), "no picture").expect("written");
    let ended = predict(&["in"], folder.path());
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
    let heads: Vec<_> = ended.stdout.lines().step_by(2).collect();
    assert_eq!(heads.len(), 2, "{}", ended.stdout);
    assert!(heads[0].starts_with("in/a.jpeg: 1 (") && heads[1].starts_with("in/b.PNG: 7 ("));
}

fn predict_piped(arguments: &[&str], input: &[u8], locale: &str) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args([&["predict", "--weights", weights()], arguments].concat())
        .env("LC_ALL", locale)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads its input");
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended { status: status.code().expect("no signal"), stdout: text(stdout), stderr: text(stderr) }
}

#[test]
fn a_dash_is_standard_input() {
    let ended = predict_piped(&["--json", "-"], &jpeg(&on_paper(0)), "C.UTF-8");
    let answer: Value = serde_json::from_str(&ended.stdout).expect("a JSON object");
    assert_eq!((&answer["file"], &answer["digit"]), (&"-".into(), &7.into()));
    let ended = predict_piped(&["-"], b"", "C.UTF-8");
    assert_eq!(ended.status, 1);
    assert_eq!(ended.stderr, "error: - is neither PNG nor JPEG: convert it to one of them\n");
}

#[test]
fn the_picture_is_shown_where_it_is_asked_for() {
    let picture = jpeg(&on_paper(0));
    let blocks = predict_piped(&["--show", "-"], &picture, "C.UTF-8").stdout;
    assert_eq!(blocks.matches('%').count(), 4, "{blocks}");
    assert!(blocks.contains('▄') && blocks.contains("▸7 "), "{blocks}");
    for (arguments, locale) in
        [(&["--show", "-"][..], "C"), (&["--show", "--ascii", "-"], "C.UTF-8")]
    {
        let shown = predict_piped(arguments, &picture, locale).stdout;
        assert!(shown.is_ascii() && shown.contains(">7 ") && shown.contains('#'), "{shown}");
        assert_eq!(shown.lines().count(), blocks.lines().count());
    }
}

#[cfg(unix)]
#[test]
fn names_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = std::ffi::OsStr::from_bytes(b"\xff7.png");
    let path = folder.path().join(name);
    fs::copy(seven(folder.path()), &path).expect("the file system takes any bytes");
    let output = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(["predict", "--json", "--weights", weights()])
        .arg(name)
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("a JSON object");
    assert_eq!((&answer["file"], &answer["digit"]), (&"\u{fffd}7.png".into(), &7.into()));
}
