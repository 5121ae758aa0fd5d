//! Lists of other images than the hardest: forgotten ones, and suspected label errors.

use super::Mistakes;
use crate::{
    app::App,
    protocol::{Found, List},
    ui::{confusion, format, table},
};

/// The name of a list.
pub(super) fn name(list: List) -> &'static str {
    match list {
        List::Hardest => "Hardest images",
        List::Forgotten => "Forgotten images",
        List::Suspected => "Suspected label errors",
    }
}

/// The figure that an image of such a list is there for; `None` in the list of the hardest.
pub(super) fn note(found: &Found, place: usize) -> Option<String> {
    let history = found.histories.get(place)?;
    match found.query.list {
        List::Hardest => None,
        List::Forgotten => Some(format!("{}×", history.forgotten)),
        List::Suspected => {
            let known = history.known();
            Some(format!("{}/{known}", history.mistaken))
        }
    }
}

/// One line that says what the list shown is, in wordings of falling length; `None` for the list of the hardest.
pub(in crate::ui) fn explanations(app: &App) -> Option<[String; 3]> {
    let percent = 100.0 * List::CONFIDENT;
    let wordings = match app.mistakes.list {
        List::Hardest => return None,
        List::Forgotten => [
            "Images that went from right to wrong between two evaluations (×), most often first."
                .to_owned(),
            "Images that went from right to wrong (×).".to_owned(),
        ],
        List::Suspected => [
            format!(
                "Training images predicted as one other class with at least {percent} % in most epochs (9/10: \
                 nine of ten)."
            ),
            "Training images predicted as another class in most epochs.".to_owned(),
        ],
    };
    let [long, short] = &wordings;
    let longest = match resumed_at(app) {
        Some(step) => format!(
            "{short} Histories begin at step {}, after the resume.",
            format::thousands(step)
        ),
        None => long.clone(),
    };
    let [long, short] = wordings;
    Some([longest, long, short])
}

/// The first step that the histories shown know of, where they begin in the middle of the run: a checkpoint
/// holds none.
fn resumed_at(app: &App) -> Option<u64> {
    let first = *app.mistakes.list()?.steps.first()?;
    let epoch = app.run.info.as_ref()?.steps_per_epoch;
    (first > epoch).then_some(first)
}

impl Mistakes<'_> {
    /// Heading of such a list.
    pub(super) fn heading_of_list(&self, found: &Found, width: u16) -> String {
        let (app, query) = (self.app, found.query);
        let moment = app.matrix_at(query.step, query.set).map_or_else(
            || format!("after step {}", format::thousands(query.step)),
            |matrix| confusion::moment(app, matrix),
        );
        let (pin, total) = (confusion::pin(app), found.total.unwrap_or(0));
        let shown = found.digits.len() as u64;
        let mut images = format!("{} {}", format::thousands(total), found.set.name());
        if shown < total {
            images = format!("first {} of {images}", format::thousands(shown));
        }
        let noun = if total == 1 { "image" } else { "images" };
        let rest = format!(" · {images} {noun} · {pin}{moment}");
        let Some(cell) = query.cell else { return name(query.list).to_owned() + &rest };
        let list = if query.list == List::Forgotten { "forgotten" } else { "suspected" };
        let rest = format!(" · {list}{rest}");
        self.cell_name(cell, usize::from(width).saturating_sub(table::width(&rest) + 1)) + &rest
    }
}

/// Why such a list has no images; `None` if it has some, or is that of the hardest.
pub(super) fn missing(found: &Found) -> Option<String> {
    let is_of_cell = found.query.cell.is_some();
    let set = found.set.name();
    let epochs = found.steps.len();
    match (found.query.list, found.total) {
        (List::Hardest, _) | (List::Forgotten, None) => None,
        (List::Suspected, None) if epochs < List::EPOCHS => {
            let least = List::EPOCHS;
            Some(format!(
                "Suspected label errors appear after {least} epochs of training in this session."
            ))
        }
        (List::Forgotten, Some(0)) if !is_of_cell => Some(format!(
            "No {set} image has gone from right to wrong between two evaluations so far."
        )),
        (List::Suspected, Some(0)) if !is_of_cell => Some(format!(
            "No training image was confidently predicted as one other class in most of {epochs} epochs."
        )),
        (_, Some(0)) => Some("No image of this cell is in the list; esc shows all.".to_owned()),
        _ => None,
    }
}
