//! What a network does inside, for people: computed in main memory with the weights of one moment,
//! however the training goes on.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var, bail};

use super::composed;
use super::engine::Mode;
use super::graph::{Graph, Input, Pixels};
use super::model::{Model, Weights};
use crate::network::{Plan, plan::Op};

/// A network with the weights that it had at one moment.
#[derive(Debug)]
pub struct Frozen {
    plan: Arc<Plan>,
    weights: Weights,
    graph: Graph,
}

impl Frozen {
    /// A copy of the model as it is.
    ///
    /// # Errors
    /// Those of candle on reading from a device.
    pub fn of(model: &Model) -> Result<Self> {
        let plan = Arc::clone(model.plan());
        Ok(Self { graph: Graph::new(Arc::clone(&plan)), weights: model.weights()?, plan })
    }

    /// What is computed.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Which of the plan's values the last layer with parameters reads: the features that the network
    /// tells classes apart by.
    pub fn features(&self) -> usize {
        let has_weights = |op: &Op| matches!(op, Op::Linear { .. } | Op::Conv { .. });
        let last = self.plan.nodes().iter().rev().find(|node| has_weights(&node.op));
        last.map_or(0, |node| node.input)
    }

    /// Some of the plan's values for each image of bytes, each `[n, channels, rows, columns]`.
    ///
    /// # Errors
    /// When the pixels are not those of whole images, or a value is computed together with the one after
    /// it.
    pub fn read(&self, pixels: &[u8], values: &[usize]) -> Result<Vec<Vec<f32>>> {
        self.read_pixels(Pixels::Bytes(pixels), pixels.len(), values)
    }

    /// The logits `[n, classes]` of images of numbers.
    ///
    /// # Errors
    /// When the pixels are not those of whole images.
    pub fn logits(&self, pixels: &[f32]) -> Result<Vec<f32>> {
        let last = self.plan.values().len() - 1;
        let mut read = self.read_pixels(Pixels::Floats(pixels), pixels.len(), &[last])?;
        Ok(read.pop().unwrap_or_default())
    }

    fn read_pixels(&self, pixels: Pixels, len: usize, values: &[usize]) -> Result<Vec<Vec<f32>>> {
        let each = self.plan.values()[0].len();
        if !len.is_multiple_of(each) {
            bail!("an image has {each} pixels, which {len} are no multiple of");
        }
        if let Some(value) = values.iter().find(|&&value| !self.graph.writes(value)) {
            bail!("the network's value {value} is not computed by itself");
        }
        let Weights { trained, running } = &self.weights;
        let labels = vec![0; len / each];
        let (mode, with_gradients) = (Mode::Evaluate, false);
        let smoothing = 0.0;
        let input =
            Input { trained, running, pixels, labels: &labels, mode, with_gradients, smoothing };
        Ok(self.graph.read(&input, values))
    }

    /// All of the plan's values for one image of numbers, each `[channels, rows, columns]`.
    ///
    /// # Errors
    /// When the image has another size, and those of candle.
    pub fn values(&self, image: &[f32]) -> Result<Vec<Vec<f32>>> {
        let values = self.compose(&self.image(image)?)?;
        values.iter().map(|value| value.flatten_all()?.to_vec1()).collect()
    }

    /// The gradient of a class's logit with respect to each pixel of an image of numbers, and the logits.
    ///
    /// # Errors
    /// When the image has another size, there is no such class, and those of candle.
    pub fn pixel_gradient(&self, image: &[f32], class: usize) -> Result<(Vec<f32>, Vec<f32>)> {
        if class >= self.plan.classes() {
            bail!("the class {class} is not one of {}", self.plan.classes());
        }
        let image = Var::from_tensor(&self.image(image)?)?;
        let values = self.compose(&image)?;
        let Some(logits) = values.last() else { bail!("the network has logits") };
        let gradients = logits.narrow(1, class, 1)?.sum_all()?.backward()?;
        let gradient = match gradients.get(&image) {
            Some(gradient) => gradient.flatten_all()?.to_vec1()?,
            None => vec![0.0; image.elem_count()],
        };
        Ok((gradient, logits.flatten_all()?.to_vec1()?))
    }

    fn image(&self, pixels: &[f32]) -> Result<Tensor> {
        let [channels, height, width] = self.plan.input();
        Tensor::from_slice(pixels, (1, channels, height, width), &Device::Cpu)
    }

    fn compose(&self, image: &Tensor) -> Result<Vec<Tensor>> {
        let Weights { trained, running } = &self.weights;
        let flat = |values: &[f32]| match values {
            [] => Tensor::zeros(0, DType::F32, &Device::Cpu),
            values => Tensor::from_slice(values, values.len(), &Device::Cpu),
        };
        let (trained, running) = (flat(trained)?, flat(running)?);
        Ok(composed::forward(&self.plan, &trained, &running, image, Mode::Evaluate)?.values)
    }
}

#[cfg(test)]
mod tests;
