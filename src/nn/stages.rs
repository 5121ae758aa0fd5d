//! What each layer makes of images, for looking at: not to be differentiated.

use candle_core::{Result, Tensor};

use super::{conv_block, linear, model::Model};

/// The way of images through the network.
#[derive(Debug)]
pub struct Stages {
    /// After convolution and `ReLU`, and after pooling, of the first and of the second block:
    /// `[n, 6, 24, 24]`, `[n, 6, 12, 12]`, `[n, 16, 8, 8]`, `[n, 16, 4, 4]`.
    pub maps: [Tensor; 4],
    /// `[n, 10]`.
    pub logits: Tensor,
}

impl Stages {
    /// The way of images `[n, 1, 28, 28]` (f32, byte/255) on the model's device.
    ///
    /// # Errors
    /// When the images have another shape, and those of candle.
    pub fn of(model: &Model, images: &Tensor) -> Result<Self> {
        let weights = model.variable().as_detached_tensor();
        let [weight1, bias1, weight2, bias2, weight3, bias3] = &Model::split(&weights)?;
        let relu1 = activations(images, weight1, bias1)?;
        let pool1 = relu1.max_pool2d(2)?;
        let relu2 = activations(&pool1, weight2, bias2)?;
        let pool2 = relu2.max_pool2d(2)?;
        let logits = linear::forward(&pool2, weight3, bias3)?;
        Ok(Self { maps: [relu1, pool1, relu2, pool2], logits })
    }
}

/// Convolution, bias and `ReLU`.
fn activations(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let outputs = bias.dims1()?;
    let maps = input.conv2d(weight, 0, 1, 1, 1)?;
    conv_block::relu(&maps.broadcast_add(&bias.reshape((1, outputs, 1, 1))?)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::{RngCore, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::nn::init;

    #[test]
    fn the_way_ends_in_the_logits_of_the_forward_pass() -> Result<()> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let model = Model::new(&init::pytorch_default(&mut rng), &Device::Cpu)?;
        let values = (0..3 * 784).map(|_| (rng.next_u32() % 256) as f32 / 255.0).collect();
        let images = Tensor::from_vec(values, (3, 1, 28, 28), &Device::Cpu)?;
        let stages = Stages::of(&model, &images)?;
        let shapes = stages.maps.each_ref().map(|maps| maps.dims().to_vec());
        assert_eq!(shapes, [[3, 6, 24, 24], [3, 6, 12, 12], [3, 16, 8, 8], [3, 16, 4, 4]]);
        let [found, expected] = [stages.logits, model.forward(&images)?]
            .map(|logits| logits.flatten_all().and_then(|logits| logits.to_vec1::<f32>()));
        for (found, expected) in found?.into_iter().zip(expected?) {
            assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
        }
        Ok(())
    }

    #[test]
    fn each_map_is_the_convolution_without_its_negative_part_and_then_its_maxima() -> Result<()> {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let parameters = init::pytorch_default(&mut rng);
        let model = Model::new(&parameters, &Device::Cpu)?;
        let pixels: Vec<f32> = (0..784).map(|_| (rng.next_u32() % 256) as f32 / 255.0).collect();
        let images = Tensor::from_vec(pixels.clone(), (1, 1, 28, 28), &Device::Cpu)?;
        let maps = Stages::of(&model, &images)?.maps;
        let (weight, bias) = (&parameters.0[0].values, &parameters.0[1].values);
        let activation = |channel: usize, y: usize, x: usize| {
            let taps = (0..25)
                .map(|tap| weight[25 * channel + tap] * pixels[(y + tap / 5) * 28 + x + tap % 5]);
            (bias[channel] + taps.sum::<f32>()).max(0.0)
        };
        let relu = maps[0].squeeze(0)?.to_vec3::<f32>()?;
        let pool = maps[1].squeeze(0)?.to_vec3::<f32>()?;
        for (channel, y, x) in [(0, 0, 0), (3, 7, 20), (5, 23, 23)] {
            assert!((relu[channel][y][x] - activation(channel, y, x)).abs() < 1e-5);
            let (top, left) = (y / 2 * 2, x / 2 * 2);
            let window = [(0, 0), (0, 1), (1, 0), (1, 1)];
            let largest = window.map(|(dy, dx)| relu[channel][top + dy][left + dx]);
            let largest = largest.into_iter().fold(0.0, f32::max);
            assert_eq!(pool[channel][y / 2][x / 2], largest);
        }
        Ok(())
    }
}
