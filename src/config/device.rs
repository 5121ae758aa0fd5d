//! `--device`: the processor that trains.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which processor trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// The CPU: only one kind of GPU has been measured.
    Auto,
    /// The CPU.
    Cpu,
    /// The NVIDIA GPU of this index.
    Cuda(usize),
    /// The Apple GPU of this index.
    Metal(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, index) = match text.split_once(':') {
            None => (text, Ok(0)),
            Some((kind, index)) => (kind, index.parse::<usize>()),
        };
        match (kind, index) {
            ("auto", _) if text == "auto" => Ok(Self::Auto),
            ("cpu", _) if text == "cpu" => Ok(Self::Cpu),
            ("metal", Ok(_)) if !cfg!(feature = "metal") => Err(not_built("Apple GPUs", "metal")),
            ("cuda", Ok(index)) => Ok(Self::Cuda(index)),
            ("metal", Ok(index)) => Ok(Self::Metal(index)),
            _ => Err("expected auto, cpu, cuda, cuda:N, metal or metal:N".to_owned()),
        }
    }
}

fn not_built(what: &str, feature: &str) -> String {
    format!(
        "this build has no support for {what}: build it with `cargo build --release --features \
         {feature}`, or use --device cpu"
    )
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Metal(index) => write!(f, "metal:{index}"),
        }
    }
}
