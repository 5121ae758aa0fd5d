//! A sweep in training.
//!
//! ```text
//! header    name, folder, state
//! figures   runs, the best one, time left
//! bar       share of the runs that have ended
//! table     points, or the values of a setting, with means and intervals
//! jobs      runs in training
//! message   what a person should know
//! footer    keys that matter now
//! ```

mod lines;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use super::{ascii, bar, compare, format, layout, pane, render_too_small, table, theme::Theme};
use crate::{
    app::{Action, Direction, Focus},
    printable::printable,
    standings::{Board, Job, Standings},
};

/// The screen of a sweep.
#[derive(Debug)]
pub struct SweepScreen<'a> {
    board: &'a Board,
    theme: &'a Theme,
    ascii: bool,
}

/// The screen's rows.
struct Parts {
    header: Rect,
    figures: Rect,
    bar: Rect,
    table: Rect,
    jobs: Rect,
    message: Rect,
    footer: Rect,
}

/// Columns of a bar of a run in training.
const BAR: u16 = 16;

impl<'a> SweepScreen<'a> {
    /// The screen in these colours.
    #[must_use]
    pub fn new(board: &'a Board, theme: &'a Theme) -> Self {
        Self { board, theme, ascii: false }
    }

    /// The same in ASCII alone.
    #[must_use]
    pub fn in_ascii(self, ascii: bool) -> Self {
        Self { ascii, ..self }
    }

    /// Lines of the table that a screen of this area shows.
    pub fn rows(&self, area: Rect) -> usize {
        parts(self.board, area).map_or(0, |parts| lines::rows(parts.table))
    }

    fn header(&self, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        let Standings { is_over, jobs, .. } = &self.board.standings;
        let state = match (is_over, self.board.is_stopping) {
            (true, _) => Span::styled("done", theme.muted),
            (false, true) => Span::styled("stopping", theme.alert),
            (false, false) if jobs.is_empty() => Span::styled("starting", theme.muted),
            (false, false) => Span::styled("training", theme.accent),
        };
        let width = state.width() as u16;
        let room = usize::from(area.width.saturating_sub(width + 20));
        let place = printable(&self.board.standings.place);
        let line = Line::from(vec![
            Span::styled("mnist-tui", theme.figure),
            Span::raw("  sweep  "),
            Span::styled(format::cut(&place, room), theme.muted),
        ]);
        line.render(area, buf);
        state.render(Rect { x: area.right() - width, width, ..area }, buf);
    }

    fn figures(&self, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        let Standings { all, done, failed, best, remaining, is_over, .. } = &self.board.standings;
        let [done, all] = [done, all].map(|runs| format::thousands(*runs as u64));
        let mut line = Line::from(Span::styled(format!("{done}/{all} runs"), theme.figure));
        if *failed > 0 {
            let failed = format::thousands(*failed as u64);
            line.push_span(Span::styled(format!("  {failed} failed"), theme.wrong));
        }
        let left = remaining.filter(|_| !is_over).map_or_else(String::new, |left| {
            format!("{} left", format::duration(left.as_secs_f64()))
        });
        let right = area.right();
        table::right(buf, right, area.y, &left, theme.figure);
        if let Some((percent, run)) = best {
            line.push_span(Span::styled("  best run ", theme.muted));
            line.push_span(Span::styled(format!("{percent:.2} %"), theme.figure));
            let room = usize::from(area.width).saturating_sub(line.width() + left.len() + 4);
            let run = format::cut(&printable(run), room);
            line.push_span(Span::styled(format!("  {run}"), theme.muted));
        }
        line.render(Rect { width: area.width.saturating_sub(left.len() as u16 + 2), ..area }, buf);
    }

