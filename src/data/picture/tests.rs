use image::{ImageBuffer, LumaA, Rgb, RgbImage};

use super::*;
use crate::data::{Dataset, PIXELS, SIDE};

fn test_images() -> Dataset {
    crate::data::builtin().expect("it is inside the crate").test
}

/// An image of MNIST with its pixels `scale` times as large, dark on light.
fn on_paper(pixels: &[u8], scale: u32) -> GrayImage {
    let side = SIDE as u32 * scale;
    GrayImage::from_fn(side, side, |x, y| {
        let place = (y / scale) as usize * SIDE + (x / scale) as usize;
        image::Luma([255 - pixels[place]])
    })
}

fn read_back(picture: &DynamicImage, format: ImageFormat) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("memory takes everything");
    read_from("the picture", bytes.get_ref().as_slice()).map(|digit| digit.pixels)
}

#[test]
fn a_picture_is_scaled_as_it_is_for_images_of_another_size() {
    // Light on the left, dark on the right.
    let picture = GrayImage::from_fn(120, 60, |x, _| image::Luma([if x < 60 { 255 } else { 5 }]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("memory takes everything");
    let bytes = bytes.get_ref().as_slice();
    let scaled = read_scaled_from("the picture", bytes, [10, 40]).expect("it is a picture");
    assert_eq!(scaled.len(), 400);
    assert_eq!([scaled[0], scaled[360], scaled[39], scaled[399]], [255, 255, 5, 5]);
    let same = read_scaled_from("the picture", bytes, [60, 120]).expect("it is a picture");
    assert_eq!(same, picture.into_raw());
}

/// Mean difference of two images, as a share of the first one's ink.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    let apart: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    let ink: u64 = a.iter().map(|&value| u64::from(value)).sum();
    apart as f64 / ink as f64
}

/// The mean difference over some images of MNIST after a way through a picture.
fn mean_difference(format: ImageFormat, picture: impl Fn(&[u8]) -> DynamicImage) -> f64 {
    let images = test_images();
    let differences = (0..50).map(|index| {
        let pixels = images.image(index);
        let read = read_back(&picture(pixels), format).expect("it shows a digit");
        assert_eq!(read.len(), PIXELS);
        difference(pixels, &read)
    });
    differences.sum::<f64>() / 50.0
}

#[test]
fn a_digit_comes_out_as_it_went_in_whatever_its_size_and_ink() {
    let plain = |pixels: &[u8]| {
        let image = GrayImage::from_raw(28, 28, pixels.to_vec()).expect("28×28 pixels");
        DynamicImage::ImageLuma8(image)
    };
    let same = mean_difference(ImageFormat::Png, plain);
    assert!(same < 0.1, "{same}");
    for scale in [1, 3, 10] {
        let large = mean_difference(ImageFormat::Png, |pixels| on_paper(pixels, scale).into());
        assert!(large < 0.2, "{scale} times as large: {large}");
    }
}

#[test]
fn a_digit_in_colour_or_partly_transparent_is_found() {
    // Dark blue on pale yellow.
    let colour = mean_difference(ImageFormat::Png, |pixels| {
        let paper = on_paper(pixels, 6);
        let image = RgbImage::from_fn(paper.width(), paper.height(), |x, y| {
            let share = f32::from(paper.get_pixel(x, y).0[0]) / 255.0;
            let mix = |ink: f32, ground: f32| (ink + share * (ground - ink)) as u8;
            Rgb([mix(20.0, 255.0), mix(30.0, 250.0), mix(120.0, 210.0)])
        });
        image.into()
    });
    assert!(colour < 0.2, "{colour}");
    for ink in [0, 255] {
        let transparent = mean_difference(ImageFormat::Png, |pixels| {
            let paper = on_paper(pixels, 4);
            let image: ImageBuffer<LumaA<u8>, Vec<u8>> =
                ImageBuffer::from_fn(paper.width(), paper.height(), |x, y| {
                    LumaA([ink, 255 - paper.get_pixel(x, y).0[0]])
                });
            image.into()
        });
        assert!(transparent < 0.2, "ink of {ink}: {transparent}");
    }
}

#[test]
fn a_digit_on_a_card_with_transparent_corners_is_found() {
    let card = mean_difference(ImageFormat::Png, |pixels| {
        let paper = on_paper(pixels, 4);
        let image: ImageBuffer<LumaA<u8>, Vec<u8>> =
            ImageBuffer::from_fn(paper.width() + 40, paper.height() + 40, |x, y| {
                let inside = x.checked_sub(20).zip(y.checked_sub(20));
                let pixel = inside.and_then(|(x, y)| paper.get_pixel_checked(x, y));
                LumaA([pixel.map_or(0, |pixel| pixel.0[0]), if pixel.is_some() { 255 } else { 0 }])
            });
        image.into()
    });
    assert!(card < 0.2, "{card}");
}

#[test]
fn a_photo_has_noise_and_a_shadow_and_still_shows_its_digit() {
    let photo = mean_difference(ImageFormat::Jpeg, |pixels| {
        let paper = on_paper(pixels, 10);
        let image = GrayImage::from_fn(paper.width(), paper.height(), |x, y| {
            let shadow = f32::from(paper.get_pixel(x, y).0[0]) * 0.6 + 90.0 - 0.08 * x as f32;
            let noise = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)) % 7;
            image::Luma([shadow as u8 - noise as u8])
        });
        image.into()
    });
    assert!(photo < 0.5, "{photo}");
}

