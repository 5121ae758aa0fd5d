//! The loss of every step.

use candle_core::{Result, Tensor};

/// Losses of consecutive steps of the run, and which of them were not handed over yet.
///
/// In main memory a loss is read at once. On a GPU reading it would wait for the step, so it stays
/// on the device until all are read in one transfer.
#[derive(Default)]
pub(super) struct Losses {
    values: Vec<f32>,
    on_device: Vec<Tensor>,
    /// Steps before the first of `values`.
    forgotten: u64,
    /// How many of `values` were handed over.
    told: usize,
    /// The first of the steps up to the last whose losses are all not finite.
    diverged: Option<u64>,
}

impl Losses {
    /// The losses of a run that goes on after `step`, of which the last are known.
    pub(super) fn resume(step: u64, known: &[f32]) -> Self {
        let told = known.len().min(step as usize);
        let values = known[known.len() - told..].to_vec();
        Self { values, on_device: Vec::new(), forgotten: step - told as u64, told, diverged: None }
    }

    /// Takes the mean loss of the next step, a tensor of shape `[]`.
    pub(super) fn push(&mut self, loss: &Tensor) -> Result<()> {
        if loss.device().is_cpu() {
            self.append(loss.to_scalar()?);
        } else {
            self.on_device.push(loss.detach());
        }
        Ok(())
    }

    /// Reads those that are still on the device.
    pub(super) fn fetch(&mut self) -> Result<()> {
        if !self.on_device.is_empty() {
            let losses = Tensor::stack(&self.on_device, 0)?.to_vec1::<f32>()?;
            for loss in losses {
                self.append(loss);
            }
            self.on_device.clear();
        }
        Ok(())
    }

    /// Takes the mean loss of the next step.
    pub(super) fn append(&mut self, loss: f32) {
        self.values.push(loss);
        let step = self.last_step();
        self.diverged = if loss.is_finite() { None } else { self.diverged.or(Some(step)) };
    }

    /// The step from which on no loss is finite; `None` where the last one is.
    pub(super) fn diverged(&self) -> Option<u64> {
        self.diverged
    }

    /// Whether each that was taken was also handed over.
    pub(super) fn are_told(&self) -> bool {
        self.told == self.values.len() && self.on_device.is_empty()
    }

    /// Those that were not handed over yet, in order.
    pub(super) fn tell(&mut self) -> Result<Vec<f32>> {
        self.fetch()?;
        let new = self.values[self.told..].to_vec();
        self.told = self.values.len();
        Ok(new)
    }

    /// The step of the last one that was read.
    pub(super) fn last_step(&self) -> u64 {
        self.forgotten + self.values.len() as u64
    }

    /// The loss of a step; `None` if it is not known.
    pub(super) fn at(&self, step: u64) -> Option<f32> {
        let place = step.checked_sub(self.forgotten + 1)?;
        self.values.get(usize::try_from(place).ok()?).copied()
    }

    /// The losses of at most `count` steps up to `step`.
    pub(super) fn up_to(&self, step: u64, count: usize) -> &[f32] {
        let end = (step.saturating_sub(self.forgotten) as usize).min(self.values.len());
        &self.values[end.saturating_sub(count)..end]
    }

    /// Mean over the images of the last `steps` steps, all of `batch_size` images but the last,
    /// which has `last`; NaN without any.
    pub(super) fn mean(&self, steps: usize, batch_size: usize, last: usize) -> f64 {
        let losses = &self.values[self.values.len().saturating_sub(steps)..];
        let mut sum = 0.0;
        let mut weight = 0.0;
        for (place, &loss) in losses.iter().enumerate() {
            let images = if place + 1 == losses.len() { last } else { batch_size } as f64;
            sum += f64::from(loss) * images;
            weight += images;
        }
        sum / weight
    }

    /// Forgets the losses after `step`, all of which were handed over. Where those up to it are not
    /// known, the last of them are `recomputed`.
    pub(super) fn go_back(&mut self, step: u64, recomputed: &[f32]) {
        if step <= self.forgotten {
            *self = Self::resume(step, recomputed);
        }
        let len = step.saturating_sub(self.forgotten) as usize;
        self.values.truncate(len);
        self.diverged.take_if(|first| *first > step);
        self.on_device.clear();
        self.told = self.values.len();
    }

