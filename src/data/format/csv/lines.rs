//! A limit on the length of lines.

use std::io::{self, Read};

/// Longest line: 64×64 numbers with many digits.
pub(super) const LONGEST: usize = 1 << 17;

/// Fails at a line that is too long to be one of an image, which a table would take memory for.
pub(super) struct Lines<R> {
    source: R,
    /// Bytes since the last line end.
    length: usize,
}

impl<R> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, length: 0 }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        for &byte in &buffer[..count] {
            self.length = if byte == b'\n' || byte == b'\r' { 0 } else { self.length + 1 };
            if self.length > LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
            }
        }
        Ok(count)
    }
}
