#!/usr/bin/env python3
"""Times PyTorch and mnist-tui side by side and prints the ratios.

    pip install torch numpy zstandard
    python benches/beside_pytorch.py target/release/mnist-tui [--rounds 5] [--threads 2]
        [--network NAME ...]

Each round times both programs one after the other, so that a machine whose speed drifts does not
favour either; ratios are taken within a round, and their median counts. PyTorch gets its fastest
form: all images as one tensor in memory, batches by index, no data loader. Everything that a step
needs is timed on both sides: gathering the batch, forward, backward, Adam, reading the loss. The
module is the one that `mnist-tui model --pytorch` prints.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy
import torch
import zstandard

ASSETS = pathlib.Path(__file__).resolve().parent.parent / "assets" / "mnist"
CONVOLUTIONS = (
    "conv 16 k3 p1, {n}relu, conv 16 k3 p1, {n}relu, pool 2, conv 32 k3 p1, {n}relu, "
    "conv 32 k3 p1, {n}relu, pool 2, conv 64 k3, {n}relu, dropout 0.2, flatten, linear"
)
# By name: the layers, and for each batch size how many images are timed. One epoch at batch 1 takes
# PyTorch minutes; its speed does not depend on how long it runs.
NETWORKS = {
    "article": ("article", {50: 60_000, 1: 4_000}),
    # Dropout of nothing is enough to keep the article's own kernels away.
    "general": (
        "conv 6 k5, relu, pool 2, conv 16 k5, relu, pool 2, flatten, dropout 0, linear",
        {50: 60_000},
    ),
    "convolutions": (CONVOLUTIONS.format(n=""), {64: 12_800, 128: 12_800}),
    "batch-norm": (CONVOLUTIONS.format(n="bn, "), {64: 12_800, 128: 12_800}),
    "linear": ("flatten, linear 128, relu, linear 64, relu, linear", {64: 60_000, 128: 60_000}),
}


def idx(name, header):
    with open(ASSETS / f"{name}.zst", "rb") as file:
        data = zstandard.ZstdDecompressor().stream_reader(file).read()
    return numpy.frombuffer(data, numpy.uint8)[header:].copy()


def images(name):
    return torch.from_numpy(idx(name, 16).reshape(-1, 1, 28, 28)).float() / 255


def labels(name):
    return torch.from_numpy(idx(name, 8)).long()


def module(program, layers):
    """The class that the program prints for a network."""
    command = [program, "model", layers, "--pytorch"]
    code = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = {}
    exec(code, names)
    return names["Net"]


def time_torch(net, train, test, batch, count):
    """Images a second in training, seconds for an evaluation of all test images."""
    network, criterion = net(), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters())
    pixels, targets = train
    order = torch.randperm(len(pixels))[:count]
    start = time.perf_counter()
    for indices in order.split(batch):
        loss = criterion(network(pixels[indices]), targets[indices])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    seconds = time.perf_counter() - start
    network.eval()
    start = time.perf_counter()
    with torch.no_grad():
        pairs = zip(test[0].split(1000), test[1].split(1000))
        sum((network(x).argmax(1) == y).sum().item() for x, y in pairs)
    return len(order) / seconds, time.perf_counter() - start


def time_ours(program, layers, batch, count, threads):
    """The same. At batch 1 of a whole epoch, which takes us seconds."""
    steps = [] if batch == 1 else ["--steps", count // batch]
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log.jsonl"
        options = ["--headless", "--no-run-dir", "--epochs", 1, "--batch-size", batch, *steps]
        options += ["--threads", threads, "--model", layers, "--log", log]
        command = [program, *map(str, options)]
        # PyTorch's idle threads spin for a while before they sleep, on cores that are to be ours.
        time.sleep(0.5)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        records = map(json.loads, log.read_text().splitlines())
        epoch = next(record for record in records if record["event"] == "epoch")
    return epoch["images_per_second"], epoch["eval_seconds"]


def spread(values, form):
    return f"{form(statistics.median(values))} ({form(min(values))}–{form(max(values))})"


def report(arguments, name, train, test):
    layers, counts = NETWORKS[name]
    net = module(arguments.program, layers)
    for batch, count in counts.items():
        time_torch(net, train, test, batch, count // 10)
        rounds = [
            (
                time_torch(net, train, test, batch, count),
                time_ours(arguments.program, layers, batch, count, arguments.threads),
            )
            for _ in range(arguments.rounds)
        ]
        speed = lambda value: f"{value:,.0f}"
        times = lambda value: f"{value:.1f}×"
        milliseconds = lambda value: f"{1000 * value:.0f} ms"
        print(f"{name}, batch {batch}")
        print("  PyTorch    images/s ", spread([torch_[0] for torch_, _ in rounds], speed))
        print("  mnist-tui  images/s ", spread([ours[0] for _, ours in rounds], speed))
        print("  ratio               ", spread([ours[0] / torch_[0] for torch_, ours in rounds], times))
        print("  evaluation: PyTorch ", spread([torch_[1] for torch_, _ in rounds], milliseconds))
        print("  evaluation: ours    ", spread([ours[1] for _, ours in rounds], milliseconds))
        print("  ratio               ", spread([torch_[1] / ours[1] for torch_, ours in rounds], times))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--network", action="append", choices=NETWORKS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
    test = images("t10k-images-idx3-ubyte"), labels("t10k-labels-idx1-ubyte")
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads, {arguments.rounds} rounds")
    print("median (lowest–highest)")
    for name in arguments.network or NETWORKS:
        report(arguments, name, train, test)


if __name__ == "__main__":
    main()
