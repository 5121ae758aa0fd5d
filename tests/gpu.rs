//! GPUs: the kernels' host build, and the program with a pretended driver that runs it.
#![cfg(target_os = "linux")]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use mnist_tui::checkpoint::{load_checkpoint, load_weights};
use serde::Deserialize;
use sha2::{Digest, Sha256};

mod common;
#[path = "common/idx.rs"]
mod idx;

use common::{Tty, batch};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TORCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/torch");

/// Compiles a C++ file of this folder next to those of the kernels.
fn compile(source: &str, kernels: &Path, output: &Path, flags: &[&str]) {
    let output = Command::new("c++")
        .args(["-std=c++20", "-ffp-contract=off", "-fno-strict-aliasing", "-pthread"])
        .args(["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"])
        .args(flags)
        .arg("-I")
        .arg(kernels)
        .arg(Path::new(ROOT).join("tests/gpu").join(source))
        .arg("-o")
        .arg(output)
        .output()
        .expect("a C++ compiler, c++, is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn kernels() -> PathBuf {
    Path::new(ROOT).join("src/gpu/kernels")
}

/// A folder that is this test's own, made anew.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// The folder of the pretended driver.
fn driver() -> &'static Path {
    static DRIVER: OnceLock<PathBuf> = OnceLock::new();
    DRIVER.get_or_init(|| {
        let folder = folder("gpu-driver");
        let flags = ["-O2", "-shared", "-fPIC"];
        compile("driver.cpp", &kernels(), &folder.join("libcuda.so.1"), &flags);
        // The name that is tried first.
        std::os::unix::fs::symlink("libcuda.so.1", folder.join("libcuda.so")).expect("a link");
        compile("compiler.cpp", &kernels(), &folder.join("libnvrtc.so.12"), &flags);
        folder
    })
}

/// Runs the program in `folder` on a pretended GPU on which `trouble` happens.
fn run(folder: &Path, trouble: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("LD_LIBRARY_PATH", driver())
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("FAKE_GPU", trouble)
        .env("FAKE_GPU_LOG", folder.join("launches"))
        .env("FAKE_KERNELS", format!("{}:{ROOT}/tests/gpu", kernels().display()))
        .output()
        .expect("the program starts")
}

/// A folder with a small set.
fn small_set() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 300, 20);
    folder
}

const SMALL: [&str; 6] = ["--headless", "--data", ".", "--batch-size", "7", "--no-run-dir"];

/// The weights file of a run.
fn trained(folder: &Path, device: &str, arguments: &[&str]) -> Vec<u8> {
    let arguments = [&SMALL, arguments, &["--device", device, "--save", "weights"]].concat();
    let output = run(folder, "", &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(folder.join("weights")).expect("saved")
}

#[test]
fn the_compiled_kernels_are_made_of_their_source() {
    let read = |name: &str| fs::read(kernels().join(name)).expect("checked in");
    let source = ["dialect.cuh", "article.cuh", "training.cuh"].map(read).concat();
    let compiled = zstd::decode_all(&*read("article.ptx.zst")).expect("compressed by a script");
    let first = String::from_utf8_lossy(&compiled).lines().next().unwrap_or_default().to_owned();
    let mut expected = "// ".to_owned();
    for byte in Sha256::digest(&source) {
        write!(expected, "{byte:02x}").expect("strings take all");
    }
    assert_eq!(first, expected, "run scripts/kernels.sh");
}

/// What the program says when it fails.
fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
}

