//! The header of an array in `NumPy`'s format (`numpy.lib.format`, versions 1 to 3): type, order and shape.

use crate::data::DataError;

/// Bytes before the text of the header in versions 2 and 3; version 1 has two less.
pub(super) const PREFIX: usize = 12;
/// Longest text; `NumPy` itself reads up to 10,000 bytes.
const LONGEST: usize = 1 << 16;

/// The type of an array's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type {
    is_big_endian: bool,
    pub(super) kind: Values,
    /// Bytes of a value.
    pub(super) size: usize,
}

/// Kinds of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Unsigned,
    Signed,
    Float,
}

impl Type {
    /// Reads a type such as `|u1` or `<f4`.
    fn parse(text: &str) -> Option<Self> {
        let (order, rest) = text.split_at_checked(1)?;
        let (kind, size) = rest.split_at_checked(1)?;
        let size = size.parse().ok()?;
        let kind = match (kind, size) {
            ("u", 1 | 2 | 4 | 8) | ("b", 1) => Values::Unsigned,
            ("i", 1 | 2 | 4 | 8) => Values::Signed,
            ("f", 4 | 8) => Values::Float,
            _ => return None,
        };
        ["<", ">", "|", "="].contains(&order).then_some(Self {
            is_big_endian: order == ">",
            kind,
            size,
        })
    }

    /// The value of these `size` bytes. Whole numbers beyond 2⁵³ are rounded.
    pub(super) fn value(self, bytes: &[u8]) -> f64 {
        let mut wide = [0; 8];
        for (place, &byte) in bytes.iter().take(self.size).enumerate() {
            wide[if self.is_big_endian { self.size - 1 - place } else { place }] = byte;
        }
        let bits = u64::from_le_bytes(wide);
        match (self.kind, self.size) {
            (Values::Unsigned, _) => bits as f64,
            (Values::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                ((bits << unused).cast_signed() >> unused) as f64
            }
            (Values::Float, 4) => f64::from(f32::from_bits(bits as u32)),
            (Values::Float, _) => f64::from_bits(bits),
        }
    }
}

/// What an array is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) of: Type,
    pub(super) shape: Vec<u64>,
}

/// Bytes of the prefix and of the text after it, from the first [`PREFIX`] bytes of an array.
///
/// # Errors
/// If they are not the start of an array.
pub(super) fn lengths(file: &str, start: &[u8]) -> Result<(usize, usize), DataError> {
    let lengths = start.strip_prefix(b"\x93NUMPY").and_then(|rest| match rest {
        [1, _, a, b, ..] => Some((10, usize::from(u16::from_le_bytes([*a, *b])))),
        [2 | 3, _, a, b, c, d, ..] => {
            Some((12, usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?))
        }
        _ => None,
    });
    lengths.filter(|(prefix, text)| prefix + text >= PREFIX && *text <= LONGEST).ok_or_else(|| {
        DataError::unusable(file, "does not start as an array does", "a NumPy array")
    })
}

impl Header {
    /// Reads the text of a header, a Python dictionary.
    ///
    /// # Errors
    /// If it is none, or one of an array that cannot hold images or labels.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, DataError> {
        let value = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}':"))?;
            Some(rest.trim_start())
        };
        let broken = || DataError::unusable(file, "has no header of an array", "a NumPy array");
        let descr = value("descr").ok_or_else(broken)?;
        // Records have a list of types, which is none of a number.
        let descr =
            descr.strip_prefix('\'').and_then(|rest| rest.split('\'').next()).unwrap_or(descr);
        let of = Type::parse(descr).ok_or_else(|| {
            let shown: String = descr.chars().take(12).collect();
            let expected = "numbers, such as `uint8`: convert them with .astype(\"uint8\")";
            DataError::unusable(file, format!("holds values of type {shown}"), expected)
        })?;
        if value("fortran_order").ok_or_else(broken)?.starts_with("True") {
            let expected = "rows after each other: save numpy.ascontiguousarray of it";
            return Err(DataError::unusable(file, "is in Fortran's order", expected));
        }
        let shape = value("shape").and_then(|rest| rest.strip_prefix('(')?.split(')').next());
        let sizes =
            shape.ok_or_else(broken)?.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape = sizes.map(|size| size.trim_end_matches('L').parse().map_err(|_| broken()));
        Ok(Self { of, shape: shape.collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Header, String> {
        Header::parse("x", text).map_err(|error| error.to_string())
    }

    #[test]
    fn headers_as_numpy_writes_them_are_read() {
        let header =
            parse("{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }  \n");
        let header = header.expect("it is one");
        assert_eq!((header.of.kind, header.of.size), (Values::Unsigned, 1));
        assert_eq!(header.shape, [60_000, 28, 28]);
        let header = parse("{'descr': '>i8', 'fortran_order': False, 'shape': (5L,)}");
        assert_eq!(header.expect("of Python 2").shape, [5]);
        assert_eq!(lengths("x", b"\x93NUMPY\x01\0\x76\0{'").expect("version 1"), (10, 118));
        assert_eq!(lengths("x", b"\x93NUMPY\x03\0\x76\x01\0\0").expect("version 3"), (12, 374));
    }

    #[test]
    fn values_of_every_type_are_read() {
        for (descr, bytes, expected) in [
            ("|u1", &[200][..], 200.0),
            ("|b1", &[1], 1.0),
            ("|i1", &[255], -1.0),
            ("<u2", &[1, 2], 513.0),
            (">u2", &[2, 1], 513.0),
            ("<i4", &[254, 255, 255, 255], -2.0),
            (">i8", &[0, 0, 0, 0, 0, 0, 0, 9], 9.0),
            ("<f4", &0.5_f32.to_le_bytes(), 0.5),
            (">f8", &0.25_f64.to_be_bytes(), 0.25),
        ] {
            let of = Type::parse(descr).expect(descr);
            assert_eq!(of.value(bytes), expected, "{descr}");
        }
    }

    #[test]
    fn what_is_no_array_of_numbers_is_refused() {
        for (text, expected) in [
            ("{'descr': '|O', 'fortran_order': False, 'shape': (5,)}", "values of type |O"),
            ("{'descr': [('a', '<f4')], 'shape': (5,)}", "values of type [('a', '<f4'"),
            ("{'descr': '<c8', 'fortran_order': False, 'shape': (5,)}", "values of type <c8"),
            (
                "{'descr': '|u1', 'fortran_order': True, 'shape': (5, 8, 8)}",
                "numpy.ascontiguousarray",
            ),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (-5,)}", "no header"),
            ("{'descr': '|u1', 'fortran_order': False}", "no header"),
            ("", "no header"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
        for start in
            [&b""[..], b"\x93NUMPY", b"\x93NUMPY\x04\0\0\0\0\0", b"\x93NUMPY\x02\0\xff\xff\xff\xff"]
        {
            assert!(lengths("x", start).is_err());
        }
    }
}
