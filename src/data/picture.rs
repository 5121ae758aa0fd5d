//! Pictures of digits in PNG and JPEG files, as MNIST would have them.

mod background;
mod candidate;
mod components;
mod cut;
mod find;
mod ink;
mod jpeg;
mod shape;
mod sheet;

use std::{
    fs::{self, File},
    io::{self, Cursor, Read},
    path::Path,
};

use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    imageops::{self, FilterType},
    metadata::Orientation,
};
use serde::Serialize;

/// Most pixels along a side.
const LONGEST: u32 = 16_384;
/// Most bytes of a file, and of its pixels.
const MOST_BYTES: u64 = 256 << 20;

/// Why a picture cannot be used. Each message is one sentence that names the file, what was found
/// and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// There is no such file.
    #[error("there is no file {file}: expected a PNG or JPEG picture of a digit")]
    Missing {
        /// The path.
        file: String,
    },
    /// A folder, pipe or device stands where a file should be.
    #[error("{file} is not a regular file: expected a PNG or JPEG picture of a digit")]
    NotAFile {
        /// The path.
        file: String,
    },
    /// The operating system refuses to open or read the file.
    #[error("cannot read {file}: {reason}")]
    Read {
        /// The path.
        file: String,
        /// The system's answer.
        reason: io::Error,
    },
    /// The file is of another format.
    #[error("{file} is neither PNG nor JPEG: convert it to one of them")]
    Format {
        /// The path.
        file: String,
    },
    /// The file does not decode.
    #[error("{file} cannot be decoded ({reason}): it is damaged or cut short")]
    Malformed {
        /// The path.
        file: String,
        /// What the decoder says.
        reason: String,
    },
    /// A side is too long.
    #[error(
        "{file} has {width}×{height} pixels, expected at most {LONGEST} along each side: make it \
         smaller"
    )]
    TooLong {
        /// The path.
        file: String,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The file, or its pixels, would take too much memory.
    #[error("{file} takes {} MB, expected at most {} MB: make it smaller", .bytes >> 20, MOST_BYTES >> 20)]
    TooLarge {
        /// The path.
        file: String,
        /// Bytes of the file or of its pixels.
        bytes: u64,
    },
    /// A folder holds no pictures.
    #[error("{folder} holds no pictures: expected files whose names end in .png, .jpg or .jpeg")]
    EmptyFolder {
        /// The path.
        folder: String,
    },
    /// Nothing is to be seen.
    #[error("{file} is blank: expected a digit that stands out from its background")]
    Blank {
        /// The path.
        file: String,
    },
}

/// The digit that was found in a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digit {
    /// 28 rows of 28 grey values, 255 the ink, fitted and centred as MNIST's images are.
    pub pixels: Vec<u8>,
    /// Why it may not be what the picture is of.
    pub doubt: Option<Doubt>,
}

/// Why no single digit stands out from a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Doubt {
    /// There is more than one shape of about the same size.
    Several,
    /// The ink is hardly darker or lighter than its background.
    Faint,
    /// Nothing has the shape of a digit's strokes.
    #[serde(rename = "none")]
    NoStroke,
}

impl Doubt {
    /// What was found, as the end of a sentence that starts with the file's name.
    pub fn message(self) -> &'static str {
        match self {
            Self::Several => {
                "shows several shapes that may be digits: the answer is for one of them, so crop the \
                 picture to one digit"
            }
            Self::Faint => {
                "shows only faint ink: the answer may be wrong, so take the picture with more contrast"
            }
            Self::NoStroke => {
                "shows nothing that looks like the strokes of a digit: the answer may be meaningless"
            }
        }
    }
}

/// Finds the digit in a picture file.
///
/// The picture may be in colour and partly transparent, unevenly lit, grainy, ruled or framed, or show
/// a sheet on a table; its ink may be darker or lighter than its background.
///
/// # Errors
/// If the file cannot be read, is no PNG or JPEG, is incomplete or too large, or shows nothing.
pub fn read(path: &Path) -> Result<Digit, PictureError> {
    read_from(&path.display().to_string(), open(path)?)
}

