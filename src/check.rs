//! `eval`: how well saved weights do on the test images.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use serde::Serialize;

use crate::{
    headless::score,
    metrics::Confusion,
    outcome::Outcome,
    printable::{complain, printable},
    protocol::Evaluation,
    train::{MeasuredWeights, WeightsCheck, evaluate_weights},
};

/// Prints the answer to stdout, as a table or as one JSON object.
pub fn run(question: &WeightsCheck, json: bool) -> Outcome {
    let MeasuredWeights { evaluation, set, notes } = match evaluate_weights(question) {
        Ok(measured) => measured,
        Err(error) => return Outcome::Failed(error.into()),
    };
    for note in notes {
        complain("note", &note);
    }
    let classes = &set.classes;
    let text = if json { object(&evaluation, classes) } else { table(&evaluation, classes) };
    print(&text)
}

/// Writes to stdout; a reader that is gone is no error.
pub(crate) fn print(text: &str) -> Outcome {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Outcome::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Stopped,
        Err(error) => Outcome::failure(format_args!("cannot write to standard output: {error}")),
    }
}

/// Writes an error to stderr.
pub(crate) fn print_error(message: &str) {
    complain("error", message);
}

#[derive(Serialize)]
struct Answer<'a> {
    correct: u64,
    total: u64,
    loss: f64,
    /// Names of its rows and columns, unless they are their numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<&'a [String]>,
    confusion: &'a Confusion,
}

fn object(evaluation: &Evaluation, classes: &[String]) -> String {
    let Evaluation { correct, total, loss, confusion, .. } = evaluation;
    let classes = (!are_labels(classes)).then_some(classes);
    let answer = Answer { correct: *correct, total: *total, loss: *loss, classes, confusion };
    serde_json::to_string(&answer).expect("numbers and arrays always have a JSON form") + "\n"
}

/// Whether each class is named by its label.
pub(crate) fn are_labels(classes: &[String]) -> bool {
    classes.iter().enumerate().all(|(label, name)| *name == label.to_string())
}

fn table(evaluation: &Evaluation, classes: &[String]) -> String {
    let confusion = &evaluation.confusion;
    let heading = if are_labels(classes) { "digit" } else { "class" };
    let name = |class: usize| match classes.get(class) {
        Some(name) => printable(name),
        None => class.to_string(),
    };
    let names: Vec<String> = (0..confusion.classes()).map(name).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let width = width.max(heading.len());
    let mut text = format!("test accuracy: {}\n", score(evaluation));
    let _ = writeln!(text, "test loss: {:.4}\n", evaluation.loss);
    let _ = writeln!(text, "{heading:>width$}  images  right  precision   recall      F1");
    for (class, name) in names.iter().enumerate() {
        let (images, right) = (confusion.support(class), confusion.count(class, class));
        let figures = [confusion.precision(class), confusion.recall(class), confusion.f1(class)];
        let [precision, recall, f1] = figures.map(percent);
        let _ = writeln!(
            text,
            "{name:>width$}  {images:>6}  {right:>5}  {precision:>9}  {recall:>7}  {f1:>6}"
        );
    }
    text
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2}%", 100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{data::DataInfo, protocol::EvalSet};

    fn evaluation() -> Evaluation {
        let mut confusion = Confusion::new(10);
        for (truth, predicted) in [(4, 4), (4, 9), (9, 9), (9, 9)] {
            confusion.record(truth, predicted);
        }
        Evaluation { set: EvalSet::Test, loss: 0.25, correct: 3, total: 4, seconds: 0.1, confusion }
    }

    #[test]
    fn the_object_has_counts_loss_and_matrix() {
        let text = object(&evaluation(), &DataInfo::mnist().classes);
        assert!(
            text.starts_with(r#"{"correct":3,"total":4,"loss":0.25,"confusion":[[0,"#),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn classes_with_names_are_called_by_them() {
        let mut confusion = Confusion::new(2);
        confusion.record(1, 1);
        let evaluation = Evaluation { confusion, ..evaluation() };
        let classes = ["Bag", "Ankle boot"].map(str::to_owned);
        let text = table(&evaluation, &classes);
        let lines: Vec<_> = text.lines().skip(3).collect();
        assert_eq!(lines[0], "     class  images  right  precision   recall      F1");
        assert_eq!(lines[2], "Ankle boot       1      1    100.00%  100.00%  100.00%");
        let object = object(&evaluation, &classes);
        let names = r#""classes":["Bag","Ankle boot"],"confusion":[[0,0],[0,1]]"#;
        assert!(object.contains(names), "{object}");
    }

    #[test]
    fn the_table_has_a_line_for_each_digit_and_a_dash_for_what_is_not_known() {
        let text = table(&evaluation(), &DataInfo::mnist().classes);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "test accuracy: 3/4 (75.00%)");
        assert_eq!(lines[3], "digit  images  right  precision   recall      F1");
        assert_eq!(lines[4], "    0       0      0          -        -       -");
        assert_eq!(lines[8], "    4       2      1    100.00%   50.00%  66.67%");
        assert!(lines[3..].iter().all(|line| line.len() == lines[3].len()), "{text}");
    }
}
