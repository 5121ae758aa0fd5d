//! The processor that a run would train on, and how fast.

use serde::Serialize;

use super::{Problem, Row};
use crate::{
    bench,
    config::{DeviceChoice, RunConfig},
    gpu::{self, DeviceInfo},
    hardware::nvml::Driver,
    printable::{bytes, printable, thousands},
    train,
};

#[derive(Debug, Serialize)]
pub(super) struct Device {
    /// What `--device` says.
    asked: String,
    /// What a run would train on; `None` if that cannot be used.
    used: Option<String>,
    /// Why `auto` is what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Images a second in training the article's network, if that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    images_per_second: Option<f64>,
}

impl Device {
    pub(super) fn look(config: &RunConfig, measures: bool, problems: &mut Vec<Problem>) -> Self {
        let asked = config.device;
        let used = match train::check_device(config) {
            Ok(used) => Some(used),
            Err(error) => {
                problems.push(Problem::blocking(error.to_string()));
                None
            }
        };
        let mut images_per_second = None;
        if measures && used.is_some() {
            match bench::images_per_second(config) {
                Ok(measured) => images_per_second = Some(measured),
                Err(failure) => problems.push(Problem::blocking(failure.message)),
            }
        }
        let reason = (asked == DeviceChoice::Auto).then(why);
        Self { asked: asked.to_string(), used, reason, images_per_second }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let Self { asked, used, reason, images_per_second } = self;
        let used = used.as_deref().unwrap_or("cannot be used");
        let reason = reason.map_or_else(String::new, |reason| format!(", {reason}"));
        let mut rows = vec![("device", format!("{asked}: {used}{reason}"))];
        if let Some(measured) = images_per_second {
            let measured = thousands(measured.round() as u64);
            rows.push(("speed", format!("{measured} images/s, measured on the article's network")));
        }
        rows
    }
}

/// Why `auto` chooses what it chooses.
fn why() -> &'static str {
    "since only one kind of GPU has been measured"
}

/// The devices that `--device` takes on this machine, a line each.
pub(super) fn list() -> String {
    let cpu = RunConfig { device: DeviceChoice::Cpu, ..RunConfig::default() };
    let mut lines = match train::check_device(&cpu) {
        Ok(name) => vec![("cpu".to_owned(), name)],
        Err(error) => vec![("cpu".to_owned(), error.to_string())],
    };
    match gpu::devices() {
        Ok(gpus) => {
            let driver = Driver::open().ok().and_then(|driver| driver.version());
            let driver = driver.map_or_else(String::new, |version| format!(", driver {version}"));
            lines.extend(gpus.into_iter().map(|gpu| {
                let DeviceInfo { ordinal, name, memory, uuid, .. } = gpu;
                (format!("cuda:{ordinal}"), format!("{name}, {}, {uuid}{driver}", bytes(memory)))
            }));
        }
        Err(error) => lines.push(("cuda".to_owned(), error.to_string())),
    }
    let line = |(device, what): &(String, String)| format!("{device:<8} {}\n", printable(what));
    lines.iter().map(line).collect()
}
