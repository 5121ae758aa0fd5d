//! A whole run, from reading the data to saving the weights.

mod chunk;
mod epoch;
mod explain;
mod finish;
mod images;
mod obey;
mod record;
mod report;
mod travel;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use candle_core::Device;

use self::chunk::ChunkSize;
use super::{
    clock::Stopwatch, control::Control, corrects::Corrects, device, device::Processor,
    error::TrainError, history::Histories, losses::Losses, outbox::Outbox, pace::Pace,
    rates::Rates, remote::Remote, results::Results, resume, sets::Sets, snapshots::Snapshots,
    step::Learned, step::Learner, tools::Tools, watch::Watch, why::Explainer,
};
use crate::{
    checkpoint::{self, LoadedWeights},
    config::RunConfig,
    data::batches::Batches,
    hardware::Monitor,
    network::Plan,
    nn::model::Weights,
    protocol::{Best, Evaluation, Event, Measure, RunState, Subject, Summary},
    seed::{self, Purpose},
};

/// Trains as `config` says; ends when that is done or a command stops it, and gives the summary
/// unless its listeners have it already.
pub(super) fn run(
    config: &RunConfig,
    tools: &Tools,
    remote: Remote,
    outbox: &mut Outbox,
) -> Result<Option<Summary>, TrainError> {
    config.validate()?;
    if let Some(path) = &config.save {
        checkpoint::check_target(path)?;
    }
    let pool = device::thread_pool(config.threads)?;
    let threads = pool.current_num_threads();
    pool.install(|| {
        let sets = Sets::load(config, tools.data.as_ref(), tools.shared.as_ref())?;
        let plan = Arc::new(config.plan(sets.info.shape, sets.info.classes.len())?);
        config.validate_batches(&plan, sets.train.len())?;
        let Processor { device, gpu } = device::open_for(&plan, config, tools.gpus.as_ref())?;
        let (weights, notes) = match &tools.start {
            Some(state) => (resume::weights(state, &plan)?, Vec::new()),
            None => initial_weights(config, &plan)?,
        };
        let uuid = gpu.as_ref().map(|gpu| gpu.uuid().to_owned());
        let name = device::describe(&device, gpu.as_ref(), threads);
        outbox.send(&Event::Started(sets.describe(config, name, &plan, tools.recorded)));
        for note in sets.notes.iter().chain(&notes) {
            outbox.send(&Event::Notice(note.clone()));
        }
        let learner = Learner::new(plan, &weights, &device, config)?.trained_by(gpu);
        let mut run = Run::new(config, tools, sets, device, learner, remote, outbox);
        run.monitor = run.start_monitor(uuid);
        match &tools.start {
            Some(state) => run.resume(state)?,
            None => run.begin_epoch()?,
        }
        run.train()
    })
}

/// What the run starts from, and what was done to a file's tensors for it.
fn initial_weights(config: &RunConfig, plan: &Plan) -> Result<(Weights, Vec<String>), TrainError> {
    if let Some(path) = &config.init {
        let LoadedWeights { trained, running, notes, .. } =
            checkpoint::load_weights_for(path, plan)?;
        return Ok((Weights { trained, running }, notes));
    }
    let mut rng = seed::rng(config.seed, Purpose::Initialisation, 0, 0);
    Ok((Weights::initial(plan, &mut rng), Vec::new()))
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

/// A moment that the run can go back to.
struct Moment {
    at: Position,
    learned: Learned,
    /// Training seconds since the start of the epoch.
    epoch_seconds: f64,
}

/// The image that a person looks inside of the network for.
struct Look {
    subject: Option<Subject>,
    /// Whether the newest wish was not answered yet.
    is_new: bool,
    /// Step of the last answer.
    step: u64,
    /// When the next answer is due while training runs.
    next: Instant,
}

/// When listeners are next told what.
struct Agenda {
    hand_over: Instant,
    sample: Instant,
    /// Step whose digits were handed over last.
    sampled: u64,
    /// Step that was inspected last.
    inspected: u64,
    /// When the next step is inspected while training runs; `None` where nobody looks.
    inspect: Option<Instant>,
    /// What the last step that was watched took over the step alone.
    watching: Duration,
    /// When another step may be measured.
    measure: Instant,
}

struct Run<'a> {
    config: &'a RunConfig,
    tools: &'a Tools,
    sets: Sets,
    device: Device,
    learner: Learner,
    remote: Remote,
    control: Control,
    pace: Pace,
    watch: Watch,
    outbox: &'a mut Outbox,
    at: Position,
    batches: Batches,
    losses: Losses,
    /// Norms that were not handed over yet.
    measures: Vec<Measure>,
    /// Images of each batch that were recognised before its update.
    corrects: Corrects,
    rates: Rates,
    /// The learning rate that the listeners know of, before the schedule.
    rate: f64,
    moments: Snapshots<Moment>,
    /// Images trained on since the last moment that was kept.
    unkept: u64,
    /// Steps that a GPU trains together.
    chunk: ChunkSize,
    clock: Stopwatch,
    /// Training seconds at the start of the epoch.
    epoch_start: f64,
    agenda: Agenda,
    state: RunState,
    look: Look,
    explainer: Explainer,
    /// Reads the figures of the machine, where somebody may look at them.
    monitor: Option<Monitor>,
    /// What was made of each image in the last evaluations, where a person may ask.
    results: Results,
    /// ... and over the run.
    histories: Histories,
    /// The last evaluation, and the step after which it was made.
    evaluated: Option<(u64, Evaluation)>,
    /// Each evaluation that was better than all before it.
    bests: Vec<Best>,
    /// Weights of those, by rising step, in runs that hold validation images out: of all where a person may
    /// rewind the run, else of the last.
    best_weights: Vec<(u64, Weights)>,
    /// Losses of the last steps that were computed again and are not known otherwise.
    recomputed: Vec<f32>,
    /// Step of the last checkpoint.
    checkpointed: Option<u64>,
}

