//! The list of runs of a sweep: a pure function of its arguments.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{points, setting::Setting};
use crate::config::{ConfigError, DeviceChoice, RunConfig};

/// Most runs of a sweep.
pub(super) const MOST_RUNS: usize = 100_000;

/// All runs of a sweep, as they are stored with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Form of the file.
    version: u32,
    /// The settings that vary.
    pub settings: Vec<String>,
    /// Seeds that each point is trained with.
    seeds: Vec<u64>,
    /// The configuration of the first point.
    base: RunConfig,
    points: Vec<Point>,
}

/// A combination of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    /// One value for each setting, as it was written.
    values: Vec<String>,
    /// Fields in which its configuration differs from the first point's.
    changes: Map<String, Value>,
}

/// One run of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Place in the plan, from 0.
    pub index: usize,
    /// Name of its folder.
    pub name: String,
    /// One value for each setting.
    pub values: Vec<String>,
    /// What it computes.
    pub config: RunConfig,
}

/// What a sweep is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What varies; nothing where only the seed does.
    pub settings: Vec<Setting>,
    /// Random points in place of all combinations.
    pub random: Option<usize>,
    /// The first seed; it also decides the random points.
    pub seed: u64,
    /// Seeds for each point, consecutive numbers.
    pub seeds: u64,
}

impl Plan {
    const VERSION: u32 = 1;

    /// The plan for a request, where `configure` gives the configuration of a run with these options and
    /// values.
    ///
    /// # Errors
    /// If the request is empty or too large, or a point is not valid.
    pub fn new(
        request: &Request,
        mut configure: impl FnMut(&[(&str, &str)]) -> Result<RunConfig, String>,
    ) -> Result<Self, String> {
        let Request { settings, seed, seeds, .. } = request;
        if *seeds == 0 {
            return Err("--seeds is 0: expected at least 1".to_owned());
        }
        if settings.is_empty() && *seeds == 1 {
            return Err("nothing varies: give --set KEY=VALUE,VALUE…, or --seeds N".to_owned());
        }
        let Some(last) = seed.checked_add(seeds - 1) else {
            return Err(format!("--seeds is {seeds}: there are not as many seeds above {seed}"));
        };
        let points = points::of(request)?;
        let mut configs = points.iter().map(|values| {
            let options: Vec<_> = settings.iter().zip(values).map(option).collect();
            let config = configure(&options).map_err(|message| match options.as_slice() {
                [] => message,
                options => format!("{}: {message}", described(options)),
            })?;
            // Where a run is trained does not change what it computes.
            let config = RunConfig { threads: None, keep_runs: None, name: None, ..config };
            Ok(RunConfig { seed: *seed, save: None, ..config.with_absolute_paths() })
        });
        let base = configs.next().unwrap_or_else(|| Err("there is no point".to_owned()))?;
        let first = fields(&base);
        let mut changes = vec![Map::new()];
        for config in configs {
            let changed = fields(&config?).into_iter();
            changes
                .push(changed.filter(|(field, value)| first.get(field) != Some(value)).collect());
        }
        if let Some((one, other)) = equal(&changes) {
            let [one, other] = [one, other].map(|place| {
                described(&settings.iter().zip(&points[place]).map(option).collect::<Vec<_>>())
            });
            return Err(format!("{one} and {other} are the same run: expected one of them"));
        }
        if let Some((one, other)) = mixed(&base, &changes) {
            let [one, other] = [one, other].map(|place| {
                described(&settings.iter().zip(&points[place]).map(option).collect::<Vec<_>>())
            });
            return Err(format!(
                "{one} is evaluated on validation images and {other} on test images, which do not compare: \
                 expected --validation above 0 for all runs or for none"
            ));
        }
        let point = |(values, changes)| Point { values, changes };
        Ok(Self {
            version: Self::VERSION,
            settings: settings.iter().map(|setting| setting.key.clone()).collect(),
            seeds: (*seed..=last).collect(),
            base,
            points: points.into_iter().zip(changes).map(point).collect(),
        })
    }

    /// Whether this version of the program reads the plan.
    pub fn is_known(&self) -> bool {
        let is_whole = |point: &Point| point.values.len() == self.settings.len();
        let runs = self.points.len().checked_mul(self.seeds.len());
        self.version == Self::VERSION
            && runs.is_some_and(|runs| (1..=MOST_RUNS).contains(&runs))
            && self.points.iter().all(is_whole)
    }

