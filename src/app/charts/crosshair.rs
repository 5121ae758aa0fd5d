//! A crosshair on the charts: the step that it is on, and the steps around it in sight.

use crate::{
    app::{App, Direction},
    protocol::Command,
};

/// Moves of the crosshair from one end of the steps in sight to the other, at least.
const MOVES: u64 = 60;
/// Moves of a screen.
const PAGE: u64 = 10;
/// Fewest steps in sight.
const CLOSEST: u64 = 20;

/// Steps that one move covers when `span` steps are visible: 1, 2 or 5 times a power of ten.
fn stride(span: u64) -> u64 {
    let most = (span / MOVES).max(1);
    let power = 10_u64.pow(most.ilog10());
    [5, 2, 1].into_iter().map(|factor| factor * power).find(|&stride| stride <= most).unwrap_or(1)
}

/// The next multiple of `stride` before or after a step.
fn moved(step: u64, stride: u64, forward: bool) -> u64 {
    if forward {
        (step / stride + 1).saturating_mul(stride)
    } else {
        step.div_ceil(stride).saturating_sub(1) * stride
    }
}

/// Half or twice as many steps as between `from` and `to`, with `at` where it was among them.
fn zoomed((from, to): (u64, u64), at: u64, closer: bool) -> (u64, u64) {
    let span = to - from;
    let new = if closer { (span / 2).max(CLOSEST.min(span)) } else { span.saturating_mul(2) };
    let share = u128::from(at.clamp(from, to) - from) * u128::from(new) / u128::from(span.max(1));
    let start = at.clamp(from, to).saturating_sub(share as u64);
    (start, start.saturating_add(new))
}

impl App {
    /// The step under the crosshair, where one is shown.
    pub fn crosshair(&self) -> Option<u64> {
        self.charts.crosshair.filter(|_| self.view.has_crosshair())
    }

    /// Whether a part of the steps is shown larger.
    pub fn is_zoomed(&self) -> bool {
        self.charts.zoom.is_some() && self.view.has_crosshair()
    }

    /// Moves the crosshair, or shows it on the last step in sight; up and down zoom.
    pub(in crate::app) fn move_crosshair(&mut self, direction: Direction) {
        let sight = self.sight();
        let small = stride(sight.to - sight.from);
        let to = match (direction, self.charts.crosshair) {
            (Direction::Up | Direction::Down, _) => return self.zoom(direction == Direction::Up),
            (_, None) => self.curves.loss.steps().clamp(sight.from, sight.to),
            (Direction::Left, Some(at)) => moved(at, small, false),
            (Direction::Right, Some(at)) => moved(at, small, true),
            (Direction::PageUp, Some(at)) => moved(at, PAGE * small, false),
            (Direction::PageDown, Some(at)) => moved(at, PAGE * small, true),
            (Direction::Home, Some(_)) => 0,
            (Direction::End, Some(_)) => u64::MAX,
        };
        self.point_at(to);
    }

    /// Shows the crosshair on a step, or on the last that is known.
    pub(in crate::app) fn point_at(&mut self, step: u64) {
        let step = step.min(self.curves.known());
        self.charts.crosshair = Some(step);
        if let Some((from, to)) = self.charts.zoom
            && !(from..=to).contains(&step)
        {
            let start = if step < from { step } else { from + (step - to) };
            self.charts.zoom = Some((start, start + (to - from)));
        }
    }

    /// Shows half or twice as many steps, with those around the crosshair in sight.
    pub(in crate::app) fn zoom(&mut self, closer: bool) {
        if !self.view.has_crosshair() {
            return;
        }
        let (sight, whole) = (self.sight(), self.curves.sight(self.charts.range));
        let at = self.charts.crosshair.unwrap_or_else(|| self.curves.loss.steps());
        let (from, to) = zoomed((sight.from, sight.to), at, closer);
        let is_part = to - from < whole.to - whole.from;
        self.charts.zoom = (is_part && self.curves.loss.steps() > 0).then_some((from, to));
    }

    /// Takes the crosshair away and shows all steps again; whether there was any of that.
    pub(in crate::app) fn leave_crosshair(&mut self) -> bool {
        let is_shown = self.crosshair().is_some() || self.is_zoomed();
        if is_shown {
            (self.charts.crosshair, self.charts.zoom) = (None, None);
        }
        is_shown
    }

