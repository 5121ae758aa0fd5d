//! Colours by meaning, in as many as the terminal has.

use ratatui::style::{Color, Modifier, Style};

use super::depth::{Depth, Rgb};

/// Sixteen even steps of matplotlib's viridis (CC0), dark to bright.
const VIRIDIS: [Rgb; 16] = [
    (68, 1, 84),
    (72, 26, 108),
    (71, 47, 125),
    (65, 68, 135),
    (57, 86, 140),
    (49, 104, 142),
    (42, 120, 142),
    (35, 136, 142),
    (31, 152, 139),
    (34, 168, 132),
    (53, 183, 121),
    (84, 197, 104),
    (122, 209, 81),
    (165, 219, 54),
    (210, 226, 27),
    (253, 231, 37),
];

/// Viridis again, from none to most, in xterm's colours: they take half the bytes of 24-bit ones, and
/// so few steps that a small change of a value sends nothing.
const ACTIVATIONS: [u8; 8] = [53, 24, 30, 35, 77, 148, 220, 227];
/// From strongly negative, blue, by a dark grey to strongly positive, orange; lightness grows with
/// the magnitude and is alike on both sides.
const SIGNED: [u8; 9] = [153, 75, 32, 25, 237, 94, 166, 208, 222];

/// Styles by meaning.
#[derive(Clone, Debug)]
pub struct Theme {
    depth: Depth,
    /// Text of the second rank.
    pub muted: Style,
    /// Rules and axes.
    pub rule: Style,
    /// What is chosen or alive.
    pub accent: Style,
    /// The figure to look at first.
    pub figure: Style,
    /// The smoothed training loss.
    pub smooth: Style,
    /// The range between a chart column's smallest and largest loss.
    pub band: Style,
    /// What was trained before the run went back.
    pub past: Style,
    /// Evaluations.
    pub evaluation: Style,
    /// Recognised.
    pub right: Style,
    /// Not recognised.
    pub wrong: Style,
    /// Errors and questions.
    pub alert: Style,
    /// A key's name.
    pub key: Style,
}

impl Theme {
    /// The styles for a terminal with so many colours.
    ///
    /// Hues are of middle lightness, readable on dark and on light backgrounds; blue and orange stay
    /// apart for colour-blind readers.
    pub fn new(depth: Depth) -> Self {
        let plain = Style::new();
        let fg = |r, g, b| plain.fg(depth.color((r, g, b)));
        Self {
            depth,
            muted: fg(128, 132, 140),
            rule: fg(88, 92, 100),
            accent: fg(46, 168, 160).add_modifier(Modifier::BOLD),
            figure: plain.add_modifier(Modifier::BOLD),
            smooth: fg(66, 190, 180),
            band: fg(62, 104, 112),
            // The nearest of sixteen would be the band's grey.
            past: if depth == Depth::Basic { plain.fg(Color::Magenta) } else { fg(150, 110, 190) },
            evaluation: fg(232, 160, 48).add_modifier(Modifier::BOLD),
            right: fg(84, 150, 240),
            wrong: fg(236, 132, 40).add_modifier(Modifier::BOLD),
            alert: fg(236, 132, 40).add_modifier(Modifier::BOLD),
            key: plain.add_modifier(Modifier::BOLD),
        }
    }

    /// Background and a readable foreground for a share of 0..=1; `None` where shades do not exist.
    pub fn heat(&self, share: f64) -> Option<Style> {
        if matches!(self.depth, Depth::None | Depth::Basic) {
            return None;
        }
        let place = (share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64).round() as usize;
        let rgb = VIRIDIS[place];
        // Rec. 709 luma decides between black and white text.
        let luma =
            0.2126 * f32::from(rgb.0) + 0.7152 * f32::from(rgb.1) + 0.0722 * f32::from(rgb.2);
        // Of xterm's 256, which every terminal with shades has, since they take fewer bytes.
        let text = Color::Indexed(if luma > 110.0 { 16 } else { 255 });
        Some(Style::new().bg(self.depth.color(rgb)).fg(text))
    }

    /// The highest level of an activation, and that of a signed value on either side of 0.
    pub const LEVELS: (i8, i8) = (ACTIVATIONS.len() as i8 - 1, SIGNED.len() as i8 / 2);

