//! Where the values of a layer lie in memory.

use std::fmt;

use crate::network::plan::Value;

/// As `Maps` of `kernels/maps.cuh`: channels last, with a border of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Maps {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Floats of a pixel.
    pub(super) pixel: usize,
    /// Channels that are handled at a time.
    pub(super) vector: usize,
    /// Rows and columns with the border and all between pixels.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Rows and columns before the first pixel.
    pub(super) top: usize,
    /// Rows or columns from one pixel to the next.
    pub(super) step: usize,
}

impl Maps {
    /// A value with `border` zeros on each side. Pixels of maps of at most `spread` values are spread over
    /// the banks of the memory, which takes some more of it.
    pub(super) fn new(value: Value, border: usize, spread: usize) -> Self {
        let [channels, height, width] = value.shape;
        if value.is_row {
            let (pixel, vector) = (channels, 1);
            let (rows, columns, top, step) = (1, 1, 0, 1);
            return Self { channels, height, width, pixel, vector, rows, columns, top, step };
        }
        let vector = match channels {
            1 | 2 => channels,
            _ => 4,
        };
        // Pixels an odd number of vectors apart are in different banks of the memory.
        let pixel = match channels.next_multiple_of(vector) {
            padded if padded % 8 == 0 && value.len() <= spread => padded + 4,
            padded => padded,
        };
        let (rows, columns) = (height + 2 * border, width + 2 * border);
        Self { channels, height, width, pixel, vector, rows, columns, top: border, step: 1 }
    }

    /// The gradient of what a convolution gives, as the convolution for its input's gradient takes it:
    /// with a border for the turned kernel, and with zeros where a stride left pixels out.
    pub(super) fn gradient(
        value: Value,
        input: Value,
        [kernel, stride, padding]: [usize; 3],
        spread: usize,
    ) -> Self {
        let [_, height, width] = input.shape;
        Self {
            rows: height + kernel - 1,
            columns: width + kernel - 1,
            top: kernel - 1 - padding,
            step: stride,
            ..Self::new(value, 0, spread)
        }
    }

    /// Channels with those that fill the last vector.
    pub(super) fn padded(&self) -> usize {
        self.channels.next_multiple_of(self.vector)
    }

    /// Floats of a row.
    pub(super) fn row(&self) -> usize {
        self.columns * self.pixel
    }

    /// Floats of all rows.
    pub(super) fn len(&self) -> usize {
        self.rows * self.row()
    }

    /// Whether there is anything around or between the pixels.
    pub(super) fn has_frame(&self) -> bool {
        self.rows > self.height || self.columns > self.width
    }

    /// Where a kernel begins for the first pixel if it needs `border` zeros before that.
    pub(super) fn corner(&self, border: usize) -> usize {
        (self.top - border) * (self.row() + self.pixel)
    }
}

impl fmt::Display for Maps {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { channels, height, width, pixel, vector, rows, columns, top, step } = self;
        write!(
            f,
            "Maps<{channels}, {height}, {width}, {pixel}, {vector}, {rows}, {columns}, {top}, {step}>"
        )
    }
}
