//! The extents of one convolution block.

use candle_core::{Result, Tensor, bail};

/// Extents of a block for one image: `[inputs, height, width]` → convolution, `kernel` × `kernel`,
/// stride 1, no padding → `[outputs, conv_height, conv_width]` → windows of 2×2 →
/// `[outputs, pooled_height, pooled_width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) kernel: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Geometry {
    /// The batch size and the extents, from the shapes of the operands.
    ///
    /// # Errors
    /// When the shapes do not fit together or no window fits into the image.
    pub(super) fn of(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<(usize, Self)> {
        let dims = input.dims4()?;
        Ok((dims.0, Self::of_shape(dims, weight, bias)?))
    }

    /// The extents, from the shapes of the operands, that of the input being `[n, inputs, h, w]`.
    ///
    /// # Errors
    /// As [`Geometry::of`].
    pub(super) fn of_shape(
        (_, inputs, height, width): (usize, usize, usize, usize),
        weight: &Tensor,
        bias: &Tensor,
    ) -> Result<Self> {
        let (outputs, weight_inputs, kernel, kernel_width) = weight.dims4()?;
        if kernel != kernel_width || kernel == 0 {
            bail!("a convolution kernel must be square, this one is {kernel} by {kernel_width}");
        }
        if weight_inputs != inputs {
            bail!("the images have {inputs} channels, the kernels are for {weight_inputs}");
        }
        if bias.dims() != [outputs] {
            bail!("{outputs} kernels need {outputs} biases, found {:?}", bias.dims());
        }
        if height < kernel + 1 || width < kernel + 1 {
            bail!(
                "images of {height} by {width} are too small for a kernel of {kernel} and a pool of 2"
            );
        }
        Ok(Self { inputs, outputs, kernel, height, width })
    }

    /// Rows after pooling; an odd last row of the convolution is left out.
    pub(super) fn pooled_height(&self) -> usize {
        let rows = self.height - self.kernel + 1;
        rows / 2
    }

    /// Columns after pooling; an odd last column of the convolution is left out.
    pub(super) fn pooled_width(&self) -> usize {
        let columns = self.width - self.kernel + 1;
        columns / 2
    }

    /// Positions of one pooled map.
    pub(super) fn pooled(&self) -> usize {
        self.pooled_height() * self.pooled_width()
    }

    /// Scalars of one input image.
    pub(super) fn input_len(&self) -> usize {
        self.inputs * self.height * self.width
    }

    /// Scalars of one output image.
    pub(super) fn output_len(&self) -> usize {
        self.outputs * self.pooled()
    }

    /// Scalars of one kernel: `inputs · kernel · kernel`.
    pub(super) fn kernel_len(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Rows, kernel taps and columns `(input, ky, kx)` of one kernel in storage order.
    pub(super) fn taps(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let kernel = self.kernel;
        (0..self.inputs).flat_map(move |input| {
            (0..kernel).flat_map(move |ky| (0..kernel).map(move |kx| (input, ky, kx)))
        })
    }
}
