//! All that follows from a network's layers, an image's size and the number of classes.

mod build;
mod error;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use error::PlanError;

use super::spec::NetworkSpec;

/// A network whose shapes are known: its parameters, and its operations one after the other.
///
/// The trained parameters lie one after the other in one flat array, in the order of
/// [`Plan::params`]; batch normalisation's running statistics in another.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    spec: NetworkSpec,
    classes: usize,
    params: Vec<Param>,
    running: Vec<Param>,
    values: Vec<Value>,
    nodes: Vec<Node>,
    rows: Vec<Row>,
}

/// A named part of a flat array, row-major, with the name and shape of `PyTorch`'s `state_dict`.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name, such as `conv1.weight`.
    pub name: String,
    /// Its extents, outermost first.
    pub shape: Vec<usize>,
    /// Where it lies in the flat array.
    pub range: Range<usize>,
    /// How it is initialised.
    pub init: Init,
}

/// Initial values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform in ±1/√fan-in, where fan-in is the number of inputs of one output.
    Uniform {
        /// Inputs of one output.
        fan_in: usize,
    },
    /// One number everywhere.
    Constant(f32),
}

/// What an operation reads or writes for each image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Channels, rows and columns; `[n, 1, 1]` for a row of `n` values.
    pub shape: [usize; 3],
    /// Whether it is a row, as after flatten, and not maps.
    pub is_row: bool,
}

impl Value {
    /// How many scalars it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no scalars, which no plan's values are.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name, such as `res1.conv1`.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// Which of [`Plan::values`] it reads.
    pub input: usize,
    /// Which of [`Plan::values`] it writes.
    pub output: usize,
}

/// What an operation does. Parameters are places in [`Plan::params`], statistics in
/// [`Plan::running`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Convolution.
    Conv {
        /// `[channels, inputs, kernel, kernel]`.
        weight: usize,
        /// `[channels]`.
        bias: Option<usize>,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Pixels from one output to the next.
        stride: usize,
        /// Zeros on each side.
        padding: usize,
    },
    /// Batch normalisation; the shift is the parameter after the scale, and the variance the statistic
    /// after the mean.
    BatchNorm {
        /// `[channels]`.
        scale: usize,
        /// `[channels]`.
        mean: usize,
    },
    /// max(0, x).
    Relu,
    /// x·Φ(x).
    Gelu,
    /// The largest of each window.
    MaxPool {
        /// Rows and columns of a window.
        size: usize,
        /// Pixels from one window to the next.
        stride: usize,
    },
    /// The mean of each window.
    AvgPool {
        /// Rows and columns of a window.
        size: usize,
        /// Pixels from one window to the next.
        stride: usize,
    },
    /// The mean of each channel.
    GlobalAvgPool,
    /// Zeroes values at random in training.
    Dropout {
        /// Probability that a value is zeroed.
        p: f64,
        /// Which dropout of the network it is, from 0.
        index: usize,
    },
    /// Maps to a row, channel after channel.
    Flatten,
    /// Fully connected.
    Linear {
        /// `[outputs, inputs]`.
        weight: usize,
        /// `[outputs]`.
        bias: Option<usize>,
    },
    /// The sum of the input and another value, at the end of a residual block.
    Add {
        /// The block's input.
        with: usize,
    },
}

/// A line of the network's table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The layer's name.
    pub name: String,
    /// How many residual blocks it is inside of.
    pub depth: usize,
    /// What it gives for each image: `[channels, rows, columns]` or `[n]`.
    pub shape: Vec<usize>,
    /// Trained scalars.
    pub parameters: usize,
    /// Multiplications for one image forward.
    pub multiply_adds: u64,
}

impl Plan {
    /// Works out the shapes of a network for images of `input` (channels, rows, columns).
    ///
    /// # Errors
    /// If a layer cannot take what the layer before it gives, or the last one does not give one value
    /// for each class.
    pub fn of(spec: &NetworkSpec, input: [usize; 3], classes: usize) -> Result<Self, PlanError> {
        build::build(spec, input, classes)
    }

