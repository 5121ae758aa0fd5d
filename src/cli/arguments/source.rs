//! Where images come from.

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser},
};

use super::DATA;
use crate::config::{DataSource, ImageSize};

#[derive(Debug, Args)]
pub(in crate::cli) struct SourceArgs {
    /// Where the images come from: builtin; hub or hub:fashion-mnist (downloads); a folder of IDX files;
    /// an .npz file; a CSV file or a folder of them; a folder with a folder of pictures for each class
    /// [default: builtin]
    #[arg(long, value_name = "builtin|hub[:NAME]|PATH", value_parser = source(), help_heading = DATA)]
    pub(in crate::cli) data: Option<DataSource>,
    /// Scale pictures to this size, or read CSV lines as images of this size
    #[arg(long, value_name = "N|HxW", help_heading = DATA)]
    pub(in crate::cli) image_size: Option<ImageSize>,
}

impl SourceArgs {
    /// Where the images come from.
    pub(in crate::cli) fn data(&self) -> DataSource {
        self.data.clone().unwrap_or(DataSource::Builtin)
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DataArgs {
    /// What --data takes [default: builtin]
    #[arg(value_name = "builtin|hub[:NAME]|PATH", value_parser = source())]
    pub(in crate::cli) source: Option<DataSource>,
    /// Scale pictures to this size, or read CSV lines as images of this size
    #[arg(long, value_name = "N|HxW")]
    pub(in crate::cli) image_size: Option<ImageSize>,
    /// Print one JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Where images come from, which may be a folder of any name.
fn source() -> impl TypedValueParser<Value = DataSource> {
    OsStringValueParser::new().try_map(|argument| DataSource::parse(&argument))
}