    /// A colour for an activation of a level in 0..=7; `None` where shades do not exist.
    pub fn activation(&self, level: i8) -> Option<Color> {
        // Most of a map has the first level, which xterm has no quiet colour for.
        let color = match level.clamp(0, Self::LEVELS.0) as usize {
            0 => self.depth.color(VIRIDIS[0]),
            level => Color::Indexed(ACTIVATIONS[level]),
        };
        self.has_shades().then_some(color)
    }

    /// A colour for a signed value of a level in −4..=4; `None` where shades do not exist.
    pub fn signed(&self, level: i8) -> Option<Color> {
        let most = Self::LEVELS.1;
        let place = (level.clamp(-most, most) + most) as usize;
        self.has_shades().then(|| Color::Indexed(SIGNED[place]))
    }

    fn has_shades(&self) -> bool {
        matches!(self.depth, Depth::Indexed | Depth::True)
    }

    /// A grey for ink of 0..=255, on a dark ground; `None` where shades do not exist.
    pub fn ink(&self, value: u8) -> Option<Color> {
        if matches!(self.depth, Depth::None | Depth::Basic) {
            return None;
        }
        // Eight of xterm's 24 greys look like all in so few cells, change less often, and take half
        // the bytes of 24-bit colours.
        let step = (u16::from(value) + 18) / 36;
        Some(Color::Indexed((233 + 3 * step) as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_grows_lighter_and_its_text_stays_readable() {
        let theme = Theme::new(Depth::True);
        let luma = |color| match color {
            Some(Color::Indexed(16)) => 0.0,
            Some(Color::Indexed(255)) => 238.0,
            Some(Color::Rgb(r, g, b)) => {
                0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)
            }
            other => panic!("{other:?} is not 24 bits"),
        };
        let mut last = -1.0;
        for step in 0..16 {
            let style = theme.heat(f64::from(step) / 15.0).expect("24 bits have shades");
            assert!(luma(style.bg) > last, "step {step}");
            last = luma(style.bg);
            assert!((luma(style.fg) - last).abs() > 90.0, "step {step}");
        }
        assert_eq!(theme.heat(-1.0), theme.heat(0.0));
        assert_eq!(theme.heat(f64::NAN), theme.heat(0.0));
    }

    /// Rec. 709 luma of one of xterm's 256.
    fn luma(color: Option<Color>) -> f64 {
        let Some(Color::Indexed(index)) = color else { panic!("{color:?} is not one of 256") };
        let rgb = if index >= 232 {
            [8 + 10 * (index - 232); 3]
        } else {
            let place = index - 16;
            [place / 36, place / 6 % 6, place % 6]
                .map(|step| if step == 0 { 0 } else { 55 + 40 * step })
        };
        rgb.into_iter().zip([0.2126, 0.7152, 0.0722]).map(|(c, w)| f64::from(c) * w).sum()
    }

    #[test]
    fn palettes_grow_lighter_with_the_magnitude_and_alike_on_both_sides_of_zero() {
        let theme = Theme::new(Depth::Indexed);
        for level in 1..=Theme::LEVELS.0 {
            let [low, high] = [level - 1, level].map(|level| luma(theme.activation(level)));
            assert!(high > low, "activation {level}");
        }
        for level in 1..=Theme::LEVELS.1 {
            for sign in [-1, 1] {
                let [low, high] = [level - 1, level].map(|level| luma(theme.signed(sign * level)));
                assert!(high > low, "signed {}", sign * level);
            }
            let [negative, positive] = [-level, level].map(|level| luma(theme.signed(level)));
            assert!((negative - positive).abs() < 30.0, "{level}: {negative}, {positive}");
        }
        assert_eq!(theme.activation(99), theme.activation(Theme::LEVELS.0));
        assert_eq!(theme.signed(-99), theme.signed(-Theme::LEVELS.1));
    }

    #[test]
    fn without_colours_nothing_but_modifiers_is_left() {
        let theme = Theme::new(Depth::None);
        assert_eq!(theme.heat(0.5), None);
        assert_eq!((theme.ink(200), theme.activation(3), theme.signed(3)), (None, None, None));
        for style in [theme.muted, theme.accent, theme.right, theme.wrong, theme.band, theme.past] {
            assert_eq!(style.fg, Some(Color::Reset));
        }
    }
}
