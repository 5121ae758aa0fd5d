//! Generated networks, compiled for the host, against the composition of candle's operations.

use std::process::Command;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::host::{Case, batches, case, compile, run, source};
use super::*;
use crate::network::NetworkSpec;
use crate::nn::engine::{Key, Mode};
use crate::nn::model::Model;

mod host;

fn distance(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    squares.sum::<f64>().sqrt()
}

fn check(case: &Case, found: &mut &[f32]) {
    let Case { plan, weights, images, labels, .. } = case;
    let layers = plan.spec();
    let norm = |values: &[f32]| distance(values, &vec![0.0; values.len()]);
    let mut next = |len: usize| {
        let (values, rest) = found.split_at(len);
        *found = rest;
        values
    };
    let (losses, logits) = (next(3), next(21));
    let [gradient, after] = [next(plan.trained_len()), next(plan.trained_len())];
    let scored = next(21);
    let model = Model::new(Arc::clone(plan), weights, &Device::Cpu).expect("it fits");
    let [channels, height, width] = plan.input();
    let pixels: Vec<f32> = images.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let images = Tensor::from_vec(pixels, (3, channels, height, width), &Device::Cpu);
    let images = images.expect("three images");
    let labels = Tensor::from_slice(labels, 3, &Device::Cpu).expect("three labels");
    let mode = Mode::Train(Key { seed: 5, epoch: 2, step: 9 });
    let outcome = model.loss_composed(&images, &labels, mode);
    let outcome = outcome.expect("the shapes fit");
    let expected = model.loss_composed(&images, &labels, Mode::Evaluate).expect("the shapes fit");
    let expected = expected.logits.flatten_all().and_then(|logits| logits.to_vec1::<f32>());
    let expected = expected.expect("numbers");
    let off = distance(scored, &expected);
    assert!(off <= 1e-5 * norm(&expected), "{layers}: evaluated logits are off by {off}");
    let loss: f32 = outcome.loss.to_scalar().expect("a number");
    let mean = losses.iter().sum::<f32>() / 3.0;
    assert!((loss - mean).abs() < 1e-5 * loss, "{layers}: {mean} for {loss}");
    let grads = outcome.loss.backward().expect("it is differentiable");
    let grads = grads.get(model.variable()).expect("the loss depends on it").to_vec1::<f32>();
    let grads = grads.expect("numbers");
    let expected = outcome.logits.flatten_all().and_then(|logits| logits.to_vec1::<f32>());
    let expected = expected.expect("numbers");
    let off = distance(logits, &expected);
    assert!(off <= 1e-5 * norm(&expected), "{layers}: logits are off by {off}");
    for param in plan.params() {
        let (found, expected) = (&gradient[param.range.clone()], &grads[param.range.clone()]);
        let (off, norm) = (distance(found, expected), norm(expected));
        assert!(off <= 1e-4 * norm + 1e-7, "{layers}: {} is off by {off} of {norm}", param.name);
    }
    for ((before, after), gradient) in weights.trained.iter().zip(after).zip(gradient) {
        assert_eq!(*after, (-0.5f32).mul_add(*gradient, *before), "{layers}: the step");
    }
}

/// A network of a few random layers that fit, for images of `input`.
fn random(input: [usize; 3], seed: u64) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |n: u32| rng.next_u32() % n;
    loop {
        let mut layers: Vec<String> = Vec::new();
        for _ in 0..=below(6) {
            let (channels, kernel, stride) = (1 + below(19), 1 + below(5), 1 + below(3));
            let (padding, size) = (below(kernel), 1 + below(3));
            layers.push(match below(12) {
                0..4 => format!("conv {channels} k{kernel} s{stride} p{padding}"),
                4 | 5 => "relu".to_owned(),
                6 => "gelu".to_owned(),
                7 => format!("dropout 0.{}", below(6)),
                8 => format!("pool {size} s{stride}"),
                9 => format!("avgpool {size} s{stride}"),
                10 => "residual(relu, dropout 0.2, gelu)".to_owned(),
                _ => format!("residual(pool 1, relu), conv {channels} k{kernel} nobias, relu"),
            });
        }
        layers.push(if below(3) == 0 { "gap" } else { "flatten" }.to_owned());
        layers.push("linear 11, residual(relu, linear 11), linear".to_owned());
        let layers = layers.join(", ");
        let spec: NetworkSpec = layers.parse().expect("it reads");
        if Plan::of(&spec, input, 7).is_ok() {
            return layers;
        }
    }
}

