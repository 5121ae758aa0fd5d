//! Colours by meaning, in as many as the terminal has.

use ratatui::style::{Color, Modifier, Style};

use super::{
    background::{Background, contrast},
    depth::{Depth, Rgb, rgb_of},
};

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

/// From none to all, where there are no shades of colours.
pub(super) const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];

/// Styles by meaning.
#[derive(Clone, Debug)]
pub struct Theme {
    background: Background,
    depth: Depth,
    /// Text of the second rank.
    pub muted: Style,
    /// Rules and axes.
    pub rule: Style,
    /// The chosen item, and states that are live.
    pub accent: Style,
    /// The figure to look at first.
    pub figure: Style,
    /// The smoothed training loss.
    pub smooth: Style,
    /// Shades without a background of their own, for what should not draw the eye first.
    pub band: Style,
    /// Abandoned branches.
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

/// A colour by meaning: on dark and on light backgrounds, in 24 bits and among the sixteen of a
/// terminal's own palette.
struct Tone {
    colors: [Rgb; 2],
    basic: [Color; 2],
}

const fn tone(dark: Rgb, light: Rgb, basic: [Color; 2]) -> Tone {
    Tone { colors: [dark, light], basic }
}

// Blue and orange stay apart for colour-blind readers. Of the sixteen, only those are used for text
// that can be read with xterm's palette; what other palettes do to the second grey is hard to tell.
const MUTED: Tone = tone((152, 156, 164), (94, 98, 106), [Color::Gray, Color::Reset]);
const RULE: Tone = tone((88, 92, 100), (176, 180, 186), [Color::DarkGray, Color::Gray]);
const ACCENT: Tone = tone((46, 174, 166), (0, 110, 104), [Color::Cyan, Color::Blue]);
const SMOOTH: Tone = tone((66, 190, 180), (0, 100, 94), [Color::Cyan, Color::Blue]);
const BAND: Tone = tone((62, 104, 112), (158, 200, 204), [Color::DarkGray, Color::Gray]);
const PAST: Tone = tone((178, 142, 214), (122, 70, 168), [Color::LightMagenta, Color::Magenta]);
const EVALUATION: Tone = tone((232, 160, 48), (146, 84, 0), [Color::Yellow, Color::Red]);
const RIGHT: Tone = tone((104, 166, 246), (20, 88, 196), [Color::LightCyan, Color::Blue]);
const WRONG: Tone = tone((240, 140, 56), (150, 64, 0), [Color::LightYellow, Color::Red]);

impl Theme {
    /// The styles for a terminal of this colour depth with a dark background.
    pub fn new(depth: Depth) -> Self {
        Self::on(Background::Dark, depth)
    }

    /// The styles for a terminal with this background and colour depth.
    pub fn on(background: Background, depth: Depth) -> Self {
        let plain = Style::new();
        let fg = |tone: Tone| {
            let place = usize::from(background == Background::Light);
            plain.fg(match depth {
                Depth::None => Color::Reset,
                Depth::Basic => tone.basic[place],
                Depth::Indexed | Depth::True => depth.color(tone.colors[place]),
            })
        };
        Self {
            background,
            depth,
            muted: fg(MUTED),
            rule: fg(RULE),
            accent: fg(ACCENT).add_modifier(Modifier::BOLD),
            figure: plain.add_modifier(Modifier::BOLD),
            smooth: fg(SMOOTH).add_modifier(Modifier::BOLD),
            band: fg(BAND),
            past: fg(PAST),
            evaluation: fg(EVALUATION).add_modifier(Modifier::BOLD),
            right: fg(RIGHT),
            wrong: fg(WRONG).add_modifier(Modifier::BOLD),
            alert: fg(WRONG).add_modifier(Modifier::BOLD),
            key: plain.add_modifier(Modifier::BOLD),
        }
    }

    /// Background and a readable foreground for a share of 0..=1; `None` where shades do not exist.
    pub fn heat(&self, share: f64) -> Option<Style> {
        if matches!(self.depth, Depth::None | Depth::Basic) {
            return None;
        }
        let place = (share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64).round() as usize;
        let bg = self.depth.color(VIRIDIS[place]);
        let ground = rgb_of(bg).unwrap_or(VIRIDIS[place]);
        // Of xterm's 256, which every terminal with shades has, since they take fewer bytes.
        let is_bright = contrast((0, 0, 0), ground) > contrast((255, 255, 255), ground);
        let text = Color::Indexed(if is_bright { 16 } else { 231 });
        Some(Style::new().bg(bg).fg(text))
    }

    /// A foreground that can be read on a shade, with the shade behind it; `None` where there are no shades.
    pub fn on_shade(&self, shade: Color) -> Option<Style> {
        self.heat(0.0)?;
        let ground = rgb_of(shade)?;
        let is_bright = contrast((0, 0, 0), ground) > contrast((255, 255, 255), ground);
        Some(Style::new().bg(shade).fg(Color::Indexed(if is_bright { 16 } else { 231 })))
    }

