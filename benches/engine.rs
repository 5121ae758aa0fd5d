//! Speed of the network's operations, of a training step, an epoch and an evaluation.
//!
//! `cargo bench --bench engine`; everything runs on all cores, inside one pool, as in a run.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use candle_core::{DType, Device, Result, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use crossbeam_channel::{Receiver, bounded};
use mnist_tui::{
    config::RunConfig,
    data::{self, Dataset, batches::Batches},
    network::{NetworkSpec, Plan},
    nn::{
        adam::Adam,
        engine::{Key, Mode},
        loss,
        model::{Model, Weights},
    },
    protocol::{Command, EpochRecord, Event, RunState},
    seed::{self, Purpose},
    train::{self, Tools, Worker},
};
use rayon::ThreadPool;

const BATCHES: [usize; 5] = [1, 8, 50, 256, 1024];

/// Networks by name: a stack of convolutions, the same with batch normalisation, and one without
/// convolutions.
const NETWORKS: [(&str, &str); 3] = [
    (
        "convolutions",
        "conv 16 k3 p1, relu, conv 16 k3 p1, relu, pool 2, conv 32 k3 p1, relu, conv 32 k3 p1, relu, \
         pool 2, conv 64 k3, relu, dropout 0.2, flatten, linear",
    ),
    (
        "batch norm",
        "conv 16 k3 p1, bn, relu, conv 16 k3 p1, bn, relu, pool 2, conv 32 k3 p1, bn, relu, \
         conv 32 k3 p1, bn, relu, pool 2, conv 64 k3, bn, relu, dropout 0.2, flatten, linear",
    ),
    ("linear layers", "flatten, linear 128, relu, linear 64, relu, linear"),
];

const MODE: Mode = Mode::Train(Key { seed: 0, epoch: 1, step: 1 });

fn plan(layers: &str) -> Arc<Plan> {
    let spec: NetworkSpec = layers.parse().expect("it reads");
    Arc::new(Plan::of(&spec, [1, 28, 28], 10).expect("it fits"))
}

fn weights(plan: &Plan) -> Weights {
    Weights::initial(plan, &mut seed::rng(0, Purpose::Initialisation, 0, 0))
}

fn network(plan: Arc<Plan>) -> Result<Model> {
    let weights = weights(&plan);
    Model::new(plan, &weights, &Device::Cpu)
}

/// Images `[n, 1, 28, 28]`, as bytes, and labels `[n]` of a batch.
fn tensors(set: &Dataset, indices: &[u32]) -> Result<(Tensor, Tensor)> {
    let n = indices.len();
    let places = || indices.iter().map(|&index| index as usize);
    let pixels: Vec<u8> = places().flat_map(|index| set.image(index)).copied().collect();
    let labels: Vec<u32> = places().map(|index| u32::from(set.label(index))).collect();
    Ok((
        Tensor::from_vec(pixels, (n, 1, 28, 28), &Device::Cpu)?,
        Tensor::from_vec(labels, n, &Device::Cpu)?,
    ))
}

/// The pool of a run.
fn pool() -> ThreadPool {
    rayon::ThreadPoolBuilder::new().build().expect("the system has threads to give")
}

/// Times `work` from inside the pool, where a run has it too: going in takes longer than a join.
fn timed<T>(pool: &ThreadPool, iterations: u64, mut work: impl FnMut() -> T + Send) -> Duration {
    pool.install(|| {
        let start = Instant::now();
        for _ in 0..iterations {
            black_box(work());
        }
        start.elapsed()
    })
}

fn operations(criterion: &mut Criterion) {
    let set = data::builtin().expect("it is inside the crate").train;
    let (bytes, labels) = tensors(&set, &(0..50).collect::<Vec<_>>()).expect("they fit");
    let plan = Arc::new(Plan::article());
    let model = network(Arc::clone(&plan)).expect("the shapes are the network's own");
    let general = Model::general(Arc::clone(&plan), &weights(&plan)).expect("they are its weights");
    let images = bytes.to_dtype(DType::F32).and_then(|bytes| bytes / 255.0).expect("they convert");
    let logits = model.logits(&bytes).expect("they fit");

    let pool = pool();
    let mut group = criterion.benchmark_group("operations, batch 50");
    let mut operation = |name: &str, work: &(dyn Fn() -> Result<Tensor> + Sync)| {
        group.bench_function(name, |bencher| bencher.iter_custom(|n| timed(&pool, n, work)));
    };
    operation("cross-entropy", &|| loss::cross_entropy(&logits, &labels));
    operation("article, forward", &|| model.logits(&bytes));
    operation("article", &|| Ok(model.loss(&bytes, &labels, MODE)?.loss));
    operation("article, general kernels", &|| Ok(general.loss(&bytes, &labels, MODE)?.loss));
    operation("article, composed", &|| Ok(model.loss_composed(&images, &labels, MODE)?.loss));
    group.finish();

    let mut group = criterion.benchmark_group("networks, forward and back");
    for (name, layers) in NETWORKS {
        let model = network(self::plan(layers)).expect("the shapes are the network's own");
        for n in [1, 64, 128] {
            let (bytes, labels) = tensors(&set, &(0..n).collect::<Vec<_>>()).expect("they fit");
            group.throughput(Throughput::Elements(u64::from(n)));
            group.bench_function(BenchmarkId::new(name, n), |bencher| {
                bencher.iter_custom(|n| timed(&pool, n, || model.loss(&bytes, &labels, MODE)));
            });
        }
    }
    group.finish();
}

