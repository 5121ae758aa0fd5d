//! How far a sweep has come.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    time::{Duration, Instant},
};

use super::{follower::End, plan::Plan, row::Row};
use crate::{printable::counted, protocol::Event, standings::Job};

/// How far a sweep has come, and how long the rest will take.
#[derive(Debug)]
pub(super) struct Progress {
    all: usize,
    /// Results there were before.
    known: usize,
    todo: usize,
    done: usize,
    failed: usize,
    started: Instant,
    /// Epochs that each run to train is asked for.
    work: HashMap<usize, f64>,
    /// Those of all these runs, without the runs that failed or that another program trains.
    all_work: f64,
    /// Share of each run in training that is trained.
    running: BTreeMap<usize, Share>,
    /// Epochs of runs that have ended.
    trained: f64,
    best: Option<(usize, f64)>,
}

/// A run in training.
#[derive(Clone, Copy, Debug)]
struct Share {
    steps: u64,
    total: u64,
    epoch: u32,
    epochs: u32,
    loss: f32,
}

impl Default for Share {
    fn default() -> Self {
        Self { steps: 0, total: 0, epoch: 1, epochs: 1, loss: f32::NAN }
    }
}

impl Share {
    /// In 0..=1.
    fn trained(self) -> f64 {
        self.steps as f64 / self.total.max(1) as f64
    }
}

impl Progress {
    /// At the start of a sweep of `all` runs, of which those `todo` are to be trained.
    pub(super) fn new(
        plan: &Plan,
        all: usize,
        todo: &[usize],
        rows: &BTreeMap<usize, Row>,
        started: Instant,
    ) -> Self {
        let epochs = |index: &usize| {
            let epochs = plan.run(*index).map_or(1.0, |run| f64::from(run.config.epochs));
            (*index, epochs)
        };
        let work: HashMap<usize, f64> = todo.iter().map(epochs).collect();
        let mut progress = Self {
            all,
            known: all - todo.len(),
            todo: todo.len(),
            done: 0,
            failed: 0,
            started,
            all_work: work.values().sum(),
            work,
            running: BTreeMap::new(),
            trained: 0.0,
            best: None,
        };
        for (&index, row) in rows {
            progress.compare(index, row);
        }
        progress
    }

    /// Runs of the sweep, or of its shard.
    pub(super) fn all(&self) -> usize {
        self.all
    }

    /// Runs that ended, with or without a result.
    pub(super) fn trained(&self) -> usize {
        self.done + self.failed
    }

    /// Runs without a result.
    pub(super) fn left(&self) -> usize {
        self.todo - self.done
    }

    /// Runs that failed.
    pub(super) fn failed(&self) -> usize {
        self.failed
    }

    /// The most accurate run, and its share of images recognised.
    pub(super) fn best(&self) -> Option<(usize, f64)> {
        self.best
    }

    /// The runs in training.
    pub(super) fn running(&self) -> impl Iterator<Item = usize> {
        self.running.keys().copied()
    }

    /// The runs in training, as a screen shows them.
    pub(super) fn jobs(&self, plan: &Plan) -> Vec<Job> {
        let job = |(&index, share): (&usize, &Share)| Job {
            run: plan.name(index),
            settings: plan.describe(index).unwrap_or_default(),
            epoch: (share.epoch, share.epochs),
            share: share.trained(),
            loss: share.loss,
        };
        self.running.iter().map(job).collect()
    }

    pub(super) fn started(&mut self, index: usize) {
        self.running.insert(index, Share::default());
    }

    pub(super) fn update(&mut self, index: usize, event: &Event) {
        let Some(share) = self.running.get_mut(&index) else { return };
        match event {
            Event::Started(info) => (share.total, share.epochs) = (info.total_steps, info.epochs),
            Event::Progress(progress) => {
                (share.steps, share.epoch) = (progress.last_step(), progress.epoch);
                share.loss = progress.losses.last().copied().unwrap_or(share.loss);
            }
            _ => {}
        }
    }

