//! `--preset NAME`: options that go well together.

use clap::builder::{StringValueParser, TypedValueParser};

use crate::network::nearest;

/// Options with a name.
#[derive(Debug)]
pub(super) struct Preset {
    pub(super) name: &'static str,
    /// As in a file that `--config` reads.
    pub(super) text: &'static str,
}

/// All.
pub(super) static PRESETS: [Preset; 4] = [
    Preset { name: "article", text: "model = \"article\"\n" },
    // The article's network with the schedule of Smith and Topin's super-convergence.
    Preset {
        name: "fast",
        text: r#"
model = "article"
epochs = 3
batch-size = 64
lr = 0.01
optimizer = "adamw"
weight-decay = 0.1
betas = [0.8, 0.95]
schedule = "one-cycle"
label-smoothing = 0.02
"#,
    },
    Preset {
        name: "tiny",
        text: r#"
model = "conv 10 k3 p1, relu, conv 10 k3 p1, relu, pool 2, conv 14 k3 p1, relu, conv 16 k3 p1, relu, pool 2, conv 20 k3, relu, avgpool 5, flatten, linear"
epochs = 48
batch-size = 64
lr = 0.006
optimizer = "adamw"
weight-decay = 0.05
schedule = "one-cycle"
augment = "light"
"#,
    },
    Preset {
        name: "best",
        text: r#"
model = "conv 16 k3 p1, relu, conv 16 k3 p1, relu, pool 2, conv 32 k3 p1, relu, conv 32 k3 p1, relu, pool 2, conv 64 k3, relu, dropout 0.2, flatten, linear"
epochs = 20
batch-size = 128
lr = 0.004
optimizer = "adamw"
schedule = "one-cycle"
augment = "light"
label-smoothing = 0.05
"#,
    },
];

/// A preset by its name.
pub(super) fn preset() -> impl TypedValueParser<Value = &'static Preset> {
    StringValueParser::new().try_map(|name| {
        let names = || PRESETS.iter().map(|preset| preset.name);
        PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
            match nearest(&name, names()) {
                Some(near) => format!("there is no preset of that name; did you mean {near}?"),
                None => format!("expected one of {}", names().collect::<Vec<_>>().join(", ")),
            }
        })
    })
}
