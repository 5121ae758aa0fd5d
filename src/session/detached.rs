//! A run that continues after its terminal is gone.

use crossbeam_channel::Receiver;

use super::dashboard::End;

use crate::{
    app::App,
    protocol::{Breakpoint, Command, Event, RunState},
    terminal::{is_continue, is_hang_up, is_resize, is_suspend, let_go},
    train::Worker,
};

/// Follows the run to its end without a screen. A breakpoint that nobody can resume from ends it.
pub(super) fn follow(
    app: &mut App,
    worker: &Worker,
    events: &Receiver<Event>,
    signals: &Receiver<i32>,
) -> End {
    // Without the null device the program still trains; the thread that reads keys may spin.
    let _ = let_go();
    for command in [
        Command::LookInside(None),
        Command::Explain(None),
        Command::SetPace(None),
        Command::SetBreakpoints(vec![Breakpoint::NotFinite]),
        Command::Resume,
    ] {
        worker.send(command);
    }
    let mut goes_on = matches!(app.run.state, RunState::Training | RunState::Evaluating);
    for event in events {
        goes_on |= event == Event::State(RunState::Training);
        let broken = goes_on && matches!(event, Event::Break(_));
        let _ = app.update(event.into());
        if broken || !app.run.is_under_way() {
            break;
        }
    }
    // Other signals than those that end the program say nothing here.
    let ends = |&signal: &i32| {
        !(is_hang_up(signal) || is_suspend(signal) || is_continue(signal) || is_resize(signal))
    };
    signals.try_iter().find(ends).map_or(End::Left, End::Signal)
}
