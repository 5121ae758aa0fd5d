//! A table of images.

use std::{
    io::{self, BufReader, Cursor, Read},
    path::Path,
};

use csv::{ByteRecord, ReaderBuilder};
use flate2::read::MultiGzDecoder;

use super::lines::Lines;
use crate::{
    config::{ImageSize, SIDES},
    data::{
        DataError, file::open, format::parts::Images, idx::Kind, info::CLASS_COUNTS,
        limits::check_count, sniff,
    },
};

const EXPECTED: &str = "CSV lines of a label and the pixels of an image";

/// What a file holds.
pub(super) struct Table {
    /// `None` if the images have no labels.
    pub(super) images: Option<Images>,
    /// Rows and columns.
    pub(super) size: [usize; 2],
}

/// What is in which column.
struct Columns {
    /// The one of the label.
    label: Option<usize>,
    /// All of them.
    count: usize,
    size: [usize; 2],
}

impl Table {
    /// Reads a file, which may be gzip; `size` says what its images have, if they are not square.
    ///
    /// # Errors
    /// If it cannot be read or is no such table.
    pub(super) fn read(path: &Path, size: Option<ImageSize>) -> Result<Self, DataError> {
        let file = path.display().to_string();
        let mut reader = reader(path, &file)?;
        let mut columns = None;
        let mut images = Images::default();
        let mut record = ByteRecord::new();
        let failed = |error: csv::Error| broken(&file, error);
        while reader.read_byte_record(&mut record).map_err(failed)? {
            let line = record.position().map_or(0, csv::Position::line);
            let columns = if let Some(columns) = &columns {
                columns
            } else {
                let is_header = record.iter().any(|field| number(field).is_none());
                let found = columns.insert(Columns::of(&file, &record, is_header, size)?);
                if is_header {
                    continue;
                }
                found
            };
            if columns.label.is_none() {
                break;
            }
            columns.take(&file, line, &record, &mut images)?;
        }
        let empty = || DataError::Empty { file: file.clone(), kind: Kind::Images };
        let columns = columns.ok_or_else(empty)?;
        let images = match columns.label {
            None => None,
            Some(_) if images.labels.is_empty() => return Err(empty()),
            Some(_) => Some(images),
        };
        Ok(Self { images, size: columns.size })
    }
}

/// Opens a table, which tells what separates its fields by what its first line has most of.
fn reader(path: &Path, file: &str) -> Result<csv::Reader<Box<dyn Read>>, DataError> {
    let (mut source, _) = open(path, EXPECTED)?;
    let head = |source: &mut dyn Read, count: u64| {
        let mut head = Vec::new();
        let read = source.take(count).read_to_end(&mut head);
        read.map(|_| head).map_err(|reason| broken(file, reason.into()))
    };
    let start = head(&mut source, 2)?;
    let is_gzip = start == [0x1f, 0x8b];
    let source = Cursor::new(start).chain(source);
    let mut source: Box<dyn Read> =
        if is_gzip { Box::new(MultiGzDecoder::new(source)) } else { Box::new(source) };
    let start = head(&mut source, 1 << 10)?;
    if let Some(foreign) = sniff::identify(&start) {
        return Err(DataError::foreign(file, foreign, EXPECTED));
    }
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |byte: u8| line.split(|other| *other == byte).count();
    // The last of equals is taken.
    let delimiter = *b"\t;,".iter().max_by_key(|byte| count(**byte)).unwrap_or(&b',');
    let source: Box<dyn Read> =
        Box::new(Lines::new(BufReader::with_capacity(1 << 16, Cursor::new(start).chain(source))));
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).trim(csv::Trim::All);
    Ok(builder.from_reader(source))
}

fn broken(file: &str, error: csv::Error) -> DataError {
    let file = file.to_owned();
    match error.into_kind() {
        csv::ErrorKind::Io(reason) => match reason.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidInput => {
                DataError::unusable(file, format!("cannot be read as a table ({reason})"), EXPECTED)
            }
            _ => DataError::Read { file, reason },
        },
        other => {
            DataError::unusable(file, format!("cannot be read as a table ({other:?})"), EXPECTED)
        }
    }
}

impl Columns {
    /// What the first line says.
    fn of(
        file: &str,
        first: &ByteRecord,
        is_header: bool,
        size: Option<ImageSize>,
    ) -> Result<Self, DataError> {
        let count = first.len();
        let named = |field: &[u8]| {
            let name = String::from_utf8_lossy(field).trim_start_matches('\u{feff}').to_lowercase();
            ["label", "labels", "class", "target", "y", "digit"].contains(&name.as_str())
        };
        let has_only_pixels = match size {
            Some(size) => size.pixels() == count,
            None => square(count).is_some(),
        };
        let label = if is_header {
            let named = first.iter().position(named);
            named.or((!has_only_pixels).then_some(0))
        } else {
            (!has_only_pixels).then_some(0)
        };
        let pixels = count - usize::from(label.is_some()).min(count);
        let size = match size {
            Some(size) => Some(size.into()).filter(|_| size.pixels() == pixels),
            None => square(pixels),
        };
        let size = size.ok_or_else(|| {
            DataError::unusable(
                file,
                format!("has {count} columns"),
                "a label and the pixels of a square image, such as 785 for 28×28: give other shapes \
                 with --image-size HxW",
            )
        })?;
        Ok(Self { label, count, size })
    }

    /// Adds the image of a line.
    fn take(
        &self,
        file: &str,
        line: u64,
        record: &ByteRecord,
        images: &mut Images,
    ) -> Result<(), DataError> {
        if record.len() != self.count {
            let found = format!("has {} columns in line {line}", record.len());
            return Err(DataError::unusable(file, found, format!("{}", self.count)));
        }
        let count = images.labels.len() as u64 + 1;
        check_count(file, Kind::Images, count, self.size[0] * self.size[1])?;
        for (column, field) in record.iter().enumerate() {
            let is_label = self.label == Some(column);
            let most = if is_label { *CLASS_COUNTS.end() - 1 } else { 255 };
            let value = number(field)
                .filter(|value| value.fract() == 0.0 && (0.0..=most as f64).contains(value))
                .ok_or_else(|| {
                    let what = if is_label { "label" } else { "pixel" };
                    let shown: String = String::from_utf8_lossy(field).chars().take(20).collect();
                    let found = format!("has the {what} \"{shown}\" in line {line}");
                    DataError::unusable(file, found, format!("a whole number from 0 to {most}"))
                })?;
            let part = if is_label { &mut images.labels } else { &mut images.pixels };
            part.push(value as u8);
        }
        Ok(())
    }
}

/// Rows and columns of a square image with this many pixels, if its sides are supported.
fn square(pixels: usize) -> Option<[usize; 2]> {
    let side = pixels.isqrt();
    (side * side == pixels && SIDES.contains(&side)).then_some([side; 2])
}

/// The number in a field.
fn number(field: &[u8]) -> Option<f64> {
    // Nearly all fields have up to three digits.
    if (1..=3).contains(&field.len()) && field.iter().all(u8::is_ascii_digit) {
        let value = field.iter().fold(0, |value, digit| 10 * value + u32::from(digit - b'0'));
        return Some(f64::from(value));
    }
    std::str::from_utf8(field).ok()?.trim_start_matches('\u{feff}').parse().ok()
}
