//! The article's network: two convolution blocks and a linear layer.

use candle_core::{Device, Result, Tensor, Var, bail};

pub use super::network::Outcome;
use super::parameters::{Parameter, Parameters, SHAPES};
use super::{conv_block, linear, loss, network};

/// Conv 1→6 (5×5) → `ReLU` → pool 2 → conv 6→16 (5×5) → `ReLU` → pool 2 → linear 256→10.
#[derive(Debug)]
pub struct Model {
    /// All parameters one after the other, in the order of [`SHAPES`].
    variable: Var,
    buffers: network::Buffers,
}

impl Model {
    /// A model with these parameters on `device`.
    ///
    /// # Errors
    /// When a parameter is missing, surplus, misplaced or of another shape than [`SHAPES`] has it,
    /// and those of candle on making tensors.
    pub fn new(parameters: &Parameters, device: &Device) -> Result<Self> {
        if parameters.0.len() != SHAPES.len() {
            bail!("the network has {} parameters, found {}", SHAPES.len(), parameters.0.len());
        }
        let mut flat = Vec::with_capacity(parameters.count());
        for ((name, shape), parameter) in SHAPES.into_iter().zip(&parameters.0) {
            if parameter.name != name {
                bail!("expected the parameter {name}, found {}", parameter.name);
            }
            if parameter.shape != shape {
                bail!("{name} has the shape {shape:?}, found {:?}", parameter.shape);
            }
            if parameter.values.len() != shape.iter().product::<usize>() {
                bail!("{name} of shape {shape:?} cannot have {} values", parameter.values.len());
            }
            flat.extend_from_slice(&parameter.values);
        }
        let len = flat.len();
        Ok(Self {
            variable: Var::from_vec(flat, len, device)?,
            buffers: network::Buffers::default(),
        })
    }

    /// The logits `[n, 10]` of images `[n, 1, 28, 28]` (f32, byte/255) on the model's device.
    ///
    /// # Errors
    /// When the images have another shape, and those of candle.
    pub fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let [weight1, bias1, weight2, bias2, weight3, bias3] = &Self::split(&self.variable)?;
        let maps = conv_block::forward(images, weight1, bias1)?;
        let maps = conv_block::forward(&maps, weight2, bias2)?;
        linear::forward(&maps, weight3, bias3)
    }

    /// [`Model::forward`] as it is computed on other devices than the processor, on any device.
    ///
    /// # Errors
    /// As [`Model::forward`].
    pub fn forward_composed(&self, images: &Tensor) -> Result<Tensor> {
        let [weight1, bias1, weight2, bias2, weight3, bias3] = &Self::split(&self.variable)?;
        let maps = conv_block::forward_composed(images, weight1, bias1)?;
        let maps = conv_block::forward_composed(&maps, weight2, bias2)?;
        linear::forward_composed(&maps, weight3, bias3)
    }

    /// The mean cross-entropy and the logits of `images` `[n, 1, 28, 28]` that show `labels` `[n]`
    /// (u32), all on the model's device. Images are f32 (byte/255) or, in main memory, also u8.
    ///
    /// # Errors
    /// When the shapes do not fit, and those of [`network::loss`] and [`loss::cross_entropy`].
    pub fn loss(&self, images: &Tensor, labels: &Tensor) -> Result<Outcome> {
        self.outcome(images, labels, true)
    }

    /// [`Model::loss`] that is not to be differentiated, which is faster.
    ///
    /// # Errors
    /// As [`Model::loss`].
    pub fn evaluate(&self, images: &Tensor, labels: &Tensor) -> Result<Outcome> {
        self.outcome(images, labels, false)
    }

    fn outcome(&self, images: &Tensor, labels: &Tensor, with_gradients: bool) -> Result<Outcome> {
        if images.device().is_cpu() {
            return network::loss(&self.variable, images, labels, with_gradients, &self.buffers);
        }
        let logits = self.forward(images)?;
        let logits = if with_gradients { logits } else { logits.detach() };
        let loss = loss::cross_entropy(&logits, labels)?;
        Ok(Outcome { loss, logits: logits.detach() })
    }

    /// The one trainable variable, of 5,142 values: the parameters one after the other.
    pub fn variable(&self) -> &Var {
        &self.variable
    }

    /// The six parts of such a variable, or of its gradient, in their shapes and in the order of
    /// [`SHAPES`].
    ///
    /// # Errors
    /// When `flat` has another shape.
    pub fn split(flat: &Tensor) -> Result<[Tensor; 6]> {
        let mut start = 0;
        let mut parts = Vec::with_capacity(SHAPES.len());
        for (_, shape) in SHAPES {
            let len = shape.iter().product();
            parts.push(flat.narrow(0, start, len)?.reshape(shape)?);
            start += len;
        }
        match parts.try_into() {
            Ok(parts) => Ok(parts),
            Err(_) => unreachable!("one part was made for each of the six shapes"),
        }
    }

    /// A copy of the parameters.
    ///
    /// # Errors
    /// Those of candle on reading from a device.
    pub fn parameters(&self) -> Result<Parameters> {
        let flat = self.variable.as_detached_tensor().to_vec1::<f32>()?;
        let mut rest = &flat[..];
        let parameter = |(name, shape): (&str, &[usize])| {
            let (values, others) = rest.split_at(shape.iter().product());
            rest = others;
            Parameter { name: name.to_owned(), shape: shape.to_vec(), values: values.to_vec() }
        };
        Ok(Parameters(SHAPES.into_iter().map(parameter).collect()))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::nn::init;

    fn parameters() -> Parameters {
        init::pytorch_default(&mut ChaCha8Rng::seed_from_u64(1))
    }

    fn refusal(parameters: &Parameters) -> String {
        Model::new(parameters, &Device::Cpu).expect_err("they do not fit").to_string()
    }

    #[test]
    fn parameters_go_in_and_come_out_unchanged() -> Result<()> {
        let parameters = parameters();
        assert_eq!(Model::new(&parameters, &Device::Cpu)?.parameters()?, parameters);
        Ok(())
    }

    #[test]
    fn images_of_another_shape_are_refused() -> Result<()> {
        let model = Model::new(&parameters(), &Device::Cpu)?;
        for shape in [(2, 3, 28, 28), (2, 1, 4, 28), (2, 1, 32, 32)] {
            let images = Tensor::zeros(shape, DType::F32, &Device::Cpu)?;
            assert!(model.forward(&images).is_err(), "{shape:?}");
            assert!(model.forward_composed(&images).is_err(), "{shape:?}");
        }
        Ok(())
    }

    #[test]
    fn missing_misnamed_and_misshapen_parameters_are_named() {
        let mut missing = parameters();
        missing.0.pop();
        assert!(refusal(&missing).contains("the network has 6 parameters, found 5"));

        let mut misnamed = parameters();
        misnamed.0[2].name = "conv2.weight".into();
        let message = refusal(&misnamed);
        assert!(message.contains("expected the parameter layer2_conv.weight, found conv2.weight"));

        let mut misshapen = parameters();
        misshapen.0[4].shape = vec![256, 10];
        assert!(refusal(&misshapen).contains("fc.weight has the shape [10, 256], found [256, 10]"));

        let mut short = parameters();
        short.0[5].values.pop();
        assert!(refusal(&short).contains("fc.bias of shape [10] cannot have 9 values"));
    }
}
