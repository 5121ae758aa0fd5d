//! Pictures of digits in PNG and JPEG files, as MNIST would have them.

mod ink;

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Seek},
    path::Path,
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

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
    /// Nothing is to be seen.
    #[error("{file} is blank: expected a digit that stands out from its background")]
    Blank {
        /// The path.
        file: String,
    },
}

/// The digit in a picture as 28 rows of 28 grey values, 255 the ink, fitted and centred as MNIST's
/// images are.
///
/// The picture may be in colour and partly transparent; its ink may be darker or lighter than its
/// background.
///
/// # Errors
/// If the file cannot be read, is no PNG or JPEG, is too large, or shows nothing.
pub fn read(path: &Path) -> Result<Vec<u8>, PictureError> {
    let file = || path.display().to_string();
    // Asked before opening, because opening a pipe without a writer waits for ever.
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
    let source = File::open(path).map_err(|reason| PictureError::Read { file: file(), reason })?;
    digit(&file(), decode(&file(), BufReader::new(source))?)
}

/// The decoded picture, turned as its camera says.
fn decode(file: &str, source: impl BufRead + Seek) -> Result<DynamicImage, PictureError> {
    let file = || file.to_owned();
    let failed = |error: ImageError| match error {
        ImageError::IoError(reason) if reason.kind() != io::ErrorKind::UnexpectedEof => {
            PictureError::Read { file: file(), reason }
        }
        error => PictureError::Malformed { file: file(), reason: sentence(&error.to_string()) },
    };
    let mut reader = ImageReader::new(source)
        .with_guessed_format()
        .map_err(|reason| PictureError::Read { file: file(), reason })?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(PictureError::Format { file: file() });
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if width > LONGEST || height > LONGEST {
        return Err(PictureError::TooLong { file: file(), width, height });
    }
    let bytes = decoder.total_bytes();
    if bytes > MOST_BYTES {
        return Err(PictureError::TooLarge { file: file(), bytes });
    }
    let orientation = decoder.orientation().map_err(failed)?;
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

fn digit(file: &str, picture: DynamicImage) -> Result<Vec<u8>, PictureError> {
    let width = picture.width() as usize;
    let grey = match picture {
        DynamicImage::ImageLuma8(grey) => grey.into_raw(),
        other => ink::flatten(&other.into_luma_alpha8().into_raw()),
    };
    ink::digit(&grey, width).ok_or_else(|| PictureError::Blank { file: file.to_owned() })
}

#[cfg(test)]
mod tests;
