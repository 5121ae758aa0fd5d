//! How many colours a terminal shows, and the nearest of them.

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// None: bold and reverse only.
    None,
    /// The sixteen of the terminal's own palette.
    Basic,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

impl Depth {
    /// The depth that the environment announces: `NO_COLOR` (<https://no-color.org>), `COLORTERM`, `TERM`.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        let colorterm = variable("COLORTERM").unwrap_or_default();
        if is_set("NO_COLOR") || term == "dumb" {
            Self::None
        } else if colorterm.contains("truecolor")
            || colorterm.contains("24bit")
            || term.contains("direct")
        {
            Self::True
        } else if term.contains("256") || cfg!(windows) {
            Self::Indexed
        } else {
            Self::Basic
        }
    }

    /// The nearest colour this depth has; the terminal's own where shades do not exist.
    pub(super) fn color(self, rgb: Rgb) -> Color {
        match self {
            Self::None | Self::Basic => Color::Reset,
            Self::Indexed => Color::Indexed(indexed(rgb)),
            Self::True => Color::Rgb(rgb.0, rgb.1, rgb.2),
        }
    }
}

/// Red, green and blue.
pub(super) type Rgb = (u8, u8, u8);

fn distance(a: Rgb, b: Rgb) -> u32 {
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    square(a.0, b.0) + square(a.1, b.1) + square(a.2, b.2)
}

/// Levels of red, green and blue in xterm's cube.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// A colour in xterm's palette; `None` for the terminal's own text and background.
pub(super) fn rgb_of(color: Color) -> Option<Rgb> {
    Some(match color {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(grey @ 232..) => {
            let level = 8 + 10 * (grey - 232);
            (level, level, level)
        }
        Color::Indexed(index @ 16..) => {
            let step = |place: u8| STEPS[usize::from(place % 6)];
            let place = index - 16;
            (step(place / 36), step(place / 6), step(place))
        }
        Color::Black => (0, 0, 0),
        Color::Red => (205, 0, 0),
        Color::Green => (0, 205, 0),
        Color::Yellow => (205, 205, 0),
        Color::Blue => (0, 0, 238),
        Color::Magenta => (205, 0, 205),
        Color::Cyan => (0, 205, 205),
        Color::Gray => (229, 229, 229),
        Color::DarkGray => (127, 127, 127),
        Color::LightRed => (255, 0, 0),
        Color::LightGreen => (0, 255, 0),
        Color::LightYellow => (255, 255, 0),
        Color::LightBlue => (92, 92, 255),
        Color::LightMagenta => (255, 0, 255),
        Color::LightCyan => (0, 255, 255),
        Color::White => (255, 255, 255),
        Color::Reset | Color::Indexed(_) => return None,
    })
}

/// The nearest of xterm's 6×6×6 cube and its 24 greys.
fn indexed(rgb: Rgb) -> u8 {
    let nearest =
        |value: u8| (0..6_u8).min_by_key(|&i| STEPS[usize::from(i)].abs_diff(value)).unwrap_or(0);
    let (r, g, b) = (nearest(rgb.0), nearest(rgb.1), nearest(rgb.2));
    let cube = (STEPS[usize::from(r)], STEPS[usize::from(g)], STEPS[usize::from(b)]);
    let mean = (u16::from(rgb.0) + u16::from(rgb.1) + u16::from(rgb.2)) / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    let level = 8 + 10 * grey;
    if distance((level, level, level), rgb) < distance(cube, rgb) {
        232 + grey
    } else {
        16 + 36 * r + 6 * g + b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(vars: &[(&str, &str)]) -> Depth {
        Depth::detect(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(&[("TERM", "screen-256color")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::None);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Indexed);
        #[cfg(not(windows))]
        assert_eq!(depth(&[("TERM", "linux")]), Depth::Basic);
    }

    #[test]
    fn colours_are_brought_to_the_nearest_there_is() {
        assert_eq!(Depth::Indexed.color((255, 0, 0)), Color::Indexed(196));
        assert_eq!(Depth::Indexed.color((8, 8, 8)), Color::Indexed(232));
        assert_eq!(Depth::Indexed.color((255, 255, 255)), Color::Indexed(231));
        for index in 16..=255 {
            let rgb = rgb_of(Color::Indexed(index)).expect("one of xterm's");
            assert_eq!(rgb_of(Depth::Indexed.color(rgb)), Some(rgb), "{index}");
        }
        assert_eq!(Depth::Basic.color((250, 10, 5)), Color::Reset);
        assert_eq!(Depth::None.color((250, 10, 5)), Color::Reset);
    }
}
