//! IDX data that is no file of a folder: in memory, in several gzip members, on a failing disk.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use mnist_tui::data::idx::{self, IdxReader, Kind};
use mnist_tui::data::{Dataset, PIXELS};

fn header(fields: &[u32]) -> Vec<u8> {
    fields.iter().flat_map(|field| field.to_be_bytes()).collect()
}

fn images(count: u32) -> Vec<u8> {
    let pixels = (0..count as usize * PIXELS).map(|index| (index % 251) as u8);
    header(&[0x803, count, 28, 28]).into_iter().chain(pixels).collect()
}

fn labels(count: u32) -> Vec<u8> {
    header(&[0x801, count]).into_iter().chain((0..count).map(|index| (index % 10) as u8)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_data_in_several_members_and_larger_than_a_growth_step_is_read() {
    let bytes = images(300);
    let (first, rest) = bytes.split_at(100_000);
    let source = io::Cursor::new([gzip(first), gzip(rest)].concat());
    let reader = IdxReader::gzip(Kind::Images, "members".into(), source).unwrap();
    assert_eq!(reader.count(), 300);
    assert_eq!(reader.read().unwrap(), &bytes[16..]);
}

#[test]
fn a_file_that_fails_while_it_is_read_is_named() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let source = io::Cursor::new(images(1)[..100].to_vec()).chain(Failing);
    let reader = IdxReader::raw(Kind::Images, "x".into(), source, 800).unwrap();
    assert_eq!(reader.read().unwrap_err().to_string(), "cannot read x: the disk is gone");
}

#[test]
fn pixels_and_labels_that_do_not_match_make_no_set() {
    let error = |pixels, labels| {
        Dataset::new([1, 28, 28], 10, vec![0; pixels], labels).unwrap_err().to_string()
    };
    assert_eq!(
        error(PIXELS + 1, vec![0]),
        "785 pixels do not belong to 1 labels, expected 784 pixels for each label"
    );
    assert_eq!(
        error(PIXELS, vec![0, 1]),
        "784 pixels do not belong to 2 labels, expected 784 pixels for each label"
    );
    assert_eq!(
        error(PIXELS, vec![12]),
        "the set has 12 as label number 0 (from 0), expected 0 to 9"
    );
    assert!(Dataset::new([1, 28, 28], 10, Vec::new(), Vec::new()).unwrap().is_empty());
}

#[test]
fn files_in_memory_are_checked_like_files_on_disk() {
    assert_eq!(idx::parse(Kind::Labels, "x", labels(3)).unwrap(), [0, 1, 2]);
    assert_eq!(idx::parse(Kind::Images, "x", images(2)).unwrap(), &images(2)[16..]);
    let error = |kind, bytes| idx::parse(kind, "x", bytes).unwrap_err().to_string();
    assert!(error(Kind::Labels, labels(3)[..10].to_vec()).contains("x ends after 10 bytes"));
    assert!(error(Kind::Images, [images(2), vec![0]].concat()).contains("goes on for 1585 bytes"));
    assert!(error(Kind::Labels, header(&[0x801, 4, 0xff00_0000])).contains("255 as label"));
}
