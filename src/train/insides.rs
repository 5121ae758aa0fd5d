//! The way of one image through the network.

use candle_core::Result;

use crate::{
    network::plan::Op,
    nn::{loss::softmax, model::Model},
    protocol::{FeatureMaps, Filters, ImageSet, Insides, Subject},
};

/// Sends an image through the network, which has trained `step` steps.
///
/// # Errors
/// When the image has another size, and those of candle.
pub(super) fn insides(
    model: &Model,
    pixels: &[u8],
    subject: Subject,
    image: Option<(ImageSet, u32)>,
    label: Option<u8>,
    step: u64,
) -> Result<Insides> {
    let grey: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let (stages, logits) = model.stages(&grey)?;
    let mut probabilities = vec![0.0; logits.len()];
    softmax(&logits, &mut probabilities);
    let plan = model.plan();
    let shapes = plan.stages().map(|node| plan.values()[node.output].shape);
    Ok(Insides {
        subject,
        image,
        step,
        label,
        pixels: pixels.to_vec(),
        filters: filters(model)?,
        stages: stages.into_iter().zip(shapes).map(feature_maps).collect(),
        logits,
        probabilities,
    })
}

/// The kernels of each convolution, of as many channels as fit the limit.
fn filters(model: &Model) -> Result<Vec<Filters>> {
    let plan = model.plan();
    let flat = model.variable().as_detached_tensor();
    let mut all = Vec::new();
    for node in plan.nodes() {
        let Op::Conv { weight, .. } = node.op else { continue };
        let param = &plan.params()[weight];
        let &[channels, inputs, side, _] = param.shape.as_slice() else { continue };
        let kernel = side * side;
        let len = param.range.len().min(Filters::MOST / kernel * kernel);
        let values = flat.narrow(0, param.range.start, len)?.to_vec1()?;
        let stage = plan.stages().filter(|stage| stage.output < node.output).count();
        all.push(Filters { layer: node.name.clone(), stage, channels, inputs, side, values });
    }
    Ok(all)
}

/// The values of a stage of this shape, of as many maps as fit the limit.
fn feature_maps((mut values, shape): (Vec<f32>, [usize; 3])) -> FeatureMaps {
    let [channels, height, width] = shape;
    let most = FeatureMaps::MOST / (height * width).max(1);
    values.truncate(most.min(channels) * height * width);
    FeatureMaps { channels, height, width, values }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::{Device, Tensor};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{network::Plan, nn::model::Weights, protocol::NetworkInfo};

    #[test]
    fn of_too_many_values_the_first_maps_are_told() {
        let many = feature_maps((vec![0.0; 32 * 64 * 64], [32, 64, 64]));
        assert_eq!((many.channels, many.values.len()), (32, FeatureMaps::MOST));
        assert_eq!((many.map(15).len(), many.map(16).len()), (64 * 64, 0));
    }

    fn model() -> Result<Model> {
        let plan = Arc::new(Plan::article());
        let weights = Weights::initial(&plan, &mut ChaCha8Rng::seed_from_u64(2));
        Model::new(plan, &weights, &Device::Cpu)
    }

    #[test]
    fn everything_about_an_image_is_told_at_the_articles_shapes() -> Result<()> {
        let model = model()?;
        let pixels: Vec<u8> = (0..784).map(|place| (place * 7 % 256) as u8).collect();
        let subject = Subject::Image { set: ImageSet::Train, index: 9 };
        let image = Some((ImageSet::Train, 9));
        let told = insides(&model, &pixels, subject.clone(), image, Some(4), 1_200)?;
        assert_eq!((told.subject, told.image), (subject, image));
        assert_eq!((told.step, told.label), (1_200, Some(4)));
        assert_eq!(told.pixels, pixels);
        let trained = model.weights()?.trained;
        let filters = |layer: &str, stage, [channels, inputs]: [usize; 2], first| {
            let values = trained[first..first + channels * inputs * 25].to_vec();
            Filters { layer: layer.into(), stage, channels, inputs, side: 5, values }
        };
        let layers =
            [filters("layer1_conv", 0, [6, 1], 0), filters("layer2_conv", 2, [16, 6], 156)];
        assert_eq!(told.filters, layers);
        let described = NetworkInfo::article().stages;
        assert_eq!(told.stages.len(), described.len());
        for (maps, stage) in told.stages.iter().zip(described) {
            assert_eq!([maps.channels, maps.height, maps.width], stage.shape);
            assert_eq!(maps.values.len(), stage.shape.iter().product::<usize>());
            assert!(maps.values.iter().all(|&value| value >= 0.0), "ReLU leaves nothing below 0");
        }
        let grey = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect::<Vec<_>>();
        let input = Tensor::from_vec(grey, (1, 1, 28, 28), &Device::Cpu)?;
        let logits = model.logits(&input)?.flatten_all()?.to_vec1::<f32>()?;
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
        assert!(insides(&model()?, &[0; 9], drawn, None, None, 0).is_err());
        Ok(())
    }
}
