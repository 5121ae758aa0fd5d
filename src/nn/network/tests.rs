use candle_core::{DType, Device, Result, Tensor, Var};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::nn::parameters::SHAPES;
use crate::nn::simd::tests::on_every_width;
use crate::nn::{conv_block, init, linear, loss as criterion};

/// Images `[n, 1, 28, 28]` of u8 with blank borders, as digits have them, and labels `[n]`.
fn batch(n: usize) -> Result<(Tensor, Tensor)> {
    let mut rng = ChaCha8Rng::seed_from_u64(n as u64);
    let pixel = |place: usize, draw: u32| {
        let inked = (4..24).contains(&(place % 28)) && (5..23).contains(&(place % 784 / 28));
        if inked && draw.is_multiple_of(3) { (draw >> 8) as u8 } else { 0 }
    };
    let images: Vec<u8> = (0..n * 784).map(|place| pixel(place, rng.next_u32())).collect();
    let labels: Vec<u32> = (0..n).map(|_| rng.next_u32() % 10).collect();
    let device = &Device::Cpu;
    Ok((Tensor::from_vec(images, (n, 1, 28, 28), device)?, Tensor::from_vec(labels, n, device)?))
}

fn parameters() -> Result<Var> {
    let parameters = init::pytorch_default(&mut ChaCha8Rng::seed_from_u64(3));
    let flat: Vec<f32> = parameters.0.into_iter().flat_map(|parameter| parameter.values).collect();
    Var::from_vec(flat, PARAMETERS, &Device::Cpu)
}

fn floats(images: &Tensor) -> Result<Tensor> {
    let bytes = images.flatten_all()?.to_vec1::<u8>()?;
    let values = bytes.into_iter().map(|byte| f32::from(byte) / 255.0).collect();
    Tensor::from_vec(values, images.shape(), images.device())
}

/// Loss, logits and gradients by the operations one after the other.
fn composed(flat: &Var, images: &Tensor, labels: &Tensor) -> Result<[Vec<f32>; 3]> {
    let parts = SHAPES
        .iter()
        .zip(layout::PLACES)
        .map(|((_, shape), place)| flat.narrow(0, place.start, place.len())?.reshape(*shape))
        .collect::<Result<Vec<_>>>()?;
    let maps = conv_block::forward_fused(&floats(images)?, &parts[0], &parts[1])?;
    let maps = conv_block::forward_fused(&maps, &parts[2], &parts[3])?;
    let logits = linear::forward_fused(&maps, &parts[4], &parts[5])?;
    results(flat, &criterion::cross_entropy_fused(&logits, labels)?, &logits)
}

fn results(flat: &Var, loss: &Tensor, logits: &Tensor) -> Result<[Vec<f32>; 3]> {
    let grads = loss.backward()?;
    let grad = grads.get(flat).expect("it is a variable");
    Ok([vec![loss.to_scalar()?], logits.flatten_all()?.to_vec1()?, grad.to_vec1()?])
}

fn fused(flat: &Var, images: &Tensor, labels: &Tensor) -> Result<[Vec<f32>; 3]> {
    let Outcome { loss, logits } = loss(flat, images, labels, true, &Buffers::default())?;
    results(flat, &loss, &logits)
}

#[test]
fn one_operation_is_the_operations_one_after_the_other() {
    let check = |n: usize| -> Result<()> {
        let (flat, (images, labels)) = (parameters()?, batch(n)?);
        let found = fused(&flat, &images, &labels)?;
        for (found, expected) in found.iter().zip(composed(&flat, &images, &labels)?) {
            let scale = expected.iter().fold(0.0, |m: f32, value| m.max(value.abs()));
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                // Sums of some hundred products in another order.
                assert!(
                    (found - expected).abs() <= 2e-6 * scale,
                    "{found} for {expected} of {scale}"
                );
            }
        }
        Ok(())
    };
    on_every_width(|| [1, 4, 5, 23].into_iter().for_each(|n| check(n).expect("the shapes fit")));
}

#[test]
fn bytes_and_floats_and_evaluation_are_the_same_to_the_bit() -> Result<()> {
    let (flat, (images, labels), buffers) = (parameters()?, batch(11)?, Buffers::default());
    let expected = fused(&flat, &images, &labels)?;
    assert_eq!(fused(&flat, &floats(&images)?, &labels)?, expected);
    let Outcome { loss, logits } = loss(&flat, &images, &labels, false, &buffers)?;
    assert_eq!(loss.to_scalar::<f32>()?, expected[0][0]);
    assert_eq!(logits.flatten_all()?.to_vec1::<f32>()?, expected[1]);
    assert!(!loss.track_op());
    Ok(())
}

#[test]
fn the_incoming_gradient_scales_the_outgoing() -> Result<()> {
    let (flat, (images, labels)) = (parameters()?, batch(3)?);
    let [_, _, plain] = fused(&flat, &images, &labels)?;
    let Outcome { loss, logits } = loss(&flat, &images, &labels, true, &Buffers::default())?;
    let [_, _, doubled] = results(&flat, &(loss * 2.0)?, &logits)?;
    assert!(plain.iter().zip(&doubled).all(|(plain, doubled)| 2.0 * plain == *doubled));
    Ok(())
}

#[test]
fn of_equal_values_the_first_wins() -> Result<()> {
    // All images blank, so that all four places of every window are equal: only the bias counts,
    // and the gradient of a kernel is that of the first place, whose pixels are 0.
    let flat = parameters()?;
    let (_, labels) = batch(2)?;
    let blank = Tensor::zeros((2, 1, 28, 28), DType::U8, &Device::Cpu)?;
    let [_, _, grads] = fused(&flat, &blank, &labels)?;
    let [_, _, expected] = composed(&flat, &blank, &labels)?;
    assert!(grads[..150].iter().all(|grad| *grad == 0.0));
    for (found, expected) in grads.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-6);
    }
    Ok(())
}

#[test]
fn what_is_not_a_number_shows_in_the_loss() {
    let check = || -> Result<()> {
        let (images, labels) = batch(2)?;
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38] {
            let flat = Var::from_vec(vec![value; PARAMETERS], PARAMETERS, &Device::Cpu)?;
            let [loss, _, _] = fused(&flat, &images, &labels)?;
            assert!(!loss[0].is_finite(), "{value}: {loss:?}");
        }
        Ok(())
    };
    on_every_width(|| check().expect("everything fits"));
}

#[test]
fn what_does_not_fit_is_named() -> Result<()> {
    let (flat, (images, labels), buffers) = (parameters()?, batch(2)?, Buffers::default());
    let error = |parameters: &Tensor, images: &Tensor, labels: &Tensor| {
        loss(parameters, images, labels, true, &buffers).expect_err("it does not fit").to_string()
    };
    assert!(error(&flat, &images.squeeze(1)?, &labels).contains("[n, 1, 28, 28]"));
    assert!(error(&flat.narrow(0, 0, 9)?, &images, &labels).contains("5142 parameters"));
    assert!(error(&flat, &images, &labels.narrow(0, 0, 1)?).contains("2 images need 2 labels"));
    assert!(
        error(&flat, &images, &Tensor::new(&[3u32, 10], &Device::Cpu)?).contains("the label 10")
    );
    assert!(error(&flat, &images.to_dtype(DType::U32)?, &labels).contains("dtype"));
    Ok(())
}
