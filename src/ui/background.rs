//! Whether a terminal's background is dark or light, and how well colours can be read on it.

use super::depth::Rgb;

/// The background that a terminal draws on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// Dark, as most are.
    #[default]
    Dark,
    /// Light.
    Light,
}

impl Background {
    /// That of a colour: light where black text can be read better than white text.
    pub fn of(rgb: (u8, u8, u8)) -> Self {
        let is_light = contrast((0, 0, 0), rgb) > contrast((255, 255, 255), rgb);
        if is_light { Self::Light } else { Self::Dark }
    }

    /// What `COLORFGBG` says, which some terminals set to the numbers of the colours for text and
    /// background: `15;0`, or `15;default;0`. `None` where it is not set or says something else.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = variable("COLORFGBG")?.rsplit(';').next()?.parse::<u8>().ok()?;
        match number {
            0..=6 | 8 => Some(Self::Dark),
            7 | 9..=15 => Some(Self::Light),
            _ => None,
        }
    }
}

/// Relative luminance in 0..=1, as WCAG 2 defines it.
pub(super) fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |value: u8| {
        let share = f64::from(value) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// Contrast of two colours in 1..=21, as WCAG 2 defines it; text needs 4.5.
pub(super) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_as_wcag_has_it() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
        // An example that is often given for the least grey on white.
        let grey = contrast((118, 118, 118), (255, 255, 255));
        assert!((grey - 4.54).abs() < 0.01, "{grey}");
    }

    #[test]
    fn common_backgrounds_are_told_apart() {
        for dark in [(0, 0, 0), (40, 44, 52), (0, 43, 54), (48, 10, 36)] {
            assert_eq!(Background::of(dark), Background::Dark, "{dark:?}");
        }
        for light in [(255, 255, 255), (253, 246, 227), (238, 232, 213), (200, 200, 200)] {
            assert_eq!(Background::of(light), Background::Light, "{light:?}");
        }
    }

    #[test]
    fn the_last_number_of_the_variable_is_the_background() {
        let detect = |value: &str| Background::detect(|_| Some(value.to_owned()));
        assert_eq!(detect("15;0"), Some(Background::Dark));
        assert_eq!(detect("0;default;15"), Some(Background::Light));
        assert_eq!((detect("15;default"), detect(""), detect("1;99")), (None, None, None));
        assert_eq!(Background::detect(|_| None), None);
    }
}