#[test]
fn a_thin_line_is_as_dark_as_a_thick_one() {
    let image = GrayImage::from_fn(800, 800, |x, y| {
        image::Luma([if (300..306).contains(&x) && (100..700).contains(&y) { 0 } else { 255 }])
    });
    let read = read_back(&image.into(), ImageFormat::Png).expect("it shows a line");
    assert_eq!(read.iter().max(), Some(&255));
}

#[test]
fn a_picture_of_nothing_is_blank() {
    let clear: ImageBuffer<LumaA<u8>, Vec<u8>> = ImageBuffer::from_pixel(20, 20, LumaA([90, 0]));
    let faint = GrayImage::from_fn(40, 40, |x, y| image::Luma([240 - ((x * 3 + y) % 9) as u8]));
    for picture in [
        DynamicImage::ImageLuma8(GrayImage::from_pixel(30, 20, image::Luma([200]))),
        DynamicImage::ImageLuma8(GrayImage::from_pixel(1, 1, image::Luma([0]))),
        clear.into(),
        faint.into(),
    ] {
        let error = read_back(&picture, ImageFormat::Png).expect_err("there is nothing to see");
        assert_eq!(
            error.to_string(),
            "the picture is blank: expected a digit that stands out from its background"
        );
    }
}

#[test]
fn pictures_of_any_small_size_are_read_without_a_panic() {
    for (width, height) in [(1, 1), (1, 9), (9, 1), (2, 2), (3, 200), (200, 3)] {
        for salt in 0..20_u32 {
            let image = GrayImage::from_fn(width, height, |x, y| {
                image::Luma([((x * 31 + y * 17 + salt * 7) % 5 * 60) as u8])
            });
            let _ = read_back(&image.into(), ImageFormat::Png);
        }
    }
}

#[test]
fn what_is_too_long_or_damaged_is_told_in_a_sentence() {
    let long = GrayImage::from_pixel(LONGEST + 1, 1, image::Luma([0]));
    let error = read_back(&long.into(), ImageFormat::Png).expect_err("too long").to_string();
    assert!(error.contains("16385×1 pixels, expected at most 16384"), "{error}");

    let mut bytes = Cursor::new(Vec::new());
    let image = on_paper(test_images().image(0), 4);
    image.write_to(&mut bytes, ImageFormat::Png).expect("memory takes everything");
    let mut bytes = bytes.into_inner();
    bytes.truncate(bytes.len() / 2);
    let error = decode("half.png", &bytes).expect_err("cut short").to_string();
    assert!(error.starts_with("half.png cannot be decoded ("), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");

    let error = decode("a.gif", b"GIF89a").expect_err("another format").to_string();
    assert_eq!(error, "a.gif is neither PNG nor JPEG: convert it to one of them");
}

/// A PNG whose header promises more than its size: nothing of that is allocated.
#[test]
fn a_header_that_promises_too_much_is_refused() {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::from_pixel(2, 2, Rgb([0, 0, 0]));
    image.write_to(&mut bytes, ImageFormat::Png).expect("memory takes everything");
    let mut bytes = bytes.into_inner();
    // Width and height follow the signature, a length and the chunk's name; their checksum the
    // rest of the header.
    bytes[16..20].copy_from_slice(&16_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&16_000_u32.to_be_bytes());
    let sum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    let error = decode("bomb.png", &bytes).expect_err("too large").to_string();
    assert!(error.starts_with("bomb.png takes 732 MB, expected at most 256 MB"), "{error}");
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
