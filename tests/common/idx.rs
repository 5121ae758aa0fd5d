//! A small set of images in IDX files, drawn so that a network can learn it.

use std::{fs, path::Path};

/// Writes the four files of a set with so many images into `folder`.
pub(crate) fn write_set(folder: &Path, train: usize, test: usize) {
    for (prefix, count, salt) in [("train", train, 1), ("t10k", test, 2)] {
        let mut images = header(0x0803, &[count, 28, 28]);
        let mut labels = header(0x0801, &[count]);
        for image in 0..count {
            let label = image % 10;
            labels.push(label as u8);
            images.extend((0..784).map(|pixel| shade(label, pixel, image * 2 + salt)));
        }
        fs::write(folder.join(format!("{prefix}-images-idx3-ubyte")), images).expect("written");
        fs::write(folder.join(format!("{prefix}-labels-idx1-ubyte")), labels).expect("written");
    }
}

fn header(magic: u32, extents: &[usize]) -> Vec<u8> {
    let extents = extents.iter().map(|&extent| u32::try_from(extent).expect("small"));
    std::iter::once(magic).chain(extents).flat_map(u32::to_be_bytes).collect()
}

/// A bright band whose place is the label, with noise that differs from image to image.
fn shade(label: usize, pixel: usize, image: usize) -> u8 {
    let noise = ((pixel * 7919 + image * 104_729) % 251 % 60) as u8;
    let (row, column) = (pixel / 28, pixel % 28);
    let place = if label < 5 { row } else { column };
    if (label % 5 * 5 + 2..label % 5 * 5 + 5).contains(&place) { 195 + noise } else { noise }
}