#[test]
fn losses_and_weights_are_those_of_pytorch() {
    #[derive(Deserialize)]
    struct Trajectory {
        losses: Vec<f32>,
    }
    #[derive(Deserialize)]
    struct Step {
        loss: f32,
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let init = format!("{TORCH}/init.safetensors");
    let data = ["--headless", "--no-run-dir", "--device", "cuda", "--no-shuffle", "--init", &init];
    let run = run(
        folder.path(),
        "",
        &[&data[..], &["--steps", "200", "--save", "weights", "--log", "log.jsonl"]].concat(),
    );
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = fs::read_to_string(format!("{TORCH}/trajectory.json")).expect("checked in");
    let expected: Trajectory = serde_json::from_str(&text).expect("as it was written");
    let log = fs::read_to_string(folder.path().join("log.jsonl")).expect("the log was written");
    let steps = log.lines().filter(|line| line.contains(r#""event":"step""#));
    let losses: Vec<f32> =
        steps.map(|line| serde_json::from_str::<Step>(line).expect("a step").loss).collect();
    assert_eq!(losses.len(), expected.losses.len());
    for (step, (loss, expected)) in losses.iter().zip(expected.losses).enumerate() {
        assert!((loss - expected).abs() < 2e-6, "step {}: {loss} for {expected}", step + 1);
    }
    let after = load_weights(&PathBuf::from(format!("{TORCH}/after.safetensors"))).expect("read");
    let weights = load_weights(&folder.path().join("weights")).expect("saved");
    for (weight, expected) in weights.trained.iter().zip(&after.trained) {
        assert!((weight - expected).abs() < 1e-6, "{weight} for {expected}");
    }
}

#[test]
fn the_same_bits_in_any_shape_of_grid_and_chunks() {
    let program = folder("gpu-host").join("host");
    compile("host.cpp", &kernels(), &program, &["-O2"]);
    let run = |shape: [u32; 5]| {
        let output = Command::new(&program).args(shape.map(|number| number.to_string())).output();
        let output = output.expect("it was compiled");
        assert!(output.status.success(), "{shape:?}: {output:?}");
        output.stdout
    };
    // Blocks, threads, steps, images in a batch, steps in a launch.
    let one = run([1, 1, 4, 7, 4]);
    for shape in [[1, 16, 4, 7, 4], [3, 5, 4, 7, 1], [2, 9, 4, 7, 3], [8, 1, 4, 7, 2]] {
        assert_eq!(run(shape), one, "{shape:?}");
    }
    // Groups of two images; as many threads as on a GPU, where loops run side by side.
    assert_eq!(run([3, 3, 2, 130, 2]), run([1, 1, 2, 130, 1]));
    assert_eq!(run([1, 512, 2, 3, 2]), run([1, 1, 2, 3, 2]));
}

/// Where a kernel waits for its block or its job.
fn barriers(text: &str) -> Vec<usize> {
    let syncs = text.match_indices("SYNC();").map(|(place, _)| place);
    let not_defined = syncs.filter(|&place| !text[..place].ends_with("#define "));
    let jobs = text.match_indices("job_barrier(job.barrier").map(|(place, _)| place);
    not_defined.chain(jobs).collect()
}

#[test]
fn threads_race_if_a_barrier_is_left_out_and_else_not() {
    let folder = folder("gpu-races");
    let names = ["dialect.cuh", "article.cuh", "training.cuh", "shim.h"];
    let text = |name: &str| fs::read_to_string(kernels().join(name)).expect("checked in");
    for name in names {
        fs::write(folder.join(name), text(name)).expect("written");
    }
    let races = || {
        let program = folder.join("host");
        compile("host.cpp", &folder, &program, &["-O1", "-g", "-fsanitize=thread"]);
        let output = Command::new(&program)
            .args(["2", "7", "2", "5", "2"])
            .env("TSAN_OPTIONS", "halt_on_error=1")
            .output()
            .expect("it was compiled");
        !output.status.success()
    };
    assert!(!races(), "with all barriers");
    for name in ["article.cuh", "training.cuh"] {
        let whole = text(name);
        for place in barriers(&whole) {
            let call = &whole[place..];
            let end = place + call.find(';').expect("a statement ends") + 1;
            // The barrier of a job waits for the block, too.
            let rest = if call.starts_with("SYNC") { ";" } else { "SYNC();" };
            let mutant = [&whole[..place], rest, &whole[end..]].concat();
            fs::write(folder.join(name), mutant).expect("written");
            let line = whole[..place].lines().count();
            assert!(races(), "nothing notices that {name}:{line} is gone");
        }
        fs::write(folder.join(name), whole).expect("written");
    }
}

#[test]
fn a_run_that_was_stopped_in_an_epoch_goes_on_to_the_same_bits() {
    let folder = small_set();
    let whole = trained(folder.path(), "cuda", &["--epochs", "2"]);
    assert_eq!(trained(folder.path(), "cuda", &["--epochs", "2"]), whole, "again");
    let recorded: Vec<&str> = SMALL[..5].iter().copied().chain(["--device", "cuda"]).collect();
    let recorded = [&recorded[..], &["--epochs", "2", "--run-dir", "run"]].concat();
    let stopped = [&recorded[..], &["--steps", "50", "--save", "part"]].concat();
    let output = run(folder.path(), "", &stopped);
    assert!(output.status.success(), "{output:?}");
    let resumed =
        ["--resume", "run", "--headless", "--steps", "86", "--device", "cuda", "--save", "rest"];
    let output = run(folder.path(), "", &resumed);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read(folder.path().join("rest")).expect("saved"), whole);
}

#[test]
fn a_run_that_was_watched_stopped_and_rewound_on_a_gpu_ends_with_the_same_bits() {
    let folder = small_set();
    let whole = trained(folder.path(), "cuda", &["--epochs", "3"]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (data, saved, driver) = (path(""), path("watched"), driver().display().to_string());
    let run =
        ["--data", &data, "--batch-size", "7", "--epochs", "3", "--no-run-dir", "--save", &saved];
    let device = ["--device", "cuda", "--break", "step=60"];
    let environment = [("LD_LIBRARY_PATH", driver.as_str())];
    let mut tty = Tty::start_with(&[&run[..], &device].concat(), &environment, 120, 40);
    tty.wait_for_text("Pretended GPU");
    tty.wait_for_text("■ break: step");
    let at = |tty: &Tty, wanted: u64, state: &str| {
        let what = format!("batch {wanted} of its epoch");
        tty.wait_for(&what, |screen| (batch(screen) == Some(wanted)).then_some(()));
        tty.wait_for_text(state);
    };
    at(&tty, 60 - 43, "■ break");
    tty.send("3");
    tty.wait_for_text("Step 60");
    tty.wait_for_text("layer1_conv.weight");
    tty.press("g9\r");
    at(&tty, 9, "‖ paused");
    tty.press("s");
    at(&tty, 10, "‖ paused");
    tty.send("p");
    at(&tty, 60 - 43, "■ break");
    tty.send("p");
    tty.wait_for_text("✓ done");
    // A run that has ended is left without a question.
    tty.send("q");
    assert_eq!(tty.wait_for_exit(), 0);
    assert_eq!(fs::read(folder.path().join("watched")).expect("saved"), whole);
}

#[test]
fn every_option_that_kernels_know_ends_close_to_the_cpu() {
    for options in [
        "--optimizer adam --weight-decay 0.01",
        "--optimizer adamw --weight-decay 0.1 --schedule one-cycle",
        "--optimizer sgd --lr 0.01",
        "--optimizer sgd --lr 0.01 --momentum 0.9",
        "--optimizer sgd --lr 0.01 --momentum 0.9 --nesterov --weight-decay 0.01",
        "--label-smoothing 0.1 --ema 0.9",
        "--augment light",
    ] {
        let folder = small_set();
        let options: Vec<&str> = options.split(' ').chain(["--epochs", "2"]).collect();
        trained(folder.path(), "cuda", &options);
        let gpu = load_weights(&folder.path().join("weights")).expect("saved").trained;
        trained(folder.path(), "cpu", &options);
        let cpu = load_weights(&folder.path().join("weights")).expect("saved").trained;
        let apart = gpu.iter().zip(&cpu).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 2e-4, "{options:?}: {apart}");
        assert_ne!(gpu, cpu, "{options:?} was trained on the GPU");
    }
}

#[test]
fn other_networks_are_compiled_once_and_end_close_to_the_cpu() {
    let folder = small_set();
    let layers =
        "conv 4 k3 p1, gelu, pool 2, residual(conv 4 k3 p1, relu), dropout 0.2, flatten, linear";
    let options = ["--model", layers, "--epochs", "2"];
    let gpu = trained(folder.path(), "cuda", &options);
    let kept =
        || fs::read_dir(folder.path().join("cache/mnist-tui")).expect("code is kept").count();
    assert_eq!(kept(), 1);
    assert_eq!(trained(folder.path(), "cuda", &options), gpu, "by the code that was kept");
    assert_eq!(kept(), 1);
    let gpu = load_weights(&folder.path().join("weights")).expect("saved").trained;
    trained(folder.path(), "cpu", &options);
    let cpu = load_weights(&folder.path().join("weights")).expect("saved").trained;
    let apart = gpu.iter().zip(&cpu).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 2e-4 && gpu != cpu, "{apart}");
    let normalised = ["--device", "cuda", "--model", "conv 4 k3, bn, relu, gap, linear"];
    let said = complaint(&run(folder.path(), "", &[&SMALL[..], &normalised].concat()));
    assert!(said.contains("batch normalisation needs all images of a batch at once"), "{said}");
}

#[test]
fn a_run_that_diverges_on_a_gpu_ends_at_that_step() {
    let folder = small_set();
    let output =
        run(folder.path(), "", &[&SMALL[..], &["--device", "cuda", "--lr", "1e30"]].concat());
    let said = complaint(&output);
    assert!(
        said.starts_with("error: ✗ diverged at step ") && said.contains("not finite"),
        "{said}"
    );
}

/// A folder with few images, for many runs.
fn tiny_set() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    idx::write_set(folder.path(), 100, 20);
    folder
}

