//! Values inside the network for many images, as in evaluation.

use rayon::prelude::*;

use super::map::Map;
use super::pass::Input;
use super::step::Images;
use super::{Graph, SLACK};

impl Map {
    /// Copies an image's maps from `values` as `[channels, rows, columns]`.
    pub(super) fn read(&self, values: &[f32], to: &mut [f32]) {
        let pixels = self.height * self.width;
        for place in 0..pixels {
            let pixel = self.start + self.pixel(place / self.width, place % self.width);
            for channel in 0..self.channels {
                to[channel * pixels + place] = values[pixel + channel];
            }
        }
    }
}

impl Graph {
    /// Some of the plan's values for each image of a batch, each `[n, channels, rows, columns]`.
    ///
    /// # Panics
    /// If one of them is never written: a convolution's whose `ReLU` is computed with it.
    pub(in crate::nn) fn read(&self, input: &Input, wanted: &[usize]) -> Vec<Vec<f32>> {
        let maps: Vec<Map> = wanted
            .iter()
            .map(|&value| self.program.maps[value].expect("the value is written"))
            .collect();
        let lens: Vec<usize> =
            wanted.iter().map(|&value| self.plan.values()[value].len()).collect();
        let mut packed = Vec::new();
        self.pack(input, &mut packed);
        let mut norms = Vec::new();
        self.running_norms(input, &mut norms);
        let shared = input.shared(&packed, &norms);
        let step = self.image_step();
        let starts: Vec<usize> = (0..input.labels.len()).step_by(self.visit).collect();
        let read = |values: &mut Vec<f32>, first: usize| {
            let count = self.visit.min(input.labels.len() - first);
            let values = &mut values[..count * step];
            let mut images = Images { values, grads: &mut [], step, first };
            self.load(input, &mut images);
            for step in &self.program.steps {
                step.forward(&shared, &mut images);
            }
            let of_value = |(map, &len): (&Map, &usize)| {
                let mut read = vec![0.0; count * len];
                for (to, values) in read.chunks_exact_mut(len).zip(images.each_values()) {
                    map.read(values, to);
                }
                read
            };
            maps.iter().zip(&lens).map(of_value).collect::<Vec<_>>()
        };
        let room = || vec![0.0; self.visit * step + SLACK];
        let parts: Vec<_> = starts.into_par_iter().map_init(room, read).collect();
        let mut all = vec![Vec::new(); wanted.len()];
        for part in parts {
            for (values, more) in all.iter_mut().zip(part) {
                values.extend(more);
            }
        }
        all
    }
}
