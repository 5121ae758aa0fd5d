//! The way of one image through the network.

use candle_core::{Device, Result, Tensor};

use crate::{
    data::SIDE,
    nn::{loss::softmax, model::Model, stages::Stages},
    protocol::{FeatureMaps, ImageSet, Insides, Subject},
};

/// Sends 28 rows of 28 grey values through the network, which has trained `step` steps.
///
/// # Errors
/// When there are not 784 pixels, and those of candle.
pub(super) fn insides(
    model: &Model,
    device: &Device,
    pixels: &[u8],
    subject: Subject,
    image: Option<(ImageSet, u32)>,
    label: Option<u8>,
    step: u64,
) -> Result<Insides> {
    let grey: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let input = Tensor::from_vec(grey, (1, 1, SIDE, SIDE), device)?;
    let Stages { maps: [relu1, pool1, relu2, pool2], logits } = Stages::of(model, &input)?;
    let row = logits.flatten_all()?.to_vec1::<f32>()?;
    let mut logits = [0.0; 10];
    // The network's last layer has ten outputs.
    logits.copy_from_slice(&row);
    let mut probabilities = [0.0; 10];
    softmax(&logits, &mut probabilities);
    let [filters, ..] = Model::split(&model.variable().as_detached_tensor())?;
    Ok(Insides {
        subject,
        image,
        step,
        label,
        pixels: pixels.to_vec(),
        filters: filters.flatten_all()?.to_vec1()?,
        stages: [
            feature_maps(&relu1)?,
            feature_maps(&pool1)?,
            feature_maps(&relu2)?,
            feature_maps(&pool2)?,
        ],
        logits,
        probabilities,
    })
}

/// The values of `[1, channels, side, side]`.
fn feature_maps(maps: &Tensor) -> Result<FeatureMaps> {
    let (_, channels, side, _) = maps.dims4()?;
    let values = maps.flatten_all()?.to_vec1()?;
    Ok(FeatureMaps { channels: channels as u16, side: side as u16, values })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::nn::init;

    fn model() -> Result<Model> {
        let parameters = init::pytorch_default(&mut ChaCha8Rng::seed_from_u64(2));
        Model::new(&parameters, &Device::Cpu)
    }

    #[test]
    fn everything_about_an_image_is_told_at_the_articles_shapes() -> Result<()> {
        let model = model()?;
        let pixels: Vec<u8> = (0..784).map(|place| (place * 7 % 256) as u8).collect();
        let subject = Subject::Image { set: ImageSet::Train, index: 9 };
        let image = Some((ImageSet::Train, 9));
        let told = insides(&model, &Device::Cpu, &pixels, subject.clone(), image, Some(4), 1_200)?;
        assert_eq!((told.subject, told.image), (subject, image));
        assert_eq!((told.step, told.label), (1_200, Some(4)));
        assert_eq!(told.pixels, pixels);
        assert_eq!(Some(&told.filters), model.parameters()?.0.first().map(|first| &first.values));
        let shapes = told.stages.each_ref().map(|maps| (maps.channels, maps.side));
        assert_eq!(shapes, [(6, 24), (6, 12), (16, 8), (16, 4)]);
        for maps in &told.stages {
            let len = usize::from(maps.channels) * usize::from(maps.side).pow(2);
            assert_eq!(maps.values.len(), len);
            assert!(maps.values.iter().all(|&value| value >= 0.0), "ReLU leaves nothing below 0");
        }
        let grey = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect::<Vec<_>>();
        let input = Tensor::from_vec(grey, (1, 1, 28, 28), &Device::Cpu)?;
        let logits = model.forward(&input)?.flatten_all()?.to_vec1::<f32>()?;
        for (found, expected) in told.logits.iter().zip(logits) {
            assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
        }
        let likeliest =
            |values: &[f32]| (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]));
        assert_eq!(likeliest(&told.probabilities), likeliest(&told.logits));
        assert!((told.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        Ok(())
    }

    #[test]
    fn an_image_of_another_size_is_refused() -> Result<()> {
        let drawn = Subject::Drawn(vec![0; 9]);
        assert!(insides(&model()?, &Device::Cpu, &[0; 9], drawn, None, None, 0).is_err());
        Ok(())
    }
}
