//! What is explained of the network, and how.

mod distributions;

use std::sync::Arc;

use super::{App, Direction, Pixel, View};
use crate::protocol::{
    Answer, Attribution, Content, ImageSet, Landscape, Method, Projection, ProjectionPoint,
    Question, RunState, Subject,
};

pub use distributions::{Kind, Samples};

/// What the why view shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// Evaluation images by their features.
    #[default]
    Projection,
    /// The loss around the weights.
    Landscape,
    /// How the values of each layer are distributed over the run.
    Distributions,
}

impl Tab {
    /// All tabs in their order.
    pub const ALL: [Self; 3] = [Self::Projection, Self::Landscape, Self::Distributions];

    /// One word for a title.
    pub fn name(self) -> &'static str {
        match self {
            Self::Projection => "projection",
            Self::Distributions => "distributions",
            Self::Landscape => "landscape",
        }
    }
}

/// Which explanations are shown.
#[derive(Debug, Default)]
pub struct Why {
    /// How pixels are shaded where an image is looked at; `None` for the image itself.
    pub method: Option<Method>,
    /// The class that is explained; `None` for the predicted one.
    pub class: Option<u8>,
    /// Whether the confusion view shows the calibration.
    pub calibration: bool,
    /// What the why view shows.
    pub tab: Tab,
    /// Place of the chosen image among the projection's points.
    pub point: usize,
    /// Which values the distributions are of.
    pub kind: Kind,
    /// Whether the landscape is along the run's own trajectory.
    pub along: bool,
    /// Layers above those shown.
    pub first_layer: usize,
    samples: Samples,
    asked: Option<Question>,
    answer: Option<Arc<Answer>>,
    projection: Option<Arc<Answer>>,
    landscape: Option<Arc<Answer>>,
    trajectory: Option<Arc<Answer>>,
    /// Whether the loss around the weights is being computed.
    explores: bool,
}

impl Why {
    /// The question that the worker has, if another one is to take its place.
    pub(super) fn turn_to(&mut self, question: Option<Question>) -> bool {
        let is_other = question != self.asked;
        if is_other {
            self.asked = question;
        }
        is_other
    }

    /// Asks again about an evaluation that took the place of an earlier one.
    pub(super) fn evaluated(&mut self, after: u64) {
        let is_of = |asked: &mut Question| matches!(asked, Question::Calibration { step, .. } if *step == after);
        self.asked.take_if(is_of);
    }

    pub(super) fn show(&mut self, answer: Arc<Answer>) {
        if self.asked.as_ref() != Some(&answer.question) {
            return;
        }
        if let Content::Projection(projection) = &answer.content {
            self.point = self.point.min(projection.points.len().saturating_sub(1));
            self.projection = Some(Arc::clone(&answer));
        }
        if let Content::Distributions(sample) = &answer.content {
            self.samples.push(answer.step, sample.clone());
        }
        let place = match answer.question {
            Question::Landscape => Some(&mut self.landscape),
            Question::Trajectory => Some(&mut self.trajectory),
            _ => None,
        };
        if let Some(place) = place {
            self.explores &=
                matches!(&answer.content, Content::Landscape(part) if !part.is_complete());
            *place = Some(Arc::clone(&answer));
        }
        self.answer = Some(answer);
    }

    /// The answer to the question that is open.
    pub fn answer(&self) -> Option<&Answer> {
        let answer = self.answer.as_deref()?;
        (self.asked.as_ref() == Some(&answer.question)).then_some(answer)
    }

    /// The pixels of the image looked at by their part in a logit; `None` until that is known.
    pub fn attribution(&self) -> Option<&Attribution> {
        match &self.answer()?.content {
            Content::Attribution(found) => Some(found),
            _ => None,
        }
    }

    /// The newest projection, and the step of its weights.
    pub fn projection(&self) -> Option<(&Projection, u64)> {
        match self.projection.as_deref()? {
            Answer { content: Content::Projection(projection), step, .. } => {
                Some((projection, *step))
            }
            _ => None,
        }
    }

    fn plane(&self) -> Option<&Answer> {
        if self.along { self.trajectory.as_deref() } else { self.landscape.as_deref() }
    }

    /// Why the landscape that was asked for last cannot be shown, in a sentence.
    pub fn no_landscape(&self) -> Option<&str> {
        match &self.plane()?.content {
            Content::Nothing(reason) => Some(reason),
            _ => None,
        }
    }

