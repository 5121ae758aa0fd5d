//! The action of a mouse click, from what is under the pointer.

use ratatui::layout::{Position, Rect};

use super::{
    confusion, curves, header, inspector, layout, machine, mistakes, network, theme::Theme, why,
};
use crate::app::{Action, App, Tab, Target, View};

/// The action of a click at this place of a screen of this area; `None` where nothing can be clicked.
pub fn action_at(app: &App, theme: &Theme, area: Rect, at: Position) -> Option<Action> {
    let screen = super::parts(app, theme, area)?;
    if screen.header.contains(at) {
        return header::view_at(app, theme, screen.header, at.x).map(Action::Show);
    }
    if app.overlay.is_some() || app.prompt.is_some() || !screen.body.contains(at) {
        return None;
    }
    let body = screen.body;
    let target = match app.view {
        View::Overview => return in_overview(app, theme, body, at),
        View::Step => Target::Image(inspector::image_at(app, body, at)?),
        View::Confusion => {
            let (truth, predicted) = confusion::cell_at(app, theme, body, at, true)?;
            Target::Cell(truth, predicted)
        }
        View::Network if app.network.pixel.is_some() => return None,
        View::Network => Target::Stage(network::stage_at(app, theme, body, at)?),
        View::Mistakes => Target::Image(mistakes::image_at(app, body, at)?),
        View::Loss => return curves::step_at(app, theme, body, at).map(Action::Point),
        View::Machine => return machine::step_at(app, theme, body, at).map(Action::Point),
        View::Why if app.why.tab == Tab::Projection => Target::Point(why::point_at(app, body, at)?),
        View::Draw | View::Why => return None,
    };
    Some(Action::Choose(target))
}

/// A cell of the matrix is chosen in its own view; digits lead to those of the step.
fn in_overview(app: &App, theme: &Theme, body: Rect, at: Position) -> Option<Action> {
    let panes = layout::overview(body);
    if let Some(pane) = panes.confusion.filter(|pane| pane.contains(at)) {
        let (truth, predicted) = confusion::cell_at(app, theme, pane, at, false)?;
        return Some(Action::Choose(Target::Cell(truth, predicted)));
    }
    panes.digits.filter(|pane| pane.contains(at)).map(|_| Action::Show(View::Step))
}

#[cfg(test)]
mod tests;