    /// Goes to the step under the crosshair.
    pub(in crate::app) fn go_to_crosshair(&mut self) -> Vec<Command> {
        let Some(step) = self.crosshair() else { return Vec::new() };
        if self.only_watches() {
            return Vec::new();
        }
        match self.run.go_to(step) {
            Ok(command) => command.into_iter().collect(),
            Err(reason) => {
                self.messages.inform(format!("The run cannot go to this step: {reason}."));
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        app::{
            Action,
            Direction::{End, Home, Left, PageUp, Right},
            Focus, Msg, View,
        },
        protocol::{Clock, Event, Progress, RunInfo, RunState},
    };

    fn trained(steps: u32) -> App {
        let mut app = App::default();
        for event in [
            Event::Started(RunInfo::example()),
            Event::State(RunState::Training),
            Event::Progress(Progress {
                epoch: 1,
                first_step: 1,
                first_batch: 1,
                losses: (1..=steps).map(|step| 1.0 / step as f32).collect(),
                images: 50 * u64::from(steps),
                learning_rate: 1e-3,
                clock: Clock::default(),
                sample: None,
                measures: Vec::new(),
            }),
        ] {
            let _ = app.update(event.into());
        }
        let _ = act(&mut app, Action::Show(View::Loss));
        app
    }

    fn act(app: &mut App, action: Action) -> Vec<Command> {
        app.update(Msg::Action(action))
    }

    fn seen(app: &App) -> (u64, u64) {
        let sight = app.sight();
        (sight.from, sight.to)
    }

    #[test]
    fn the_crosshair_starts_at_the_last_step_and_moves_by_round_steps() {
        let mut app = trained(2_345);
        assert_eq!((app.crosshair(), app.focus()), (None, Focus::View(View::Loss)));
        let mut at = |direction| {
            act(&mut app, Action::Move(direction));
            app.crosshair()
        };
        for (direction, step) in [
            (Left, 2_345),
            (Left, 2_340),
            (Left, 2_320),
            (Right, 2_340),
            (PageUp, 2_200),
            (Home, 0),
        ] {
            assert_eq!(at(direction), Some(step), "{direction:?}");
        }
        assert_eq!((at(Left), at(End), at(Right)), (Some(0), Some(2_345), Some(2_345)));
        assert_eq!(app.focus(), Focus::Crosshair);
        act(&mut app, Action::Dismiss);
        assert_eq!((app.crosshair(), app.focus()), (None, Focus::View(View::Loss)));
    }

    #[test]
    fn zooming_keeps_the_crosshair_in_sight_and_moving_takes_the_sight_along() {
        let mut app = trained(2_345);
        assert_eq!(seen(&app), (0, 2_500));
        act(&mut app, Action::Point(1_000));
        act(&mut app, Action::Zoom { closer: true });
        assert_eq!(seen(&app), (500, 1_750));
        for _ in 0..20 {
            act(&mut app, Action::Zoom { closer: true });
        }
        let (from, to) = seen(&app);
        assert!(to - from == CLOSEST && from <= 1_000 && to >= 1_000, "{from} to {to}");
        act(&mut app, Action::Point(2_000));
        assert_eq!(seen(&app), (2_000 - CLOSEST, 2_000));
        act(&mut app, Action::Show(View::Overview));
        assert_eq!((seen(&app), app.crosshair()), ((0, 2_500), None), "it is the loss view's");
        act(&mut app, Action::Show(View::Loss));
        for _ in 0..20 {
            act(&mut app, Action::Zoom { closer: false });
        }
        assert_eq!(seen(&app), (0, 2_500));
    }

    #[test]
    fn enter_goes_to_the_step_under_the_crosshair() {
        let mut app = trained(500);
        assert!(act(&mut app, Action::Confirm).is_empty());
        act(&mut app, Action::Point(123));
        assert_eq!(act(&mut app, Action::Confirm), [Command::GoTo(123)]);
        let mut app = trained(500).looking_on();
        act(&mut app, Action::Point(123));
        assert!(act(&mut app, Action::Confirm).is_empty());
        assert!(app.messages.shown().is_some_and(|message| message.text.contains("watching")));
    }

    proptest! {
        #[test]
        fn what_is_zoomed_to_holds_the_crosshair(
            from in 0u64..1_000_000, span in 1u64..1_000_000, share in 0.0..1.0_f64, closer: bool,
        ) {
            let at = from + (share * span as f64) as u64;
            let (start, end) = zoomed((from, from + span), at, closer);
            prop_assert!(start <= at && at <= end, "{start}..{end}");
            prop_assert!(end - start >= span.min(CLOSEST));
            let step = stride(span);
            prop_assert!(step >= 1 && step <= (span / MOVES).max(1));
            let (left, right) = (moved(at, step, false), moved(at, step, true));
            prop_assert!(left < at || at == 0);
            prop_assert!(right > at && right.is_multiple_of(step) && left.is_multiple_of(step));
        }
    }
}
