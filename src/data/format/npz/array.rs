//! An array in an `.npz` file, as images or as labels.

use super::{
    archive::Member,
    npy::{self, Header, PREFIX, Values},
};
use crate::{
    config::SIDES,
    data::{
        DataError,
        idx::{Kind, MAX_COUNT, reserve},
        info::CLASS_COUNTS,
    },
};

/// Bytes that are read at a time, a whole number of values.
const BLOCK: usize = 1 << 16;

/// An array whose header is read and checked.
pub(super) struct Array {
    member: Member,
    header: Header,
    /// Bytes before the values.
    start: usize,
}

impl Array {
    /// Reads the header.
    ///
    /// # Errors
    /// If it is none, or announces other values than the file in the archive holds.
    pub(super) fn new(mut member: Member) -> Result<Self, DataError> {
        let file = member.file.clone();
        let mut unpacked = member.open()?;
        let mut start = Vec::new();
        unpacked.fill(&mut start, PREFIX)?;
        let (prefix, text) = npy::lengths(&file, &start)?;
        unpacked.fill(&mut start, prefix + text - PREFIX)?;
        let header = Header::parse(&file, &String::from_utf8_lossy(&start[prefix..]))?;
        drop(unpacked);
        let values = header.shape.iter().try_fold(1_u64, |all, &size| all.checked_mul(size));
        let bytes = values.and_then(|values| values.checked_mul(header.of.size as u64));
        let all = bytes.and_then(|bytes| bytes.checked_add(start.len() as u64));
        if all != Some(member.size) {
            let found =
                format!("has {} bytes for an array of shape {}", member.size, shown(&header.shape));
            return Err(DataError::unusable(file, found, "an intact .npz file: fetch it again"));
        }
        Ok(Self { member, header, start: start.len() })
    }

    /// Names it in errors.
    pub(super) fn file(&self) -> &str {
        &self.member.file
    }

    /// The number of images or labels.
    pub(super) fn count(&self) -> u64 {
        self.header.shape.first().copied().unwrap_or_default()
    }

    /// Pixels as bytes, and rows and columns of an image.
    ///
    /// # Errors
    /// If they are not grey images of a size that is supported, or cannot be read.
    pub(super) fn images(mut self) -> Result<(Vec<u8>, [usize; 2]), DataError> {
        let size = self.image_size()?;
        let values = self.checked_count(Kind::Images)? * size[0] * size[1];
        let of = self.header.of;
        if (of.kind, of.size) == (Values::Unsigned, 1) {
            let mut pixels = self.room(values)?;
            self.each_block(values, |block| pixels.extend_from_slice(block))?;
            return Ok((pixels, size));
        }
        // Two passes: only all values tell whether 1 is full ink or hardly any.
        let (mut is_whole, mut has_nan) = (true, false);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        self.each_value(values, |value| {
            is_whole &= value.fract() == 0.0;
            has_nan |= value.is_nan();
            (low, high) = (low.min(value), high.max(value));
        })?;
        let factor = match (low >= 0.0 && !has_nan, is_whole) {
            (true, false) if high <= 1.0 => 255.0,
            (true, true) if high <= 255.0 => 1.0,
            _ => {
                let nan = if has_nan { " and NaN" } else { "" };
                let found = format!("holds pixels from {low} to {high}{nan}");
                let expected = "whole numbers from 0 to 255, or fractions from 0 to 1";
                return Err(DataError::unusable(self.file(), found, expected));
            }
        };
        let mut pixels = self.room(values)?;
        self.each_value(values, |value| pixels.push((value * factor).round() as u8))?;
        Ok((pixels, size))
    }

