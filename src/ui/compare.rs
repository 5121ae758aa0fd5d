//! Stored runs side by side, a page at a time.
//!
//! ```text
//! header    name, pages, runs
//! body      the page
//! footer    keys that matter now
//! ```

mod confusion;
mod curves;
mod images;
mod settings;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Widget,
};

use super::{ascii, format, layout, render_too_small, table, theme::Theme, why};
use crate::{
    app::{Action, Focus, View},
    compare::{Browser, Comparison, Knowledge, Page},
    keymap,
    printable::counted,
};

/// The screen of a comparison.
#[derive(Debug)]
pub struct Compare<'a> {
    browser: &'a Browser,
    theme: &'a Theme,
    ascii: bool,
}

/// The screen's rows.
struct Parts {
    header: Rect,
    body: Rect,
    footer: Rect,
}

impl<'a> Compare<'a> {
    /// The screen in these colours.
    #[must_use]
    pub fn new(browser: &'a Browser, theme: &'a Theme) -> Self {
        Self { browser, theme, ascii: false }
    }

    /// The same in ASCII alone.
    #[must_use]
    pub fn in_ascii(self, ascii: bool) -> Self {
        Self { ascii, ..self }
    }

    /// Rows of the page that a screen of this area shows, and rows that the page has; none of a page that
    /// does not scroll.
    pub fn rows(&self, area: Rect) -> (usize, usize) {
        let Some(parts) = parts(area) else { return (0, 0) };
        match self.browser.page {
            Page::Curves | Page::Confusion => (0, 0),
            Page::Settings => settings::rows(self.browser, self.theme, parts.body),
            Page::Images => images::rows(self.browser, parts.body),
        }
    }

    /// The keys of the page: an action, and its name where the key table has another.
    fn hints(&self) -> Vec<(Action, Option<&'static str>)> {
        let mut hints = Vec::new();
        let page = self.browser.page;
        if page == Page::Curves {
            let axis = if self.browser.is_log { "linear axis" } else { "log axis" };
            let training =
                if self.browser.shows_training { "hide training loss" } else { "training loss" };
            hints.push((Action::ToggleLogScale, Some(axis)));
            hints.push((Action::SwitchSet, Some(training)));
        }
        if page.is_of_a_pair() && self.browser.comparison.runs.len() > 2 {
            hints.push((Action::OlderMatrix, Some("pair before")));
            hints.push((Action::NewerMatrix, Some("next pair")));
        }
        if matches!(page, Page::Settings | Page::Images) {
            hints.push((Action::Move(crate::app::Direction::Down), Some("scroll")));
        }
        let back = self.browser.is_within.then_some("back");
        hints.extend([(Action::NextView, Some("next page")), (Action::Quit, back)]);
        hints
    }

    fn footer(&self, width: u16) -> Line<'static> {
        hints(focus(self.browser), &self.hints(), self.theme, width)
    }

    /// The program's name and the pages, with less and less of them.
    fn pages(&self) -> [Line<'static>; 3] {
        let theme = self.theme;
        let program = || vec![Span::styled("mnist-tui", theme.figure), Span::raw("  ")];
        let pages = |in_words: bool| {
            Page::ALL.into_iter().zip(View::ALL).map(move |(page, view)| {
                let key = keymap::hint(Action::Show(view)).map_or_else(String::new, |(key, _)| key);
                let is_shown = page == self.browser.page;
                let style = if is_shown {
                    theme.accent.add_modifier(Modifier::REVERSED)
                } else {
                    theme.muted
                };
                let name = if in_words || is_shown { page.name() } else { "" };
                Span::styled(format!(" {key} {name} ").replace("  ", " "), style)
            })
        };
        [
            program().into_iter().chain(pages(true)).collect(),
            pages(true).collect(),
            program().into_iter().chain(pages(false)).collect(),
        ]
    }

    fn header(&self, area: Rect, buf: &mut Buffer) {
        let state = match &self.browser.comparison.predictions {
            Knowledge::Pending => Line::styled("… classifying", self.theme.accent),
            Knowledge::Known(_) | Knowledge::Missing(_) => {
                let runs = counted(self.browser.comparison.runs.len() as u64, "run");
                Line::styled(runs, self.theme.muted)
            }
        };
        let [full, pages, short] = self.pages();
        let fits = |line: &Line<'_>| line.width() <= usize::from(area.width);
        let line = [full, pages].into_iter().find(fits).unwrap_or(short);
        let (used, width) = (line.width() as u16, state.width() as u16);
        line.render(area, buf);
        if used + width < area.width {
            state.render(Rect { x: area.right() - width, width, ..area }, buf);
        }
    }
}

