//! Numbers as people read them, in widths that do not jump.

pub(crate) use crate::printable::thousands;

/// Seconds as `0:07`, `12:34` or `1:02:03`; a day and more as `26 h`.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "?".to_owned();
    }
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        1..24 => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{hours} h"),
    }
}

/// A share of 1 as `97.25 %`; what is not a number as a dash.
pub(super) fn percent(share: f64) -> String {
    if share.is_nan() {
        return "—".to_owned();
    }
    format!("{:.2} %", 100.0 * share)
}

/// A share of 1 in whole percent, at most three characters; only a full share reads 100.
pub(super) fn short_percent(share: f64) -> String {
    if share.is_nan() {
        return "—".to_owned();
    }
    let whole = (100.0 * share).round();
    let whole = if share < 1.0 { whole.min(99.0) } else { whole };
    format!("{whole:.0}")
}

/// A loss with as many decimals as fit in six characters.
pub(super) fn loss(value: f64) -> String {
    match value.abs() {
        v if !v.is_finite() => value.to_string(),
        // Bounds are those of the rounded value.
        v if v < 9.999_95 => format!("{value:.4}"),
        v if v < 99.999_5 => format!("{value:.3}"),
        v if v < 999.995 => format!("{value:.2}"),
        _ => format!("{value:.0e}"),
    }
}

/// A loss in at most four characters.
pub(super) fn short_loss(value: f64) -> String {
    match value.abs() {
        v if !v.is_finite() => value.to_string(),
        // Bounds are those of the rounded value.
        v if v < 9.995 => format!("{value:.2}"),
        v if v < 99.95 => format!("{value:.1}"),
        v if v < 9_999.5 => format!("{value:.0}"),
        _ => format!("{value:.0e}"),
    }
}

/// A count in at most four characters: `950`, `12k`, `1.5M`.
pub(super) fn short_count(n: u64) -> String {
    let scaled = |n: u64, unit: u64, letter: char| {
        let (whole, tenth) = (n / unit, n % unit * 10 / unit);
        if whole < 10 && tenth > 0 {
            format!("{whole}.{tenth}{letter}")
        } else {
            format!("{whole}{letter}")
        }
    };
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => scaled(n, 1_000, 'k'),
        1_000_000..1_000_000_000 => scaled(n, 1_000_000, 'M'),
        _ => scaled(n, 1_000_000_000, 'G'),
    }
}

/// Whether [`short_count`] leaves nothing of a count out.
pub(super) fn is_short_count_exact(n: u64) -> bool {
    let unit = match n {
        0..1_000 => return true,
        1_000..1_000_000 => 1_000,
        1_000_000..1_000_000_000 => 1_000_000,
        _ => 1_000_000_000,
    };
    n.is_multiple_of(if n < 10 * unit { unit / 10 } else { unit })
}

/// A learning rate without trailing zeros: `0.001`, `2.5e-5`.
pub(super) fn learning_rate(rate: f64) -> String {
    if (1e-4..1e3).contains(&rate) {
        let text = format!("{rate:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        let text = format!("{rate:.2e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        format!("{digits}e{power}")
    }
}

/// A positive figure of any size as `1.23e-3` or `4.56e+0`, so that figures below each other compare.
pub(super) fn scientific(value: f64) -> String {
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((mantissa, power)) if !power.starts_with('-') => format!("{mantissa}e+{power}"),
        _ => text,
    }
}

/// The text, or as much of it as fits into `width` columns with a sign that there is more.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// The words that fit into `width` columns a line; a longer word is cut.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        for piece in pieces(word, width) {
            let line = lines.last_mut().filter(|line| {
                line.is_empty() || line.chars().count() + 1 + piece.chars().count() <= width
            });
            match line {
                Some(line) if line.is_empty() => line.push_str(&piece),
                Some(line) => {
                    line.push(' ');
                    line.push_str(&piece);
                }
                None => lines.push(piece),
            }
        }
    }
    lines
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(width).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            [0, 999, 1_000, 60_000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "60,000", "1,234,567"]
        );
        assert_eq!(
            [0.4, 59.6, 754.0, 3_723.0, 1e5].map(duration),
            ["0:00", "1:00", "12:34", "1:02:03", "27 h"]
        );
        assert_eq!(duration(f64::NAN), "?");
        assert_eq!([0.97254, f64::NAN].map(percent), ["97.25 %", "—"]);
        assert_eq!(short_percent(f64::NAN), "—");
        assert_eq!(
            [0.0, 0.005, 0.984, 0.9999, 1.0].map(short_percent),
            ["0", "1", "98", "99", "100"]
        );
        assert_eq!(
            [0, 999, 1_000, 1_135, 12_000, 2_500_000].map(short_count),
            ["0", "999", "1k", "1.1k", "12k", "2.5M"]
        );
        let exact = [950, 1_100, 1_150, 12_000, 12_500, 1_500_000, 12_500_000];
        let found = exact.map(is_short_count_exact);
        assert_eq!(found, [true, true, false, true, false, true, false]);
        assert_eq!(
            [0.0, 1.234e-3, 4.56, 1e12].map(scientific),
            ["0.00e+0", "1.23e-3", "4.56e+0", "1.00e+12"]
        );
        assert_eq!(scientific(f64::NAN), "NaN");
        assert_eq!([1e-3, 0.5, 1.0, 2.5e-5].map(learning_rate), ["0.001", "0.5", "1", "2.5e-5"]);
    }

    #[test]
    fn a_loss_fits_six_characters_or_four() {
        for value in [
            0.0,
            9.999_96,
            99.999_6,
            999.996,
            0.001_23,
            2.312_7,
            45.678,
            123.456,
            98_765.4,
            f64::NAN,
            f64::INFINITY,
        ] {
            assert!(loss(value).chars().count() <= 6, "{}", loss(value));
            assert!(short_loss(value).chars().count() <= 4, "{}", short_loss(value));
        }
    }

    #[test]
    fn text_wraps_between_words_and_cuts_what_is_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }
}
