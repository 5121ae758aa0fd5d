"""What the dashboard costs: speed of training, bytes and memory with each view shown, compared with --headless.

    python3 benches/screen.py PROGRAM [--rounds 5] [--epochs 20] [--device cuda]
    python3 benches/screen.py PROGRAM --stall 60 [--rounds 3]

Each round trains, for each view, without a screen and then with that view in a terminal of 120 by 40,
all with the run kept in a folder; shares are taken within such a pair, and their median counts. Speed
is that of the median epoch in the run's log; bytes are those of the whole run and of its busiest five
seconds, from the key that opens the view. With `--stall`, each round instead opens the dashboard and
leaves its terminal unread for so many seconds.
"""

import argparse
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import statistics
import struct
import subprocess
import tempfile
import termios
import time

VIEWS = dict(zip("12345678", ["overview", "loss", "step", "confusion", "network", "mistakes", "draw", "why"]))
# Seconds over which the busiest stretch of a terminal is averaged.
STRETCH = 5


def epochs_of(folder):
    """The epochs in a log that may still be written."""
    lines = (folder / "log.jsonl").read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n") and '"event":"epoch"' in line]


def speed(epochs):
    """Images a second of the median epoch."""
    return 60_000 / statistics.median(epoch["train_seconds"] for epoch in epochs)


# What trains, if not the CPU.
DEVICE = []


def options(folder, epochs):
    return [*DEVICE, "--epochs", str(epochs), "--log", str(folder / "log.jsonl"), "--run-dir", str(folder / "run")]


def headless(program, epochs):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command = [program, "--headless", *options(folder, epochs)]
        timed = subprocess.run(["/usr/bin/time", "-f", "%M", *command], capture_output=True, text=True, check=True)
        return speed(epochs_of(folder)[1:]), int(timed.stderr.split()[-1]) / 1024


def end_of(log):
    if not log.exists():
        return b""
    with open(log, "rb") as file:
        file.seek(max(log.stat().st_size - 4096, 0))
        return file.read()


class Screen:
    """The program in a terminal of its own."""

    def __init__(self, command):
        self.start, self.received = time.time(), []
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.execv(command[0], command)

    def read(self, seconds):
        """What comes next, if it comes in time; `None` once the program is gone."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.terminal, 1 << 16)
        except OSError:
            return None
        self.received.append((time.time(), len(data)))
        return data

    def until(self, text):
        tail = b""
        while text not in tail:
            data = self.read(60)
            assert data, f"{text!r} did not come: {tail!r}"
            tail = tail[-100:] + data

    def until_done(self, log):
        while b'"event":"done"' not in end_of(log):
            assert self.read(1) is not None, "the program ended"
        while self.read(0.2):
            pass

    def press(self, key):
        os.write(self.terminal, key.encode())

    def peak(self):
        status = open(f"/proc/{self.pid}/status").read()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def leave(self):
        """Quits, whether or not a run is under way."""
        self.press("qq")
        while self.read(60) is not None:
            pass
        assert os.waitpid(self.pid, 0)[1] == 0
        os.close(self.terminal)


def shown(program, epochs, view):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        screen = Screen([program, *options(folder, epochs)])
        screen.until(b"overview")
        screen.press(view)
        began, screen.received = time.time(), []
        screen.until_done(folder / "log.jsonl")
        seconds, received = time.time() - began, screen.received
        peak = screen.peak()
        screen.leave()
        rate = sum(count for _, count in received) / seconds
        most = max(sum(n for at, n in received if start <= at < start + STRETCH) for start, _ in received)
        # Without the first, in which the view was opened.
        return speed(epochs_of(folder)[1:]), peak, rate, most / min(STRETCH, seconds)


def first_frame(program):
    screen = Screen([program, "--no-run-dir"])
    screen.until(b"overview")
    seconds = time.time() - screen.start
    screen.leave()
    return 1000 * seconds


def one_step(program):
    start = time.time()
    subprocess.run([program, "--headless", "--steps", "1", "--no-run-dir"], capture_output=True, check=True)
    return 1000 * (time.time() - start)


def of(values, form="{:,.1f}"):
    middle, low, high = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low}–{high})"


def views(program, rounds, epochs):
    names = ["headless", *VIEWS]
    speeds, peaks, rates, most = ({name: [] for name in names} for _ in range(4))
    for _ in range(rounds):
        for view in VIEWS:
            alone, memory = headless(program, epochs)
            speeds["headless"].append(alone)
            peaks["headless"].append(memory)
            fast, peak, rate, busiest = shown(program, epochs, view)
            speeds[view].append(100 * fast / alone)
            peaks[view].append(peak)
            rates[view].append(rate / 1000)
            most[view].append(busiest / 1000)
    print(f"without a screen: {of(speeds['headless'], '{:,.0f}')} images/s, peak memory {of(peaks['headless'])} MiB")
    for view, name in VIEWS.items():
        print(f"{name:10}: {of(speeds[view])} % of that, peak memory {of(peaks[view])} MiB, {of(rates[view])} KB/s, at most {of(most[view])}")
    print(f"first frame after {of([first_frame(program) for _ in range(4 * rounds)])} ms")
    print(f"one step, an evaluation and the end after {of([one_step(program) for _ in range(4 * rounds)])} ms")


def stalled(program, rounds, seconds):
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            screen = Screen([program, *options(folder, 100_000)])
            screen.until(b"overview")
            time.sleep(2)
            first, before = len(epochs_of(folder)), (screen.descriptors(), screen.peak())
            time.sleep(seconds)
            epochs, after = epochs_of(folder)[first:], (screen.descriptors(), screen.peak())
            screen.leave()
        alone = headless(program, len(epochs))[0]
        share = 100 * speed(epochs) / alone
        print(
            f"{len(epochs)} epochs unread: {share:.1f} % of the speed without a screen, "
            f"peak memory {before[1]:.1f} MiB before and {after[1]:.1f} after, "
            f"descriptors {before[0]} and {after[0]}"
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--stall", type=float)
    parser.add_argument("--device")
    given = parser.parse_args()
    if given.device:
        DEVICE.extend(["--device", given.device])
    program = os.path.abspath(given.program)
    if given.stall:
        stalled(program, given.rounds or 3, given.stall)
    else:
        views(program, given.rounds or 5, given.epochs)


main()
