//! `--data`: where images come from.

use std::{ffi::OsStr, fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use super::path_form;

/// Where the images come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub enum DataSource {
    /// The copy of MNIST inside the program.
    Builtin,
    /// A download through `candle-datasets`.
    Hub(HubSet),
    /// A file, or a folder of files.
    Path(PathBuf),
}

/// A set that can be downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HubSet {
    /// MNIST.
    Mnist,
    /// Fashion-MNIST.
    FashionMnist,
}

/// The stored form, in which `"hub"` is MNIST as in the versions that knew no other set.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stored {
    Builtin,
    Hub,
    #[serde(rename = "hub-set")]
    HubSet(HubSet),
    Dir(#[serde(with = "path_form")] PathBuf),
}

impl From<Stored> for DataSource {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Builtin => Self::Builtin,
            Stored::Hub => Self::Hub(HubSet::Mnist),
            Stored::HubSet(set) => Self::Hub(set),
            Stored::Dir(path) => Self::Path(path),
        }
    }
}

impl From<DataSource> for Stored {
    fn from(source: DataSource) -> Self {
        match source {
            DataSource::Builtin => Self::Builtin,
            DataSource::Hub(HubSet::Mnist) => Self::Hub,
            DataSource::Hub(set) => Self::HubSet(set),
            DataSource::Path(path) => Self::Dir(path),
        }
    }
}

impl DataSource {
    /// Reads an argument; a file or folder may have any name.
    ///
    /// # Errors
    /// If it names no source, or one that this build does not have.
    pub fn parse(argument: &OsStr) -> Result<Self, String> {
        argument.to_str().map_or_else(|| Ok(Self::Path(argument.into())), str::parse)
    }
}

impl FromStr for DataSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let set = match text {
            "" => return Err("expected builtin, hub, hub:NAME, a file or a folder".to_owned()),
            "builtin" => return Ok(Self::Builtin),
            "hub" | "hub:mnist" => HubSet::Mnist,
            "hub:fashion-mnist" => HubSet::FashionMnist,
            other if other.starts_with("hub:") => {
                return Err("expected hub:mnist or hub:fashion-mnist".to_owned());
            }
            path => return Ok(Self::Path(path.into())),
        };
        if cfg!(feature = "hub") {
            return Ok(Self::Hub(set));
        }
        Err("this build cannot download: build it with `cargo build --release --features hub`, or use \
             --data builtin"
            .to_owned())
    }
}

impl fmt::Display for HubSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mnist => "MNIST",
            Self::FashionMnist => "Fashion-MNIST",
        })
    }
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin => f.write_str("builtin"),
            Self::Hub(HubSet::Mnist) => f.write_str("hub"),
            Self::Hub(HubSet::FashionMnist) => f.write_str("hub:fashion-mnist"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}
