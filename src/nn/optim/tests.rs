use candle_core::{Device, Tensor};

use super::*;
use crate::nn::simd::tests::on_every_width;

fn make(spec: OptimizerSpec, weights: &[f32]) -> Result<(Var, Optimizer)> {
    let variable = Var::new(weights, &Device::Cpu)?;
    let optimizer = Optimizer::of(spec, variable.clone())?;
    Ok((variable, optimizer))
}

/// Adam with its defaults.
fn adam(weights: &[f32]) -> Result<(Var, Optimizer)> {
    make(OptimizerSpec::default(), weights)
}

/// The same optimiser in the form for other devices.
fn composed(mut optimizer: Optimizer) -> Result<Optimizer> {
    let Slots::Host(slots) = &optimizer.slots else { unreachable!("it is in main memory") };
    let tensors = slots.iter().map(|slot| Tensor::new(slot.as_slice(), &Device::Cpu));
    optimizer.slots = Slots::Device(tensors.collect::<Result<_>>()?);
    Ok(optimizer)
}

fn grads(variable: &Var, grad: &[f32]) -> Result<GradStore> {
    let mut store = GradStore::default();
    store.insert(variable, Tensor::new(grad, &Device::Cpu)?);
    Ok(store)
}

const SGD: OptimizerSpec = OptimizerSpec::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
const NESTEROV: OptimizerSpec =
    OptimizerSpec::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.01 };

/// One of each rule.
fn specs() -> [OptimizerSpec; 4] {
    let adamw = OptimizerSpec::AdamW { betas: [0.8, 0.95], weight_decay: 0.5 };
    [OptimizerSpec::default(), adamw, SGD, NESTEROV]
}

/// Optimisers, the most that a gradient's norm may be, and the weights after 200 steps of `PyTorch` 2.15 on
/// the problem of tests/fixtures/torch/optimizers.py.
#[rustfmt::skip]
#[expect(clippy::excessive_precision, reason = "as PyTorch prints them")]
fn pytorch() -> [(OptimizerSpec, Option<f64>, [f32; 5]); 10] {
    let adam = |betas, weight_decay| OptimizerSpec::Adam { betas, weight_decay };
    let adamw = |betas, weight_decay| OptimizerSpec::AdamW { betas, weight_decay };
    let sgd = |momentum, nesterov, weight_decay| OptimizerSpec::Sgd { momentum, nesterov, weight_decay };
    let (usual, short) = ([0.9, 0.999], [0.8, 0.95]);
    [
        (adam(usual, 0.0), None, [0.675_055_15, -0.568_995_18, 1.322_160_1, 0.106_856_67, -0.253_031_05]),
        (adam(short, 0.1), None, [0.577_618_9, -0.433_577_12, 1.133_767_4, 0.085_411_325, -0.188_477_26]),
        (adamw(usual, 0.01), None, [0.661_491_16, -0.554_176_33, 1.289_499_2, 0.104_511_95, -0.248_041_23]),
        (adamw(short, 0.5), None, [0.274_191_59, -0.105_889_83, 0.155_745_55, 0.037_972_286, -0.092_542_328]),
        (sgd(0.0, false, 0.0), None, [0.823_205_59, -0.255_906_67, 0.012_627_956, 0.180_244_21, -0.250_037_94]),
        (sgd(0.0, false, 0.1), None, [0.680_579_54, -0.206_351_58, 0.011_388_014, 0.147_440_91, -0.205_263_73]),
        (sgd(0.9, false, 0.01), None, [0.073_570_043, -0.013_761_337, -0.012_640_839, -0.009_440_089_6, -0.185_690_54]),
        (sgd(0.9, true, 0.01), None, [0.111_145_41, 0.003_766_197_7, -0.004_483_945_2, -0.008_332_614_8, -0.187_818_08]),
        (adamw(usual, 0.01), Some(0.5), [0.639_313_82, -0.367_462_69, 0.981_426_89, 0.070_219_129, -0.247_497_68]),
        (sgd(0.9, false, 0.01), Some(0.5), [0.522_166_49, -0.004_162_493_6, -0.004_238_208_3, 0.028_998_826, -0.253_999_32]),
    ]
}

