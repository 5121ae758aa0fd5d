#!/usr/bin/env bash
# Everything that should be known of a GPU, in about two minutes. `scripts/gpu.sh pack DIR` builds the program and
# gathers what is needed in DIR (about 40 MB), `DIR/gpu.sh` there runs it: copy DIR to the machine with the GPU.
# That machine needs a driver; nvcc, NVRTC, PyTorch and compute-sanitizer are used where they are found.
set -euo pipefail
cd "$(dirname "$0")"

if [ "${1-}" = pack ]; then
    out="${2:?where to}" && mkdir -p "$out" && out="$(cd "$out" && pwd)" && cd ..
    cargo build --release --locked
    program="${CARGO_TARGET_DIR:-target}/release/mnist-tui"
    strip -o "$out/mnist-tui" "$program"
    # The weights that the kernels' host build ends with are exact to the bit: a pretended driver makes them.
    driver="$(mktemp -d)" && trap 'rm -rf "$driver"' EXIT
    c++ -std=c++20 -O2 -ffp-contract=off -fno-strict-aliasing -pthread -shared -fPIC -w -Isrc/gpu/kernels \
        tests/gpu/driver.cpp -o "$driver/libcuda.so.1"
    ln -s libcuda.so.1 "$driver/libcuda.so" # the name that is tried first
    for batch in 50 200; do
        LD_LIBRARY_PATH="$driver" "$program" --headless --no-run-dir --device cuda --steps 100 \
            --batch-size "$batch" --threads 1 --save "$out/host-$batch.safetensors" >/dev/null
    done
    for name in train-images-idx3-ubyte train-labels-idx1-ubyte; do
        zstd -dc "assets/mnist/$name.zst" | gzip -9 >"$out/$name.gz"
    done
    cp scripts/gpu.sh scripts/gpu_pytorch.py benches/screen.py "$out"
    exit
fi

set +e
work="$(mktemp -d)" && trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work/state" XDG_CACHE_HOME="$work/cache"
part() { printf '\n== %s (after %s s)\n' "$1" "$SECONDS"; }
run() { timeout 60 ./mnist-tui --headless --no-run-dir --device cuda "$@"; }
convolutions='conv 16 k3 p1, relu, conv 16 k3 p1, relu, pool 2, conv 32 k3 p1, relu, conv 32 k3 p1, relu, pool 2, conv 64 k3, relu, dropout 0.2, flatten, linear'

part 'machine'
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,power.limit --format=csv,noheader
./mnist-tui --version
./mnist-tui --device list
./mnist-tui doctor --json

part 'bits: against the host build, and twice the same'
for batch in 50 200; do
    run --steps 100 --batch-size "$batch" --save "$work/$batch" >/dev/null && cmp "$work/$batch" "host-$batch.safetensors" &&
        echo "batch $batch: the same bits"
done
for i in 1 2; do run --epochs 3 --save "$work/$i" | tail -n 1; done
cmp "$work/1" "$work/2" && echo 'the same bits again'
timeout 60 ./mnist-tui --headless --no-run-dir --device cpu --epochs 3 | tail -n 1

part 'speed of the article'"'"'s network'
timeout 120 ./mnist-tui bench --device cuda --batch-size 1,10,50,128,1000
for i in 1 2 3; do run --epochs 50 | tail -n 2; done

part 'another network, compiled by NVRTC'
for i in 1 2; do
    start=$(date +%s%N)
    run --model "$convolutions" --batch-size 128 --epochs 2 | tail -n 3
    echo "took $((($(date +%s%N) - start) / 1000000)) ms, $([ $i = 1 ] && echo with || echo without) compilation"
done
timeout 60 ./mnist-tui bench --device cuda --model "$convolutions" --batch-size 128

part 'PyTorch on the same card'
timeout 120 python3 gpu_pytorch.py

part 'what the dashboard costs'
timeout 120 python3 screen.py ./mnist-tui --rounds 1 --epochs 40 --device cuda

part 'memory and races'
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck; do
        timeout 90 compute-sanitizer --tool "$tool" ./mnist-tui --headless --no-run-dir --device cuda --steps 3 2>&1 | tail -n 2
    done
fi
part 'end'
