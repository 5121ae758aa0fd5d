use candle_core::{Device, Tensor};

use super::*;
use crate::nn::simd::tests::on_every_width;

/// An optimiser of one variable and a way to give it gradients.
fn optimiser(weights: &[f32]) -> Result<(Var, Adam)> {
    let variable = Var::new(weights, &Device::Cpu)?;
    let adam = Adam::for_variables([variable.clone()])?;
    Ok((variable, adam))
}

/// The gradients of Σ grad·variable, which are `grad`.
fn grads(variable: &Var, grad: &[f32]) -> Result<GradStore> {
    variable.mul(&Tensor::new(grad, &Device::Cpu)?)?.sum_all()?.backward()
}

/// `PyTorch` 2.15:
/// ```python
/// w = torch.tensor([1., -2., 3.], requires_grad=True)
/// opt = torch.optim.Adam([w])
/// for g in ([0.1, -0.2, 0.], [0.3, 0., -1e-3], [-5., 1e-4, 0.]):
///     w.grad = torch.tensor(g); opt.step(); print(w.tolist())
/// s = opt.state[w]; print(s['exp_avg'].tolist(), s['exp_avg_sq'].tolist())
/// ```
const GRADS: [[f32; 3]; 3] = [[0.1, -0.2, 0.0], [0.3, 0.0, -1e-3], [-5.0, 1e-4, 0.0]];
#[expect(clippy::excessive_precision, reason = "as PyTorch prints them")]
const WEIGHTS: [[f32; 3]; 3] = [
    [0.999_000_01, -1.998_999_95, 3.0],
    [0.998_082_2, -1.998_329_9, 3.000_744_1],
    [0.998_674_99, -1.997_812_3, 3.001_319_4],
];
const FIRST: [f32; 3] = [-0.464_900_02, -0.016_190_002, -9.0e-5];
const SECOND: [f32; 3] = [0.025_099_892, 3.992_005_4e-5, 9.990_002e-10];

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found_one, expected_one) in found.iter().zip(expected) {
        // A few units in the last place of an f32.
        let tolerance = 4e-7 * expected_one.abs();
        assert!((found_one - expected_one).abs() <= tolerance, "{found:?} for {expected:?}");
    }
}

#[test]
fn weights_and_moments_follow_pytorch() -> Result<()> {
    let (variable, mut adam) = optimiser(&[1.0, -2.0, 3.0])?;
    for (grad, expected) in GRADS.iter().zip(&WEIGHTS) {
        adam.step(&grads(&variable, grad)?)?;
        assert_close(&variable.to_vec1::<f32>()?, expected);
    }
    let state = adam.state()?;
    assert_eq!(state.step, 3);
    assert_close(&state.first[0], &FIRST);
    assert_close(&state.second[0], &SECOND);
    Ok(())
}

#[test]
fn the_tensor_form_for_other_devices_follows_pytorch_too() -> Result<()> {
    let (variable, mut adam) = optimiser(&[1.0, -2.0, 3.0])?;
    let zeros = Tensor::zeros(3, DType::F32, &Device::Cpu)?;
    adam.slots[0].moments = Moments::Device { first: zeros.clone(), second: zeros };
    for (grad, expected) in GRADS.iter().zip(&WEIGHTS) {
        adam.step(&grads(&variable, grad)?)?;
        assert_close(&variable.to_vec1::<f32>()?, expected);
    }
    let state = adam.state()?;
    assert_close(&state.first[0], &FIRST);
    assert_close(&state.second[0], &SECOND);
    Ok(())
}

#[test]
fn every_length_is_handled_to_its_last_scalar() {
    let first_step = |len: usize| {
        let (variable, mut adam) = optimiser(&vec![0.5; len])?;
        adam.step(&grads(&variable, &vec![2.0; len])?)?;
        Ok((variable.to_vec1::<f32>()?, adam.state()?))
    };
    on_every_width(|| {
        for len in 1..40 {
            let (weights, state) = Result::expect(first_step(len), "the shapes fit");
            // The first step moves by the learning rate, whatever the gradient's size.
            assert_close(&weights, &vec![0.499; len]);
            assert_close(&state.first[0], &vec![0.2; len]);
            assert_close(&state.second[0], &vec![0.004; len]);
        }
    });
}

#[test]
fn the_learning_rate_scales_the_step() -> Result<()> {
    let (variable, mut adam) = optimiser(&[1.0])?;
    assert_eq!(adam.learning_rate().to_bits(), 1e-3f64.to_bits());
    adam.set_learning_rate(0.25);
    adam.step(&grads(&variable, &[-3.0])?)?;
    assert_close(&variable.to_vec1::<f32>()?, &[1.25]);
    Ok(())
}

