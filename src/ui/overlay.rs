//! What lies over the panes: keys, breakpoints, questions, failures.

mod breakpoints;
mod help;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Paragraph, Widget},
};

use super::{format, pane, theme::Theme};
use crate::{
    app::{App, Overlay, Run},
    protocol::RunState,
};

/// Draws an overlay in the middle of `area`.
pub(super) fn render(overlay: Overlay, app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    match overlay {
        Overlay::Help => help::render(app, theme, area, buf),
        Overlay::Breakpoints => breakpoints::render(app, theme, area, buf),
        Overlay::ConfirmQuit => confirm_quit(app, theme, area, buf),
        Overlay::Failure => failure(app, theme, area, buf),
    }
}

/// A cleared, framed block of at most this size inside; gives the inside.
fn framed(
    area: Rect,
    buf: &mut Buffer,
    title: &str,
    style: Style,
    (width, height): (u16, u16),
) -> Rect {
    let place = pane::middle(area, width + 4, height + 2);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style)
        .title(Line::styled(format!(" {title} "), style));
    Clear.render(place, buf);
    let inner = block.inner(place);
    block.render(place, buf);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

fn confirm_quit(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let width = 44.min(area.width.saturating_sub(4));
    let mut lines: Vec<Line<'_>> = format::wrap(&quit_question(&app.run), usize::from(width))
        .into_iter()
        .map(Line::raw)
        .collect();
    lines.push(Line::raw(""));
    lines.push(Line::from(vec![
        Span::styled("y", theme.key),
        Span::styled(" quit   ", theme.muted),
        Span::styled("n", theme.key),
        Span::styled(" stay", theme.muted),
    ]));
    let inner = framed(area, buf, "Quit?", theme.alert, (width, lines.len() as u16));
    Paragraph::new(lines).render(inner, buf);
}

/// What the run is doing, the question, and what becomes of the run after a yes.
fn quit_question(run: &Run) -> String {
    let step = format::thousands(run.step);
    let now = match run.state {
        RunState::Paused => format!("Paused at step {step}."),
        RunState::Evaluating => format!("Evaluating after step {step}."),
        RunState::Training => format!("Training, at step {step}."),
        RunState::Loading => "Reading the data.".to_owned(),
        RunState::Done | RunState::Failed => format!("Ended at step {step}."),
    };
    if let Some(diverged) = run.diverged {
        let kept = match run.kept {
            Some(step) => format!(
                "; --resume continues from the checkpoint at step {}.",
                format::thousands(step)
            ),
            None => ", and there is no checkpoint to resume from.".to_owned(),
        };
        let diverged = format::thousands(diverged);
        return format!("{now} Quit? The run diverged at step {diverged}{kept}");
    }
    let weights = if run.saves() { " The weights are saved." } else { "" };
    let progress = match run.kept {
        _ if run.step == 0 => String::new(),
        _ if run.is_recorded() => " Progress is saved: --resume continues the run.".to_owned(),
        Some(step) => {
            let step = format::thousands(step);
            format!(" Progress is saved up to step {step}: --resume continues from there.")
        }
        None if run.saves() => String::new(),
        None => " Progress is lost: neither --save nor a run folder keeps it.".to_owned(),
    };
    format!("{now} Quit?{weights}{progress}")
}

fn failure(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(failure) = &app.run.failure else { return };
    let width = 64.min(area.width.saturating_sub(4));
    let lines: Vec<Line<'_>> =
        format::wrap(&failure.message, usize::from(width)).into_iter().map(Line::raw).collect();
    let inner = framed(area, buf, "Training failed", theme.alert, (width, lines.len() as u16));
    Paragraph::new(lines).render(inner, buf);
}