/// What a sweep of six runs on the pretended GPU gives, and how many runs each launch trains.
fn swept(folder: &Path, trouble: &str, jobs: &str, options: &str) -> (Output, Vec<u32>) {
    let _ = (fs::remove_dir_all(folder.join("swept")), fs::remove_file(folder.join("launches")));
    let fixed = "sweep --headless --data . --device cuda --out swept";
    let arguments: Vec<&str> = [fixed, options, jobs].iter().flat_map(|it| it.split(' ')).collect();
    let output = run(folder, trouble, &arguments);
    let launches = fs::read_to_string(folder.join("launches")).unwrap_or_default();
    (output, launches.lines().map(|runs| runs.parse().expect("a number")).collect())
}

/// The weights of those six runs, and how many runs each launch trains.
#[track_caller]
fn swept_weights(
    folder: &Path,
    trouble: &str,
    jobs: &str,
    options: &str,
) -> (Vec<Vec<f32>>, Vec<u32>) {
    let (output, launches) = swept(folder, trouble, jobs, options);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let weights = |number| {
        let checkpoint = folder.join(format!("swept/{number:04}/last.safetensors"));
        load_checkpoint(&checkpoint).expect("a whole checkpoint").state.weights.clone()
    };
    ((1..=6).map(weights).collect(), launches)
}

