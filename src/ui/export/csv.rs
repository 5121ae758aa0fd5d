//! The data of a view as comma-separated values.

use crate::{
    app::{App, Kind, Tab, View, curves::Gauge},
    protocol::{Content, Found, ImageHistory, Insides, ParameterUpdate},
    ui::names::Names,
};

/// A table under construction.
struct Table(String);

impl Table {
    fn new(columns: &[&str]) -> Self {
        Self(columns.join(",") + "\n")
    }

    fn row(&mut self, fields: &[String]) {
        let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        self.0.push_str(&fields.join(","));
        self.0.push('\n');
    }
}

fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

macro_rules! row {
    ($table:expr, $($field:expr),+ $(,)?) => { $table.row(&[$($field.to_string()),+]) };
}

/// What the view shows as a table; `None` where there is nothing yet.
pub(super) fn table(app: &App) -> Option<String> {
    let table = match app.view {
        View::Overview => epochs(app)?,
        View::Loss => losses(app)?,
        View::Step => step(app.inspection()?.parameters.as_slice()),
        View::Confusion if app.why.calibration => calibration(app)?,
        View::Confusion => confusion(app)?,
        View::Network if app.network.pixel.is_some() => arithmetic(app)?,
        View::Network | View::Draw if app.why.attribution().is_some() => attribution(app)?,
        View::Network => classes(app, app.network.insides()?),
        View::Draw => classes(app, app.pad.insides.as_deref()?),
        View::Mistakes => mistakes(app)?,
        View::Machine => machine(app)?,
        View::Why => match app.why.tab {
            Tab::Projection => projection(app)?,
            Tab::Distributions => distributions(app)?,
            Tab::Landscape => landscape(app)?,
        },
    };
    Some(table.0)
}

fn epochs(app: &App) -> Option<Table> {
    let columns =
        ["epoch", "step", "train_loss", "set", "loss", "correct", "total", "training_seconds"];
    let mut table = Table::new(&columns);
    for record in app.epochs.iter() {
        let evaluation = &record.evaluation;
        row!(
            table,
            record.epoch,
            record.step,
            record.train_loss,
            evaluation.set.name(),
            evaluation.loss,
            evaluation.correct,
            evaluation.total,
            record.clock.training
        );
    }
    (!app.epochs.is_empty()).then_some(table)
}

fn losses(app: &App) -> Option<Table> {
    let mut table = Table::new(&["first_step", "last_step", "lowest", "highest", "smoothed"]);
    let mut first = 1;
    for bucket in app.curves.loss.buckets() {
        let last = first + u64::from(bucket.steps) - 1;
        row!(table, first, last, bucket.min, bucket.max, bucket.smooth);
        first = last + 1;
    }
    (first > 1).then_some(table)
}

fn machine(app: &App) -> Option<Table> {
    let columns = Gauge::ALL.map(Gauge::column);
    let ends =
        columns.iter().flat_map(|name| ["lowest", "highest"].map(|end| format!("{name}_{end}")));
    let columns: Vec<String> =
        ["first_step", "last_step"].map(str::to_owned).into_iter().chain(ends).collect();
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for span in app.curves.machine.spans() {
        let values = Gauge::ALL.into_iter().flat_map(|gauge| {
            let range = span.range(gauge).map(|(low, high)| [low, high].map(|it| it.to_string()));
            range.unwrap_or_default()
        });
        let steps = [span.first, span.last].map(|step| step.to_string());
        table.row(&steps.into_iter().chain(values).collect::<Vec<_>>());
    }
    (!app.curves.machine.spans().is_empty()).then_some(table)
}

fn step(parameters: &[ParameterUpdate]) -> Table {
    let columns = ["parameter", "shape", "gradient_norm", "weight_norm", "update_ratio"];
    let mut table = Table::new(&columns);
    for one in parameters {
        let shape: Vec<String> = one.shape.iter().map(u32::to_string).collect();
        row!(
            table,
            one.name,
            shape.join("x"),
            one.gradient_norm,
            one.weight_norm,
            one.update_ratio
        );
    }
    table
}

fn confusion(app: &App) -> Option<Table> {
    let matrix = app.matrix()?;
    let names = Names::of(app);
    let mut table = Table::new(&["true", "predicted", "images"]);
    for cell in matrix.evaluation.confusion.cells() {
        row!(table, names.full(cell.truth), names.full(cell.predicted), cell.count);
    }
    Some(table)
}

fn calibration(app: &App) -> Option<Table> {
    let Content::Calibration(Some(found)) = &app.why.answer()?.content else { return None };
    let mut table = Table::new(&["from", "to", "images", "correct", "mean_confidence"]);
    let width = 1.0 / found.bins.len() as f64;
    for (place, bin) in found.bins.iter().enumerate() {
        let confidence = bin.mean_confidence().map_or_else(String::new, |mean| mean.to_string());
        let from = place as f64 * width;
        row!(table, from, from + width, bin.count, bin.right, confidence);
    }
    Some(table)
}

