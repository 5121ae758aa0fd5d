#!/usr/bin/env python3
"""Times training steps of PyTorch on a GPU, in eager mode and as a CUDA graph, with all images on the card.

    python3 scripts/gpu_pytorch.py
"""
import gzip
import pathlib
import statistics
import subprocess
import time

import numpy
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 5


def idx(name, header):
    """The bytes of a file of MNIST: `gpu.sh pack` leaves it compressed by gzip."""
    packed = HERE / f"{name}.gz"
    if packed.exists():
        data = gzip.decompress(packed.read_bytes())
    else:
        source = HERE.parent / "assets" / "mnist" / f"{name}.zst"
        data = subprocess.run(["zstd", "-dc", source], check=True, capture_output=True).stdout
    return numpy.frombuffer(data, numpy.uint8)[header:].copy()


def article():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip


def convolutions():
    def layer(inputs, outputs, padding=1):
        return nn.Conv2d(inputs, outputs, 3, padding=padding), nn.ReLU()

    return nn.Sequential(
        *layer(1, 16), *layer(16, 16), nn.MaxPool2d(2), *layer(16, 32), *layer(32, 32), nn.MaxPool2d(2),
        *layer(32, 64, 0), nn.Dropout(0.2), nn.Flatten(), nn.Linear(1600, 10),
    )  # fmt: skip


def timed(step, steps):
    """Microseconds a step: median, lowest and highest of the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for number in range(steps):
            step(number)
        torch.cuda.synchronize()
        rounds.append(1e6 * (time.perf_counter() - start) / steps)
    return f"{statistics.median(rounds):.1f} us ({min(rounds):.1f}-{max(rounds):.1f})"


def measure(name, make, batch, pixels, labels):
    criterion, order = nn.CrossEntropyLoss(), torch.randperm(len(pixels), device="cuda")
    places = torch.zeros(batch, dtype=torch.long, device="cuda")

    def choose(number):
        start = number * batch % (len(pixels) - batch)
        places.copy_(order[start : start + batch])

    def training(optimizer, network):
        def step():
            optimizer.zero_grad(set_to_none=True)
            criterion(network(pixels[places]), labels[places]).backward()
            optimizer.step()

        return step

    network = make().cuda()
    eager = training(torch.optim.Adam(network.parameters(), fused=True), network)

    def eager_step(number):
        choose(number)
        eager()

    timed(eager_step, 20)
    eager_time = timed(eager_step, 200)

    network = make().cuda()
    captured = training(torch.optim.Adam(network.parameters(), fused=True, capturable=True), network)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(5):
            captured()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured()

    def graph_step(number):
        choose(number)
        graph.replay()

    parameters = sum(values.numel() for values in network.parameters())
    print(
        f"PyTorch {torch.__version__}, {name} ({parameters} parameters), batch {batch}: "
        f"eager {eager_time}, CUDA graph {timed(graph_step, 500)} a step",
        flush=True,
    )


def main():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    pixels = torch.from_numpy(idx("train-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)).float().div(255).cuda()
    labels = torch.from_numpy(idx("train-labels-idx1-ubyte", 8)).long().cuda()
    measure("the article's network", article, 50, pixels, labels)
    measure("convolutions", convolutions, 128, pixels, labels)


if __name__ == "__main__":
    main()
