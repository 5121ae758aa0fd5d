#!/usr/bin/env python3
"""Times PyTorch and mnist-tui side by side on the article's network and prints the ratios.

    pip install torch numpy zstandard
    python benches/beside_pytorch.py target/release/mnist-tui [--rounds 5] [--threads 2]

Each round times both programs one after the other, so that a machine whose speed drifts does not
favour either; ratios are taken within a round, and their median counts. PyTorch gets its fastest
form: all images as one tensor in memory, batches by index, no data loader. Everything that a step
needs is timed on both sides: gathering the batch, forward, backward, Adam, reading the loss.
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
# One epoch at batch 1 takes PyTorch minutes; its speed does not depend on how long it runs.
IMAGES = {50: 60_000, 1: 4_000}


def idx(name, header):
    with open(ASSETS / f"{name}.zst", "rb") as file:
        data = zstandard.ZstdDecompressor().stream_reader(file).read()
    return numpy.frombuffer(data, numpy.uint8)[header:].copy()


def images(name):
    return torch.from_numpy(idx(name, 16).reshape(-1, 1, 28, 28)).float() / 255


def labels(name):
    return torch.from_numpy(idx(name, 8)).long()


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1_conv = torch.nn.Conv2d(1, 6, 5)
        self.layer2_conv = torch.nn.Conv2d(6, 16, 5)
        self.fc = torch.nn.Linear(256, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.layer1_conv(x)), 2)
        x = torch.max_pool2d(torch.relu(self.layer2_conv(x)), 2)
        return self.fc(x.flatten(1))


def time_torch(train, test, batch):
    """Images a second in training, seconds for an evaluation of all test images."""
    network, criterion = Network(), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters())
    pixels, targets = train
    order = torch.randperm(len(pixels))[: IMAGES[batch]]
    start = time.perf_counter()
    for indices in order.split(batch):
        loss = criterion(network(pixels[indices]), targets[indices])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    with torch.no_grad():
        pairs = zip(test[0].split(1000), test[1].split(1000))
        sum((network(x).argmax(1) == y).sum().item() for x, y in pairs)
    return len(order) / seconds, time.perf_counter() - start


def time_ours(program, batch, threads):
    """The same, of one epoch on all images."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log.jsonl"
        options = ["--headless", "--epochs", "1", "--batch-size", batch, "--threads", threads]
        command = [program, *map(str, options), "--log", log]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        records = map(json.loads, log.read_text().splitlines())
        epoch = next(record for record in records if record["event"] == "epoch")
    return epoch["images_per_second"], epoch["eval_seconds"]


def spread(values, form):
    return f"{form(statistics.median(values))} ({form(min(values))}–{form(max(values))})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
    test = images("t10k-images-idx3-ubyte"), labels("t10k-labels-idx1-ubyte")
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads, {arguments.rounds} rounds")
    print("median (lowest–highest)")
    for batch in IMAGES:
        time_torch(train, test, batch)
        rounds = [
            (time_torch(train, test, batch), time_ours(arguments.program, batch, arguments.threads))
            for _ in range(arguments.rounds)
        ]
        speed = lambda value: f"{value:,.0f}"
        times = lambda value: f"{value:.1f}×"
        milliseconds = lambda value: f"{1000 * value:.0f} ms"
        print(f"batch {batch}")
        print("  PyTorch    images/s ", spread([torch_[0] for torch_, _ in rounds], speed))
        print("  mnist-tui  images/s ", spread([ours[0] for _, ours in rounds], speed))
        print("  ratio               ", spread([ours[0] / torch_[0] for torch_, ours in rounds], times))
        print("  evaluation: PyTorch ", spread([torch_[1] for torch_, _ in rounds], milliseconds))
        print("  evaluation: ours    ", spread([ours[1] for _, ours in rounds], milliseconds))
        print("  ratio               ", spread([torch_[1] / ours[1] for torch_, ours in rounds], times))


if __name__ == "__main__":
    main()