#[test]
fn runs_that_share_a_gpu_have_the_bits_that_they_have_alone_in_fewer_launches() {
    let folder = tiny_set();
    // Some end before others.
    let options = "--set epochs=2,3 --seeds 3 --batch-size 7";
    let (together, launches) = swept_weights(folder.path(), "", "--jobs 6", options);
    assert!(launches.iter().any(|runs| *runs > 4), "two on a multiprocessor: {launches:?}");
    for (number, (epochs, seed)) in [(0, ("2", "0")), (5, ("3", "2"))] {
        trained(folder.path(), "cuda", &["--epochs", epochs, "--seed", seed]);
        let alone = load_weights(&folder.path().join("weights")).expect("saved").trained;
        assert_eq!(together[number], alone, "{epochs} epochs with seed {seed}");
    }
    let (apart, one_by_one) = swept_weights(folder.path(), "", "--jobs 1", options);
    assert_eq!(together, apart);
    assert!(launches.len() < one_by_one.len(), "{launches:?} {one_by_one:?}");
    // A run takes more than 200 KB here.
    let (short, in_parts) = swept_weights(folder.path(), "full=1000000", "--jobs 6", options);
    assert_eq!(together, short);
    assert!(in_parts.iter().all(|runs| *runs <= 4), "{in_parts:?}");
}

