//! Networks that have a name.

use super::spec::NetworkSpec;

/// A network with a name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The name, as `--model` takes it.
    pub name: &'static str,
    /// A line about it.
    pub about: &'static str,
    /// Its layers.
    pub spec: fn() -> NetworkSpec,
}

/// All of them.
pub const PRESETS: [Preset; 1] = [Preset {
    name: "article",
    about: "the article's: two convolutions of 5×5, 5,142 parameters on MNIST",
    spec: NetworkSpec::article,
}];

impl NetworkSpec {
    /// The network of that name.
    pub fn named(name: &str) -> Option<Self> {
        PRESETS.iter().find(|preset| preset.name == name).map(|preset| (preset.spec)())
    }

    /// The name, if it has one.
    pub fn name(&self) -> Option<&'static str> {
        PRESETS.iter().find(|preset| (preset.spec)() == *self).map(|preset| preset.name)
    }
}