    /// Rows and columns of `[n, h, w]`, `[n, h, w, 1]`, `[n, 1, h, w]` or `[n, side²]`.
    fn image_size(&self) -> Result<[usize; 2], DataError> {
        let size = match self.header.shape[..] {
            [_, height, width] | [_, height, width, 1] | [_, 1, height, width] => {
                Some([height, width])
            }
            [_, pixels] => Some([pixels.isqrt(); 2]).filter(|[side, _]| side * side == pixels),
            _ => None,
        };
        let Some([rows, columns]) = size else {
            let found = format!("has the shape {}", shown(&self.header.shape));
            let expected = "grey images (n, height, width), with or without a last dimension of 1";
            return Err(DataError::unusable(self.file(), found, expected));
        };
        let sides = [rows as usize, columns as usize];
        if !sides.iter().all(|side| SIDES.contains(side)) {
            return Err(DataError::BadDimensions { file: self.file().to_owned(), rows, columns });
        }
        Ok(sides)
    }

    /// A byte for each label.
    ///
    /// # Errors
    /// If they are not whole numbers below 100 in `[n]` or `[n, 1]`, or cannot be read.
    pub(super) fn labels(mut self) -> Result<Vec<u8>, DataError> {
        if !matches!(self.header.shape[..], [_] | [_, 1]) {
            let found = format!("has the shape {}", shown(&self.header.shape));
            let expected =
                "a number for each image: numpy.argmax(…, axis=1) makes them of one-hot rows";
            return Err(DataError::unusable(self.file(), found, expected));
        }
        let count = self.checked_count(Kind::Labels)?;
        let (file, classes) = (self.file().to_owned(), *CLASS_COUNTS.end());
        let mut labels = self.room(count)?;
        let mut wrong = None;
        self.each_value(count, |value| {
            if value.fract() != 0.0 || !(0.0..classes as f64).contains(&value) {
                wrong = wrong.or(Some((labels.len(), value)));
            }
            labels.push(value as u8);
        })?;
        match wrong {
            None => Ok(labels),
            Some((position, value)) if value.fract() == 0.0 => Err(DataError::BadLabel {
                file,
                position,
                label: value as i64,
                lowest: 0,
                highest: classes - 1,
            }),
            Some((position, value)) => {
                let found = format!("has {value} as label number {position} (from 0)");
                Err(DataError::unusable(file, found, "whole numbers"))
            }
        }
    }

    fn checked_count(&self, kind: Kind) -> Result<usize, DataError> {
        let (file, count) = (self.file().to_owned(), self.count());
        match count {
            0 => Err(DataError::Empty { file, kind }),
            1.. if count <= u64::from(MAX_COUNT) => Ok(count as usize),
            _ => Err(DataError::TooMany { file, count, kind }),
        }
    }

    /// Room for a byte for each value. The archive was found to be large enough to hold them.
    fn room(&self, values: usize) -> Result<Vec<u8>, DataError> {
        let mut room = Vec::new();
        reserve(&mut room, values, self.file(), values as u64)?;
        Ok(room)
    }

    /// Calls `take` with each of the `count` values.
    fn each_value(&mut self, count: usize, mut take: impl FnMut(f64)) -> Result<(), DataError> {
        let of = self.header.of;
        self.each_block(count, |block| {
            for bytes in block.chunks_exact(of.size) {
                take(of.value(bytes));
            }
        })
    }

    /// Calls `take` with the bytes of the `count` values, some at a time.
    fn each_block(&mut self, count: usize, mut take: impl FnMut(&[u8])) -> Result<(), DataError> {
        let mut missing = count * self.header.of.size;
        let mut unpacked = self.member.open()?;
        let mut block = Vec::with_capacity(BLOCK);
        unpacked.fill(&mut block, self.start)?;
        while missing > 0 {
            block.clear();
            let step = missing.min(BLOCK);
            unpacked.fill(&mut block, step)?;
            take(&block);
            missing -= step;
        }
        unpacked.end()
    }
}

/// As Python shows it.
fn shown(shape: &[u64]) -> String {
    let sizes: Vec<_> = shape.iter().map(u64::to_string).collect();
    format!("({})", sizes.join(", "))
}
