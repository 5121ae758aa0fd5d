//! What is special about EMNIST, in whatever format it comes: its images are transposed, and its letters
//! are counted from 1.

use super::parts::Parts;
use crate::data::{DataError, known};

/// Turns images upright, counts labels from 0 and names the classes. `split` is the part of EMNIST, such
/// as `letters`, and `file` the one with the training labels.
///
/// # Errors
/// If a label is none of that split.
pub(super) fn adapt(parts: &mut Parts, split: &str, file: &str) -> Result<(), DataError> {
    let [_, height, width] = parts.shape;
    if height == width {
        for images in parts.all() {
            for image in images.pixels.chunks_exact_mut(height * width) {
                transpose(image, width);
            }
        }
    }
    if let Some((classes, first)) = known::emnist(split) {
        parts.count_from(first, classes.len(), file)?;
        parts.name = Some(format!("EMNIST {split}"));
        parts.classes = Some(classes);
    }
    Ok(())
}

fn transpose(image: &mut [u8], side: usize) {
    for row in 0..side {
        for column in row + 1..side {
            image.swap(row * side + column, column * side + row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_image_has_columns_for_rows() {
        let mut image = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        transpose(&mut image, 3);
        assert_eq!(image, [1, 4, 7, 2, 5, 8, 3, 6, 9]);
    }
}
