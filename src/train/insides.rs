//! The way of one image through the network.

use candle_core::{Device, Result, Tensor};

use crate::{
    data::SIDE,
    nn::{loss::softmax, model::Model, stages::Stages},
    protocol::{FeatureMaps, Filters, ImageSet, Insides, Subject},
};

/// Sends an image through the network, which has trained `step` steps.
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
    let Stages { maps, logits } = Stages::of(model, &input)?;
    let logits = logits.flatten_all()?.to_vec1::<f32>()?;
    let mut probabilities = vec![0.0; logits.len()];
    softmax(&logits, &mut probabilities);
    let [first, ..] = Model::split(&model.variable().as_detached_tensor())?;
    Ok(Insides {
        subject,
        image,
        step,
        label,
        pixels: pixels.to_vec(),
        filters: filters(&first)?,
        stages: maps.iter().map(feature_maps).collect::<Result<_>>()?,
        logits,
        probabilities,
    })
}

/// The kernels of `[channels, 1, side, side]`; none where there is more than one input channel.
fn filters(weight: &Tensor) -> Result<Option<Filters>> {
    let &[channels, 1, side, _] = weight.dims() else { return Ok(None) };
    Ok(Some(Filters { channels, side, values: weight.flatten_all()?.to_vec1()? }))
}

/// The values of `[1, channels, height, width]` or `[1, channels]`, of as many maps as may be.
fn feature_maps(maps: &Tensor) -> Result<FeatureMaps> {
    let (channels, height, width) = match *maps.dims() {
        [_, channels, height, width] => (channels, height, width),
        _ => (maps.elem_count(), 1, 1),
    };
    let most = FeatureMaps::MOST / (height * width).max(1);
    let flat = maps.flatten_all()?;
    let values = flat.narrow(0, 0, channels.min(most) * height * width)?.to_vec1()?;
    Ok(FeatureMaps { channels, height, width, values })
}

#[cfg(test)]
mod tests {
    use candle_core::DType;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{nn::init, protocol::NetworkInfo};

    #[test]
    fn a_vector_is_maps_of_one_value_and_of_too_many_values_the_first_are_told() -> Result<()> {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
        let vector = feature_maps(&zeros(&[1, 128])?)?;
        assert_eq!((vector.channels, vector.height, vector.width), (128, 1, 1));
        let many = feature_maps(&zeros(&[1, 32, 64, 64])?)?;
        assert_eq!((many.channels, many.values.len()), (32, FeatureMaps::MOST));
        assert_eq!((many.map(15).len(), many.map(16).len()), (64 * 64, 0));
        assert_eq!(filters(&zeros(&[6, 3, 5, 5])?)?, None);
        Ok(())
    }

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
        let kernels = model.parameters()?.0.swap_remove(0).values;
        assert_eq!(told.filters, Some(Filters { channels: 6, side: 5, values: kernels }));
        let described = NetworkInfo::article().stages;
        assert_eq!(told.stages.len(), described.len());
        for (maps, stage) in told.stages.iter().zip(described) {
            assert_eq!([maps.channels, maps.height, maps.width], stage.shape);
            assert_eq!(maps.values.len(), stage.shape.iter().product::<usize>());
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
