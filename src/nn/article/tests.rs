use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::layout::PARAMETERS;
use crate::network::Plan;
use crate::nn::engine::Mode;
use crate::nn::model::{Model, Outcome, Weights};
use crate::nn::simd::tests::on_every_width;

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

fn weights() -> Weights {
    Weights::initial(&Plan::article(), &mut ChaCha8Rng::seed_from_u64(3))
}

/// The network by its own kernels.
fn special(weights: &Weights) -> Result<Model> {
    Model::new(Arc::new(Plan::article()), weights, &Device::Cpu)
}

/// Loss, logits and gradients by the kernels for any network.
fn general(weights: &Weights, images: &Tensor, labels: &Tensor) -> Result<[Vec<f32>; 3]> {
    results(&Model::general(Arc::new(Plan::article()), weights)?, images, labels)
}

fn floats(images: &Tensor) -> Result<Tensor> {
    let bytes = images.flatten_all()?.to_vec1::<u8>()?;
    let values = bytes.into_iter().map(|byte| f32::from(byte) / 255.0).collect();
    Tensor::from_vec(values, images.shape(), images.device())
}

fn results(model: &Model, images: &Tensor, labels: &Tensor) -> Result<[Vec<f32>; 3]> {
    let outcome = model.loss(images, labels, Mode::Evaluate)?;
    let [loss, logits, grads] = read(model, &outcome.loss, &outcome.logits)?;
    let direct = outcome.backward(model.variable())?;
    let direct = direct.get(model.variable()).expect("it is a variable").to_vec1::<f32>()?;
    assert!(direct.iter().zip(&grads).all(|(a, b)| a == b || a.is_nan() && b.is_nan()));
    Ok([loss, logits, grads])
}

fn read(model: &Model, loss: &Tensor, logits: &Tensor) -> Result<[Vec<f32>; 3]> {
    let grads = loss.backward()?;
    let grad = grads.get(model.variable()).expect("it is a variable");
    Ok([vec![loss.to_scalar()?], logits.flatten_all()?.to_vec1()?, grad.to_vec1()?])
}

#[test]
fn the_special_kernels_give_what_the_general_ones_give() {
    let check = |n: usize| -> Result<()> {
        let (weights, (images, labels)) = (weights(), batch(n)?);
        let found = results(&special(&weights)?, &images, &labels)?;
        for (found, expected) in found.iter().zip(general(&weights, &images, &labels)?) {
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
    let (weights, (images, labels)) = (weights(), batch(11)?);
    for model in [special(&weights)?, Model::general(Arc::new(Plan::article()), &weights)?] {
        let expected = results(&model, &images, &labels)?;
        assert_eq!(results(&model, &floats(&images)?, &labels)?, expected);
        let Outcome { loss, logits, .. } = model.evaluate(&images, &labels)?;
        assert_eq!(loss.to_scalar::<f32>()?, expected[0][0]);
        assert_eq!(logits.flatten_all()?.to_vec1::<f32>()?, expected[1]);
        assert!(!loss.track_op());
    }
    Ok(())
}

#[test]
fn the_incoming_gradient_scales_the_outgoing() -> Result<()> {
    let (model, (images, labels)) = (special(&weights())?, batch(3)?);
    let [_, _, plain] = results(&model, &images, &labels)?;
    let Outcome { loss, logits, .. } = model.loss(&images, &labels, Mode::Evaluate)?;
    let [_, _, doubled] = read(&model, &(loss * 2.0)?, &logits)?;
    assert!(plain.iter().zip(&doubled).all(|(plain, doubled)| 2.0 * plain == *doubled));
    Ok(())
}

#[test]
fn of_equal_values_the_first_wins() -> Result<()> {
    // All images blank, so that all four places of every window are equal: only the bias counts,
    // and the gradient of a kernel is that of the first place, whose pixels are 0.
    let weights = weights();
    let (_, labels) = batch(2)?;
    let blank = Tensor::zeros((2, 1, 28, 28), DType::U8, &Device::Cpu)?;
    let [_, _, grads] = results(&special(&weights)?, &blank, &labels)?;
    let [_, _, expected] = general(&weights, &blank, &labels)?;
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
            let weights = Weights { trained: vec![value; PARAMETERS], running: Vec::new() };
            let [special, _, _] = results(&special(&weights)?, &images, &labels)?;
            let [general, _, _] = general(&weights, &images, &labels)?;
            assert!(!special[0].is_finite() && !general[0].is_finite(), "{value}: {special:?}");
        }
        Ok(())
    };
    on_every_width(|| check().expect("everything fits"));
}

#[test]
fn what_does_not_fit_is_named() -> Result<()> {
    let (weights, (images, labels)) = (weights(), batch(2)?);
    let model = special(&weights)?;
    let error = |images: &Tensor, labels: &Tensor| {
        let outcome = model.loss(images, labels, Mode::Evaluate);
        outcome.expect_err("it does not fit").to_string()
    };
    assert!(error(&images.squeeze(1)?, &labels).contains("[n, 1, 28, 28]"));
    assert!(error(&images, &labels.narrow(0, 0, 1)?).contains("2 images need 2 labels"));
    assert!(error(&images, &Tensor::new(&[3u32, 10], &Device::Cpu)?).contains("the label 10"));
    assert!(error(&images.to_dtype(DType::U32)?, &labels).contains("dtype"));
    let short = Weights { trained: vec![0.0; 9], running: Vec::new() };
    let error = special(&short).expect_err("nine are too few").to_string();
    assert!(error.contains("(5142, 0) parameters and statistics, found (9, 0)"), "{error}");
    Ok(())
}
