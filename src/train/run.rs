//! A whole run, from reading the data to saving the weights.

use std::time::{Duration, Instant};

use candle_core::Device;

use super::{
    clock::Stopwatch, control::Gate, device, error::TrainError, evaluate::evaluate,
    losses::LossBuffer, outbox::Outbox, remote::Remote, sets::Sets, step::Learner, tools::Tools,
};
use crate::{
    checkpoint,
    config::RunConfig,
    data::batches::Batches,
    nn::{init, parameters::Parameters},
    protocol::{EpochRecord, EvalSet, Evaluation, Event, Progress, RunState, Sample, Summary},
    seed::{self, Purpose},
};

/// Listeners hear of trained batches no more often than this: twice for each frame of a screen.
const HAND_OVER: Duration = Duration::from_millis(33);
/// Digits are read from the device and copied no more often than this while training runs.
const SAMPLE: Duration = Duration::from_millis(250);

/// Trains as `config` says; ends when that is done or a command stops it.
pub(super) fn run(
    config: &RunConfig,
    _tools: &Tools,
    mut remote: Remote,
    outbox: &mut Outbox,
) -> Result<Summary, TrainError> {
    config.validate()?;
    if let Some(path) = &config.save {
        checkpoint::check_target(path)?;
    }
    let pool = device::thread_pool(config.threads)?;
    let threads = pool.current_num_threads();
    pool.install(|| {
        let device = device::open(config.device)?;
        let weights = initial_weights(config)?;
        let sets = Sets::load(config)?;
        outbox.send(&Event::Started(sets.describe(config, &device, threads, &weights)));
        let learner = Learner::new(&weights, config.learning_rate, &device)?;
        remote.poll();
        Run::new(config, sets, device, learner, remote, outbox).train()
    })
}

fn initial_weights(config: &RunConfig) -> Result<Parameters, TrainError> {
    Ok(match &config.init {
        Some(path) => checkpoint::load_weights(path)?,
        None => init::pytorch_default(&mut seed::rng(config.seed, Purpose::Initialisation, 0, 0)),
    })
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    /// Epoch in progress, from 1.
    epoch: u32,
    /// Batches of it that are trained.
    batch: usize,
    /// Steps of the run that are trained.
    step: u64,
    /// Images in those steps.
    images: u64,
}

struct Run<'a> {
    config: &'a RunConfig,
    sets: Sets,
    device: Device,
    learner: Learner,
    remote: Remote,
    outbox: &'a mut Outbox,
    at: Position,
    batches: Batches,
    losses: LossBuffer,
    watch: Stopwatch,
    /// Training seconds at the start of the epoch.
    epoch_start: f64,
    next_hand_over: Instant,
    next_sample: Instant,
    /// Step whose digits were handed over last.
    sampled: u64,
    state: RunState,
}

impl<'a> Run<'a> {
    fn new(
        config: &'a RunConfig,
        sets: Sets,
        device: Device,
        learner: Learner,
        remote: Remote,
        outbox: &'a mut Outbox,
    ) -> Self {
        let now = Instant::now();
        Self {
            config,
            sets,
            device,
            learner,
            remote,
            outbox,
            at: Position::default(),
            batches: Batches::in_order(0, config.batch_size),
            losses: LossBuffer::default(),
            watch: Stopwatch::start(now),
            epoch_start: 0.0,
            next_hand_over: now,
            next_sample: now,
            sampled: 0,
            state: RunState::Loading,
        }
    }

    fn train(mut self) -> Result<Summary, TrainError> {
        let total_steps = self.config.total_steps(self.sets.train.len());
        let mut last: Option<(u64, Evaluation)> = None;
        while self.at.step < total_steps {
            if self.at.epoch == 0 || self.at.batch == self.batches.count() {
                self.start_epoch();
            }
            if self.gate()? == Gate::Stop {
                break;
            }
            self.enter(RunState::Training);
            self.train_batch()?;
            if self.at.batch == self.batches.count() || self.at.step == total_steps {
                let Some(evaluation) = self.end_epoch()? else { break };
                last = Some((self.at.step, evaluation));
            }
        }
        self.hand_over(Instant::now())?;
        // An evaluation of other weights than the last says nothing about these.
        let last = last.filter(|(step, _)| *step == self.at.step);
        self.finish(last.map(|(_, evaluation)| evaluation), total_steps)
    }

    /// What follows the last batch: the test set if it was not used before, and the weights' file.
    fn finish(mut self, last: Option<Evaluation>, total_steps: u64) -> Result<Summary, TrainError> {
        let complete = self.at.step == total_steps && last.is_some();
        let mut test = last.filter(|evaluation| evaluation.set == EvalSet::Test);
        if complete && test.is_none() {
            test = self.evaluate(EvalSet::Test)?;
        }
        // A run stopped before its first step has nothing worth an older file's place.
        let save = self.config.save.as_ref().filter(|_| self.at.step > 0);
        if let Some(path) = save {
            checkpoint::save_weights(path, &self.learner.model.parameters()?)?;
        }
        Ok(Summary {
            steps: self.at.step,
            images: self.at.images,
            clock: self.watch.read(),
            stopped: !complete || test.is_none(),
            test,
            saved: save.cloned(),
        })
    }

    fn start_epoch(&mut self) {
        self.at.epoch += 1;
        self.at.batch = 0;
        let RunConfig { batch_size, seed, shuffle, .. } = *self.config;
        let images = self.sets.train.len();
        self.batches = if shuffle {
            Batches::shuffled(images, batch_size, seed, u64::from(self.at.epoch))
        } else {
            Batches::in_order(images, batch_size)
        };
        self.losses.start_epoch();
        self.epoch_start = self.watch.read().training;
    }

