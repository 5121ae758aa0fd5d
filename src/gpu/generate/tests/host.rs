//! Generated networks in a program for the host: one step of training, and evaluation.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Network, TEMPLATES, network_within};
use crate::network::{NetworkSpec, Plan};
use crate::nn::model::Weights;

const DIALECT: &str = include_str!("../../kernels/dialect.cuh");
const TRAINING: &str = include_str!("../../kernels/training.cuh");

/// Makes room for the next network.
const UNDO: &str = "#undef DRAWS\n#undef DRAW\n#undef DRAW_NOTHING\n";

/// Reads batches and writes what one step makes of them.
const HOST: &str = r"
#include <cstdio>
#undef KERNEL
#define KERNEL [[maybe_unused]] static
#undef GLOBAL
#define GLOBAL [[maybe_unused]] static
static FILE *from, *to;
[[maybe_unused]] static int left_out = -1; // a barrier
template <class T> static std::vector<T> get(size_t n) {
    std::vector<T> values(n);
    if (fread(values.data(), sizeof(T), n, from) != n) std::abort();
    return values;
}
template <class T> static void give(const std::vector<T> &values) { fwrite(values.data(), sizeof(T), values.size(), to); }
#define RUN(N)                                                                                      \
    static void run_##N(unsigned n, unsigned blocks, unsigned threads) {                            \
        using namespace network_##N;                                                                \
        auto weights = get<float>(PARAMETERS);                                                      \
        auto images = get<unsigned char>((size_t)n * IMAGE);                                        \
        auto labels = get<unsigned>(n);                                                             \
        std::vector<unsigned> order(n);                                                             \
        for (unsigned i = 0; i < n; i++) order[i] = i;                                              \
        for (unsigned word : {5u, 0u, 4u, 0u, 2u, 0u, 9u, 0u}) order.push_back(word);               \
        std::vector<float> factors = {0.5f, 1, 1, 0}, gradient(PARAMETERS), losses(n);              \
        std::vector<float> partials((size_t)GROUPS *PARAMETERS), logits(n *CLASSES), scored(n *CLASSES);   \
        std::vector<float> scratch((size_t)blocks *SCRATCH + 4, NAN), before = weights;             \
        std::vector<unsigned char> answers(2 * n);                                                    \
        unsigned failed = 0, barrier = 0;                                                           \
        Job job = {order.data(), factors.data(), weights.data(), nullptr, nullptr, nullptr,         \
                   gradient.data(), partials.data(), scratch.data(), losses.data(), logits.data(),  \
                   answers.data(), &failed, &barrier, 1, n, n, SGD, 0, 1, 0, 1, 0, 0, 0, 0};        \
        shim_launch(blocks, threads, sizeof(Shared),                                                \
                    [&] { train(images.data(), labels.data(), &job, blocks); });                    \
        shim_launch(blocks, threads, sizeof(Shared), [&] {                                          \
            evaluate(images.data(), nullptr, n, before.data(), scratch.data(), scored.data());      \
        });                                                                                         \
        give(losses), give(logits), give(gradient), give(weights), give(scored);                    \
    }
";

/// A network, and what it computes with.
pub(super) struct Case {
    pub(super) plan: Arc<Plan>,
    pub(super) network: Network,
    pub(super) weights: Weights,
    pub(super) images: Vec<u8>,
    pub(super) labels: Vec<u32>,
}

/// A network with random weights and images.
pub(super) fn case(layers: &str, input: [usize; 3], bytes: usize, seed: u64) -> Case {
    let spec: NetworkSpec = layers.parse().expect("it reads");
    let plan = Arc::new(Plan::of(&spec, input, 7).expect("it fits"));
    let network = network_within(&plan, bytes).expect("every layer has a kernel");
    assert!(network.shared_bytes <= bytes, "{layers}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let weights = Weights::initial(&plan, &mut rng);
    let images = (0..3 * input.iter().product::<usize>()).map(|_| rng.next_u32() as u8).collect();
    let labels = (0..3).map(|_| rng.next_u32() % 7).collect();
    Case { plan, network, weights, images, labels }
}

/// The cases' networks in one C++ file.
pub(super) fn source(cases: &[Case]) -> String {
    let mut text = [DIALECT, HOST, TEMPLATES].concat();
    for (place, case) in cases.iter().enumerate() {
        let own = case.network.text.strip_prefix(TEMPLATES).expect("they come first");
        let (start, end) =
            (format!("namespace network_{place} {{\n"), format!("}}\nRUN({place})\n{UNDO}"));
        text += &[&start, own, TRAINING, &end].concat();
    }
    let runs = (0..cases.len()).map(|place| format!("run_{place}(n, blocks, threads);\n"));
    let runs: String = runs.collect();
    text + "int main(int count, char **arguments) {\nfrom = fopen(arguments[1], \"rb\");\n\
            to = fopen(arguments[2], \"wb\");\nunsigned n = std::atoi(arguments[3]);\n\
            unsigned blocks = std::atoi(arguments[4]), threads = std::atoi(arguments[5]);\n\
            if (count > 6) left_out = std::atoi(arguments[6]);\n"
        + &runs
        + "fclose(to);\n}\n"
}

/// What the cases' networks compute with.
pub(super) fn batches(cases: &[Case]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Case { weights, images, labels, .. } in cases {
        bytes.extend(weights.trained.iter().flat_map(|w| w.to_le_bytes()));
        bytes.extend(images);
        bytes.extend(labels.iter().flat_map(|label| label.to_le_bytes()));
    }
    bytes
}

/// Compiles C++ to a program, if there is a compiler that knows these options.
pub(super) fn compile(text: &str, folder: &Path, options: &[&str]) -> bool {
    let file = folder.join("networks.cpp");
    std::fs::write(&file, text).expect("the folder is ours");
    let kernels = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/src/gpu/kernels");
    let compiler = Command::new("c++")
        .args(["-std=c++20", "-O1", "-ffp-contract=off", "-pthread", kernels, "-o"])
        .args([folder.join("networks"), file])
        .args(options)
        .output();
    let Ok(output) = compiler else {
        eprintln!("no C++ compiler is here: generated kernels are not tested");
        return false;
    };
    let known = output.status.success() || options.is_empty();
    if !known {
        eprintln!("the C++ compiler does not know {options:?}");
        return false;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

/// What a step gives with that many blocks and threads.
pub(super) fn run(folder: &Path, blocks: usize, threads: usize) -> Vec<f32> {
    let result = folder.join("result");
    let status = Command::new(folder.join("networks"))
        .args([folder.join("batches"), result.clone()])
        .args(["3".to_owned(), blocks.to_string(), threads.to_string()])
        .status();
    assert!(status.expect("it was compiled").success());
    let bytes = std::fs::read(result).expect("it was written");
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}