    pub(super) fn ended(&mut self, index: usize, end: &End) {
        self.running.remove(&index);
        match end {
            End::Row(row) => {
                self.done += 1;
                self.trained += self.work.get(&index).copied().unwrap_or(0.0);
                self.compare(index, row);
            }
            // Nothing more of it is trained here.
            End::Failed(_) | End::Busy => {
                self.failed += usize::from(matches!(end, End::Failed(_)));
                self.all_work -= self.work.get(&index).copied().unwrap_or(0.0);
            }
            End::Stopped => {}
        }
    }

    fn compare(&mut self, index: usize, row: &Row) {
        if let Some(accuracy) = row.accuracy
            && self.best.is_none_or(|(_, best)| accuracy > best)
        {
            self.best = Some((index, accuracy));
        }
    }

    /// How long the rest will take, as far as the epochs tell that are trained; `None` at first.
    pub(super) fn remaining(&self, now: Instant) -> Option<Duration> {
        let of = |index: &usize| self.work.get(index).copied().unwrap_or(0.0);
        let in_training = self.running.iter().map(|(index, share)| of(index) * share.trained());
        let trained = self.trained + in_training.sum::<f64>();
        let seconds = now.saturating_duration_since(self.started).as_secs_f64();
        let left = seconds * (self.all_work - trained).max(0.0) / trained;
        Duration::try_from_secs_f64(left).ok()
    }

    /// A line about it.
    pub(super) fn message(&self, plan: &Plan, now: Instant) -> String {
        let mut text = format!("{}/{}", self.known + self.done, counted(self.all as u64, "run"));
        if self.failed > 0 {
            let _ = write!(text, ", {} failed", self.failed);
        }
        if let Some((index, accuracy)) = self.best
            && let Some(run) = plan.describe(index)
        {
            let _ = write!(text, ", best {:.2} % ({run})", 100.0 * accuracy);
        }
        if let Some(left) = self.remaining(now) {
            let _ = write!(text, ", {} left", rounded(left));
        }
        text
    }
}

/// A time with one or two units.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::RunInfo,
        sweep::{follower::Follower, plan::tests::plan_of, row::State},
    };

    fn row(accuracy: f64) -> Row {
        let failure =
            crate::protocol::Failure { diverged: Some(1), ..crate::protocol::Failure::new("") };
        let mut follower = Follower::of(&plan_of(&[], 2).run(0).expect("it is planned"));
        match follower.update(&Event::Failed(failure)) {
            Some(End::Row(row)) => Row { state: State::Done, accuracy: Some(accuracy), ..row },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_rest_takes_as_long_as_its_epochs() {
        let plan = plan_of(&[("epochs", "1,3")], 2);
        let start = Instant::now();
        let mut progress = Progress::new(&plan, 4, &[0, 1, 2, 3], &BTreeMap::new(), start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(progress.remaining(at(1)), None);
        progress.started(0);
        progress.ended(0, &End::Row(row(0.9)));
        // One epoch of eight took two seconds.
        assert_eq!(progress.remaining(at(2)), Some(Duration::from_secs(14)));
        progress.started(1);
        progress.update(1, &Event::Started(RunInfo { total_steps: 10, ..RunInfo::example() }));
        assert_eq!(
            progress.message(&plan, at(2)),
            "1/4 runs, best 90.00 % (epochs=1, seed 0), 14 s left"
        );
        progress.ended(1, &End::Failed("no room".to_owned()));
        assert_eq!((progress.failed(), progress.left(), progress.trained()), (1, 3, 2));
        let message = progress.message(&plan, at(2));
        assert!(message.starts_with("1/4 runs, 1 failed, best "), "{message}");
        // Neither the failed run nor one that another program trains is waited for: one epoch is left.
        assert!(message.ends_with(", 8 s left"), "{message}");
        progress.ended(3, &End::Busy);
        assert_eq!(progress.remaining(at(2)), Some(Duration::from_secs(2)));
    }

    #[test]
    fn times_have_one_or_two_units() {
        let text = |seconds| rounded(Duration::from_secs(seconds));
        assert_eq!([text(59), text(61), text(7_260)], ["59 s", "1 min 01 s", "2 h 01 min"]);
    }
}
