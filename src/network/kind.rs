//! The kinds of layers: their names, their settings, and what may be set.
//!
//! A new kind is a variant of [`Layer`], a line in [`KINDS`], an arm in [`layer`] and one where it is
//! printed.

use std::ops::RangeInclusive;

use super::{nearest::nearest, spec::Layer};

/// A kind of layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Conv,
    BatchNorm,
    Relu,
    Gelu,
    MaxPool,
    AvgPool,
    GlobalAvgPool,
    Dropout,
    Flatten,
    Linear,
    Residual,
}

/// Each kind with the name in the one-line form, and the long one, which both forms take.
const KINDS: [(Kind, &str, &str); 11] = [
    (Kind::Conv, "conv", "conv"),
    (Kind::BatchNorm, "bn", "batch_norm"),
    (Kind::Relu, "relu", "relu"),
    (Kind::Gelu, "gelu", "gelu"),
    (Kind::MaxPool, "pool", "max_pool"),
    (Kind::AvgPool, "avgpool", "avg_pool"),
    (Kind::GlobalAvgPool, "gap", "global_avg_pool"),
    (Kind::Dropout, "dropout", "dropout"),
    (Kind::Flatten, "flatten", "flatten"),
    (Kind::Linear, "linear", "linear"),
    (Kind::Residual, "residual", "residual"),
];

/// What other libraries call a kind, in lower case and without underscores.
const ELSEWHERE: [(&str, &str); 14] = [
    ("conv2d", "conv"),
    ("convolution", "conv"),
    ("batchnorm", "bn"),
    ("batchnorm2d", "bn"),
    ("batchnormalization", "bn"),
    ("maxpool", "pool"),
    ("maxpool2d", "pool"),
    ("avgpool2d", "avgpool"),
    ("averagepooling2d", "avgpool"),
    ("adaptiveavgpool2d", "gap"),
    ("globalaveragepooling2d", "gap"),
    ("dense", "linear"),
    ("fc", "linear"),
    ("skip", "residual"),
];

/// The names in the one-line form, as a list to read.
pub(super) const NAMES: &str =
    "conv, bn, relu, gelu, pool, avgpool, gap, dropout, flatten, linear or residual";

impl Kind {
    /// The kind of that name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        KINDS.iter().find(|(_, short, long)| is(short) || is(long)).map(|(kind, ..)| *kind)
    }

    /// The name in the one-line form.
    pub(super) fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }
}

/// The name that a word was most likely meant to be.
pub(super) fn meant(word: &str) -> Option<&'static str> {
    let plain = word.to_ascii_lowercase().replace('_', "");
    let plain = plain.strip_prefix("nn.").unwrap_or(&plain);
    if let Some((_, name)) = ELSEWHERE.iter().find(|(other, _)| *other == plain) {
        return Some(name);
    }
    let names = KINDS.iter().map(|(_, name, _)| *name);
    // `conv16` lacks a space.
    let letters = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    nearest(plain, names.clone()).or_else(|| nearest(letters, names))
}

/// A setting of a layer that is a whole number.
#[derive(Debug)]
pub(super) struct Setting {
    /// Its key in a file.
    pub(super) key: &'static str,
    /// What precedes its number in the one-line form; `None` for a bare number.
    pub(super) letter: Option<char>,
    /// What it may be.
    pub(super) range: RangeInclusive<usize>,
}

const CHANNELS: Setting = Setting { key: "channels", letter: None, range: 1..=4096 };
const WIDTH: Setting = Setting { key: "width", letter: None, range: 1..=4096 };
const SIZE: Setting = Setting { key: "size", letter: None, range: 1..=64 };
const KERNEL: Setting = Setting { key: "kernel", letter: Some('k'), range: 1..=7 };
const STRIDE: Setting = Setting { key: "stride", letter: Some('s'), range: 1..=7 };
const POOL_STRIDE: Setting = Setting { key: "stride", letter: Some('s'), range: 1..=64 };
const PADDING: Setting = Setting { key: "padding", letter: Some('p'), range: 0..=6 };

/// Layers of a network, those in residual blocks included.
pub(super) const MOST_LAYERS: usize = 200;
/// Residual blocks around one layer.
pub(super) const DEEPEST: usize = 8;

/// Where the settings of a layer are read from.
pub(super) trait Settings {
    /// Why they cannot be read.
    type Error;

    /// A number that is optional.
    fn optional(&mut self, setting: &'static Setting) -> Result<Option<usize>, Self::Error>;
    /// A number that must be there.
    fn required(&mut self, setting: &'static Setting) -> Result<usize, Self::Error>;
    /// The probability that dropout needs, at least 0 and below 1.
    fn probability(&mut self) -> Result<f64, Self::Error>;
    /// Whether there is a bias, as there is by default.
    fn bias(&mut self) -> Result<bool, Self::Error>;
    /// The layers of a block, at least one.
    fn layers(&mut self) -> Result<Vec<Layer>, Self::Error>;
}

/// The layer of that kind with the settings given.
pub(super) fn layer<S: Settings>(kind: Kind, settings: &mut S) -> Result<Layer, S::Error> {
    Ok(match kind {
        Kind::Conv => Layer::Conv {
            channels: settings.required(&CHANNELS)?,
            kernel: settings.required(&KERNEL)?,
            stride: settings.optional(&STRIDE)?.unwrap_or(1),
            padding: settings.optional(&PADDING)?.unwrap_or(0),
            bias: settings.bias()?,
        },
        Kind::BatchNorm => Layer::BatchNorm,
        Kind::Relu => Layer::Relu,
        Kind::Gelu => Layer::Gelu,
        Kind::MaxPool => Layer::MaxPool {
            size: settings.required(&SIZE)?,
            stride: settings.optional(&POOL_STRIDE)?,
        },
        Kind::AvgPool => Layer::AvgPool {
            size: settings.required(&SIZE)?,
            stride: settings.optional(&POOL_STRIDE)?,
        },
        Kind::GlobalAvgPool => Layer::GlobalAvgPool,
        Kind::Dropout => Layer::Dropout { p: settings.probability()? },
        Kind::Flatten => Layer::Flatten,
        Kind::Linear => Layer::Linear { width: settings.optional(&WIDTH)?, bias: settings.bias()? },
        Kind::Residual => Layer::Residual { layers: settings.layers()? },
    })
}