    /// The runs in training.
    fn jobs(&self, area: Rect, buf: &mut Buffer) {
        let jobs = &self.board.standings.jobs;
        let hidden = (jobs.len() + 1).saturating_sub(usize::from(area.height));
        let note = match hidden {
            0 => Line::default(),
            hidden => Line::styled(format!("{hidden} more"), self.theme.muted),
        };
        let title = format!("In training · {}", jobs.len());
        let inner = pane::titled(area, buf, self.theme, &title, [note]);
        for (row, job) in inner.rows().zip(jobs) {
            self.job(job, row, buf);
        }
    }

    fn job(&self, job: &Job, area: Rect, buf: &mut Buffer) {
        let theme = self.theme;
        let (epoch, epochs) = job.epoch;
        let width = epochs.to_string().len();
        let loss = if job.loss.is_nan() { "—".to_owned() } else { format::loss(job.loss.into()) };
        let figures = format!("epoch {epoch:>width$}/{epochs}  loss {loss:>6}");
        table::right(buf, area.right(), area.y, &figures, theme.figure);
        let right = area.right().saturating_sub(table::width(&figures) as u16 + 2);
        let bar = Rect { x: right.saturating_sub(BAR).max(area.x), width: BAR, ..area };
        bar::draw_visibly(bar.intersection(area), buf, job.share, theme.accent);
        let room = bar.x.saturating_sub(area.x + 2);
        let run = format!("{}  {}", job.run, printable(&job.settings));
        table::left(buf, area.x, area.y, &format::cut(&run, room.into()), room, theme.muted);
    }

    fn footer(&self, width: u16) -> Line<'static> {
        let over = self.board.standings.is_over;
        let mut hints = vec![(Action::Move(Direction::Down), Some("choose"))];
        let has_lines = self.board.table().is_some_and(|table| !table.lines.is_empty());
        if has_lines && self.board.place() == 0 {
            hints.push((Action::Confirm, Some("curves")));
        }
        if self.board.standings.tables.len() > 1 {
            hints.push((Action::NextView, Some("by setting")));
        }
        hints.extend([(Action::ReverseOrder, None), (Action::SortByNext, None)]);
        let quit = match (over, self.board.is_stopping) {
            (true, _) => "quit",
            (false, true) => "leave the screen now",
            (false, false) => "stop and quit",
        };
        hints.push((Action::Quit, Some(quit)));
        compare::hints(Focus::Standings, &hints, self.theme, width)
    }
}

impl Widget for &SweepScreen<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        match parts(self.board, area) {
            Some(parts) => {
                let (board, theme) = (self.board, self.theme);
                let Standings { all, done, .. } = board.standings;
                self.header(parts.header, buf);
                self.figures(parts.figures, buf);
                bar::draw_visibly(parts.bar, buf, done as f64 / all.max(1) as f64, theme.accent);
                lines::render(board, theme, parts.table, buf);
                if parts.jobs.height > 0 {
                    self.jobs(parts.jobs, buf);
                }
                if let Some(text) = message(board) {
                    let text = format::cut(&printable(text), parts.message.width.into());
                    Line::styled(text, theme.alert).render(parts.message, buf);
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

/// What a person should know now.
fn message(board: &Board) -> Option<&str> {
    const STOPPING: &str =
        "The runs in training write a checkpoint each; the sweep can be resumed.";
    let stopping = (board.is_stopping && !board.standings.is_over).then_some(STOPPING);
    board.refusal.as_deref().or(stopping).or(board.standings.message.as_deref())
}

fn parts(board: &Board, area: Rect) -> Option<Parts> {
    if area.width < layout::SMALLEST.0 || area.height < layout::SMALLEST.1 {
        return None;
    }
    let jobs = board.standings.jobs.len() as u16;
    let jobs = if jobs == 0 { 0 } else { (jobs + 1).min(area.height / 3) };
    let gap = u16::from(area.height >= 20);
    let [header, figures, bar, _, table, jobs, message, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(gap),
        Constraint::Fill(1),
        Constraint::Length(jobs),
        Constraint::Length(u16::from(message(board).is_some())),
        Constraint::Length(1),
    ])
    .areas(area);
    Some(Parts { header, figures, bar, table, jobs, message, footer })
}

#[cfg(test)]
mod tests;
