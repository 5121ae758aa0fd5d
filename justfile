# Recipes for people who work on mnist-tui. `just` lists them.

_list:
    @just --list --unsorted

# Everything that has to pass before a change goes in.
check: format lint test

# Formats the code.
format:
    cargo fmt --check

# Lints all targets, with and without the download feature.
lint:
    cargo clippy --all-targets --locked -- -D warnings
    cargo clippy --all-targets --locked --no-default-features -- -D warnings

# All tests.
test:
    cargo test --locked

# Takes over changed screens, after a look at each.
screens:
    INSTA_UPDATE=always cargo test --lib ui::

# The program in the smallest build, without the download feature.
lean:
    cargo build --release --locked --no-default-features

# Licences, advisories and sources of all dependencies (cargo install cargo-deny).
deny:
    cargo deny check

# Feeds a reader of files, arguments or terminal input with mutations of its seeds: idx, checkpoint,
# journal, picture, arguments or input (needs a nightly toolchain, a C++ compiler and
# cargo install cargo-fuzz).
fuzz target seconds="60":
    mkdir -p fuzz/corpus/{{target}}
    cargo +nightly fuzz run {{target}} fuzz/corpus/{{target}} fuzz/seeds/{{target}} -- -max_total_time={{seconds}} -max_len=200000

# Attacks on the files of runs, tight limits, faults, kills and random keys; takes some minutes
# (Linux, with strace).
attack *trials:
    cargo build --release --locked
    python3 tests/attack.py target/release/mnist-tui {{trials}}

# A million steps, with a look at memory and descriptors every second: with lines, then with the
# dashboard.
soak:
    cargo build --release --locked
    python3 benches/soak.py target/release/mnist-tui --headless
    python3 benches/soak.py target/release/mnist-tui --rewind-memory 16

# What the dashboard costs, view by view.
screen:
    cargo build --release --locked
    python3 benches/screen.py target/release/mnist-tui --rounds 5 --epochs 14

# What a terminal costs that is not read for a minute.
stall:
    cargo build --release --locked
    python3 benches/screen.py target/release/mnist-tui --stall 60

# The article's two experiments.
reproduce:
    cargo run --release --locked -- reproduce

# Speed by batch size and threads.
bench:
    cargo run --release --locked -- bench

# Speed compared with PyTorch's, which goes into an environment of its own under target.
bench-torch:
    cargo build --release --locked
    python3 -m venv target/torch
    target/torch/bin/pip install --quiet torch numpy zstandard
    target/torch/bin/python benches/beside_pytorch.py target/release/mnist-tui

# Operations, steps, epochs, evaluations, frames and their bytes.
bench-criterion:
    cargo bench --locked

# Whether the compiled GPU kernels are what their source gives; the compiler comes from PyPI.
check-kernels:
    scripts/kernels.sh --check