    /// Whether another plan is of the same runs, wherever they are trained.
    pub fn is_same(&self, other: &Self) -> bool {
        let base = |plan: &Self| RunConfig { device: DeviceChoice::Auto, ..plan.base.clone() };
        let rest = |plan: &Self| Self { base: RunConfig::default(), ..plan.clone() };
        base(self) == base(other) && rest(self) == rest(other)
    }

    /// The number of runs.
    pub fn len(&self) -> usize {
        self.points.len() * self.seeds.len()
    }

    /// Whether there is no run.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the points are all combinations of some values.
    pub(super) fn is_grid(&self) -> bool {
        let distinct = |setting| self.values(setting).collect::<BTreeSet<_>>().len();
        let all = (0..self.settings.len()).map(distinct).fold(1_usize, usize::saturating_mul);
        all == self.points.len()
    }

    /// Seeds of each point.
    pub fn seeds(&self) -> usize {
        self.seeds.len()
    }

    /// The values of a setting, one for each point.
    pub(super) fn values(&self, setting: usize) -> impl Iterator<Item = &str> {
        self.points.iter().filter_map(move |point| point.values.get(setting).map(String::as_str))
    }

    /// One value for each setting, and the seed, of a run. Every point has its first seed before the second
    /// begins.
    pub fn place(&self, index: usize) -> Option<(&[String], u64)> {
        let seed = self.seeds.get(index / self.points.len().max(1))?;
        Some((&self.points[index % self.points.len()].values, *seed))
    }

    /// The values and the seed of a run as messages show them: `lr=0.1, seed 3`.
    pub(super) fn describe(&self, index: usize) -> Option<String> {
        let (values, seed) = self.place(index)?;
        let pairs: Vec<_> = self.settings.iter().zip(values).collect();
        let separator = if pairs.is_empty() { "" } else { ", " };
        Some(format!("{}{separator}seed {seed}", described(&pairs)))
    }

    /// The folder of a run in that of the sweep.
    pub fn name(&self, index: usize) -> String {
        let width = self.len().to_string().len().max(4);
        format!("{:0width$}", index + 1)
    }

    /// The run with this folder.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let index = name.parse::<usize>().ok()?.checked_sub(1)?;
        (index < self.len() && self.name(index) == name).then_some(index)
    }

    /// A run.
    ///
    /// # Errors
    /// If the plan has none at this place, or was changed so that it makes none.
    pub fn run(&self, index: usize) -> Result<Planned, ConfigError> {
        let broken = |reason: String| {
            ConfigError::new(format!(
                "run {} of the sweep has no configuration: {reason}",
                index + 1
            ))
        };
        let (values, seed) = self.place(index).ok_or_else(|| broken("it is not planned".into()))?;
        let mut config = fields(&self.base);
        config.extend(self.points[index % self.points.len()].changes.clone());
        let config: RunConfig = serde_json::from_value(Value::Object(config))
            .map_err(|error| broken(error.to_string()))?;
        let config = RunConfig { seed, ..config };
        config.validate()?;
        Ok(Planned { index, name: self.name(index), values: values.to_vec(), config })
    }
}

fn option<'a>((setting, value): (&'a Setting, &'a String)) -> (&'a str, &'a str) {
    (&setting.key, value)
}

/// Options as messages show them: `lr=0.1, epochs=3`.
fn described<K: AsRef<str>, V: AsRef<str>>(options: &[(K, V)]) -> String {
    let each = options.iter().map(|(key, value)| format!("{}={}", key.as_ref(), value.as_ref()));
    each.collect::<Vec<_>>().join(", ")
}

fn fields(config: &RunConfig) -> Map<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("a configuration has a JSON form"),
    }
}

/// The places of two equal points, if there are any.
fn equal(changes: &[Map<String, Value>]) -> Option<(usize, usize)> {
    let mut seen = HashMap::new();
    changes.iter().enumerate().find_map(|(place, changes)| {
        let text = Value::Object(changes.clone()).to_string();
        seen.insert(text, place).map(|earlier| (earlier, place))
    })
}

/// The places of a point that is evaluated on validation images and of one that is not, if there are both.
fn mixed(base: &RunConfig, changes: &[Map<String, Value>]) -> Option<(usize, usize)> {
    let holds_out = |changes: &Map<String, Value>| {
        changes.get("validation").map_or(base.validation > 0, |images| *images != 0)
    };
    let place = |wanted| changes.iter().position(|changes| holds_out(changes) == wanted);
    Some((place(true)?, place(false)?))
}

#[cfg(test)]
pub(super) mod tests;