/// The picture in a file, in grey, as it is.
///
/// # Errors
/// If the file cannot be read, is no PNG or JPEG, is incomplete or too large.
pub(super) fn grey(path: &Path) -> Result<GrayImage, PictureError> {
    let file = path.display().to_string();
    Ok(into_grey(decode(&file, &bytes(&file, open(path)?)?)?))
}

/// Opens a picture file.
fn open(path: &Path) -> Result<File, PictureError> {
    let file = || path.display().to_string();
    // Checked before opening, because opening a pipe without a writer waits for one.
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(PictureError::NotAFile { file: file() }),
        Ok(metadata) if metadata.len() > MOST_BYTES => {
            return Err(PictureError::TooLarge { file: file(), bytes: metadata.len() });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(PictureError::Missing { file: file() });
        }
        // Another error comes again on opening.
        _ => {}
    }
    File::open(path).map_err(|reason| PictureError::Read { file: file(), reason })
}

/// Finds the digit in a picture that is read to its end, such as standard input; `name` is for errors.
///
/// # Errors
/// As [`read`].
pub fn read_from(name: &str, source: impl Read) -> Result<Digit, PictureError> {
    let grey = into_grey(decode(name, &bytes(name, source)?)?);
    find::find(&grey).ok_or_else(|| PictureError::Blank { file: name.to_owned() })
}

/// Reads a picture as grey values, scaled to the given rows and columns.
///
/// # Errors
/// As [`read`], but a blank picture is one as well.
pub fn read_scaled(path: &Path, size: [usize; 2]) -> Result<Vec<u8>, PictureError> {
    read_scaled_from(&path.display().to_string(), open(path)?, size)
}

/// The same of a picture that is read to its end; `name` is for errors.
///
/// # Errors
/// As [`read_scaled`].
pub fn read_scaled_from(
    name: &str,
    source: impl Read,
    [height, width]: [usize; 2],
) -> Result<Vec<u8>, PictureError> {
    let grey = into_grey(decode(name, &bytes(name, source)?)?);
    let size = (width as u32, height as u32);
    let is_scaled = grey.dimensions() == size;
    let scaled = if is_scaled {
        grey
    } else {
        imageops::resize(&grey, size.0, size.1, FilterType::Triangle)
    };
    Ok(scaled.into_raw())
}

/// All bytes of a picture file.
fn bytes(name: &str, source: impl Read) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    source
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|reason| PictureError::Read { file: name.to_owned(), reason })?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(PictureError::TooLarge { file: name.to_owned(), bytes: bytes.len() as u64 });
    }
    Ok(bytes)
}

/// The decoded picture, turned as its camera says.
fn decode(file: &str, bytes: &[u8]) -> Result<DynamicImage, PictureError> {
    let malformed =
        |reason: &str| PictureError::Malformed { file: file.to_owned(), reason: sentence(reason) };
    let failed = |error: ImageError| malformed(&error.to_string());
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|reason| PictureError::Read { file: file.to_owned(), reason })?;
    match reader.format() {
        Some(ImageFormat::Png) => {}
        Some(ImageFormat::Jpeg) if jpeg::is_whole(bytes) => {}
        Some(ImageFormat::Jpeg) => return Err(malformed("it has no end marker")),
        _ => return Err(PictureError::Format { file: file.to_owned() }),
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if width > LONGEST || height > LONGEST {
        return Err(PictureError::TooLong { file: file.to_owned(), width, height });
    }
    let bytes = decoder.total_bytes();
    if bytes > MOST_BYTES {
        return Err(PictureError::TooLarge { file: file.to_owned(), bytes });
    }
    // Metadata that cannot be read is no reason to refuse the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// A decoder's words as part of a sentence.
fn sentence(message: &str) -> String {
    const LONGEST: usize = 120;
    let line = message.lines().next().unwrap_or_default().trim_end_matches('.');
    line.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

fn into_grey(picture: DynamicImage) -> GrayImage {
    match picture {
        DynamicImage::ImageLuma8(grey) => grey,
        other => {
            let (width, height) = (other.width(), other.height());
            let grey = ink::flatten(&other.into_luma_alpha8().into_raw());
            GrayImage::from_raw(width, height, grey).expect("a grey value for each pixel")
        }
    }
}

#[cfg(test)]
mod tests;
