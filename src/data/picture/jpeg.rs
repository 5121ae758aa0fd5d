//! Whether a JPEG file is whole: its decoder fills in what is missing.

/// Start of image, end of image, start of scan.
const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;

/// Whether the image that starts a file reaches its end marker; more may follow, as phones append a
/// second picture. Markers within segments, such as a thumbnail's, do not count.
///
/// The layout is that of ITU-T T.81, annex B.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[0xFF, SOI]) else { return false };
    loop {
        // Markers may be preceded by any number of fill bytes.
        let Some(start) = rest.iter().position(|&byte| byte != 0xFF) else { return false };
        if start == 0 {
            // Decoders skip stray bytes between segments.
            let Some(next) = rest.iter().position(|&byte| byte == 0xFF) else { return false };
            rest = &rest[next..];
            continue;
        }
        let marker = rest[start];
        rest = &rest[start + 1..];
        match marker {
            EOI => return true,
            // Markers without a segment.
            0x00 | 0x01 | SOI | 0xD0..=0xD7 => continue,
            _ => {}
        }
        let Some(length) =
            rest.first_chunk().map(|&length| usize::from(u16::from_be_bytes(length)))
        else {
            return false;
        };
        let Some(after) = rest.get(length.max(2)..) else { return false };
        rest = if marker == SOS { after_scan(after) } else { after };
    }
}

/// What follows the entropy-coded data: the next marker that is neither a stuffed zero nor a restart.
fn after_scan(mut data: &[u8]) -> &[u8] {
    while let Some(at) = data.iter().position(|&byte| byte == 0xFF) {
        data = &data[at..];
        match data.get(1) {
            Some(0x00 | 0xD0..=0xD7) => data = &data[2..],
            Some(0xFF) => data = &data[1..],
            Some(_) => return data,
            None => return &[],
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: [u8; 6] = [0xFF, 0xDB, 0, 4, 0xFF, EOI];
    const SCAN: [u8; 12] = [0xFF, SOS, 0, 3, 7, 1, 0xFF, 0x00, 2, 0xFF, 0xD3, 3];
    const END: [u8; 2] = [0xFF, EOI];

    #[test]
    fn an_image_of_several_scans_is_whole_at_its_end_marker() {
        let start = [0xFF, SOI];
        let progressive = [&start[..], &SEGMENT, &SCAN, &SEGMENT, &SCAN, &[0xFF], &END].concat();
        assert!(is_whole(&progressive));
        assert!(is_whole(&[&progressive[..], b"more"].concat()));
        for len in 0..progressive.len() {
            assert!(!is_whole(&progressive[..len]), "the first {len} bytes");
        }
    }
}