    /// The article's network on MNIST.
    pub fn article() -> Self {
        Self::of(&NetworkSpec::article(), [1, 28, 28], 10)
            .unwrap_or_else(|error| unreachable!("the article's network has a plan: {error}"))
    }

    /// Whether this computes what the article's network does on images of MNIST's size, whatever its
    /// parameters are called.
    pub fn is_article(&self) -> bool {
        // Cheap to tell apart, as most networks are.
        if self.nodes.len() != 8 || self.input() != [1, 28, 28] {
            return false;
        }
        let article = Self::article();
        let ops = |plan: &Self| plan.nodes.iter().map(|node| node.op).collect::<Vec<_>>();
        let shapes = self.params.iter().map(|param| &param.shape);
        ops(self) == ops(&article) && shapes.eq(article.params.iter().map(|param| &param.shape))
    }

    /// The layers.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// Channels, rows and columns of an image.
    pub fn input(&self) -> [usize; 3] {
        self.values[0].shape
    }

    /// Logits of an image.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The trained parameters.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// The running statistics of batch normalisation.
    pub fn running(&self) -> &[Param] {
        &self.running
    }

    /// Trained scalars.
    pub fn trained_len(&self) -> usize {
        self.params.last().map_or(0, |param| param.range.end)
    }

    /// Scalars of running statistics.
    pub fn running_len(&self) -> usize {
        self.running.last().map_or(0, |param| param.range.end)
    }

    /// What operations read and write, the image first and the logits last.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The operations in their order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The layers as a table.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Multiplications of one image forward.
    pub fn multiply_adds(&self) -> u64 {
        self.rows.iter().map(|row| row.multiply_adds).sum()
    }

    /// Multiplications of one image in a training step: forward, for the gradients of the weights, and
    /// for those of what goes into each layer but the first.
    pub fn training_multiply_adds(&self) -> u64 {
        let first = self.rows.iter().map(|row| row.multiply_adds).find(|&count| count > 0);
        3 * self.multiply_adds() - first.unwrap_or(0)
    }

    /// The batch normalisation that has one value of each channel in an image, and so needs two images or
    /// more to have a variance.
    pub fn normalises_single_values(&self) -> Option<&Node> {
        self.nodes.iter().find(|node| {
            let [_, height, width] = self.values[node.input].shape;
            matches!(node.op, Op::BatchNorm { .. }) && height * width == 1
        })
    }

    /// About how many bytes of memory an image of a batch takes in training: where batch normalisation
    /// waits for all of them, all values of an image and their gradients.
    pub fn bytes_per_image(&self) -> u64 {
        let pixels = self.values[0].len() as u64;
        if !self.has_batch_norm() {
            return pixels;
        }
        let values: usize = self.values.iter().map(Value::len).sum();
        // Values and gradients as f32, and a quarter for the frames of zeros around maps.
        pixels + values as u64 * 2 * 4 * 5 / 4
    }

    /// Whether a layer needs the whole batch at once.
    pub fn has_batch_norm(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.op, Op::BatchNorm { .. }))
    }

    /// The operations whose output is worth a look: the last of each run of a layer with its
    /// normalisation and activation, and each pooling; not the logits.
    pub fn stages(&self) -> impl Iterator<Item = &Node> {
        let is_part = |node: &Node| {
            matches!(node.op, Op::BatchNorm { .. } | Op::Relu | Op::Gelu | Op::Add { .. })
        };
        self.nodes.iter().enumerate().filter_map(move |(place, node)| {
            let next = self.nodes.get(place + 1)?;
            let is_same = matches!(node.op, Op::Flatten | Op::Dropout { .. });
            // What comes out of dropout and flatten is the logits' own input, seen before.
            (!is_same && !is_part(next)).then_some(node)
        })
    }
}
