//! Where a convolution's kernels read and write.

use super::{Convolution, Points, Rows};
use crate::nn::graph::conv::padded;
use crate::nn::graph::map::Map;
use crate::nn::graph::rows;
use crate::nn::simd;

/// Rows of patches up to this length are gathered first: the kernels run over whole patches then.
pub(super) const SHORT: usize = 16;

/// The points of the three kernels.
#[derive(Debug, Default)]
pub(in crate::nn::graph) struct Tables {
    pub(super) forward: Points,
    pub(super) weights: Points,
    pub(super) input: Points,
    /// Corners of patches in the input.
    pub(super) corners: Vec<u32>,
    /// The same points as rows for the kernels of a single vector, where these are made for them.
    pub(super) forward_rows: Option<Rows>,
    pub(super) weights_rows: Option<Rows>,
    pub(super) input_rows: Option<Rows>,
}

impl Convolution {
    /// Whether patches of this kernel over this number of channels are gathered.
    pub(in crate::nn::graph) fn gathers(kernel: usize, channels: usize) -> bool {
        kernel > 1 && kernel * channels < SHORT
    }

    /// Scalars of the gathered patches of an image.
    pub(in crate::nn::graph) fn patches_len(output: &Map, kernel: usize, channels: usize) -> usize {
        output.height * output.width * kernel * kernel * channels
    }

    /// Works out the points once all else is set.
    pub(in crate::nn::graph) fn finish(mut self) -> Self {
        let patch = self.patch_len();
        let places = || {
            let (height, width) = (self.output.height, self.output.width);
            (0..height).flat_map(move |row| (0..width).map(move |column| (row, column)))
        };
        let (spread, apart) = (self.spread(), self.spread_stride());
        let mut points = Tables::default();
        for (index, (row, column)) in places().enumerate() {
            let frame = self.input.frame - self.padding;
            let corner =
                self.input.framed(row * self.stride + frame, column * self.stride + frame) as u32;
            points.corners.push(corner);
            let from = if self.patches.is_some() { (index * patch) as u32 } else { corner };
            points.forward.from.push(from);
            points.forward.to.push(self.output.pixel(row, column) as u32);
            points.weights.from.push(from);
            points.weights.to.push(spread.pixel(row * apart, column * apart) as u32);
        }
        if self.scatters() {
            // Column after column: patches of one below the other have nothing in common but rows that
            // are added to at another time.
            for place in (0..self.output.width).flat_map(|column| {
                (0..self.output.height).map(move |row| row * self.output.width + column)
            }) {
                points.input.from.push(points.weights.to[place]);
                points.input.to.push(points.corners[place]);
            }
        } else {
            for row in 0..self.input.height {
                for column in 0..self.input.width {
                    points.input.from.push(spread.framed(row, column) as u32);
                    points.input.to.push(self.input.pixel(row, column) as u32);
                }
            }
        }
        self.points = points;
        self.find_rows();
        self
    }

    fn find_rows(&mut self) {
        if self.kernel != rows::SIDE || self.stride != 1 || self.patches.is_some() {
            return;
        }
        let (lanes, spread) = (simd::lanes(), self.spread());
        let frame = self.input.frame - self.padding;
        let forward = Rows {
            height: self.output.height,
            width: self.output.width,
            from: self.input.framed(frame, frame),
            from_step: self.input.row_step(),
            inputs: self.input.channels,
            to: self.output.pixel(0, 0),
            to_step: self.output.row_step(),
            outputs: self.output.channels,
        };
        let weights = Rows { to: spread.pixel(0, 0), to_step: spread.row_step(), ..forward };
        let input = Rows {
            height: self.input.height,
            width: self.input.width,
            from: 0,
            from_step: spread.row_step(),
            inputs: self.output.channels,
            to: self.input.pixel(0, 0),
            to_step: self.input.row_step(),
            outputs: self.input.channels,
        };
        // Gradients of points that are computed twice must not be added twice.
        let is_written = self.input_grad == Some(false) && !self.scatters();
        self.points.forward_rows = forward.fit_convolve(lanes).then_some(forward);
        self.points.weights_rows = weights.fit_weight_grads(lanes).then_some(weights);
        self.points.input_rows =
            Some(input).filter(|input| is_written && input.fit_convolve(lanes));
    }

    /// Scalars of a patch.
    pub(super) fn patch_len(&self) -> usize {
        self.kernel * self.kernel * self.input.channels
    }

    /// Rows of a patch as the kernels see it, scalars from one to the next, and scalars of each.
    pub(super) fn patch_rows(&self) -> (usize, usize, usize) {
        if self.patches.is_some() {
            (1, 0, self.patch_len())
        } else {
            (self.kernel, self.input.row_step(), self.kernel * self.input.channels)
        }
    }

    /// Whether each gradient of an output is added to those of its patch, where that takes fewer
    /// operations than to gather for each input what it has a part in: a row of a patch may fill vectors
    /// that the input's channels leave half empty, and there are no zeros around the outputs.
    pub(super) fn scatters(&self) -> bool {
        let lanes = simd::lanes();
        let outputs = self.output.height * self.output.width;
        let scattered = outputs * self.kernel * padded(self.kernel * self.input.channels, lanes);
        let inputs = self.input.height * self.input.width;
        let gathered = inputs * self.kernel.pow(2) * padded(self.input.channels, lanes);
        self.input_grad.is_some() && 4 * scattered < 3 * gathered
    }

    /// Where the gradients of the outputs go before they are used: if that of the input is gathered, as
    /// far apart as the stride and with a frame that every patch of the turned kernel fits into.
    pub(super) fn spread(&self) -> Map {
        if self.input_grad.is_none() || self.scatters() {
            return Map { start: 0, frame: 0, ..self.output };
        }
        let side = |side: usize| side + 2 * self.padding + 1 - self.kernel;
        Map {
            start: 0,
            channels: self.output.channels,
            height: side(self.input.height),
            width: side(self.input.width),
            frame: self.kernel - 1 - self.padding,
        }
    }

    /// Pixels from one output's gradient to the next in [`Self::spread`].
    pub(super) fn spread_stride(&self) -> usize {
        if self.input_grad.is_some() && !self.scatters() { self.stride } else { 1 }
    }
}