impl<'a> Run<'a> {
    fn new(
        config: &'a RunConfig,
        tools: &'a Tools,
        sets: Sets,
        device: Device,
        learner: Learner,
        remote: Remote,
        outbox: &'a mut Outbox,
    ) -> Self {
        let now = Instant::now();
        let images = sets.train.len();
        let size = Learned::size(learner.model.plan(), config);
        Self {
            config,
            tools,
            sets,
            device,
            learner,
            remote,
            control: Control::new(),
            pace: Pace::unlimited(now),
            watch: Watch::new(tools.breakpoints.clone()),
            outbox,
            at: Position::default(),
            batches: Batches::in_order(0, config.batch_size),
            losses: Losses::default(),
            measures: Vec::new(),
            corrects: Corrects::default(),
            rates: Rates::new(config.learning_rate, config.schedule(images)),
            rate: config.learning_rate,
            moments: Snapshots::new(tools.rewind_memory / size),
            unkept: 0,
            chunk: ChunkSize::default(),
            clock: Stopwatch::start(now),
            epoch_start: 0.0,
            agenda: Agenda {
                hand_over: now,
                sample: now,
                sampled: 0,
                inspected: 0,
                inspect: None,
                watching: Duration::ZERO,
                measure: now,
            },
            state: RunState::Loading,
            look: Look { subject: None, is_new: false, step: 0, next: now },
            explainer: Explainer::new(now),
            monitor: None,
            results: Results::default(),
            histories: Histories::default(),
            evaluated: None,
            bests: Vec::new(),
            best_weights: Vec::new(),
            recomputed: Vec::new(),
            checkpointed: None,
        }
    }

    /// Trains to the end, and again where a person went back from there.
    fn train(mut self) -> Result<Option<Summary>, TrainError> {
        let total_steps = self.config.total_steps(self.sets.train.len());
        if self.tools.start.is_none() && self.tools.evaluates_start {
            self.evaluate_now()?;
        }
        loop {
            let all_done = self.train_up_to(total_steps)?;
            let summary = self.finish(all_done)?;
            if !(all_done && self.tools.attended) {
                return Ok(Some(summary));
            }
            self.inspect()?;
            self.enter(RunState::Done);
            self.outbox.send(&Event::Finished(summary));
            if !self.wait_at_the_end(self.at.step)? {
                return Ok(None);
            }
        }
    }

    /// Trains and evaluates until all steps are done; false where a wish to stop came first.
    fn train_up_to(&mut self, total_steps: u64) -> Result<bool, TrainError> {
        // A run may be resumed where it was stopped in the evaluation of an epoch.
        if self.resumed_before_evaluation(total_steps) && !self.end_epoch()? {
            return Ok(false);
        }
        while self.at.step < total_steps && !self.is_out_of_patience() {
            if !self.may_go_on()? {
                return Ok(false);
            }
            self.enter(RunState::Training);
            self.train_some(total_steps)?;
            let epoch_ends = self.at.batch == self.batches.count() || self.at.step == total_steps;
            if epoch_ends && !self.end_epoch()? {
                return Ok(false);
            }
        }
        if self.at.step < total_steps {
            let epoch = self.at.epoch;
            let why = match self.bests.last() {
                Some(best) => format!("none was better than epoch {}", best.epoch),
                None => "no evaluation had a loss that is a number".to_owned(),
            };
            let notice = format!("Ended early after epoch {epoch}: {why}.");
            self.outbox.send(&Event::Notice(notice));
        }
        Ok(true)
    }

    /// Whether the run stands at the end of an epoch that was not evaluated.
    fn resumed_before_evaluation(&self, total_steps: u64) -> bool {
        let at_end = self.at.batch == self.batches.count() || self.at.step == total_steps;
        let resumed_here = self.tools.start.as_ref().map(|start| start.progress.step);
        let is_evaluated = self.evaluated.as_ref().is_some_and(|(step, _)| *step == self.at.step);
        resumed_here == Some(self.at.step) && self.at.step > 0 && at_end && !is_evaluated
    }

    /// Whether the run should stop early: no epoch has improved on the best for `early_stop` epochs, or
    /// none of the first ones had a loss that is a number.
    fn is_out_of_patience(&self) -> bool {
        let best = self.bests.last().map_or(0, |best| best.epoch);
        let is_evaluated = self.evaluated.as_ref().is_some_and(|(step, _)| *step == self.at.step);
        let patience = self.config.early_stop;
        is_evaluated && patience.is_some_and(|epochs| self.at.epoch.saturating_sub(best) >= epochs)
    }

    /// Tells the listeners if that is something new.
    fn enter(&mut self, state: RunState) {
        if self.state != state {
            if let (RunState::Paused | RunState::Done, Some(monitor)) =
                (self.state, &mut self.monitor)
            {
                // What was used in the pause counts for no step.
                let _ = monitor.take(false);
            }
            self.state = state;
            self.outbox.send(&Event::State(state));
        }
    }
}

#[cfg(test)]
mod tests;
