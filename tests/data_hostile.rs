//! Whatever the bytes of a data file are, reading them ends in a set or a sentence, never a panic.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use mnist_tui::data::PIXELS;
use mnist_tui::data::idx::{self, IdxReader, Kind};
use proptest::prelude::*;

fn magic(kind: Kind) -> u32 {
    if kind == Kind::Images { 0x803 } else { 0x801 }
}

fn item_len(kind: Kind) -> usize {
    if kind == Kind::Images { PIXELS } else { 1 }
}

fn file(kind: Kind, count: u32) -> Vec<u8> {
    let mut bytes: Vec<u8> = [magic(kind), count].iter().flat_map(|n| n.to_be_bytes()).collect();
    if kind == Kind::Images {
        bytes.extend([0, 0, 0, 28, 0, 0, 0, 28]);
    }
    bytes.extend((0..count as usize * item_len(kind)).map(|index| (index % 10) as u8));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Reads `bytes` in all three ways and checks what comes back.
fn read_all_ways(kind: Kind, bytes: &[u8]) {
    let raw = IdxReader::raw(kind, "x".into(), Cursor::new(bytes.to_vec()), bytes.len() as u64)
        .and_then(IdxReader::read);
    let packed =
        IdxReader::gzip(kind, "x".into(), Cursor::new(bytes.to_vec())).and_then(IdxReader::read);
    let parsed = idx::parse(kind, "x", bytes.to_vec());
    assert_eq!(raw.as_ref().ok(), parsed.as_ref().ok());
    for result in [raw, packed, parsed] {
        match result {
            Ok(items) => assert!(!items.is_empty()),
            Err(error) => assert!(error.to_string().contains('x')),
        }
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Images), Just(Kind::Labels)]
}

proptest! {
    #[test]
    fn random_bytes_never_panic(
        kind in kinds(),
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        read_all_ways(kind, &bytes);
    }

    #[test]
    fn random_headers_never_panic(
        kind in kinds(),
        count in any::<u32>(),
        sides in any::<[u32; 2]>(),
        right_sides in any::<bool>(),
        len in 0..3 * PIXELS,
    ) {
        let sides = if right_sides { [28, 28] } else { sides };
        let fields = [magic(kind), count, sides[0], sides[1]];
        let mut bytes: Vec<u8> = fields.iter().flat_map(|n| n.to_be_bytes()).collect();
        bytes.resize(len, 1);
        read_all_ways(kind, &bytes);
        read_all_ways(kind, &gzip(&bytes));
    }

    #[test]
    fn damaged_files_never_panic(
        kind in kinds(),
        count in 1..5u32,
        packed in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut bytes = file(kind, count);
        if packed {
            bytes = gzip(&bytes);
        }
        for (place, value) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= value;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        read_all_ways(kind, &bytes);
    }

    #[test]
    fn whole_files_come_back_whole_raw_or_gzip(kind in kinds(), count in 1..200u32) {
        let bytes = file(kind, count);
        let items = &bytes[if kind == Kind::Images { 16 } else { 8 }..];
        let len = bytes.len() as u64;
        let raw = IdxReader::raw(kind, "x".into(), Cursor::new(bytes.clone()), len).unwrap();
        prop_assert_eq!(raw.count(), count);
        prop_assert_eq!(&raw.read().unwrap(), items);
        let packed = IdxReader::gzip(kind, "x".into(), Cursor::new(gzip(&bytes))).unwrap();
        prop_assert_eq!(&packed.read().unwrap(), items);
    }
}