#[test]
fn generated_networks_compute_what_their_plans_say() {
    const ROOM: usize = 200 << 10;
    const RANDOM: u64 = 8;
    let mut cases: Vec<Case> = [
        ("conv 5 k3 p1, relu, pool 2, conv 8 k3, relu, flatten, linear", [1, 9, 11], ROOM),
        // The same without room for weights, and with hardly any.
        ("conv 5 k3 p1, relu, pool 2, conv 8 k3, relu, flatten, linear", [1, 9, 11], 9 << 10),
        ("conv 5 k3 p1, relu, pool 2, conv 8 k3, relu, flatten, linear", [1, 9, 11], 3 << 10),
        ("conv 16 k5, relu, pool 2, conv 12 k3 p1 nobias, gelu, avgpool 2, flatten, linear 20, relu, linear", [2, 16, 16], ROOM),
        ("conv 4 k3 p1, residual(relu, conv 4 k3 p1, relu), residual(gelu, conv 4 k5 p2), gap, linear nobias", [3, 8, 7], ROOM),
        ("conv 9 k3 s2 p1, relu, residual(residual(conv 9 k1), relu), pool 3 s2, conv 7 k2 s3 p1, relu, gap", [1, 15, 14], ROOM),
        ("conv 5 k3, relu, dropout 0.3, conv 6 k3, dropout 0.5, flatten, relu, linear 9, relu, dropout 0.1, linear", [1, 9, 9], ROOM),
        ("conv 16 k3 p1, relu, conv 16 k3 p1, relu, pool 2, conv 32 k3 p1, relu, conv 32 k3 p1, relu, pool 2, conv 64 k3, relu, dropout 0.2, flatten, linear", [1, 28, 28], ROOM),
        ("flatten, gelu, linear 33, relu, linear, relu", [1, 6, 6], ROOM),
        ("pool 2 s1, conv 3 k4 s3 p2, avgpool 2 s1, relu, pool 3 s1, flatten, relu, linear", [6, 13, 12], ROOM),
        ("conv 2 k7 p3 s2, relu, conv 20 k3, relu, pool 17 s1, conv 1 k1, relu, flatten, linear", [1, 43, 40], ROOM),
    ]
    .map(|(layers, input, bytes)| case(layers, input, bytes, layers.len() as u64))
    .into();
    for seed in 0..RANDOM {
        let input = [1 + seed as usize % 3, 9 + seed as usize % 4, 12];
        let room = if seed % 2 == 0 { ROOM } else { 6 << 10 };
        cases.push(case(&random(input, seed), input, room, seed));
    }
    assert!(cases[0].network.scratch == 0 && cases[2].network.scratch > 0);
    // An image of the 50,874 parameters needs no other memory on an H100.
    let roomy = network_within(&cases[7].plan, shared_bytes((9, 0))).expect("it has kernels");
    assert_eq!(roomy.scratch, 0);
    let folder = tempfile::tempdir().expect("a folder for files");
    std::fs::write(folder.path().join("batches"), batches(&cases)).expect("the folder is ours");
    if !compile(&source(&cases), folder.path(), &[]) {
        return;
    }
    let one = run(folder.path(), 1, 1);
    let mut rest = one.as_slice();
    let lengths: Vec<usize> = cases
        .iter()
        .map(|case| {
            let before = rest.len();
            check(case, &mut rest);
            before - rest.len()
        })
        .collect();
    assert!(rest.is_empty());
    let [plenty, little, hardly_any] =
        [0, 1, 2].map(|place| &one[place * lengths[0]..][..lengths[0]]);
    assert!(plenty == little && plenty == hardly_any, "bits depend on the memory");
    for (blocks, threads) in [(2, 5), (3, 64)] {
        let other = run(folder.path(), blocks, threads);
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&one), bits(&other), "{blocks} blocks of {threads} threads");
    }
}

