//! Curves of stored runs, drawn over those of this run.

use super::{App, curves::Evaluations};
use crate::{metrics::Series, printable::printable};

/// The curves of a stored run.
#[derive(Clone, Debug)]
pub struct StoredCurves {
    /// What the user calls the run.
    pub name: String,
    /// Training loss of every step.
    pub loss: Series,
    /// Evaluations, oldest first.
    pub evaluations: Evaluations,
}

/// The stored runs that are drawn.
#[derive(Debug, Default)]
pub struct Overlays {
    shown: Vec<StoredCurves>,
    asked: Option<String>,
}

impl Overlays {
    /// Most runs that are drawn; the oldest makes room for another one.
    pub const MOST: usize = 4;

    /// Each run with the letter that stands for it.
    pub fn iter(&self) -> impl Iterator<Item = (char, &StoredCurves)> {
        ('A'..).zip(&self.shown)
    }

    /// Asks for a run by name or folder, or removes all for an empty name.
    pub(super) fn ask(&mut self, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            self.shown.clear();
        } else {
            self.asked = Some(name.to_owned());
        }
    }

    fn add(&mut self, curves: StoredCurves) {
        self.shown.retain(|shown| shown.name != curves.name);
        if self.shown.len() == Self::MOST {
            self.shown.remove(0);
        }
        self.shown.push(curves);
    }
}

impl App {
    /// The run to read now, by name or folder, if one was asked for.
    pub fn take_overlay(&mut self) -> Option<String> {
        self.overlays.asked.take()
    }

    /// Draws a run that was asked for, or says why it cannot be.
    pub(super) fn overlaid(&mut self, outcome: Result<StoredCurves, String>) {
        match outcome {
            Ok(curves) => {
                self.overlays.add(StoredCurves { name: printable(&curves.name), ..curves });
                let names: Vec<String> = self
                    .overlays
                    .iter()
                    .map(|(letter, curves)| format!("{letter} is {}", curves.name))
                    .collect();
                self.messages.inform(format!("{}.", names.join(", ")));
            }
            Err(reason) => self.messages.alert(format!("No curves: {}.", printable(&reason))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Action, Msg, PromptKind, View};

    fn curves(name: &str) -> StoredCurves {
        let (loss, evaluations) = (Series::new(10.0), Evaluations::default());
        StoredCurves { name: name.to_owned(), loss, evaluations }
    }

    fn letters(app: &App) -> Vec<(char, String)> {
        app.overlays.iter().map(|(letter, curves)| (letter, curves.name.clone())).collect()
    }

    fn asked(app: &mut App, name: &str) -> Option<String> {
        let _ = app.update(Msg::Action(Action::Show(View::Loss)));
        let _ = app.update(Msg::Action(Action::Overlay));
        assert_eq!(app.prompt.as_ref().map(|prompt| prompt.kind), Some(PromptKind::Overlay));
        let _ = app.update(Msg::Paste(name.to_owned()));
        let _ = app.update(Msg::Action(Action::Confirm));
        app.take_overlay()
    }

    #[test]
    fn a_run_that_is_asked_for_is_drawn_until_all_are_removed() {
        let mut app = App::default();
        assert_eq!(asked(&mut app, " wide "), Some("wide".to_owned()));
        for name in ["a", "b", "a", "c", "d", "e"] {
            let _ = app.update(Msg::Overlaid(Ok(Box::new(curves(name)))));
        }
        let expected = [('A', "a"), ('B', "c"), ('C', "d"), ('D', "e")];
        assert_eq!(letters(&app), expected.map(|(letter, name)| (letter, name.to_owned())));
        let _ = app.update(Msg::Overlaid(Err("there is none".to_owned())));
        let message = app.messages.shown().map(|message| message.text.as_str());
        assert_eq!(message, Some("No curves: there is none."));
        assert_eq!(asked(&mut app, ""), None);
        assert_eq!(letters(&app), []);
    }
}
