//! Which pixels a class's logit depends on: its gradient, or what it loses where they are covered.

use candle_core::{Result, bail};

use super::{Found, Image, Job, Memory};
use crate::{
    metrics::arg_max,
    nn::{explain::Frozen, loss::softmax},
    protocol::{Attribution, Content, Method},
    train::sets::Sets,
};

/// Images with a covered patch that are computed in a slice.
const SLICE: usize = 64;

pub(super) struct Attribute {
    frozen: Frozen,
    /// The image as numbers in 0..=1.
    image: Vec<f32>,
    found: Attribution,
    method: Method,
}

impl Attribute {
    pub(super) fn new(
        frozen: Frozen,
        image: Image,
        method: Method,
        class: Option<u8>,
    ) -> Result<Self> {
        let Image { place, pixels, label } = image;
        let image: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let logits = frozen.logits(&image)?;
        let mut probabilities = vec![0.0; logits.len()];
        softmax(&logits, &mut probabilities);
        let prediction = arg_max(&logits) as u8;
        let class = class.unwrap_or(prediction);
        let of_class = usize::from(class);
        let (Some(&logit), Some(&probability)) =
            (logits.get(of_class), probabilities.get(of_class))
        else {
            bail!("the class {class} is not one of {}", logits.len())
        };
        let found = Attribution {
            image: place,
            label,
            pixels: pixels.to_vec(),
            class,
            prediction,
            logit,
            probability,
            patch: 0,
            values: Vec::new(),
        };
        Ok(Self { frozen, image, found, method })
    }

    fn saliency(&mut self) -> Result<()> {
        let class = usize::from(self.found.class);
        let (gradient, _) = self.frozen.pixel_gradient(&self.image, class)?;
        let [_, height, width] = self.frozen.plan().input();
        self.found.values = largest(&gradient, height * width);
        Ok(())
    }

    /// Covers the patches around the next pixels; true once all are covered.
    fn occlude(&mut self) -> Result<bool> {
        let shape @ [_, height, width] = self.frozen.plan().input();
        let patch = patch(height.min(width));
        self.found.patch = patch as u32;
        let background = background(&self.image, shape);
        let start = self.found.values.len();
        let end = (start + SLICE).min(height * width);
        let mut images = Vec::with_capacity((end - start) * self.image.len());
        for place in start..end {
            let first = images.len();
            images.extend_from_slice(&self.image);
            let centre = (place / width, place % width);
            cover(&mut images[first..], shape, centre, patch, &background);
        }
        let logits = self.frozen.logits(&images)?;
        let classes = self.frozen.plan().classes();
        let of_class = logits.iter().skip(self.found.class.into()).step_by(classes);
        self.found.values.extend(of_class.map(|logit| self.found.logit - logit));
        Ok(end == height * width)
    }
}

impl Job for Attribute {
    fn slice(&mut self, _: &Sets, _: &mut Memory) -> Result<Found> {
        let is_done = match self.method {
            Method::Saliency => {
                self.saliency()?;
                true
            }
            Method::Occlusion => self.occlude()?,
        };
        Ok(if is_done {
            Found::All(Content::Attribution(self.found.clone()))
        } else {
            Found::Nothing
        })
    }
}

/// For each pixel the value of the largest magnitude among its channels.
fn largest(values: &[f32], pixels: usize) -> Vec<f32> {
    let of_pixel = |pixel: usize| {
        let channels = values.iter().skip(pixel).step_by(pixels.max(1)).copied();
        channels.max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0)
    };
    (0..pixels).map(of_pixel).collect()
}

/// Rows and columns of a patch for images whose shorter side this is: a sixth, and odd.
fn patch(side: usize) -> usize {
    (side / 6) | 1
}

/// What is behind the thing shown: of each channel the median of the pixels at the border.
fn background(image: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let is_border = |place: usize| {
        let (row, column) = (place / width, place % width);
        row == 0 || column == 0 || row + 1 == height || column + 1 == width
    };
    let of_channel = |channel: usize| {
        let pixels = image[channel * height * width..][..height * width].iter().enumerate();
        let mut border: Vec<f32> =
            pixels.filter(|&(place, _)| is_border(place)).map(|(_, &value)| value).collect();
        border.sort_unstable_by(f32::total_cmp);
        border.get(border.len() / 2).copied().unwrap_or(0.0)
    };
    (0..channels).map(of_channel).collect()
}

/// Covers a patch around a pixel, as far as it is inside the image.
fn cover(
    image: &mut [f32],
    [_, height, width]: [usize; 3],
    (row, column): (usize, usize),
    patch: usize,
    background: &[f32],
) {
    let reach = patch / 2;
    let within = |centre: usize, length: usize| {
        centre.saturating_sub(reach)..(centre + reach + 1).min(length)
    };
    for (channel, &value) in image.chunks_exact_mut(height * width).zip(background) {
        for row in within(row, height) {
            channel[row * width..][within(column, width)].fill(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_covers_what_is_inside_the_image() {
        let mut image: Vec<f32> = (0..24_u8).map(f32::from).collect();
        cover(&mut image, [2, 3, 4], (0, 3), 3, &[-1.0, -2.0]);
        let first = [0.0, 1.0, -1.0, -1.0, 4.0, 5.0, -1.0, -1.0, 8.0, 9.0, 10.0, 11.0];
        assert_eq!(image[..12], first);
        assert_eq!(image[12..18], [12.0, 13.0, -2.0, -2.0, 16.0, 17.0]);
        assert_eq!([1, 5, 6, 28, 64, 96].map(patch), [1, 1, 1, 5, 11, 17]);
    }

    #[test]
    fn the_background_is_what_most_of_the_border_shows() {
        let mut image = vec![0.8; 16];
        image[5] = 0.0;
        image[3] = 0.1;
        image.extend([0.2; 16]);
        assert_eq!(background(&image, [2, 4, 4]), [0.8, 0.2]);
        assert_eq!(background(&[0.3], [1, 1, 1]), [0.3]);
    }

    #[test]
    fn of_several_channels_the_largest_magnitude_counts() {
        assert_eq!(largest(&[1.0, -2.0, -3.0, 0.5], 2), [-3.0, -2.0]);
    }
}
