//! Replies to the one query that the program sends.

/// Asks for the colour of the background (OSC 11), which is answered in the same form.
pub const ASK_BACKGROUND: &str = "\x1b]11;?\x1b\\";

/// The colour in the reply, a control string with its introducer: `]11;rgb:ffff/ffff/ffff`, with one to
/// four hexadecimal digits each.
pub(super) fn background(string: &[u8]) -> Option<(u8, u8, u8)> {
    let text = str::from_utf8(string).ok()?.strip_prefix("]11;")?;
    let channels = text.strip_prefix("rgb:").or_else(|| text.strip_prefix("rgba:"))?;
    let mut channels = channels.split('/').map(|digits| {
        if digits.len() > 4 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let most = 16_u32.pow(digits.len() as u32) - 1;
        let value = u32::from_str_radix(digits, 16).ok()?;
        u8::try_from((value * 255).checked_div(most)?).ok()
    });
    let mut next = || channels.next().flatten();
    Some((next()?, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_in_any_number_of_digits() {
        assert_eq!(background(b"]11;rgb:ffff/8080/0000"), Some((255, 128, 0)));
        assert_eq!(background(b"]11;rgb:ff/80/00"), Some((255, 128, 0)));
        assert_eq!(background(b"]11;rgb:f/8/0"), Some((255, 136, 0)));
        assert_eq!(background(b"]11;rgba:1e1e/1e1e/2e2e/ffff"), Some((30, 30, 46)));
    }

    #[test]
    fn what_is_no_reply_is_no_colour() {
        for string in [
            &b""[..],
            b"]11;?",
            b"]10;rgb:ff/ff/ff",
            b"]11;rgb:ff/ff",
            b"]11;rgb:fffff/0/0",
            b"]11;rgb:+f/0/0",
            b"]11;rgb://",
            b"P11;rgb:ff/ff/ff",
            b"]11;rgb:\xff/0/0",
        ] {
            assert_eq!(background(string), None, "{string:?}");
        }
    }
}