fn step(criterion: &mut Criterion) {
    let set = data::builtin().expect("it is inside the crate").train;
    let pool = pool();
    let mut group = criterion.benchmark_group("step");
    for batch_size in BATCHES {
        group.throughput(Throughput::Elements(batch_size as u64));
        let model = network(Arc::new(Plan::article())).expect("the shapes are the network's own");
        let mut adam = Adam::new(&model).expect("memory suffices");
        let batches = Batches::shuffled(set.len(), batch_size, 0, 1);
        let mut next = 0;
        let mut train = || -> Result<f32> {
            let (images, labels) = tensors(&set, batches.batch(next))?;
            next = (next + 1) % batches.count();
            let outcome = model.loss(&images, &labels, MODE)?;
            adam.step(&outcome.backward(model.variable())?)?;
            outcome.loss.to_scalar()
        };
        group.bench_function(BenchmarkId::from_parameter(batch_size), |bencher| {
            bencher.iter_custom(|n| timed(&pool, n, &mut train));
        });
    }
    group.finish();
}

/// What the worker reports of one epoch.
fn epoch() -> EpochRecord {
    let (sender, events) = bounded(64);
    let worker = train::spawn(RunConfig { epochs: 1, ..RunConfig::default() }, vec![sender]);
    let record = events.iter().find_map(|event| match event {
        Event::Epoch(record) => Some(record),
        _ => None,
    });
    drop(events);
    worker.join();
    record.expect("one epoch is trained")
}

fn run(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("run");
    group.sample_size(10).measurement_time(Duration::from_secs(15));
    let reported = |seconds: fn(&EpochRecord) -> f64| {
        move |iterations: u64| {
            let total: f64 = (0..iterations).map(|_| seconds(&epoch())).sum();
            Duration::from_secs_f64(total)
        }
    };
    group.bench_function("epoch of 60,000 images, batch 50", |bencher| {
        bencher.iter_custom(reported(|record| record.train_seconds));
    });
    group.bench_function("evaluation of 10,000 images", |bencher| {
        bencher.iter_custom(reported(|record| record.evaluation.seconds));
    });
    group.bench_function("decoding the built-in set", |bencher| bencher.iter(data::builtin));
    group.finish();
}

/// A finished run of ten epochs that is rewound and played forward again.
struct Traveller {
    worker: Worker,
    events: Receiver<Event>,
}

impl Traveller {
    fn at_the_end() -> Self {
        let (sender, events) = bounded(1024);
        let worker = train::spawn_with_tools(RunConfig::default(), Tools::attended(), vec![sender]);
        let this = Self { worker, events };
        this.until(|event| matches!(event, Event::State(RunState::Done)));
        this
    }

    fn until(&self, awaited: impl Fn(&Event) -> bool) {
        assert!(self.events.iter().any(|event| awaited(&event)), "the run answers");
    }

    /// Rewinds by this many steps, then returns to the end, and gives the time the rewind took.
    fn back_and_forth(&self, steps: u64) -> Duration {
        let start = Instant::now();
        self.worker.send(Command::Back(steps));
        self.until(|event| matches!(event, Event::Rewound(_)));
        let taken = start.elapsed();
        self.worker.send(Command::Resume);
        self.until(|event| matches!(event, Event::State(RunState::Done)));
        taken
    }
}

fn going_back(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rewind from step 12,000 by");
    group.sample_size(10).measurement_time(Duration::from_secs(15));
    let traveller = Traveller::at_the_end();
    for steps in [1, 100, 1_000, 10_000] {
        // Each time a little further, because a step that was visited is cached.
        let mut further = (steps..).step_by(17);
        let mut go = || traveller.back_and_forth(further.next().expect("numbers do not end"));
        group.bench_function(BenchmarkId::from_parameter(steps), |bencher| {
            bencher.iter_custom(|n| (0..n).map(|_| go()).sum());
        });
    }
    group.finish();
    traveller.worker.send(Command::Stop);
    drop(traveller.events);
    traveller.worker.join();
}

criterion_group!(benches, operations, step, run, going_back);
criterion_main!(benches);
