//! The objects that lines hold.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    config::{OptimizerSpec, RunConfig},
    metrics::Confusion,
    protocol::{Break, Breakpoint, EpochRecord, RateChange, RunInfo, Summary},
};

#[derive(Serialize)]
pub(super) struct RunLine<'a> {
    pub(super) event: &'static str,
    version: &'static str,
    #[serde(flatten)]
    info: &'a RunInfo,
    model: String,
    optimizer: OptimizerSpec,
    clip_norm: Option<f64>,
    augment: String,
    label_smoothing: f64,
    ema: Option<f64>,
    early_stop: Option<u32>,
    train_size: Option<usize>,
    validation: usize,
    max_steps: Option<u64>,
    init: Option<String>,
    save: Option<String>,
    threads: Option<usize>,
    requested_device: String,
}

impl<'a> RunLine<'a> {
    pub(super) fn new(info: &'a RunInfo, config: &RunConfig) -> Self {
        let text = |path: &PathBuf| path.display().to_string();
        Self {
            event: "run",
            version: env!("CARGO_PKG_VERSION"),
            info,
            model: config.model.to_string(),
            optimizer: config.optimizer,
            clip_norm: config.clip_norm,
            augment: config.augment.to_string(),
            label_smoothing: config.label_smoothing,
            ema: config.ema,
            early_stop: config.early_stop,
            train_size: config.train_size,
            validation: config.validation,
            max_steps: config.max_steps,
            init: config.init.as_ref().map(text),
            save: config.save.as_ref().map(text),
            threads: config.threads,
            requested_device: config.device.to_string(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct StepLine {
    pub(super) event: &'static str,
    pub(super) step: u64,
    pub(super) epoch: u32,
    pub(super) batch: u64,
    pub(super) loss: f32,
}

#[derive(Serialize)]
pub(super) struct StepOnly {
    pub(super) event: &'static str,
    pub(super) step: u64,
}

#[derive(Serialize)]
pub(super) struct RateLine {
    event: &'static str,
    step: u64,
    learning_rate: f64,
}

impl RateLine {
    pub(super) fn new(change: &RateChange) -> Self {
        let RateChange { step, learning_rate, .. } = *change;
        Self { event: "learning_rate", step, learning_rate }
    }
}

#[derive(Serialize)]
pub(super) struct BreakLine<'a> {
    event: &'static str,
    step: u64,
    breakpoint: Breakpoint,
    reason: &'a str,
}

impl<'a> BreakLine<'a> {
    pub(super) fn new(hit: &'a Break) -> Self {
        let Break { breakpoint, step, reason } = hit;
        Self { event: "break", step: *step, breakpoint: *breakpoint, reason }
    }
}

#[derive(Serialize)]
pub(super) struct EpochLine<'a> {
    pub(super) event: &'static str,
    pub(super) epoch: u32,
    pub(super) step: u64,
    batches: u64,
    train_loss: f64,
    train_seconds: f64,
    images_per_second: f64,
    eval_set: &'static str,
    eval_loss: f64,
    correct: u64,
    total: u64,
    eval_seconds: f64,
    confusion: &'a Confusion,
}

impl<'a> EpochLine<'a> {
    pub(super) fn new(event: &'static str, record: &'a EpochRecord) -> Self {
        let evaluation = &record.evaluation;
        Self {
            event,
            epoch: record.epoch,
            step: record.step,
            batches: record.batches,
            train_loss: record.train_loss,
            train_seconds: record.train_seconds,
            images_per_second: record.images_per_second,
            eval_set: evaluation.set.name(),
            eval_loss: evaluation.loss,
            correct: evaluation.correct,
            total: evaluation.total,
            eval_seconds: evaluation.seconds,
            confusion: &evaluation.confusion,
        }
    }
}

#[derive(Serialize)]
pub(super) struct DoneLine {
    pub(super) event: &'static str,
    steps: u64,
    images: u64,
    seconds: f64,
    train_seconds: f64,
    eval_seconds: f64,
    correct: Option<u64>,
    total: Option<u64>,
    test_loss: Option<f64>,
    stopped: bool,
    saved: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diverged: Option<u64>,
}

impl DoneLine {
    pub(super) fn new(summary: &Summary) -> Self {
        let test = summary.test.as_ref();
        Self {
            event: "done",
            steps: summary.steps,
            images: summary.images,
            seconds: summary.clock.elapsed(),
            train_seconds: summary.clock.training,
            eval_seconds: summary.clock.evaluating,
            correct: test.map(|test| test.correct),
            total: test.map(|test| test.total),
            test_loss: test.map(|test| test.loss),
            stopped: summary.stopped,
            saved: summary.saved.as_ref().map(|path| path.display().to_string()),
            diverged: summary.diverged,
        }
    }
}

#[derive(Serialize)]
pub(super) struct FailedLine<'a> {
    pub(super) event: &'static str,
    pub(super) message: &'a str,
}
