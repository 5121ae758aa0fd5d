//! A configuration as a file of options.

use std::fmt::{Display, Write as _};

use toml::Value;

use super::{DataSource, OptimizerOptions, RunConfig, Shape};

/// The lines of the file.
struct Lines(String);

impl Lines {
    /// An option and its value as TOML has it.
    fn value(&mut self, option: &str, value: impl Display) {
        let _ = writeln!(self.0, "{option} = {value}");
    }

    fn text(&mut self, option: &str, text: impl Display) {
        self.value(option, Value::String(text.to_string()));
    }

    /// A number in a form that TOML reads back to the bit.
    fn number(&mut self, option: &str, number: f64) {
        self.value(option, Value::Float(number));
    }

    fn part(&mut self, title: &str) {
        let _ = writeln!(self.0, "\n# {title}");
    }
}

impl RunConfig {
    /// All options of the run as a file that `--config` reads: names are those of the command line. A path
    /// that is not Unicode is written with replacement characters.
    pub fn to_toml(&self) -> String {
        let mut lines = Lines("# Options of a run, for mnist-tui --config FILE\n".to_owned());
        lines.part("Data");
        match &self.data {
            DataSource::Path(path) => lines.text("data", path.display()),
            source => lines.text("data", source),
        }
        if let Some(size) = self.image_size {
            lines.text("image-size", format!("{}x{}", size.height(), size.width()));
        }
        lines.value("validation", self.validation);
        if let Some(size) = self.train_size {
            lines.value("train-size", size);
        }
        lines.part("Training");
        lines.text("model", &self.model);
        lines.value("epochs", self.epochs);
        lines.value("batch-size", self.batch_size);
        lines.number("lr", self.learning_rate);
        match i64::try_from(self.seed) {
            Ok(seed) => lines.value("seed", seed),
            // Numbers of TOML are no larger.
            Err(_) => lines.text("seed", self.seed),
        }
        lines.value("no-shuffle", !self.shuffle);
        if let Some(steps) = self.max_steps {
            lines.value("steps", steps);
        }
        self.recipe(&mut lines);
        lines.part("Files and machine");
        for (option, path) in [("init", &self.init), ("save", &self.save)] {
            if let Some(path) = path {
                lines.text(option, path.display());
            }
        }
        if let Some(name) = &self.name {
            lines.text("name", name);
        }
        for (option, number) in [("keep-runs", self.keep_runs), ("threads", self.threads)] {
            if let Some(number) = number {
                lines.value(option, number);
            }
        }
        lines.text("device", self.device);
        lines.value("no-break-on-nan", !self.break_on_nan);
        lines.0
    }

    /// Optimiser and regularisation.
    fn recipe(&self, lines: &mut Lines) {
        lines.part("Optimiser");
        let OptimizerOptions { name, weight_decay, betas, momentum, nesterov } =
            self.optimizer.into();
        lines.text("optimizer", name.name());
        if let Some(decay) = weight_decay {
            lines.number("weight-decay", decay);
        }
        if let Some(betas) = betas {
            lines.value("betas", Value::Array(betas.map(Value::Float).to_vec()));
        }
        if let Some(momentum) = momentum {
            lines.number("momentum", momentum);
            lines.value("nesterov", nesterov);
        }
        if let Some(norm) = self.clip_norm {
            lines.number("clip-norm", norm);
        }
        lines.text("schedule", self.schedule.shape.name());
        // Without one that was asked for, one-cycle has its own.
        if self.schedule.shape != Shape::OneCycle || self.schedule.warmup > 0 {
            lines.value("warmup", self.schedule.warmup);
        }
        if let Some(rate) =
            self.schedule.final_rate.filter(|_| self.schedule.shape != Shape::Constant)
        {
            lines.number("final-lr", rate);
        }
        lines.part("Regularisation");
        lines.text("augment", self.augment);
        lines.number("label-smoothing", self.label_smoothing);
        if let Some(decay) = self.ema {
            lines.number("ema", decay);
        }
        if let Some(epochs) = self.early_stop {
            lines.value("early-stop", epochs);
        }
    }
}