    /// The newest landscape, complete or not, and the step of its weights.
    pub fn landscape(&self) -> Option<(&Landscape, u64)> {
        match self.plane()? {
            Answer { content: Content::Landscape(landscape), step, .. } => Some((landscape, *step)),
            _ => None,
        }
    }

    /// How values were distributed over the run so far.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// Drops what is known of later steps than this, to which the run was rewound.
    pub(super) fn forget_after(&mut self, step: u64) {
        self.samples.forget_after(step);
    }

    /// Whether the loss around the weights is being computed.
    pub fn explores(&self) -> bool {
        self.explores
    }

    /// Ends the computation that takes long; any key does so.
    pub(super) fn stop_exploring(&mut self) {
        self.explores = false;
    }

    /// Shows images and matrices again, and not how they are explained.
    pub(super) fn leave(&mut self) {
        (self.method, self.class, self.calibration) = (None, None, false);
    }

    /// The chosen image of the projection.
    pub fn chosen_point(&self) -> Option<(ImageSet, &ProjectionPoint)> {
        let (projection, _) = self.projection()?;
        Some((projection.set, projection.points.get(self.point)?))
    }

    fn next_method(&mut self) {
        self.method = match self.method {
            None => Some(Method::Saliency),
            Some(Method::Saliency) => Some(Method::Occlusion),
            Some(Method::Occlusion) => None,
        };
    }

    fn next_class(&mut self, classes: usize) {
        let next = self.class.map_or(0, |class| class + 1);
        self.class = (usize::from(next) < classes).then_some(next);
    }

    fn next_tab(&mut self) {
        let place = Tab::ALL.iter().position(|&tab| tab == self.tab).unwrap_or_default();
        self.tab = Tab::ALL[(place + 1) % Tab::ALL.len()];
    }

    /// Chooses another point: the next one in a direction, a page to the next mistake.
    fn select_point(&mut self, direction: Direction) {
        let Some((projection, _)) = self.projection() else { return };
        let points = &projection.points;
        let Some(chosen) = points.get(self.point) else { return };
        let is_wrong = |&place: &usize| points[place].label != points[place].prediction;
        let next = match direction {
            Direction::PageUp => (0..self.point).rev().find(is_wrong),
            Direction::PageDown => (self.point + 1..points.len()).find(is_wrong),
            Direction::Home => Some(0),
            Direction::End => points.len().checked_sub(1),
            Direction::Up | Direction::Down | Direction::Left | Direction::Right => {
                nearest(points, chosen, direction)
            }
        };
        self.point = next.unwrap_or(self.point);
    }
}

impl Why {
    /// Goes over to other values among `kinds`, or to other layers where only `shown` have room.
    fn select_values(&mut self, direction: Direction, kinds: &[Kind], shown: usize) {
        let place = kinds.iter().position(|&kind| kind == self.kind).unwrap_or_default();
        match direction {
            Direction::Left => self.kind = kinds[(place + kinds.len() - 1) % kinds.len()],
            Direction::Right => self.kind = kinds[(place + 1) % kinds.len()],
            _ => {}
        }
        let newest = self.samples.all().last();
        let layers = newest.map_or(0, |(_, it)| match self.kind {
            Kind::Activations => it.stages.len(),
            Kind::Weights | Kind::Gradients | Kind::Updates => it.layers.len(),
        });
        let last = layers.saturating_sub(shown.max(1));
        let first = self.first_layer.min(last);
        self.first_layer = match direction {
            Direction::Left | Direction::Right => first,
            Direction::Up => first.saturating_sub(1),
            Direction::Down => (first + 1).min(last),
            Direction::PageUp => first.saturating_sub(shown.max(1)),
            Direction::PageDown => (first + shown.max(1)).min(last),
            Direction::Home => 0,
            Direction::End => last,
        };
    }
}

/// The point that is nearest in a direction, where the other one counts double.
fn nearest(
    points: &[ProjectionPoint],
    from: &ProjectionPoint,
    direction: Direction,
) -> Option<usize> {
    let distance = |point: &ProjectionPoint| {
        let [x, y] = [point.at[0] - from.at[0], point.at[1] - from.at[1]];
        let (along, across) = match direction {
            Direction::Left => (-x, y),
            Direction::Right => (x, y),
            Direction::Up => (y, x),
            _ => (-y, x),
        };
        (along > 0.0).then_some(along + 2.0 * across.abs())
    };
    let all = points.iter().enumerate();
    let ahead = all.filter_map(|(place, point)| Some((place, distance(point)?)));
    ahead.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
}

