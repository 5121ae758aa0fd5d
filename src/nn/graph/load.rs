//! Writes the pixels of images where the first layer reads them.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Graph;
use super::pass::{Input, Pixels};
use super::step::Images;
use crate::nn::simd;

impl<'a> Pixels<'a> {
    fn slice(self, range: Range<usize>) -> Pixels<'a> {
        match self {
            Self::Bytes(bytes) => Pixels::Bytes(&bytes[range]),
            Self::Floats(floats) => Pixels::Floats(&floats[range]),
        }
    }
}

/// Writes pixels as numbers.
struct LoadRow<'a> {
    pixels: Pixels<'a>,
    to: &'a mut [f32],
}

impl WithSimd for LoadRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.pixels {
            Pixels::Bytes(bytes) => {
                for (to, &byte) in self.to.iter_mut().zip(bytes) {
                    *to = f32::from(byte) / 255.0;
                }
            }
            Pixels::Floats(floats) => self.to.copy_from_slice(floats),
        }
    }
}

impl Graph {
    /// Writes the pixels of the images where the first layer reads them.
    pub(super) fn load(&self, input: &Input, images: &mut Images) {
        let map = self.program.maps[0].expect("the image has a place");
        let [channels, height, width] = self.plan.input();
        let pixels = height * width;
        let first = images.first;
        for (place, values) in images.each_values().enumerate() {
            let image: Range<usize> =
                (first + place) * channels * pixels..(first + place + 1) * channels * pixels;
            let values = &mut values[map.start..];
            if channels == 1 {
                let mut from = image.start;
                for row in map.rows() {
                    let pixels = input.pixels.slice(from..from + row.len());
                    from += row.len();
                    simd::run(LoadRow { pixels, to: &mut values[row] });
                }
                continue;
            }
            for row in 0..height {
                let to = map.pixel(row, 0);
                for channel in 0..channels {
                    let from = image.start + channel * pixels + row * width;
                    let targets = values[to + channel..].iter_mut().step_by(channels);
                    match input.pixels {
                        Pixels::Bytes(bytes) => {
                            for (target, &byte) in targets.zip(&bytes[from..][..width]) {
                                *target = f32::from(byte) / 255.0;
                            }
                        }
                        Pixels::Floats(floats) => {
                            for (target, &value) in targets.zip(&floats[from..][..width]) {
                                *target = value;
                            }
                        }
                    }
                }
            }
        }
    }
}
