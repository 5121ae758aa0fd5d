//! An image's pixels by their part in a class's logit.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{LEAST_ROWS, explained};
use crate::{
    app::{App, View},
    protocol::{Attribution, Content, Method},
    ui::{
        cells::{Form, Grid, Scale},
        format, mistakes,
        names::Names,
        theme::Theme,
    },
};

/// The shades of an image's pixels.
#[derive(Clone, Copy, Debug)]
pub(in crate::ui) struct Heat<'a> {
    attribution: &'a Attribution,
    size: (usize, usize),
    theme: &'a Theme,
}

impl<'a> Heat<'a> {
    /// The shades that take the place of an image; `None` where the image itself is to be shown.
    pub(in crate::ui) fn of(app: &'a App, theme: &'a Theme) -> Option<Self> {
        let attribution = app.why.attribution()?;
        let set = app.run.set();
        Some(Self { attribution, size: (set.height(), set.width()), theme })
    }

    /// The largest form in which all pixels have room, or the smallest there is.
    fn form(&self, area: Rect) -> Form {
        let (height, width) = self.size();
        let fits = |form: &Form| {
            let (columns, rows) = form.size(height, width);
            columns <= area.width && rows <= area.height
        };
        let forms = [Form::Double, Form::Whole, Form::Half, Form::Small, Form::Tiny];
        forms.into_iter().find(fits).unwrap_or(Form::Tiny)
    }

    fn size(&self) -> (u16, u16) {
        let (height, width) = self.size;
        (height.min(1 << 12) as u16, width.min(1 << 12) as u16)
    }
}

impl Heat<'_> {
    /// Draws the shades from the area's upper left corner.
    pub(in crate::ui) fn render(self, area: Rect, buf: &mut Buffer) {
        let ((height, width), form, values) =
            (self.size(), self.form(area), &self.attribution.values);
        let scale = Scale::of_signed(values);
        Grid { values, height, width, form, scale, theme: self.theme }.render(area, buf);
    }
}

/// How the view shown shades an image's pixels; `None` where it shows the image itself.
fn method(app: &App) -> Option<Method> {
    let has_image = matches!(app.view, View::Network | View::Mistakes | View::Draw);
    let has_pixel = app.view == View::Network && app.network.pixel.is_some();
    app.why.method.filter(|_| has_image && !has_pixel)
}

/// The part of a view's area that is above the row which explains it.
pub(in crate::ui) fn above(app: &App, area: Rect) -> Rect {
    let is_explained = method(app).is_some() || list(app).is_some();
    let row = u16::from(is_explained && area.height > LEAST_ROWS);
    Rect { height: area.height - row, ..area }
}

/// What the list of images shown is, where it has to be said.
fn list(app: &App) -> Option<[String; 3]> {
    if app.view == View::Mistakes { mistakes::explanations(app) } else { None }
}

/// Says in the last row of a view that shades an image's pixels what the shades mean, or what a list of images
/// is.
pub(in crate::ui) fn explain_pixels(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(method) = method(app) else {
        if let Some(wordings) = list(app) {
            explained(area, buf, theme, &wordings.each_ref().map(String::as_str));
        }
        return;
    };
    let name = method.name();
    let Some(found) = app.why.attribution() else {
        let reason = match app.why.answer().map(|answer| &answer.content) {
            Some(Content::Nothing(reason)) => reason.clone(),
            _ if app.looks_on => "waiting for a checkpoint of the run".to_owned(),
            _ => "…".to_owned(),
        };
        explained(area, buf, theme, &[&format!("{name}: {reason}")]);
        return;
    };
    let names = Names::of(app);
    let class = names.shortened(found.class.into(), 12);
    let logit = format!("{:.2}", found.logit).replace('-', "−");
    let logit = format!("{name} of {class}, logit {logit}");
    let percent = format::percent(f64::from(found.probability));
    let (up, down) = if theme.signed(1).is_some() { ("orange", "blue") } else { ("+ #", "− =") };
    let wordings = match method {
        Method::Saliency => [
            format!(
                "{logit} ({percent}), gradient at each pixel: more ink raises the logit at {up}, lowers it \
                 at {down} pixels."
            ),
            format!("{logit}: more ink raises it at {up}, lowers it at {down} pixels."),
            format!("{name} of {class}: ink helps at {up}, hurts at {down}."),
        ],
        Method::Occlusion => {
            let side = found.patch;
            [
                format!(
                    "{logit} ({percent}): covered by a {side}×{side} patch of background around the pixel, \
                     it falls at {up}, rises at {down}."
                ),
                format!("{logit}: under a {side}×{side} patch it falls at {up}, rises at {down}."),
                format!("{name} of {class}: needed at {up}, in the way at {down}."),
            ]
        }
    };
    explained(area, buf, theme, &wordings.each_ref().map(String::as_str));
}