fn attribution(app: &App) -> Option<Table> {
    let found = app.why.attribution()?;
    let columns = app.run.set().width().max(1);
    let mut table = Table::new(&["row", "column", "value"]);
    for (place, value) in found.values.iter().enumerate() {
        row!(table, place / columns, place % columns, value);
    }
    Some(table)
}

fn arithmetic(app: &App) -> Option<Table> {
    let Content::Arithmetic(found) = &app.why.answer()?.content else { return None };
    let mut table = Table::new(&["input", "row", "column", "value", "weight", "product"]);
    let side = found.side as usize;
    for (place, (value, weight)) in found.patch.iter().zip(&found.kernel).enumerate() {
        let (input, place) = (place / (side * side), place % (side * side));
        let at = |along: usize, start: i64| start.saturating_add_unsigned(along as u64);
        let (row, column) = (at(place / side, found.corner[0]), at(place % side, found.corner[1]));
        row!(table, input, row, column, value, weight, value * weight);
    }
    let bias = found.bias.map(|bias| bias.to_string()).unwrap_or_default();
    row!(table, "bias", "", "", "", bias, bias);
    row!(table, found.layer, "", "", "", "", found.output);
    for (name, value) in &found.after {
        row!(table, name, "", "", "", "", value);
    }
    Some(table)
}

fn classes(app: &App, insides: &Insides) -> Table {
    let names = Names::of(app);
    let mut table = Table::new(&["class", "logit", "probability"]);
    for (class, (logit, probability)) in
        insides.logits.iter().zip(&insides.probabilities).enumerate()
    {
        row!(table, names.full(class), logit, probability);
    }
    table
}

fn mistakes(app: &App) -> Option<Table> {
    let found = app.mistakes.list()?;
    let names = Names::of(app);
    let columns = ["set", "index", "true", "predicted", "probability", "loss", "history"];
    let mut table = Table::new(&columns);
    for (place, image) in found.digits.iter().enumerate() {
        let digit = &image.digit;
        row!(
            table,
            found.set.name(),
            image.index,
            names.full(digit.label.into()),
            names.full(digit.prediction.into()),
            digit.probability,
            image.loss,
            history(found, place, names)
        );
    }
    Some(table)
}

/// Step, prediction and loss after each evaluation or epoch: `1200:4:0.031 2400:9:2.5`.
fn history(found: &Found, place: usize, names: Names<'_>) -> String {
    let Some(ImageHistory { predictions, losses, .. }) = found.histories.get(place) else {
        return String::new();
    };
    let points = found.steps.iter().zip(predictions).zip(losses).map(|((step, class), loss)| {
        let class = class.map(|class| names.full(class.into())).unwrap_or_default();
        format!("{step}:{class}:{loss:.3}")
    });
    points.collect::<Vec<_>>().join(" ")
}

fn projection(app: &App) -> Option<Table> {
    let (found, _) = app.why.projection()?;
    let names = Names::of(app);
    let mut table = Table::new(&["set", "index", "true", "predicted", "first", "second"]);
    for point in &found.points {
        let [first, second] = point.at;
        row!(
            table,
            found.set.name(),
            point.index,
            names.full(point.label.into()),
            names.full(point.prediction.into()),
            first,
            second
        );
    }
    Some(table)
}

fn distributions(app: &App) -> Option<Table> {
    let mut table =
        Table::new(&["step", "kind", "layer", "low", "high", "counts", "units", "dead"]);
    let joined = |values: &[u32]| values.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    for (step, sample) in app.why.samples().all() {
        let of_layers = sample.layers.iter().flat_map(|layer| {
            [
                (Kind::Weights, &layer.name, &layer.weights),
                (Kind::Gradients, &layer.name, &layer.gradients),
                (Kind::Updates, &layer.name, &layer.updates),
            ]
        });
        for (kind, name, values) in of_layers {
            let Some(values) = values else { continue };
            let counts = joined(&values.counts);
            row!(table, step, kind.name(), name, values.low, values.high, counts, "", "");
        }
        for stage in &sample.stages {
            let Some(values) = &stage.activations else { continue };
            let (counts, kind) = (joined(&values.counts), Kind::Activations.name());
            let dead = stage.dead.as_deref().map(joined).unwrap_or_default();
            row!(table, step, kind, stage.name, values.low, values.high, counts, stage.units, dead);
        }
    }
    (!app.why.samples().all().is_empty()).then_some(table)
}

fn landscape(app: &App) -> Option<Table> {
    let (found, _) = app.why.landscape()?;
    let mut table = Table::new(&["first", "second", "loss", "step"]);
    for (place, loss) in found.losses.iter().enumerate() {
        let [first, second] = found.at(place);
        row!(table, first, second, loss, "");
    }
    // The losses of snapshots are not known.
    if let Some(trajectory) = &found.trajectory {
        for (step, [first, second]) in trajectory.steps.iter().zip(&trajectory.points) {
            row!(table, first, second, "", step);
        }
    }
    Some(table)
}
