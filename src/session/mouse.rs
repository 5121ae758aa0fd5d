//! What the mouse does.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use crate::{
    app::{Action, App, Direction},
    ui::{self, Theme},
};

/// What the mouse does on a screen that fills `area`: it draws on the pad and clicks elsewhere.
pub(super) fn action(mouse: MouseEvent, app: &App, theme: &Theme, area: Rect) -> Option<Action> {
    if app.draws_with_mouse()
        && let Some(stroke) = stroke(mouse, app, area)
    {
        return Some(stroke);
    }
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => {
            ui::action_at(app, theme, area, (mouse.column, mouse.row).into())
        }
        MouseEventKind::ScrollUp => Some(Action::Move(Direction::Up)),
        MouseEventKind::ScrollDown => Some(Action::Move(Direction::Down)),
        _ => None,
    }
    .filter(|action| !(app.draws_with_mouse() && matches!(action, Action::Move(_))))
}

/// What it does to the pad.
fn stroke(mouse: MouseEvent, app: &App, area: Rect) -> Option<Action> {
    let pixel = ui::pad_position(app, area, mouse.column, mouse.row);
    match (mouse.kind, pixel) {
        (MouseEventKind::Down(MouseButton::Left), Some((x, y))) => {
            Some(Action::Stroke { x, y, drag: false })
        }
        (MouseEventKind::Drag(MouseButton::Left), Some((x, y))) => {
            Some(Action::Stroke { x, y, drag: true })
        }
        // Off the pad a stroke ends, so that it comes back where the mouse does.
        (MouseEventKind::Drag(MouseButton::Left), None)
        | (MouseEventKind::Up(MouseButton::Left), _) => Some(Action::EndStroke),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    const AREA: Rect = Rect::new(0, 0, 80, 24);

    fn at(kind: MouseEventKind, (column, row): (u16, u16)) -> Option<Action> {
        stroke(
            MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE },
            &App::default(),
            AREA,
        )
    }

    #[test]
    fn the_left_button_draws_on_the_pad_and_nothing_else_does() {
        let on_pad = AREA
            .positions()
            .find(|at| ui::pad_position(&App::default(), AREA, at.x, at.y).is_some())
            .map(|at| (at.x, at.y))
            .expect("there is room for a pad");
        let beside = (0, 0);
        let (left, right) = (MouseButton::Left, MouseButton::Right);
        for (kind, place, expected) in [
            (MouseEventKind::Down(left), on_pad, Some(Action::Stroke { x: 0, y: 0, drag: false })),
            (MouseEventKind::Drag(left), on_pad, Some(Action::Stroke { x: 0, y: 0, drag: true })),
            (MouseEventKind::Up(left), on_pad, Some(Action::EndStroke)),
            (MouseEventKind::Down(left), beside, None),
            (MouseEventKind::Drag(left), beside, Some(Action::EndStroke)),
            (MouseEventKind::Up(left), beside, Some(Action::EndStroke)),
            (MouseEventKind::Down(right), on_pad, None),
            (MouseEventKind::Drag(right), on_pad, None),
            (MouseEventKind::Moved, on_pad, None),
            (MouseEventKind::ScrollDown, on_pad, None),
        ] {
            assert_eq!(at(kind, place), expected, "{kind:?} at {place:?}");
        }
    }
}
