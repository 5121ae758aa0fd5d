//! The keys that matter now.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::Widget,
};

use super::{format, theme::Theme};
use crate::{
    app::{Action, App, Direction, Overlay, Tab, View},
    keymap,
    protocol::{List, RunState},
};

/// An action to name in the bottom line.
#[derive(Clone, Copy, Debug)]
struct Hint {
    action: Action,
    /// Its name where the key table's does not fit the state.
    name: Option<&'static str>,
    /// Place in the line; where room is short the last ones go first.
    rank: u8,
}

fn hint(action: Action) -> Hint {
    Hint { action, name: None, rank: 0 }
}

impl Hint {
    fn called(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    fn at(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// The bottom line.
#[derive(Debug)]
pub(super) struct Footer<'a> {
    app: &'a App,
    theme: &'a Theme,
}

impl<'a> Footer<'a> {
    pub(super) fn new(app: &'a App, theme: &'a Theme) -> Self {
        Self { app, theme }
    }

    /// What can be done, in the order shown; help and quitting come last.
    fn hints(&self) -> Vec<Hint> {
        let further = match self.app.overlay {
            Some(Overlay::ConfirmQuit) => {
                return vec![
                    hint(Action::Confirm).called("quit"),
                    hint(Action::Dismiss).called("stay"),
                ];
            }
            Some(Overlay::Breakpoints) => {
                let choose = Action::Move(Direction::Down);
                vec![
                    Action::ToggleBreakpoint,
                    Action::AddBreakpoint,
                    Action::RemoveBreakpoint,
                    choose,
                    Action::Dismiss,
                ]
            }
            Some(Overlay::Help | Overlay::Failure) => vec![Action::Dismiss],
            None => {
                // The view's own come first where ranks are equal.
                let mut hints = self.view();
                hints.extend(self.training());
                hints.push(hint(Action::NextView).at(9));
                hints.sort_by_key(|hint| hint.rank);
                let ended = matches!(self.app.run.state, RunState::Done | RunState::Failed);
                hints.insert(if ended { 0 } else { hints.len() }, hint(Action::Quit));
                hints.insert(hints.len() - usize::from(!ended), hint(Action::ToggleHelp));
                return hints;
            }
        };
        further.into_iter().chain([Action::Quit]).map(hint).collect()
    }

    /// What the worker can be asked for.
    fn training(&self) -> Vec<Hint> {
        let run = &self.app.run;
        match run.state {
            RunState::Paused => vec![
                hint(Action::TogglePause).called("resume").at(0),
                hint(Action::Step(1)).at(1),
                hint(Action::Back(1)).at(2),
                hint(Action::FinishEpoch).at(4),
                hint(Action::AskStep).at(6),
                hint(Action::Step(10)).at(7),
                hint(Action::RaiseRate).at(7),
                hint(Action::LowerRate).at(7),
                hint(Action::EditBreakpoints).at(8),
            ],
            RunState::Training | RunState::Evaluating if !run.is_stopping() => {
                let pause = hint(Action::TogglePause).at(0);
                vec![
                    if run.is_pausing() || run.is_going_back() {
                        pause.called("resume")
                    } else {
                        pause
                    },
                    hint(Action::Step(1)).at(1),
                    hint(Action::FinishEpoch).at(4),
                    hint(Action::AskStep).at(6),
                ]
            }
            RunState::Done if !run.is_stopping() => {
                vec![hint(Action::Back(1)).at(2), hint(Action::AskStep).at(6)]
            }
            _ => Vec::new(),
        }
    }

    /// The originals of the batch's images, where those were augmented.
    fn originals(&self) -> Option<Hint> {
        let name = if self.app.shows_originals { "no originals" } else { "originals" };
        let is_offered = self.app.view == View::Overview && self.app.offers(Action::ShowOriginals);
        is_offered.then(|| hint(Action::ShowOriginals).called(name).at(5))
    }

    /// What can be done in this view alone: what it is for at 3, what is but convenient at 5.
    fn view(&self) -> Vec<Hint> {
        match self.app.view {
            View::Loss | View::Machine if self.app.crosshair().is_some() => vec![
                hint(Action::Move(Direction::Left)).at(0),
                hint(Action::Confirm).called("go to this step").at(0),
                hint(Action::Zoom { closer: true }).called("zoom in").at(0),
                hint(Action::Zoom { closer: false }).called("out").at(0),
                hint(Action::Dismiss).called("hide").at(0),
            ],
            View::Overview | View::Loss => {
                let scale = hint(Action::ToggleLogScale).at(5);
                let read = read_a_step();
                let read = (self.app.view == View::Loss).then_some(read);
                let pinned = self.app.view == View::Overview && self.app.is_pinned();
                let newest = hint(Action::Dismiss).called("newest matrix").at(3);
                let own = pinned.then_some(newest).into_iter().chain(read);
                own.chain(self.originals()).chain([scale]).collect()
            }
            View::Machine => vec![read_a_step()],
            View::Step if self.app.inspection().is_some() => {
                vec![hint(Action::LookInside).at(3), hint(Action::Move(Direction::Right)).at(5)]
            }
            View::Confusion if self.app.matrix().is_some() && self.app.why.calibration => {
                let matrix = hint(Action::Explain).called("matrix").at(3);
                std::iter::once(matrix).chain(self.scrubbing()).collect()
            }
            View::Confusion if self.app.matrix().is_some() => {
                let images = hint(Action::Confirm).called("images").at(3);
                let others = [hint(Action::Explain), hint(Action::Move(Direction::Right))];
                let others = others.map(|one| one.at(5));
                std::iter::once(images).chain(others).chain(self.scrubbing()).collect()
            }
            View::Network if self.app.network.pixel.is_some() => vec![
                hint(Action::Move(Direction::Left)).called("pixel").at(0),
                hint(Action::Dismiss).called("network").at(0),
                hint(Action::Hardest).at(0),
            ],
            View::Network => vec![
                hint(Action::Move(Direction::Left)).called("image, stage").at(0),
                hint(Action::Hardest).at(0),
                hint(Action::SwitchSet).at(0),
                hint(Action::LookInside).called("index").at(0),
                hint(Action::Confirm).called("arithmetic").at(3),
                hint(Action::Explain).called("why").at(5),
            ],
            View::Draw => {
                let pen = if self.app.pad.pen { "lift pen" } else { "pen down" };
                let others =
                    [Action::Undo, Action::Clear, Action::Centre].map(|one| hint(one).at(0));
                let why = hint(Action::Explain).called("why").at(5);
                let pen = hint(Action::Pen).called(pen).at(0);
                std::iter::once(pen).chain(others).chain([why]).collect()
            }
            View::Mistakes => {
                let look = self.app.mistakes.chosen().is_some();
                let look = look.then(|| hint(Action::Confirm).called("look inside").at(3));
                let up = match self.app.mistakes.list {
                    _ if self.app.mistakes.cell.is_some() => "all images",
                    List::Hardest => "matrix",
                    _ => "hardest",
                };
                let up = hint(Action::Dismiss).called(up).at(3);
                let next = match self.app.mistakes.list.next() {
                    List::Hardest => "hardest",
                    List::Forgotten => "forgotten",
                    List::Suspected => "label errors",
                };
                let next = hint(Action::NextList).called(next).at(3);
                let others = look.is_some().then(|| {
                    let moves = hint(Action::Move(Direction::Right));
                    [hint(Action::Explain).called("why"), moves].map(|one| one.at(5))
                });
                let others = others.into_iter().flatten();
                look.into_iter().chain([up, next]).chain(others).chain(self.scrubbing()).collect()
            }
            View::Why => {
                let why = &self.app.why;
                let does = match why.tab {
                    Tab::Projection if why.projection().is_some() => vec![
                        hint(Action::Move(Direction::Right)).at(3),
                        hint(Action::Confirm).called("look inside").at(3),
                    ],
                    Tab::Landscape => {
                        let compute = hint(Action::Confirm).called("compute").at(3);
                        let can = self.app.can_explore() && !why.explores();
                        let other = if why.along { "random plane" } else { "trajectory" };
                        let other = hint(Action::SwitchPlane).called(other).at(3);
                        can.then_some(compute).into_iter().chain([other]).collect()
                    }
                    Tab::Distributions => vec![hint(Action::Move(Direction::Down)).at(3)],
                    Tab::Projection => Vec::new(),
                };
                does.into_iter().chain([hint(Action::Explain).at(3)]).collect()
            }
            View::Step | View::Confusion => Vec::new(),
        }
    }

    /// Other epochs' matrices.
    fn scrubbing(&self) -> Vec<Hint> {
        let older = self.app.matrix().is_some().then(|| hint(Action::OlderMatrix).at(5));
        if !self.app.is_pinned() {
            return older.into_iter().collect();
        }
        let newest = hint(Action::Dismiss).called("newest matrix").at(3);
        let newest = (self.app.view != View::Mistakes).then_some(newest);
        newest.into_iter().chain(older).chain([hint(Action::NewerMatrix).at(5)]).collect()
    }
}

/// What the crosshair of the charts is for.
fn read_a_step() -> Hint {
    hint(Action::Move(Direction::Left)).called("read a step").at(5)
}

impl Widget for &Footer<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        if let Some(hint) = &self.app.hint {
            let hint = format::cut(hint, usize::from(area.width));
            return Line::styled(hint, self.theme.muted).render(area, buf);
        }
        let focus = self.app.focus();
        let named = |hint: Hint| {
            let (key, short) = keymap::hint_in(focus, hint.action)?;
            Some((key, hint.name.unwrap_or(short)))
        };
        let offered = self.hints().into_iter().filter(|hint| self.app.offers(hint.action));
        let mut hints: Vec<_> = offered.filter_map(named).collect();
        // The last two, help and quit, stay longest.
        while width(&hints) > usize::from(area.width) && hints.len() > 2 {
            hints.remove(hints.len() - 3);
        }
        let mut line = Line::default();
        for (key, name) in hints {
            line.push_span(Span::styled(key, self.theme.key));
            line.push_span(Span::styled(format!(" {name}{GAP}"), self.theme.muted));
        }
        line.render(area, buf);
    }
}

const GAP: &str = "   ";

fn width(hints: &[(String, &'static str)]) -> usize {
    let each = hints.iter().map(|(key, name)| key.chars().count() + 1 + name.chars().count());
    each.sum::<usize>() + GAP.len() * hints.len().saturating_sub(1)
}