#[test]
fn runs_of_other_images_batches_and_rules_share_a_gpu() {
    let folder = tiny_set();
    for options in [
        "--augment light --set batch-size=7,11,30 --seeds 2 --epochs 2",
        "--validation 20 --set batch-size=7,11 --seeds 3 --epochs 2",
        "--set optimizer=adam,sgd,adamw --set ema=0.9,0.99 --batch-size 10 --epochs 1",
    ] {
        let (together, _) = swept_weights(folder.path(), "", "--jobs 6", options);
        let (apart, _) = swept_weights(folder.path(), "", "--jobs 1", options);
        assert_eq!(together, apart, "{options}");
    }
}

#[test]
fn as_many_runs_as_a_gpu_has_room_for_are_trained_at_once() {
    let folder = tiny_set();
    let (output, _) = swept(folder.path(), "", "--steps 3", "--seeds 9 --batch-size 7");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("9 runs, 8 at once, in swept\n"), "{text}");
}

#[test]
fn an_error_of_a_shared_gpu_is_told_once() {
    let folder = tiny_set();
    let options = "--epochs 3 --seeds 6 --batch-size 7";
    let (output, _) = swept(folder.path(), "lost=2", "--jobs 6", options);
    let error = String::from_utf8_lossy(&output.stderr);
    let sentence = "the GPU cannot go on: the NVIDIA driver reports: unspecified launch failure; a run that is kept can be resumed from its last checkpoint, with --device cpu too";
    assert_eq!(error.matches(sentence).count(), 1, "{error}");
    assert!(error.contains("5 more runs failed with the same error as run "), "{error}");
}

#[test]
fn every_trouble_with_a_gpu_is_a_sentence_that_says_what_to_do() {
    let folder = small_set();
    let said = |trouble: &str, more: &[&str]| {
        complaint(&run(folder.path(), trouble, &[&SMALL[..], more].concat()))
    };
    let cases: [(&str, &[&str], &str); 6] = [
        (
            "no-device",
            &["--device", "cuda"],
            "error: cannot use cuda:0: the NVIDIA driver finds no GPU: `nvidia-smi` should list one, and \
             CUDA_VISIBLE_DEVICES not hide it; --device cpu works everywhere",
        ),
        (
            "",
            &["--device", "cuda:2"],
            "error: cannot use cuda:2: there is no GPU 2: the driver finds 1, counted from 0; --device cpu \
             works everywhere",
        ),
        (
            "old-driver",
            &["--device", "cuda"],
            "error: cannot use cuda:0: the NVIDIA driver (CUDA 10.1) does not take this program's kernels \
             (the provided PTX was compiled with an unsupported toolchain): update the driver; --device cpu \
             works everywhere",
        ),
        (
            "full=131072",
            &["--device", "cuda"],
            "error: the GPU cannot go on: the GPU has too little free memory for 1 MB: end other programs on \
             it, or train smaller batches; a run that is kept can be resumed from its last checkpoint, \
             with --device cpu too",
        ),
        (
            "lost=1",
            &["--device", "cuda"],
            "error: the GPU cannot go on: the NVIDIA driver reports: unspecified launch failure; a run that is \
             kept can be resumed from its last checkpoint, with --device cpu too",
        ),
        (
            "",
            &["--device", "cuda", "--clip-norm", "1"],
            "error: cannot use cuda:0: its kernels do not clip gradients: leave --clip-norm out; --device cpu \
             works everywhere",
        ),
    ];
    for (trouble, more, expected) in cases {
        assert_eq!(said(trouble, more), expected, "{trouble} {more:?}");
    }
}

#[test]
fn a_machine_without_a_driver_is_told_so() {
    let folder = small_set();
    let output = Command::new(env!("CARGO_BIN_EXE_mnist-tui"))
        .args(SMALL)
        .args(["--device", "cuda"])
        .current_dir(folder.path())
        .env("LD_LIBRARY_PATH", folder.path())
        .output()
        .expect("the program starts");
    if output.status.success() {
        return eprintln!("this machine has a GPU");
    }
    let said = complaint(&output);
    assert!(said.contains("the NVIDIA driver's libcuda.so.1 was not found"), "{said}");
}