impl Widget for &Compare<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        match parts(area) {
            Some(parts) => {
                let (browser, theme) = (self.browser, self.theme);
                self.header(parts.header, buf);
                match browser.page {
                    Page::Curves => curves::render(browser, theme, parts.body, buf),
                    Page::Settings => settings::render(browser, theme, parts.body, buf),
                    Page::Confusion => confusion::render(browser, theme, parts.body, buf),
                    Page::Images => images::render(browser, theme, parts.body, buf),
                }
                self.footer(parts.footer.width).render(parts.footer, buf);
            }
            None => render_too_small(area, buf, self.theme),
        }
        if self.ascii {
            ascii::translate(area, buf);
        }
    }
}

/// The place whose keys apply: the training loss has the key that chooses a set in the network view.
pub fn focus(browser: &Browser) -> Focus {
    Focus::View(if browser.page == Page::Curves { View::Network } else { View::Overview })
}

/// The bottom line: keys, each with its name where the key table has another. Where there is no room, those before
/// the last two go first.
pub(super) fn hints(
    focus: Focus,
    hints: &[(Action, Option<&'static str>)],
    theme: &Theme,
    width: u16,
) -> Line<'static> {
    const GAP: &str = "   ";
    let named = |(action, name): &(Action, Option<&'static str>)| {
        let (key, short) = keymap::hint_in(focus, *action)?;
        Some((key, name.unwrap_or(short)))
    };
    let mut hints: Vec<_> = hints.iter().filter_map(named).collect();
    let line = |hints: &[(String, &str)]| {
        let mut line = Line::default();
        for (place, (key, name)) in hints.iter().enumerate() {
            let gap = if place == 0 { "" } else { GAP };
            line.push_span(Span::raw(gap));
            line.push_span(Span::styled(key.clone(), theme.key));
            line.push_span(Span::styled(format!(" {name}"), theme.muted));
        }
        line
    };
    while line(&hints).width() > usize::from(width) && hints.len() > 2 {
        hints.remove(hints.len() - 3);
    }
    line(&hints)
}

fn parts(area: Rect) -> Option<Parts> {
    if area.width < layout::SMALLEST.0 || area.height < layout::SMALLEST.1 {
        return None;
    }
    let [header, _, body, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(area.height >= 20)),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    Some(Parts { header, body, footer })
}

/// The colour of a run.
fn style(theme: &Theme, run: usize) -> Style {
    why::symbols::style(theme, run as u8).add_modifier(Modifier::BOLD)
}

/// The letter of a run in its colour.
fn letter(theme: &Theme, run: usize) -> Span<'static> {
    Span::styled(Comparison::letter(run).to_string(), style(theme, run))
}

/// The letter and the name of a run, within some columns.
fn named(browser: &Browser, theme: &Theme, run: usize, columns: usize) -> [Span<'static>; 2] {
    let name = browser.comparison.runs.get(run).map_or("", |run| run.name.as_str());
    let name = format::cut(name, columns.saturating_sub(2));
    [letter(theme, run), Span::styled(format!(" {}", table::padded(name, 0)), theme.muted)]
}

#[cfg(test)]
mod tests;
