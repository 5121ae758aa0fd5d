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

/// Viridis again, from none to most, in xterm's colours. So few steps, since a small change of a value
/// is to send nothing.
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
    /// Shades without a ground of their own: what is there, and not to be looked at first.
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
            smooth: fg(66, 190, 180).add_modifier(Modifier::BOLD),
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

    /// The ground of the range between a column's smallest and largest loss; `None` where shades do not
    /// exist.
    pub fn band_ground(&self) -> Option<Color> {
        match self.depth {
            Depth::None | Depth::Basic => None,
            // The nearest of the 256 that is dark enough.
            Depth::Indexed => Some(Color::Indexed(236)),
            Depth::True => Some(self.depth.color((26, 54, 62))),
        }
    }

    /// The highest level of an activation, and that of a signed value on either side of 0.
    pub const LEVELS: (i8, i8) = (ACTIVATIONS.len() as i8 - 1, SIGNED.len() as i8 / 2);

    /// A colour for an activation of a level in 0..=7; `None` where shades do not exist.
    pub fn activation(&self, level: i8) -> Option<Color> {
        let level = level.clamp(0, Self::LEVELS.0) as usize;
        match self.depth {
            Depth::None | Depth::Basic => None,
            Depth::Indexed => Some(Color::Indexed(ACTIVATIONS[level])),
            Depth::True => {
                let place = level * (VIRIDIS.len() - 1) / (ACTIVATIONS.len() - 1);
                Some(self.depth.color(VIRIDIS[place]))
            }
        }
    }

    /// A colour for a signed value of a level in −4..=4; `None` where shades do not exist.
    pub fn signed(&self, level: i8) -> Option<Color> {
        let most = Self::LEVELS.1;
        let place = (level.clamp(-most, most) + most) as usize;
        let has_shades = matches!(self.depth, Depth::Indexed | Depth::True);
        has_shades.then(|| Color::Indexed(SIGNED[place]))
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

    /// Rec. 709 luma of a colour of 24 bits or one of xterm's 256.
    fn luma(color: Option<Color>) -> f64 {
        let rgb = match color {
            Some(Color::Rgb(r, g, b)) => [r, g, b],
            Some(Color::Indexed(grey @ 232..)) => [8 + 10 * (grey - 232); 3],
            Some(Color::Indexed(index @ 16..)) => {
                let place = index - 16;
                [place / 36, place / 6 % 6, place % 6]
                    .map(|step| if step == 0 { 0 } else { 55 + 40 * step })
            }
            _ => panic!("{color:?} is one of the terminal's own"),
        };
        rgb.into_iter().zip([0.2126, 0.7152, 0.0722]).map(|(c, w)| f64::from(c) * w).sum()
    }

    #[test]
    fn palettes_grow_lighter_with_the_magnitude_and_alike_on_both_sides_of_zero() {
        for theme in [Depth::Indexed, Depth::True].map(Theme::new) {
            for level in 1..=Theme::LEVELS.0 {
                let [low, high] = [level - 1, level].map(|level| luma(theme.activation(level)));
                assert!(high > low, "activation {level}");
            }
            for level in 1..=Theme::LEVELS.1 {
                let shade = |level| luma(theme.signed(level));
                assert!(shade(level) > shade(level - 1), "signed {level}");
                assert!(shade(-level) > shade(1 - level), "signed −{level}");
                let (negative, positive) = (shade(-level), shade(level));
                assert!((negative - positive).abs() < 30.0, "{level}: {negative}, {positive}");
            }
            assert_eq!(theme.activation(99), theme.activation(Theme::LEVELS.0));
            assert_eq!(theme.signed(-99), theme.signed(-Theme::LEVELS.1));
        }
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
