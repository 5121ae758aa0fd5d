//! IDX files, raw, packed and at once: the first byte says which kind.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use mnist_tui::data::idx::{IdxReader, Kind, parse};

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let kind = if first % 2 == 0 { Kind::Images } else { Kind::Labels };
    let source = || Cursor::new(bytes.to_vec());
    let raw = IdxReader::raw(kind, "x".to_owned(), source(), bytes.len() as u64);
    let raw = raw.and_then(IdxReader::read);
    let at_once = parse(kind, "x", bytes.to_vec());
    assert_eq!(raw.as_ref().ok(), at_once.as_ref().ok());
    if let Ok(items) = IdxReader::gzip(kind, "x".to_owned(), source()).and_then(IdxReader::read) {
        assert!(!items.is_empty());
    }
});