#[test]
fn what_has_no_kernel_is_named() {
    let plan = |layers: &str| {
        let spec: NetworkSpec = layers.parse().expect("it reads");
        Plan::of(&spec, [1, 28, 28], 7).expect("it fits")
    };
    let normalised = plan("conv 4 k3, residual(bn, relu), flatten, linear");
    let message = network(&normalised).expect_err("it needs the whole batch").to_string();
    assert!(message.starts_with("res1.bn1 has no GPU kernel, since batch"), "{message}");
    let wide = plan("conv 300 k7 p3, conv 300 k7 p3, conv 300 k7 p3, flatten, linear");
    let message = network(&wide).expect_err("it needs too much memory").to_string();
    assert!(message.contains("MB for each image"), "{message}");
    let small =
        network_within(&plan("flatten, linear"), 2_000).expect_err("the image has 784 values");
    assert!(small.to_string().contains("shared memory, found 2000"), "{small}");
}

#[test]
fn buffers_of_the_same_phase_do_not_overlap() {
    let layers =
        "conv 16 k3 p1, relu, pool 2, residual(conv 16 k3 p1, gelu), conv 8 k3 s2, flatten, linear";
    let spec: NetworkSpec = layers.parse().expect("it reads");
    let plan = Plan::of(&spec, [1, 28, 28], 10).expect("it fits");
    for limit in [50_000, 20_000, 5_000, 0] {
        let mut program = forward::program(&plan, usize::MAX);
        backward::extend(&mut program, &plan);
        let memory = memory::arrange(&mut program, limit);
        assert!(memory.shared <= limit && (limit > 0 || memory.scratch > 0));
        let placed = program.buffers.iter().filter_map(|buffer| match buffer.place {
            program::Place::Shared(at) => Some((0, at..at + buffer.len, buffer.phases.clone()?)),
            program::Place::Scratch(at) => Some((1, at..at + buffer.len, buffer.phases.clone()?)),
            _ => None,
        });
        let placed: Vec<_> = placed.collect();
        for (place, (kind, own, phases)) in placed.iter().enumerate() {
            assert!(own.end <= [memory.shared, memory.scratch][*kind]);
            for (other_kind, other, others) in &placed[..place] {
                let meet = phases.start() <= others.end() && others.start() <= phases.end();
                let overlap = own.start < other.end && other.start < own.end;
                assert!(kind != other_kind || !meet || !overlap, "{own:?} and {other:?}");
            }
        }
    }
}

/// `ThreadSanitizer` sees no data race, but one where a barrier is left out: all but a few, between phases
/// that share out the same values to the same threads.
#[test]
fn no_barrier_is_missing() {
    let layers =
        "conv 5 k3 p1, relu, pool 2, residual(conv 5 k3 p1, gelu), dropout 0.5, flatten, linear";
    let mut cases = vec![case(layers, [1, 8, 8], 200 << 10, 1)];
    let mut barriers = 0;
    let text = &mut cases[0].network.text;
    while let Some(place) = text.find("    SYNC();") {
        text.replace_range(place..place + 11, &format!("if (left_out != {barriers}) SYNC();"));
        barriers += 1;
    }
    assert!(barriers > 15, "{barriers}");
    let folder = tempfile::tempdir().expect("a folder for files");
    std::fs::write(folder.path().join("batches"), batches(&cases)).expect("the folder is ours");
    if !compile(&source(&cases), folder.path(), &["-fsanitize=thread"]) {
        return;
    }
    let races = |left_out: i32| {
        let status = Command::new(folder.path().join("networks"))
            .args([folder.path().join("batches"), folder.path().join("result")])
            .args(["3", "2", "3", &left_out.to_string()])
            .stderr(std::process::Stdio::null())
            .status();
        !status.expect("it was compiled").success()
    };
    assert!(!races(-1));
    let found = (0..barriers).filter(|&barrier| races(barrier)).count();
    assert!(4 * found >= 3 * barriers as usize, "{found} of {barriers}");
}