    /// Forgets what was handed over, in a run that nobody goes back in.
    pub(super) fn forget_told(&mut self) {
        self.values.drain(..self.told);
        self.forgotten += self.told as u64;
        self.told = 0;
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn scalar(value: f32) -> Tensor {
        Tensor::new(value, &Device::Cpu).expect("a scalar in main memory")
    }

    fn of(values: &[f32]) -> Losses {
        let mut losses = Losses::default();
        for &value in values {
            losses.push(&scalar(value)).expect("a scalar");
        }
        losses
    }

    #[test]
    fn a_run_has_diverged_from_the_first_of_the_last_losses_that_are_not_finite() {
        let mut losses = of(&[1.0, f32::NAN, 1.0]);
        assert_eq!(losses.diverged(), None, "it recovered");
        for loss in [f32::INFINITY, f32::NAN, f32::NAN] {
            losses.push(&Tensor::new(loss, &Device::Cpu).expect("a scalar")).expect("a scalar");
        }
        assert_eq!(losses.diverged(), Some(4));
        losses.go_back(5, &[]);
        assert_eq!(losses.diverged(), Some(4));
        losses.go_back(3, &[]);
        assert_eq!(losses.diverged(), None);
    }

    #[test]
    fn each_loss_is_told_once_and_in_order() -> Result<()> {
        let mut losses = of(&[1.0, 4.0]);
        assert_eq!(losses.tell()?, [1.0, 4.0]);
        assert!(losses.are_told());
        losses.push(&scalar(2.0))?;
        assert!(!losses.are_told());
        assert_eq!((losses.tell()?, losses.last_step()), (vec![2.0], 3));
        Ok(())
    }

    #[test]
    fn losses_left_on_a_device_are_read_together_and_in_order() -> Result<()> {
        let mut losses = Losses::default();
        losses.on_device.extend([3.0, 1.0, 8.0].map(scalar));
        assert!(!losses.are_told());
        assert_eq!(losses.tell()?, [3.0, 1.0, 8.0]);
        assert!(losses.are_told());
        Ok(())
    }

    #[test]
    fn a_short_batch_weighs_less_in_the_mean() {
        let losses = of(&[9.0, 1.0, 4.0]);
        assert_eq!(losses.mean(2, 50, 10), 1.5);
        assert!(of(&[]).mean(0, 50, 50).is_nan());
    }

    #[test]
    fn going_back_forgets_later_losses_and_tells_those_that_come_again() -> Result<()> {
        let mut losses = of(&[1.0, 2.0, 3.0]);
        losses.tell()?;
        losses.go_back(1, &[]);
        assert_eq!((losses.at(1), losses.at(2), losses.last_step()), (Some(1.0), None, 1));
        losses.push(&scalar(2.5))?;
        assert_eq!(losses.tell()?, [2.5]);
        Ok(())
    }

    #[test]
    fn losses_before_those_that_are_known_come_from_elsewhere() -> Result<()> {
        let mut losses = Losses::resume(9, &[0.8, 0.9]);
        assert_eq!((losses.at(7), losses.at(8), losses.at(9)), (None, Some(0.8), Some(0.9)));
        losses.go_back(4, &[0.3, 0.4]);
        assert_eq!((losses.at(4), losses.at(8), losses.last_step()), (Some(0.4), None, 4));
        losses.push(&scalar(0.5))?;
        assert_eq!((losses.tell()?, losses.at(5)), (vec![0.5], Some(0.5)));
        Ok(())
    }

    #[test]
    fn what_is_forgotten_leaves_the_numbers_of_the_steps_alone() -> Result<()> {
        let mut losses = of(&[1.0, 2.0]);
        losses.tell()?;
        losses.forget_told();
        losses.push(&scalar(3.0))?;
        assert_eq!((losses.at(2), losses.at(3), losses.last_step()), (None, Some(3.0), 3));
        assert_eq!(losses.up_to(3, 10), [3.0]);
        assert_eq!(losses.tell()?, [3.0]);
        Ok(())
    }
}
