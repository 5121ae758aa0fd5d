use proptest::prelude::*;

use super::*;
use crate::network::NetworkSpec;

/// Numbers that a script can make again.
pub(crate) fn numbers(n: usize, start: u64, low: f64, high: f64) -> Vec<f32> {
    (start..start + n as u64)
        .map(|place| {
            let mixed = (place.wrapping_mul(2_654_435_761) & 0xffff_ffff) >> 8;
            (f64::from(mixed as u32) / f64::from(1_u32 << 24) * (high - low) + low) as f32
        })
        .collect()
}

fn frozen(layers: &str, input: [usize; 3], classes: usize) -> Frozen {
    let spec: NetworkSpec = layers.parse().expect("it reads");
    let plan = Arc::new(Plan::of(&spec, input, classes).expect("it fits"));
    let weights = Weights {
        trained: numbers(plan.trained_len(), 0, -0.2, 0.2),
        running: numbers(plan.running_len(), 5, 0.5, 1.5),
    };
    let model = Model::new(plan, &weights, &Device::Cpu).expect("in main memory");
    Frozen::of(&model).expect("in main memory")
}

/// By `PyTorch` 2.15, with the same numbers for weights and image:
///
/// ```python
/// import torch, torch.nn as nn
/// torch.set_default_dtype(torch.float64)
///
/// def numbers(n, start, low, high):
///     places = torch.arange(start, start + n, dtype=torch.int64)
///     return ((places * 2654435761 % 2**32) >> 8).double() / 2**24 * (high - low) + low
///
/// net = nn.Sequential(
///     nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
///     nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
/// start = 0
/// with torch.no_grad():
///     for param in net.parameters():
///         param.copy_(numbers(param.numel(), start, -0.2, 0.2).view_as(param))
///         start += param.numel()
/// image = numbers(784, 1, 0, 1).view(1, 1, 28, 28).requires_grad_()
/// logits = net(image)
/// logits[0, 3].backward()
/// grad = image.grad.flatten()
/// print(logits[0, [0, 3, 9]], grad[[0, 200, 403, 406, 600, 783]], grad.norm())
/// ```
#[test]
fn the_gradient_of_a_logit_by_the_pixels_is_pytorchs() -> Result<()> {
    let frozen = frozen(
        "conv 6 k5, relu, pool 2, conv 16 k5, relu, pool 2, flatten, linear",
        [1, 28, 28],
        10,
    );
    let (gradient, logits) = frozen.pixel_gradient(&numbers(784, 1, 0.0, 1.0), 3)?;
    let close = |found: f32, expected: f32| assert!((found - expected).abs() < 2e-6, "{found}");
    for (class, expected) in [(0, -0.014_395), (3, 0.082_329), (9, -0.096_958)] {
        close(logits[class], expected);
    }
    let expected = [0.0, -0.032_076, 0.029_047, 0.053_668, -0.036_741, 0.008_998];
    for (place, expected) in [0, 200, 403, 406, 600, 783].into_iter().zip(expected) {
        close(gradient[place], expected);
    }
    let norm = gradient.iter().map(|value| value * value).sum::<f32>().sqrt();
    assert!((norm - 1.40145).abs() < 1e-5, "{norm}");
    Ok(())
}

#[test]
fn a_class_or_an_image_that_does_not_exist_is_refused() {
    let frozen = frozen("flatten, linear", [1, 3, 3], 2);
    assert!(frozen.pixel_gradient(&[0.0; 9], 2).is_err());
    assert!(frozen.pixel_gradient(&[0.0; 8], 1).is_err());
    assert!(frozen.read(&[0; 10], &[2]).is_err());
    assert!(frozen.read(&[0; 9], &[99]).is_err());
}

const NETWORKS: [&str; 4] = [
    "conv 5 k3, relu, pool 2, conv 7 k3 p1 nobias, relu, flatten, linear 12, relu, linear",
    "conv 4 k3 p1, bn, relu, residual(conv 4 k3 p1, bn, gelu, conv 4 k1), relu, gap, linear",
    "conv 3 k3 s2 p1, gelu, dropout 0.5, conv 6 k2, gap",
    "flatten, linear 20, bn, relu, linear nobias",
];

#[test]
fn values_of_many_images_are_those_of_each_alone_in_any_network() -> Result<()> {
    for layers in NETWORKS {
        let classes = if layers.ends_with("gap") { 6 } else { 4 };
        let frozen = frozen(layers, [2, 11, 9], classes);
        let pixels: Vec<u8> =
            (0..70 * 198_u32).map(|at| (at.wrapping_mul(97) >> 3) as u8).collect();
        let last = frozen.plan().values().len() - 1;
        let read = frozen.read(&pixels, &[frozen.features(), last])?;
        for (image, bytes) in pixels.chunks(198).enumerate() {
            let image_values: Vec<f32> = bytes.iter().map(|&it| f32::from(it) / 255.0).collect();
            let alone = frozen.values(&image_values)?;
            for (values, place) in read.iter().zip([frozen.features(), last]) {
                let len = alone[place].len();
                for (found, expected) in values[image * len..][..len].iter().zip(&alone[place]) {
                    assert!((found - expected).abs() < 1e-4, "{layers}: {found}, not {expected}");
                }
            }
            assert_eq!(frozen.logits(&image_values)?, read[1][image * classes..][..classes]);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_gradient_is_the_logits_slope(place in 0_usize..198, class in 0_usize..4) {
        // Smooth, so that finite differences are those of the derivative.
        let frozen = frozen("conv 3 k3 p1, gelu, avgpool 2, flatten, linear", [2, 11, 9], 4);
        let image = numbers(198, 3, 0.0, 1.0);
        let (gradient, _) = frozen.pixel_gradient(&image, class).expect("there is such a class");
        let logit = |by: f32| {
            let mut image = image.clone();
            image[place] += by;
            frozen.logits(&image).expect("it has the size")[class]
        };
        let slope = (logit(0.05) - logit(-0.05)) / 0.1;
        prop_assert!((gradient[place] - slope).abs() < 2e-4, "{} and {slope}", gradient[place]);
    }
}