    /// A character as dense as a share of 0..=1, for terminals that have colours and no shades of them.
    pub fn shade(&self, share: f64) -> Option<&'static str> {
        let level = (4.0 * share.clamp(0.0, 1.0)).ceil() as usize;
        (self.depth == Depth::Basic).then(|| SHADES[level.min(4)])
    }

    /// Whether there are any colours.
    pub fn has_colors(&self) -> bool {
        self.depth != Depth::None
    }

    /// Whether the terminal's background is light.
    pub fn is_light(&self) -> bool {
        self.background == Background::Light
    }

    /// The ground of the range between a column's smallest and largest loss; `None` where shades do not
    /// exist.
    pub fn band_ground(&self) -> Option<Color> {
        let is_light = self.is_light();
        match self.depth {
            Depth::None | Depth::Basic => None,
            // The nearest of the 256 that differ enough from the line.
            Depth::Indexed => Some(Color::Indexed(if is_light { 254 } else { 236 })),
            Depth::True if is_light => Some(self.depth.color((220, 236, 238))),
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
    use crate::ui::background::luminance;
    use crate::ui::why::symbols::{COLORS, DARK_COLORS};

    /// The least contrast of text.
    const LEAST: f64 = 4.5;

    /// Backgrounds of common terminals.
    const GROUNDS: [(Background, &[Rgb]); 2] = [
        (Background::Dark, &[(0, 0, 0), (30, 30, 30), (0, 43, 54), (40, 44, 52)]),
        (Background::Light, &[(255, 255, 255), (250, 250, 250), (253, 246, 227)]),
    ];

    fn luma(color: Option<Color>) -> f64 {
        let rgb = color.and_then(rgb_of).expect("a colour of 24 bits or one of xterm's");
        luminance(rgb)
    }

    #[test]
    fn every_text_can_be_read_on_dark_and_light_backgrounds() {
        for (background, grounds) in GROUNDS {
            for depth in [Depth::Basic, Depth::Indexed, Depth::True] {
                let theme = Theme::on(background, depth);
                // Other palettes of sixteen colours come with other backgrounds.
                let grounds = if depth == Depth::Basic { &grounds[..1] } else { grounds };
                let texts = [
                    ("muted", theme.muted),
                    ("accent", theme.accent),
                    ("figure", theme.figure),
                    ("smooth", theme.smooth),
                    ("past", theme.past),
                    ("evaluation", theme.evaluation),
                    ("right", theme.right),
                    ("wrong", theme.wrong),
                    ("alert", theme.alert),
                    ("key", theme.key),
                ];
                for (name, style) in texts {
                    let Some(color) = style.fg.filter(|&color| color != Color::Reset) else {
                        continue;
                    };
                    let rgb = rgb_of(color).unwrap_or_else(|| panic!("{color:?}"));
                    for &ground in grounds {
                        let contrast = contrast(rgb, ground);
                        let on = format!("{name} on {ground:?}, {depth:?}: {contrast:.2}");
                        assert!(contrast >= LEAST, "{on}");
                    }
                }
            }
        }
    }

    #[test]
    fn classes_can_be_read_on_dark_and_light_backgrounds() {
        for ((_, grounds), colors) in GROUNDS.iter().zip([COLORS, DARK_COLORS]) {
            for (color, &ground) in colors.iter().flat_map(|c| grounds.iter().map(move |g| (c, g)))
            {
                let rgb = rgb_of(Color::Indexed(*color)).expect("one of xterm's");
                assert!(contrast(rgb, ground) >= LEAST, "{color} on {ground:?}");
            }
        }
    }

    #[test]
    fn heat_grows_lighter_and_its_text_stays_readable() {
        for theme in [Depth::Indexed, Depth::True].map(Theme::new) {
            let mut last = -1.0;
            for step in 0..16 {
                let style = theme.heat(f64::from(step) / 15.0).expect("they have shades");
                let [bg, fg] = [style.bg, style.fg].map(|color| color.and_then(rgb_of));
                let (bg, fg) = (bg.expect("a colour"), fg.expect("a colour"));
                assert!(luminance(bg) > last || theme.depth == Depth::Indexed, "step {step}");
                last = luminance(bg);
                assert!(contrast(fg, bg) >= LEAST, "step {step}: {:.2}", contrast(fg, bg));
            }
            assert_eq!(theme.heat(-1.0), theme.heat(0.0));
            assert_eq!(theme.heat(f64::NAN), theme.heat(0.0));
        }
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
                assert!((negative - positive).abs() < 0.12, "{level}: {negative}, {positive}");
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