    /// Takes the commands that have come and, if they say so, waits for more: `Go` or `Stop`.
    fn gate(&mut self) -> Result<Gate, TrainError> {
        self.remote.poll();
        match self.remote.control.before_batch() {
            Gate::Wait => {}
            gate => return Ok(gate),
        }
        let now = Instant::now();
        self.watch.trained(now);
        self.next_sample = now;
        self.hand_over(now)?;
        self.enter(RunState::Paused);
        let gate = self.remote.wait(self.outbox);
        self.watch.skip(Instant::now());
        Ok(gate)
    }

    fn train_batch(&mut self) -> Result<(), TrainError> {
        let batch = self.batches.batch(self.at.batch);
        let loss = self.learner.train(&self.sets.train, batch)?;
        self.losses.push(&loss, batch.len())?;
        self.at.batch += 1;
        self.at.step += 1;
        self.at.images += batch.len() as u64;
        let now = Instant::now();
        self.watch.trained(now);
        let stepping = self.remote.control.is_single_stepping();
        self.remote.control.after_batch();
        if stepping {
            self.next_sample = now;
        }
        if stepping || now >= self.next_hand_over {
            self.hand_over(now)?;
        }
        Ok(())
    }

    /// Gives the listeners the losses since the last time, and the last batch's digits if it is
    /// time for those.
    fn hand_over(&mut self, now: Instant) -> Result<(), TrainError> {
        let sample = self.sample(now)?;
        if !self.losses.is_empty() || sample.is_some() {
            let losses = self.losses.take()?;
            let new = losses.len() as u64;
            self.outbox.send(&Event::Progress(Progress {
                epoch: self.at.epoch,
                first_step: self.at.step + 1 - new,
                first_batch: self.at.batch as u64 + 1 - new,
                losses,
                images: self.at.images,
                learning_rate: self.config.learning_rate,
                clock: self.watch.read(),
                sample,
            }));
        } else {
            self.outbox.deliver();
        }
        self.next_hand_over = now + HAND_OVER;
        Ok(())
    }

    fn sample(&mut self, now: Instant) -> Result<Option<Sample>, TrainError> {
        if now < self.next_sample || self.at.step == self.sampled || self.at.batch == 0 {
            return Ok(None);
        }
        let batch = self.batches.batch(self.at.batch - 1);
        let digits = self.learner.digits(&self.sets.train, batch)?;
        self.sampled = self.at.step;
        self.next_sample = now + SAMPLE;
        Ok(Some(Sample { step: self.at.step, digits }))
    }

    /// Evaluates the epoch and reports it; `None` if that was stopped.
    fn end_epoch(&mut self) -> Result<Option<Evaluation>, TrainError> {
        self.next_sample = Instant::now();
        self.hand_over(self.next_sample)?;
        self.watch.trained(Instant::now());
        let train_seconds = self.watch.read().training - self.epoch_start;
        let (set, _) = self.sets.evaluation();
        let Some(evaluation) = self.evaluate(set)? else { return Ok(None) };
        let images = self.at.batch * self.config.batch_size;
        let images = images.min(self.sets.train.len());
        self.outbox.send(&Event::Epoch(EpochRecord {
            epoch: self.at.epoch,
            step: self.at.step,
            batches: self.at.batch as u64,
            train_loss: self.losses.epoch_mean(),
            train_seconds,
            images_per_second: images as f64 / train_seconds,
            evaluation: evaluation.clone(),
            clock: self.watch.read(),
        }));
        self.remote.poll();
        self.remote.control.after_epoch();
        Ok(Some(evaluation))
    }

    fn evaluate(&mut self, set: EvalSet) -> Result<Option<Evaluation>, TrainError> {
        self.enter(RunState::Evaluating);
        self.remote.control.before_evaluation();
        let Self { sets, learner, remote, outbox, device, .. } = self;
        let data = match set {
            EvalSet::Test => &sets.test,
            EvalSet::Validation => sets.validation.as_ref().unwrap_or(&sets.test),
        };
        let evaluation = evaluate(&learner.model, data, set, device, None, || {
            remote.poll();
            outbox.deliver();
            !remote.control.is_stopping()
        })?;
        self.watch.evaluated(Instant::now());
        Ok(evaluation)
    }

    /// Tells the listeners if that is something new.
    fn enter(&mut self, state: RunState) {
        if self.state != state {
            self.state = state;
            self.outbox.send(&Event::State(state));
        }
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;
    use crate::{data::Dataset, protocol::Command};

    #[test]
    fn a_run_stopped_before_its_first_step_leaves_an_older_file_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("older.safetensors");
        std::fs::write(&path, "older").expect("written");
        let config = RunConfig { save: Some(path.clone()), ..RunConfig::default() };
        let set = || Dataset::new(vec![0; 50 * 784], vec![3; 50]).expect("a set of 50 images");
        let sets = Sets { train: set(), validation: None, test: set() };
        let weights = initial_weights(&config).expect("drawn from the seed");
        let learner = Learner::new(&weights, 0.001, &Device::Cpu).expect("in main memory");
        let (sender, commands) = unbounded();
        sender.send(Command::Stop).expect("the receiver is there");
        let (remote, mut outbox) = (Remote::new(commands), Outbox::new(Vec::new()));
        let run = Run::new(&config, sets, Device::Cpu, learner, remote, &mut outbox);
        let summary = run.train().expect("nothing goes wrong");
        assert_eq!((summary.steps, summary.stopped, summary.saved), (0, true, None));
        assert_eq!(std::fs::read(path).expect("still there"), b"older");
    }
}
