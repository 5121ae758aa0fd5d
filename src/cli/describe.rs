//! `data`: what a data set holds.

use std::fmt::Write as _;

use serde::Serialize;

use super::arguments::DataArgs;
use crate::{
    check::print,
    config::DataSource,
    data::{self, Description, PartDescription},
    outcome::Outcome,
    printable::{printable, thousands},
};

/// Prints the description of a set, as a table or as one JSON object.
pub(super) fn run(arguments: &DataArgs) -> Outcome {
    let source = arguments.source.clone().unwrap_or(DataSource::Builtin);
    let data = match data::load(&source, arguments.image_size) {
        Ok(data) => data,
        Err(error) => return Outcome::failure(error),
    };
    let description = Description::of(&data);
    let source = source.to_string();
    print(&if arguments.json {
        object(&source, &description)
    } else {
        table(&source, &description)
    })
}

#[derive(Serialize)]
struct Answer<'a> {
    source: &'a str,
    #[serde(flatten)]
    description: &'a Description,
}

fn object(source: &str, description: &Description) -> String {
    let answer = Answer { source, description };
    serde_json::to_string(&answer).expect("numbers and texts always have a JSON form") + "\n"
}

fn table(source: &str, description: &Description) -> String {
    /// Most characters of a class's name.
    const LONGEST: usize = 36;
    let Description { info, train, test, in_both, contradictory, notes, .. } = description;
    let mut text = format!("{} ({})\n", printable(&info.name), printable(source));
    let _ = writeln!(
        text,
        "{}×{} greyscale pixels, {} classes\n",
        info.height(),
        info.width(),
        info.classes.len()
    );
    text += "label  training    share      test    share  class\n";
    for (label, class) in info.classes.iter().enumerate() {
        let [trained, tested] = [train, test].map(|part| share(part, label));
        let class: String = printable(class).chars().take(LONGEST).collect();
        let _ = writeln!(text, "{label:>5}  {trained}  {tested}  {class}");
    }
    let _ = writeln!(
        text,
        "  all  {:>8}           {:>8}\n",
        thousands(train.images),
        thousands(test.images)
    );
    for (name, part) in [("training", train), ("test", test)] {
        let PartDescription { lowest, highest, mean, deviation, .. } = part;
        let _ = writeln!(
            text,
            "{name:<8} pixels {lowest} to {highest}, mean {mean:.2}, standard deviation {deviation:.2}"
        );
    }
    let _ = writeln!(text, "\ntest images that are also training images: {}", thousands(*in_both));
    let _ =
        writeln!(text, "images that also occur with another label: {}", thousands(*contradictory));
    for note in notes {
        let _ = writeln!(text, "note: {}", printable(note));
    }
    text
}

/// The images of a class, and their share of the part.
fn share(part: &PartDescription, label: usize) -> String {
    let count = part.counts[label];
    let images = thousands(count);
    format!("{images:>8}  {:>6.2}%", 100.0 * count as f64 / part.images.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataInfo, Dataset, Splits};

    fn description() -> Description {
        let info = DataInfo {
            name: "marks\u{1b}".to_owned(),
            shape: [1, 8, 8],
            classes: vec!["cross".to_owned(), "ring".to_owned()],
        };
        let part = |grey: &[u8], labels: &[u8]| {
            let images = grey.iter().flat_map(|grey| [*grey; 64]).collect();
            Dataset::new([1, 8, 8], 2, images, labels.to_vec()).expect("an image for each label")
        };
        let mut data = Splits::new(info, part(&[1, 2, 3], &[0, 1, 0]), part(&[3, 4], &[1, 1]));
        data.notes.push("Some.".to_owned());
        Description::of(&data)
    }

    #[test]
    fn the_table_has_a_line_for_each_class_and_what_is_suspicious() {
        assert_eq!(
            table("marks", &description()),
            "marks\\u{1b} (marks)\n\
             8×8 greyscale pixels, 2 classes\n\
             \n\
             label  training    share      test    share  class\n    \
                 0         2   66.67%         0    0.00%  cross\n    \
                 1         1   33.33%         2  100.00%  ring\n  \
               all         3                  2\n\
             \n\
             training pixels 1 to 3, mean 2.00, standard deviation 0.82\n\
             test     pixels 3 to 4, mean 3.50, standard deviation 0.50\n\
             \n\
             test images that are also training images: 1\n\
             images that also occur with another label: 2\n\
             note: Some.\n"
        );
    }

    #[test]
    fn the_object_has_the_same_figures() {
        let text = object("marks", &description());
        let value: serde_json::Value = serde_json::from_str(&text).expect("one object");
        assert_eq!(value["shape"], serde_json::json!([1, 8, 8]));
        assert_eq!(value["train"]["counts"], serde_json::json!([2, 1]));
        assert_eq!((&value["in_both"], &value["contradictory"]), (&1.into(), &2.into()));
        assert_eq!((&value["source"], &value["notes"][0]), (&"marks".into(), &"Some.".into()));
    }
}
