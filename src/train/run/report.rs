//! Reports to the listeners during a run.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::Run;
use crate::{
    hardware::{Machine, Monitor},
    protocol::{Event, Hardware, Progress, RunState, Sample, Subject},
    train::{
        error::TrainError,
        insides::insides,
        why::{Image, SHARE},
    },
};

/// Listeners hear of trained batches no more often than this: twice for each frame of a screen.
const HAND_OVER: Duration = Duration::from_millis(33);
/// Digits are read from the device and copied no more often than this while training runs.
const SAMPLE: Duration = Duration::from_millis(250);

/// An image's activations are reported no more often than this during training.
const LOOK: Duration = Duration::from_millis(250);
/// ... but that of another image sooner.
const AT_ONCE: Duration = Duration::from_millis(30);

impl Run<'_> {
    /// Gives the listeners the losses since the last time, and the last batch's digits if it is
    /// time for those.
    pub(super) fn hand_over(&mut self, now: Instant) -> Result<(), TrainError> {
        let sample = self.sample(now)?;
        self.agenda.hand_over = now + HAND_OVER;
        if self.losses.are_told() && sample.is_none() {
            self.report_hardware();
            self.outbox.deliver();
            return Ok(());
        }
        let losses = self.losses.tell()?;
        let new = losses.len() as u64;
        let first_step = self.losses.last_step() + 1 - new;
        self.outbox.send(&Event::Progress(Progress {
            epoch: self.at.epoch,
            first_step,
            first_batch: self.at.batch as u64 + 1 - new,
            losses,
            images: self.at.images,
            learning_rate: self.learner.learning_rate(),
            clock: self.clock.read(),
            sample,
            measures: mem::take(&mut self.measures),
        }));
        self.report_hardware();
        if !self.device.is_cpu() {
            // Elsewhere losses become known here, some steps late.
            for step in first_step..first_step + new {
                self.check(step)?;
            }
        }
        Ok(())
    }

    fn sample(&mut self, now: Instant) -> Result<Option<Sample>, TrainError> {
        let due = now >= self.agenda.sample && self.at.step != self.agenda.sampled;
        if !due || self.at.batch == 0 {
            return Ok(None);
        }
        let batch = self.batches.batch(self.at.batch - 1);
        let seen = self.sets.seen(self.config, self.at.epoch);
        let digits = self.learner.digits(seen, batch)?;
        let shown = batch.iter().take(digits.len());
        let originals = shown.filter_map(|&index| seen.original(index as usize));
        let originals = originals.map(<[u8]>::to_vec).collect();
        self.agenda.sampled = self.at.step;
        self.agenda.sample = now + SAMPLE;
        Ok(Some(Sample { step: self.at.step, digits, originals }))
    }

    /// Starts to read the figures of the machine and of the GPU with this UUID, if they are to be reported to
    /// anybody.
    pub(super) fn start_monitor(&self, gpu: Option<String>) -> Option<Monitor> {
        let is_wanted = self.tools.reports_hardware && (self.tools.attended || self.tools.recorded);
        let open = move || Machine::new(gpu.as_deref());
        is_wanted.then(|| Monitor::start(Monitor::PERIOD, open)).flatten()
    }

    /// Reports the figures of the machine if there are new ones and the run works: what is on the screen while it
    /// is paused belongs to its step, and its journal does not grow.
    pub(super) fn report_hardware(&mut self) {
        if !matches!(self.state, RunState::Training | RunState::Evaluating) {
            return;
        }
        let reading = self.monitor.as_mut().and_then(|monitor| monitor.take(true));
        if let Some(reading) = reading {
            self.outbox.send(&Event::Hardware(Hardware { step: self.at.step, reading }));
        }
    }

    /// Reports an image's way through the network from now on, or no longer.
    pub(super) fn look_at(&mut self, subject: Option<Subject>) {
        self.look.subject = subject;
        self.look.is_new = true;
        // A pen moves faster than anybody looks.
        self.look.next = self.look.next.min(Instant::now() + AT_ONCE);
    }

    /// Reports it while training runs, a few times a second.
    pub(super) fn look_inside_if_due(&mut self, now: Instant) -> Result<(), TrainError> {
        if self.look.subject.is_some() && now >= self.look.next {
            self.look_inside()
        } else {
            Ok(())
        }
    }

    /// Reports it where nothing is trained, if weights or image are others than in the last report.
    pub(super) fn look_inside_again(&mut self) -> Result<(), TrainError> {
        let is_old = self.look.is_new || self.look.step != self.at.step;
        if self.look.subject.is_some() && is_old { self.look_inside() } else { Ok(()) }
    }

    fn look_inside(&mut self) -> Result<(), TrainError> {
        let Some(subject) = self.look.subject.clone() else { return Ok(()) };
        self.look.is_new = false;
        self.look.step = self.at.step;
        let start = Instant::now();
        let (model, step) = (self.learner.product(), self.at.step);
        let image = Image::of(&subject, &self.sets, &self.results, step);
        let Some(Image { place, pixels, label }) = image else {
            self.look.next = start + LOOK;
            return Ok(());
        };
        let insides = insides(model, pixels, subject.clone(), place, label, step)?;
        self.look.next = Instant::now() + LOOK.max(start.elapsed() * SHARE);
        self.outbox.send(&Event::Insides(Arc::new(insides)));
        Ok(())
    }
}
