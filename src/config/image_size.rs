//! `--image-size`: rows and columns of an image.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

/// Rows, and columns, that an image may have.
pub const SIDES: RangeInclusive<usize> = 8..=64;

/// Rows and columns of an image, each within [`SIDES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "[usize; 2]", into = "[usize; 2]")]
pub struct ImageSize {
    height: usize,
    width: usize,
}

impl ImageSize {
    /// An image of `height` rows and `width` columns; `None` if a side is out of range.
    pub fn new(height: usize, width: usize) -> Option<Self> {
        let is_in_range = SIDES.contains(&height) && SIDES.contains(&width);
        is_in_range.then_some(Self { height, width })
    }

    /// Rows.
    pub fn height(self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(self) -> usize {
        self.width
    }

    /// Pixels.
    pub fn pixels(self) -> usize {
        self.height * self.width
    }
}

impl From<ImageSize> for [usize; 2] {
    fn from(size: ImageSize) -> Self {
        [size.height, size.width]
    }
}

impl TryFrom<[usize; 2]> for ImageSize {
    type Error = String;

    fn try_from([height, width]: [usize; 2]) -> Result<Self, Self::Error> {
        Self::new(height, width).ok_or_else(|| format!("{height}×{width} is out of range"))
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.height, self.width)
    }
}

impl FromStr for ImageSize {
    type Err = String;

    /// Reads `N` or `HxW`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (height, width) = text.split_once(['x', '×']).unwrap_or((text, text));
        let (low, high) = (SIDES.start(), SIDES.end());
        height
            .parse()
            .ok()
            .zip(width.parse().ok())
            .and_then(|(height, width)| Self::new(height, width))
            .ok_or_else(|| format!("expected N or HxW with sides of {low} to {high} pixels"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_a_square_and_two_are_rows_and_columns() {
        assert_eq!("28".parse(), Ok(ImageSize { height: 28, width: 28 }));
        for text in ["8x64", "8×64"] {
            assert_eq!(text.parse(), Ok(ImageSize { height: 8, width: 64 }));
        }
        for text in
            ["", "x", "7", "65", "28x", "28x7", "28x28x28", "-28", "28.0", "9999999999999999999"]
        {
            let error = text.parse::<ImageSize>().expect_err(text);
            assert_eq!(error, "expected N or HxW with sides of 8 to 64 pixels");
        }
    }

    #[test]
    fn a_stored_size_that_is_out_of_range_is_refused() {
        let size = ImageSize { height: 10, width: 20 };
        let text = serde_json::to_string(&size).expect("two numbers");
        assert_eq!(text, "[10,20]");
        assert_eq!(serde_json::from_str::<ImageSize>(&text).expect("the same"), size);
        assert!(serde_json::from_str::<ImageSize>("[10,200]").is_err());
    }
}
