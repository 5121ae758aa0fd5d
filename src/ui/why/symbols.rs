//! A letter and a colour for each class.

use ratatui::style::{Color, Style};

use crate::ui::{names::Names, theme::Theme};

/// Colours of xterm's 256, of like lightness and apart in hue, for classes in turn.
pub(in crate::ui) const COLORS: [u8; 10] = [39, 208, 41, 210, 141, 179, 212, 247, 148, 44];
/// The same for light backgrounds.
pub(in crate::ui) const DARK_COLORS: [u8; 10] = [25, 94, 22, 124, 91, 58, 161, 240, 23, 19];
/// The nearest of the terminal's own, where there are only sixteen.
const BASIC: [Color; 6] =
    [Color::Blue, Color::Red, Color::Green, Color::Magenta, Color::Cyan, Color::Yellow];
/// Those of them that can be read on a light background.
const DARK_BASIC: [Color; 3] = [Color::Blue, Color::Red, Color::Magenta];
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// What stands for a class where there is room for one character: the digit that it is named by, or a
/// letter.
pub(in crate::ui) fn symbol(names: Names<'_>, class: u8) -> char {
    if names.are_digits() {
        return names.full(class.into()).chars().next().unwrap_or('?');
    }
    let place = usize::from(class) % LETTERS.len();
    char::from(LETTERS[place])
}

/// The colour of a class; the default one where there are none.
pub(in crate::ui) fn style(theme: &Theme, class: u8) -> Style {
    if theme.heat(0.0).is_some() {
        let colors = if theme.is_light() { DARK_COLORS } else { COLORS };
        return Style::new().fg(Color::Indexed(colors[usize::from(class) % colors.len()]));
    }
    let colors: &[Color] = if theme.is_light() { &DARK_BASIC } else { &BASIC };
    if theme.has_colors() {
        Style::new().fg(colors[usize::from(class) % colors.len()])
    } else {
        Style::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{Background, Depth};

    #[test]
    fn classes_have_colours_wherever_the_terminal_has_any() {
        for background in [Background::Dark, Background::Light] {
            for depth in [Depth::Basic, Depth::Indexed, Depth::True] {
                let theme = Theme::on(background, depth);
                let [first, second] = [0, 1].map(|class| style(&theme, class));
                assert!(first.fg.is_some() && first != second, "{background:?} {depth:?}");
            }
            assert_eq!(style(&Theme::on(background, Depth::None), 1), Style::new());
        }
    }
}
