//! Losses of the steps since the last hand-over.

use candle_core::{Result, Tensor};

/// Collects one loss a step and their sum over the epoch.
///
/// In main memory a loss is read at once. On a GPU reading it would wait for the step, so it stays
/// on the device until all are read in one transfer.
#[derive(Default)]
pub(super) struct LossBuffer {
    losses: Vec<f32>,
    on_device: Vec<(Tensor, usize)>,
    epoch: WeightedMean,
}

#[derive(Default)]
struct WeightedMean {
    sum: f64,
    weight: f64,
}

impl LossBuffer {
    /// Takes the mean loss of a step over so many images, a tensor of shape `[]`.
    pub(super) fn push(&mut self, loss: &Tensor, images: usize) -> Result<()> {
        if loss.device().is_cpu() {
            self.record(loss.to_scalar()?, images);
        } else {
            self.on_device.push((loss.detach(), images));
        }
        Ok(())
    }

    /// Whether a loss was taken since the last call of [`take`](Self::take).
    pub(super) fn is_empty(&self) -> bool {
        self.losses.is_empty() && self.on_device.is_empty()
    }

    /// The losses since the last call, in order.
    pub(super) fn take(&mut self) -> Result<Vec<f32>> {
        if !self.on_device.is_empty() {
            let (losses, images): (Vec<Tensor>, Vec<usize>) = self.on_device.drain(..).unzip();
            for (loss, images) in Tensor::stack(&losses, 0)?.to_vec1()?.into_iter().zip(images) {
                self.record(loss, images);
            }
        }
        Ok(std::mem::take(&mut self.losses))
    }

    /// Mean over the images of the epoch as far as losses were taken out; NaN without any.
    pub(super) fn epoch_mean(&self) -> f64 {
        self.epoch.sum / self.epoch.weight
    }

    /// Forgets the sum of the last epoch.
    pub(super) fn start_epoch(&mut self) {
        self.epoch = WeightedMean::default();
    }

    fn record(&mut self, loss: f32, images: usize) {
        self.losses.push(loss);
        self.epoch.sum += f64::from(loss) * images as f64;
        self.epoch.weight += images as f64;
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn scalar(value: f32) -> Tensor {
        Tensor::new(value, &Device::Cpu).expect("a scalar in main memory")
    }

    #[test]
    fn a_short_batch_weighs_less_in_the_mean_of_the_epoch() -> Result<()> {
        let mut buffer = LossBuffer::default();
        buffer.push(&scalar(1.0), 50)?;
        buffer.push(&scalar(4.0), 10)?;
        assert_eq!(buffer.take()?, [1.0, 4.0]);
        assert_eq!(buffer.epoch_mean(), 1.5);
        assert!(buffer.is_empty());
        buffer.start_epoch();
        buffer.push(&scalar(2.0), 10)?;
        assert_eq!((buffer.take()?, buffer.epoch_mean()), (vec![2.0], 2.0));
        Ok(())
    }

    #[test]
    fn losses_left_on_a_device_are_read_together_and_in_order() -> Result<()> {
        let mut buffer = LossBuffer::default();
        for (loss, images) in [(3.0, 2), (1.0, 2), (8.0, 4)] {
            buffer.on_device.push((scalar(loss), images));
        }
        assert!(!buffer.is_empty());
        assert_eq!(buffer.take()?, [3.0, 1.0, 8.0]);
        assert_eq!(buffer.epoch_mean(), 5.0);
        assert!(buffer.is_empty());
        Ok(())
    }
}
