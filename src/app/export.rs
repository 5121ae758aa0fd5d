//! Saving the view shown to a file.

use super::App;
use crate::printable::printable;

/// How a view is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Text with ANSI colours.
    Text,
    /// A picture.
    Svg,
    /// The view's data.
    Csv,
}

/// A file that a person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Where.
    pub path: String,
    /// What.
    pub format: ExportFormat,
}

impl Export {
    /// From a name with one of the known extensions.
    ///
    /// # Errors
    /// With a sentence for the person.
    pub(super) fn named(path: &str) -> Result<Self, String> {
        let path = path.trim();
        let (stem, extension) = path.rsplit_once('.').unwrap_or_default();
        let format = match extension.to_ascii_lowercase().as_str() {
            "txt" | "ansi" => ExportFormat::Text,
            "svg" => ExportFormat::Svg,
            "csv" => ExportFormat::Csv,
            _ => return Err("expected a name that ends in .txt, .svg or .csv".to_owned()),
        };
        if stem.is_empty() || stem.ends_with('/') {
            return Err("the file needs a name before its extension".to_owned());
        }
        Ok(Self { path: path.to_owned(), format })
    }
}

impl App {
    /// The file to write now, if one was asked for.
    pub fn take_export(&mut self) -> Option<Export> {
        self.export.take()
    }

    /// Says what became of it.
    pub(super) fn exported(&mut self, outcome: Result<String, String>) {
        match outcome {
            Ok(path) => self.messages.inform(format!("Saved as {}.", printable(&path))),
            Err(reason) => {
                self.messages.alert(format!("Nothing was saved: {}.", printable(&reason)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Action, Msg, PromptKind};

    #[test]
    fn the_extension_says_what_is_written() {
        for (name, format) in [
            ("a.txt", ExportFormat::Text),
            ("x/y.SVG", ExportFormat::Svg),
            ("two words.csv", ExportFormat::Csv),
        ] {
            assert_eq!(Export::named(name), Ok(Export { path: name.to_owned(), format }));
        }
        for name in ["", "a", "a.png", ".csv", "folder/.svg"] {
            assert!(Export::named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_is_asked_for_until_it_can_be_one() {
        let mut app = App::default();
        let type_in = |app: &mut App, text: &str| {
            for c in text.chars() {
                let _ = app.update(Msg::Action(Action::Type(c)));
            }
            let _ = app.update(Msg::Action(Action::Confirm));
        };
        let _ = app.update(Msg::Action(Action::Export));
        type_in(&mut app, "view");
        let prompt = app.prompt.clone().expect("it stays open");
        assert_eq!(prompt.kind, PromptKind::Export);
        assert!(prompt.error.is_some_and(|error| error.contains(".csv")));
        type_in(&mut app, ".svg");
        assert_eq!(app.prompt, None);
        let export = Export { path: "view.svg".to_owned(), format: ExportFormat::Svg };
        assert_eq!(app.take_export(), Some(export));
        assert_eq!(app.take_export(), None);
        let _ = app.update(Msg::Exported(Ok("view.svg".to_owned())));
        assert!(app.messages.shown().is_some_and(|shown| shown.text == "Saved as view.svg."));
    }
}