#[test]
fn every_optimiser_follows_pytorch_for_200_steps() -> Result<()> {
    const CURVE: [f32; 5] = [0.1, 1.0, 3.0, 0.5, 0.02];
    for (spec, clip_norm, expected) in pytorch() {
        for on_device in [false, true] {
            let (variable, optimizer) = make(spec, &[1.0, -2.0, 3.0, 0.5, -0.25])?;
            let mut optimizer = optimizer.with_clip_norm(clip_norm);
            if on_device {
                optimizer = composed(optimizer)?;
            }
            optimizer.set_learning_rate(0.01);
            for step in 0..200_u16 {
                let weights = variable.to_vec1::<f32>()?;
                let wave = |i: usize| (f64::from(step) * (i + 1) as f64 / 4.0).sin() as f32;
                let grad: Vec<f32> = (0..5).map(|i| CURVE[i] * weights[i] + wave(i)).collect();
                optimizer.step(&grads(&variable, &grad)?)?;
            }
            let found = variable.to_vec1::<f32>()?;
            for (found_one, expected_one) in found.iter().zip(expected) {
                let near = (found_one - expected_one).abs() < 2e-6;
                assert!(near, "{spec:?} {clip_norm:?} {on_device}: {found:?} for {expected:?}");
            }
        }
    }
    Ok(())
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
fn weights_and_moments_of_adam_follow_pytorch_in_both_forms() -> Result<()> {
    for on_device in [false, true] {
        let (variable, mut adam) = adam(&[1.0, -2.0, 3.0])?;
        if on_device {
            adam = composed(adam)?;
        }
        for (grad, expected) in GRADS.iter().zip(&WEIGHTS) {
            adam.step(&grads(&variable, grad)?)?;
            assert_close(&variable.to_vec1::<f32>()?, expected);
        }
        let state = adam.state()?;
        assert_eq!(state.step, 3);
        assert_close(&state.slots[0], &FIRST);
        assert_close(&state.slots[1], &SECOND);
    }
    Ok(())
}

#[test]
fn every_length_is_handled_to_its_last_scalar() {
    let first_step = |spec, len: usize| {
        let (variable, mut optimizer) = make(spec, &vec![0.5; len])?;
        optimizer.step(&grads(&variable, &vec![2.0; len])?)?;
        Ok((variable.to_vec1::<f32>()?, optimizer.state()?))
    };
    on_every_width(|| {
        for len in 1..40 {
            let (weights, state) =
                Result::expect(first_step(OptimizerSpec::default(), len), "the shapes fit");
            // The first step of Adam moves by the learning rate, whatever the gradient's size.
            assert_close(&weights, &vec![0.499; len]);
            assert_close(&state.slots[0], &vec![0.2; len]);
            assert_close(&state.slots[1], &vec![0.004; len]);
            let (weights, state) = Result::expect(first_step(NESTEROV, len), "the shapes fit");
            assert_close(&weights, &vec![0.5 - 0.001 * 1.9 * 2.005; len]);
            assert_close(&state.slots[0], &vec![2.005; len]);
        }
    });
}

#[test]
fn an_array_of_many_parts_moves_like_a_short_one() -> Result<()> {
    let value = |place: usize| (place % 10) as f32 - 4.5;
    for spec in specs() {
        let step = |len: usize| {
            let start: Vec<f32> = (0..len).map(value).collect();
            let (variable, mut optimizer) = make(spec, &start)?;
            for _ in 0..2 {
                optimizer.step(&grads(&variable, &start)?)?;
            }
            Ok::<_, candle_core::Error>((variable.to_vec1::<f32>()?, optimizer.state()?))
        };
        let ((short, _), (long, state)) = (step(10)?, step(40_000)?);
        assert!(long.chunks(10).all(|part| part == short), "{spec:?}");
        for slot in &state.slots {
            assert!(slot.chunks(10).all(|part| part == &slot[..10]), "{spec:?}");
        }
    }
    Ok(())
}

#[test]
fn the_learning_rate_scales_the_step() -> Result<()> {
    let (variable, mut adam) = adam(&[1.0])?;
    assert_eq!(adam.learning_rate().to_bits(), 1e-3f64.to_bits());
    adam.set_learning_rate(0.25);
    adam.step(&grads(&variable, &[-3.0])?)?;
    assert_close(&variable.to_vec1::<f32>()?, &[1.25]);
    Ok(())
}

#[test]
fn only_a_gradient_longer_than_the_limit_is_shortened() -> Result<()> {
    for (most, expected) in [(10.0, [-3.0, -4.0]), (5.1, [-3.0, -4.0]), (1.0, [-0.6, -0.8])] {
        for on_device in [false, true] {
            let (variable, sgd) = make(SGD, &[0.0, 0.0])?;
            let mut sgd = sgd.with_clip_norm(Some(most));
            if on_device {
                sgd = composed(sgd)?;
            }
            sgd.set_learning_rate(1.0);
            sgd.step(&grads(&variable, &[3.0, 4.0])?)?;
            let found = variable.to_vec1::<f32>()?;
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        }
    }
    Ok(())
}

#[test]
fn a_restored_state_goes_on_bit_for_bit() -> Result<()> {
    for spec in specs() {
        let (variable, mut optimizer) = make(spec, &[1.0, -2.0, 3.0])?;
        optimizer.step(&grads(&variable, &GRADS[0])?)?;
        let (weights, state) = (variable.to_vec1::<f32>()?, optimizer.state()?);
        assert_eq!(state.slots.len(), spec.slots().len());
        optimizer.step(&grads(&variable, &GRADS[1])?)?;

        let (resumed, mut other) = make(spec, &weights)?;
        other.restore(&state)?;
        other.step(&grads(&resumed, &GRADS[1])?)?;
        assert_eq!(resumed.to_vec1::<f32>()?, variable.to_vec1::<f32>()?);
        assert_eq!(other.state()?, optimizer.state()?);
    }
    Ok(())
}

#[test]
fn a_state_of_another_variable_or_optimiser_is_refused_and_changes_nothing() -> Result<()> {
    let (variable, mut adam) = adam(&[1.0, -2.0, 3.0])?;
    adam.step(&grads(&variable, &GRADS[0])?)?;
    let before = adam.state()?;
    let foreign = OptimizerState { step: 9, slots: vec![vec![0.0; 3], vec![0.0; 2]] };
    let error = adam.restore(&foreign).expect_err("it has two second moments").to_string();
    assert!(error.contains("[3, 2]") && error.contains("[3, 3]"), "{error}");
    assert!(adam.restore(&OptimizerState::default()).is_err());
    assert_eq!(adam.state()?, before);
    Ok(())
}

#[test]
fn a_missing_gradient_is_an_error_and_moves_nothing() -> Result<()> {
    let (variable, mut adam) = adam(&[1.0])?;
    assert!(adam.step(&GradStore::default()).is_err());
    assert_eq!(variable.to_vec1::<f32>()?, [1.0]);
    assert_eq!(adam.state()?.step, 0);
    Ok(())
}

#[test]
fn moments_too_small_to_matter_become_zero() -> Result<()> {
    let (variable, mut adam) = adam(&[1.0, 1.0])?;
    adam.step(&grads(&variable, &[1e-25, -1e-28])?)?;
    let mut state = adam.state()?;
    assert!(state.slots[0][0] > 0.0, "1e-26 is kept");
    state.slots[0] = vec![1.05e-30, -1.05e-30];
    adam.restore(&state)?;
    adam.step(&grads(&variable, &[0.0, 0.0])?)?;
    assert_eq!(adam.state()?.slots, [vec![0.0; 2], vec![0.0; 2]]);
    Ok(())
}

#[test]
fn other_element_types_are_refused() -> Result<()> {
    assert!(Optimizer::of(SGD, Var::new(&[1f64], &Device::Cpu)?).is_err());
    Ok(())
}

#[test]
fn a_gradient_that_is_not_finite_is_noticed_wherever_it_stands() {
    on_every_width(|| {
        for place in [0, 5, 16, 36] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for clip_norm in [None, Some(1.0)] {
                    let (variable, sgd) = make(SGD, &[0.5; 37]).expect("in main memory");
                    let mut sgd = sgd.with_clip_norm(clip_norm);
                    let mut grad = [1e15; 37];
                    sgd.step(&grads(&variable, &grad).expect("fits")).expect("fits");
                    assert!(sgd.gradient_was_finite());
                    grad[place] = bad;
                    sgd.step(&grads(&variable, &grad).expect("fits")).expect("fits");
                    assert!(!sgd.gradient_was_finite(), "{bad} at {place}");
                }
            }
        }
    });
}

#[test]
fn going_back_to_a_snapshot_repeats_the_steps_to_the_bit() -> Result<()> {
    for spec in specs() {
        let (variable, mut optimizer) = make(spec, &[1.0, -2.0, 3.0])?;
        optimizer.step(&grads(&variable, &GRADS[0])?)?;
        let (weights, snapshot) = (variable.as_detached_tensor().copy()?, optimizer.snapshot());
        let mut runs = Vec::new();
        for _ in 0..2 {
            for grad in &GRADS[1..] {
                optimizer.step(&grads(&variable, grad)?)?;
            }
            runs.push((variable.to_vec1::<f32>()?, optimizer.state()?));
            variable.set(&weights)?;
            optimizer.go_back(&snapshot);
        }
        assert_eq!(runs[0], runs[1]);
        assert_eq!(optimizer.state()?.step, 1);
    }
    Ok(())
}