impl App {
    /// Chooses other things in the why view: the next ones in a direction.
    pub(super) fn select_explained(&mut self, direction: Direction) {
        match self.why.tab {
            Tab::Projection => self.why.select_point(direction),
            Tab::Distributions => {
                let kinds = self.kinds();
                self.why.select_values(direction, kinds, self.tiles.rows);
            }
            Tab::Landscape => {}
        }
    }

    /// The kinds of values whose distributions are known: a checkpoint holds no step's gradients and updates.
    pub fn kinds(&self) -> &'static [Kind] {
        if self.looks_on { &[Kind::Weights, Kind::Activations] } else { &Kind::ALL }
    }

    /// What the view shown wants explained.
    pub(super) fn question(&self) -> Option<Question> {
        let attribution = |subject: Subject| {
            let (method, class) = (self.why.method?, self.why.class);
            Some(Question::Attribution { subject, method, class })
        };
        match self.view {
            View::Network => match self.network.pixel {
                Some(Pixel { stage, place, .. }) => {
                    let (subject, stage) = (self.network.subject.clone(), stage as u32);
                    Some(Question::Arithmetic { subject, stage, place })
                }
                None => attribution(self.network.subject.clone()),
            },
            View::Draw if !self.pad.is_empty() => {
                attribution(Subject::Drawn(self.pad.pixels.clone()))
            }
            View::Mistakes => {
                let (set, index) = (self.mistakes.list()?.set, self.mistakes.chosen()?.index);
                attribution(Subject::Image { set, index })
            }
            View::Confusion if self.why.calibration => {
                let matrix = self.matrix()?;
                Some(Question::Calibration { step: matrix.step, set: matrix.evaluation.set })
            }
            View::Why => match self.why.tab {
                Tab::Projection => Some(Question::Projection),
                Tab::Distributions => Some(Question::Distributions),
                Tab::Landscape => {
                    let along = self.why.along;
                    let question = if along { Question::Trajectory } else { Question::Landscape };
                    self.why.explores.then_some(question)
                }
            },
            _ => None,
        }
    }

    /// Switches to the next explanation of the view.
    pub(super) fn explain(&mut self) {
        match self.view {
            View::Network if self.network.pixel.is_some() => {}
            View::Network | View::Mistakes | View::Draw => self.why.next_method(),
            View::Confusion => self.why.calibration = !self.why.calibration,
            View::Why => self.why.next_tab(),
            View::Overview | View::Loss | View::Step | View::Machine => {}
        }
    }

    /// Switches between random directions and those of the run's own trajectory.
    pub(super) fn switch_plane(&mut self) {
        if self.why.tab == Tab::Landscape {
            self.why.along = !self.why.along;
        }
    }

    /// Opens the chosen point, or starts the computation that runs only on request.
    pub(super) fn open_explained(&mut self) {
        match self.why.tab {
            Tab::Landscape => {
                self.why.explores = self.can_explore();
            }
            Tab::Distributions => {}
            Tab::Projection => {
                if let Some(Subject::Image { set, index }) = self.explained_subject() {
                    self.network.open(set, index);
                    self.view = View::Network;
                }
            }
        }
    }

    /// Whether the loss around the weights can be computed now: nothing else is, or the weights are a
    /// checkpoint's.
    pub fn can_explore(&self) -> bool {
        let stands = matches!(self.run.state, RunState::Paused | RunState::Done);
        self.looks_on || stands && self.run.is_attended()
    }

    /// Explains the next class, and after the last one the predicted class.
    pub(super) fn explain_next_class(&mut self) {
        if matches!(self.view, View::Network | View::Mistakes | View::Draw) {
            self.why.method.get_or_insert(Method::Saliency);
            self.why.next_class(self.run.set().classes.len());
        }
    }

    /// The image that the why view shows.
    pub(super) fn explained_subject(&self) -> Option<Subject> {
        match self.why.tab {
            Tab::Projection => {
                let (set, point) = self.why.chosen_point()?;
                Some(Subject::Image { set, index: point.index })
            }
            Tab::Distributions | Tab::Landscape => None,
        }
    }
}

#[cfg(test)]
mod tests;