#[test]
fn a_restored_state_goes_on_bit_for_bit() -> Result<()> {
    let (variable, mut adam) = optimiser(&[1.0, -2.0, 3.0])?;
    adam.step(&grads(&variable, &GRADS[0])?)?;
    let (weights, state) = (variable.to_vec1::<f32>()?, adam.state()?);
    adam.step(&grads(&variable, &GRADS[1])?)?;

    let (resumed, mut other) = optimiser(&weights)?;
    other.restore(&state)?;
    other.step(&grads(&resumed, &GRADS[1])?)?;
    assert_eq!(resumed.to_vec1::<f32>()?, variable.to_vec1::<f32>()?);
    assert_eq!(other.state()?, adam.state()?);
    Ok(())
}

#[test]
fn a_state_of_other_variables_is_refused_and_changes_nothing() -> Result<()> {
    let (variable, mut adam) = optimiser(&[1.0, -2.0, 3.0])?;
    adam.step(&grads(&variable, &GRADS[0])?)?;
    let before = adam.state()?;
    let foreign = AdamState { step: 9, first: vec![vec![0.0; 3]], second: vec![vec![0.0; 2]] };
    let error = adam.restore(&foreign).expect_err("it has two second moments").to_string();
    assert!(error.contains("[2]") && error.contains("[3]"), "{error}");
    assert!(adam.restore(&AdamState::default()).is_err());
    assert_eq!(adam.state()?, before);
    Ok(())
}

#[test]
fn a_missing_gradient_is_an_error_and_moves_nothing() -> Result<()> {
    let (variable, other) = (Var::new(&[1f32], &Device::Cpu)?, Var::new(&[1f32], &Device::Cpu)?);
    let mut adam = Adam::for_variables([variable.clone(), other])?;
    assert!(adam.step(&grads(&variable, &[1.0])?).is_err());
    assert_eq!(variable.to_vec1::<f32>()?, [1.0]);
    assert_eq!(adam.state()?.step, 0);
    Ok(())
}

#[test]
fn moments_too_small_to_matter_become_zero() -> Result<()> {
    let (variable, mut adam) = optimiser(&[1.0, 1.0])?;
    adam.step(&grads(&variable, &[1e-25, -1e-28])?)?;
    let state = adam.state()?;
    assert!(state.first[0][0] > 0.0, "1e-26 is kept");
    adam.restore(&AdamState { step: 1, first: vec![vec![1.05e-30, -1.05e-30]], ..state })?;
    adam.step(&grads(&variable, &[0.0, 0.0])?)?;
    let state = adam.state()?;
    assert_eq!((&state.first[0], &state.second[0]), (&vec![0.0; 2], &vec![0.0; 2]));
    Ok(())
}

#[test]
fn other_element_types_are_refused() -> Result<()> {
    assert!(Adam::for_variables([Var::new(&[1f64], &Device::Cpu)?]).is_err());
    Ok(())
}

#[test]
fn a_gradient_that_is_not_finite_is_noticed_wherever_it_stands() {
    on_every_width(|| {
        for place in [0, 5, 16, 36] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let (variable, mut adam) = optimiser(&[0.5; 37]).expect("in main memory");
                let mut grad = [1e30; 37];
                adam.step(&grads(&variable, &grad).expect("fits")).expect("fits");
                assert!(adam.gradient_was_finite());
                grad[place] = bad;
                adam.step(&grads(&variable, &grad).expect("fits")).expect("fits");
                assert!(!adam.gradient_was_finite(), "{bad} at {place}");
            }
        }
    });
}

#[test]
fn going_back_to_a_snapshot_repeats_the_steps_to_the_bit() -> Result<()> {
    let (variable, mut adam) = optimiser(&[1.0, -2.0, 3.0])?;
    adam.step(&grads(&variable, &GRADS[0])?)?;
    let (weights, snapshot) = (variable.as_detached_tensor().copy()?, adam.snapshot());
    let mut runs = Vec::new();
    for _ in 0..2 {
        for grad in &GRADS[1..] {
            adam.step(&grads(&variable, grad)?)?;
        }
        runs.push((variable.to_vec1::<f32>()?, adam.state()?));
        variable.set(&weights)?;
        adam.go_back(&snapshot);
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(adam.state()?.step, 1);
    Ok(())
}
