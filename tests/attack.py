"""Trials that take minutes: attacks on the files of runs, tight limits, faults, kills and random keys.

    python3 tests/attack.py PROGRAM [TRIAL...] [--seed N] [--scale F]

Prints a line for each trial and ends with status 1 if one fails. Needs Linux, and strace for `faults`.
`--scale` multiplies the number of kills, faults and key scripts.
"""

import argparse
import contextlib
import json
import os
import pathlib
import pty
import random
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

RUN_FILES = {"config.json", "lock", "journal.jsonl", "last.safetensors", "previous.safetensors", "best.safetensors"}


class Failure(Exception):
    """What a trial found."""


def expect(holds, what):
    if not holds:
        raise Failure(what)


class Place:
    """A folder with a small data set, and a state directory of its own."""

    def __init__(self, program):
        self.program = program
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="attack-"))
        self.runs = self.path / "state" / "mnist-tui" / "runs"
        self.environment = {**os.environ, "XDG_STATE_HOME": str(self.path / "state"), "TERM": "xterm-256color"}
        self.environment.pop("RUST_BACKTRACE", None)
        for name, count in (("train", 300), ("t10k", 20)):
            pixels = random.Random(count).randbytes(784 * count)
            labels = bytes(i % 10 for i in range(count))
            (self.path / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + pixels)
            (self.path / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)

    def command(self, *arguments, screen=False):
        train = ["--data", str(self.path), "--batch-size", "5"] if not arguments or arguments[0].startswith("--") else []
        train = [] if "--resume" in arguments else train
        lines = ["--headless"] if not screen and (not arguments or arguments[0].startswith("--")) else []
        return [self.program, *train, *map(str, arguments), *lines]

    def start(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        return subprocess.Popen(self.command(*arguments), cwd=self.path, env=self.environment, **options)

    def run(self, *arguments, timeout=120, **options):
        child = self.start(*arguments, **options)
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            raise Failure(f"{arguments} did not end within {timeout} s") from None
        return child.returncode, out or "", err or ""

    def ok(self, *arguments, **options):
        status, out, err = self.run(*arguments, **options)
        expect(status == 0, f"{arguments}: status {status}: {err}")
        return out

    def clear(self):
        shutil.rmtree(self.path, ignore_errors=True)


def snapshot(folder):
    """Names and content of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def no_panic(status, text, what):
    expect("panicked" not in text and status != 101, f"{what}: panic: {text}")
    broken = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGILL}
    expect(status not in broken, f"{what}: status {status}")


def links(place, random, scale):
    """Links in the state directory, in a run and on the way to it lead to nothing being written or removed."""
    elsewhere = place.path / "elsewhere"
    place.ok("--epochs", 2, "--run-dir", elsewhere / "2020-01-01T00-00-00")
    before = snapshot(elsewhere)
    place.ok("--steps", 1)
    (place.runs / "2020-01-01T00-00-00").symlink_to(elsewhere / "2020-01-01T00-00-00")
    (place.runs / "2019-01-01T00-00-00").symlink_to(elsewhere)
    for _ in range(3):
        place.ok("--steps", 1, "--keep-runs", 1)
    expect(snapshot(elsewhere) == before, "pruning followed a link")
    for name in ("2020-01-01T00-00-00", "2019-01-01T00-00-00", "2020-01-01T00-00-00/", "2019-01-01T00-00-00/"):
        status, _, err = place.run("runs", "rm", "--yes", name)
        expect(status == 1 and "is a link" in err, f"rm of a link: {status} {err}")
    expect(snapshot(elsewhere) == before, "rm followed a link")
    theirs = place.path / "theirs"
    for name in sorted(RUN_FILES - {"lock"}):
        run = place.path / f"run-{name}"
        place.ok("--epochs", 2, "--run-dir", run)
        theirs.write_bytes((run / name).read_bytes())
        content = theirs.read_bytes()
        (run / name).unlink()
        (run / name).symlink_to(theirs)
        status, _, err = place.run("--resume", run, "--epochs", 4)
        no_panic(status, err, f"resume with {name} a link")
        expect(theirs.read_bytes() == content, f"{name} was written through a link")
    return "6 links"


def swaps(place, random, scale):
    """A run's folder that is exchanged for a link while the run writes to it: nothing is written behind the link."""
    victim = place.path / "victim"
    count, swapped = int(10 * scale), 0
    for number in range(count):
        shutil.rmtree(victim, ignore_errors=True)
        victim.mkdir()
        for name in RUN_FILES:
            (victim / name).write_text("theirs")
        before = snapshot(victim)
        run = place.path / f"swapped{number}"
        child = place.start("--epochs", 40, "--run-dir", run)
        deadline = time.monotonic() + 20
        while not run.exists() and child.poll() is None and time.monotonic() < deadline:
            pass
        time.sleep(random.random() * 0.02)
        with contextlib.suppress(OSError):
            run.rename(place.path / f"moved{number}")
            run.symlink_to(victim)
            swapped += child.poll() is None
        child.communicate(timeout=120)
        expect(snapshot(victim) == before, f"swap {number}: written behind the link")
    expect(swapped > count / 2, f"only {swapped} of {count} folders were exchanged in time")
    return f"{swapped} of {count} folders exchanged in time"


def folders(place, random, scale):
    """Folders of other programs, in any mixture of names, lose nothing."""
    count = int(40 * scale)
    contents = ['{"name":"my web app"}', "", "{}", "[]", "null", '{"epochs":10}', "\0" * 100, '{"state":"done"}']
    for number in range(count):
        folder = place.runs / f"20{random.randrange(10, 99)}-01-01T00-00-{number % 60:02}"
        folder.mkdir(parents=True, exist_ok=True)
        for name in random.sample(sorted(RUN_FILES), random.randrange(1, 7)):
            (folder / name).write_text(random.choice(contents[:3] if name == "lock" else contents))
        (folder / "notes.txt").write_text("mine")
        old = time.time() - 3600
        os.utime(folder, (old, old))
    before = snapshot(place.runs)
    for path in sorted(place.runs.iterdir()):
        for arguments in (("runs", "rm", "--yes", path), ("--resume", path), ("runs",)):
            status, out, err = place.run(*arguments)
            no_panic(status, out + err, str(arguments))
    expect({**snapshot(place.runs), **before} == snapshot(place.runs), "a foreign file was changed")
    place.ok("--steps", 1, "--keep-runs", 1)
    after = snapshot(place.runs)
    expect(all(after.get(name) == content for name, content in before.items()), "pruning took a foreign file")
    return f"{count} folders"


def limits(place, random, scale):
    """Every limit of the system, from too tight for anything on: an error in words, no panic, no hang."""
    count = 0
    limits = {
        resource.RLIMIT_NOFILE: range(3, 24),
        resource.RLIMIT_FSIZE: (0, 1, 100, 4096, 30_000, 70_000, 150_000),
        resource.RLIMIT_AS: (1 << 22, 1 << 25, 1 << 26, 1 << 27, 1 << 28),
        resource.RLIMIT_STACK: (1 << 14, 1 << 16, 1 << 18),
    }
    for limit, values in limits.items():
        for value in values:
            def tighten(limit=limit, value=value):
                resource.setrlimit(limit, (value, value))
            run = place.path / f"limit-{limit}-{value}"
            arguments = ("--epochs", 2, "--run-dir", run, "--save", place.path / "w", "--log", place.path / "l")
            try:
                status, out, err = place.run(*arguments, preexec_fn=tighten)
            except (subprocess.SubprocessError, OSError):
                continue
            count += 1
            # Too little memory or stack for the loader or the runtime itself is not the program's to report.
            if limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
                no_panic(status, out + err, f"limit {limit} of {value}")
                expect(status in (0, 1, 127), f"limit {limit} of {value}: status {status}: {err}")
            expect("damaged" not in err, f"limit {limit} of {value}: {err}")
            if (run / "config.json").exists():
                status, _, err = place.run("--resume", run)
                expect(status == 0, f"after limit {limit} of {value}, resume: {err}")
    return f"{count} limits"


def faults(place, random, scale):
    """A rename, write, open or sync that fails, the n-th of each: the run says so, and can be resumed."""
    if not shutil.which("strace"):
        return "skipped: no strace"
    count = 0
    reference = place.path / "reference"
    place.ok("--epochs", 3, "--run-dir", reference, "--save", place.path / "reference.w", "--threads", 1)
    calls = {"rename,renameat,renameat2": 12, "fsync,fdatasync": 16, "openat": 60, "write": 40, "ftruncate": 2}
    for call, most in calls.items():
        numbers = random.sample(range(1, most + 1), min(most, max(1, int(most * 0.4 * scale))))
        for number in sorted(numbers):
            run = place.path / f"fault-{call.split(',')[0]}-{number}"
            error = random.choice(["EIO", "ENOSPC", "EACCES"])
            trace = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}"]
            train = place.command("--epochs", 3, "--run-dir", run, "--save", f"{run}.w", "--threads", 1)
            ended = subprocess.run([*trace, *train], cwd=place.path, env=place.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
            count += 1
            what = f"{error} at {call} {number}"
            if "panicked" in ended.stderr or ended.returncode < 0:
                raise Failure(f"{what}: {ended.returncode} {ended.stderr}")
            if (run / "config.json").exists():
                status, _, err = place.run("--resume", run)
                expect(status == 0, f"{what}: cannot be resumed: {err}")
                expect(pathlib.Path(f"{run}.w").read_bytes() == (place.path / "reference.w").read_bytes(), f"{what}: other weights")
    return f"{count} faults"


def kills(place, random, scale):
    """Eight runs at once in one state directory, each pruning, killed at random: all that is left can be listed and removed."""
    rounds = max(1, int(12 * scale))
    for _ in range(rounds):
        children = [place.start("--epochs", 30, "--keep-runs", 3, "--threads", 1, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(8)]
        for child in random.sample(children, len(children)):
            time.sleep(random.random() * 0.05)
            child.kill()
            child.wait()
    old = time.time() - 3600
    for path in place.runs.iterdir():
        os.utime(path, (old, old))
    place.ok("--epochs", 1, "--keep-runs", 1000)
    listed = {line.split()[0] for line in place.ok("runs").splitlines()[1:] if line.startswith("2")}
    there = {path.name for path in place.runs.iterdir()}
    expect(listed == there, f"not listed: {sorted(there - listed)}")
    for name in sorted(listed):
        status, _, err = place.run("--resume", name, "--epochs", 31, "--keep-runs", 1000, timeout=60)
        expect(status == 0, f"{name} cannot be resumed: {err}")
    place.ok("runs", "rm", "--yes", *sorted(listed))
    expect(not list(place.runs.iterdir()), "something is left")
    return f"{8 * rounds} kills, {len(listed)} runs left, all resumed and removed"


class Keys:
    """A dashboard in a terminal that nobody looks at."""

    def __init__(self, place, *arguments):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(place.path)
            os.environ.update(place.environment, COLUMNS="100", LINES="30")
            command = place.command(*arguments, screen=True)
            os.execv(command[0], command)
        self.text = b""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.terminal, 65536):
                self.text = (self.text + data)[-200_000:]

    def press(self, keys):
        with contextlib.suppress(OSError):
            os.write(self.terminal, keys)

    def end(self, timeout):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        raise Failure(f"the dashboard did not end: {self.text[-2000:]!r}")


def keys(place, random, scale):
    """Random keys, rewinds among them, on 1, 2 and 7 threads: the weights are the ones of the plain run."""
    place.ok("--epochs", 20, "--save", place.path / "plain.w", "--no-run-dir")
    plain = (place.path / "plain.w").read_bytes()
    # All keys that do not change what is trained: neither rates nor quitting.
    harmless = [b" ", b"p", b"s", b"]", b"S", b"b", b"[", b"e", b"E", b"f", b"F", b"\t", b"?", b"\x1b", b"l", b"r", b"i", b"m", b"t", b"j", b"k", b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\r", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"\x1b[5~", b"\x1b[6~"]
    count, pressed = max(1, int(12 * scale)), 0
    for number in range(count):
        save = place.path / f"keys{number}.w"
        screen = Keys(place, "--epochs", 20, "--save", save, "--no-run-dir", "--threads", (1, 2, 7)[number % 3])
        for _ in range(random.randrange(40, 130)):
            key = random.choice(harmless)
            if random.random() < 0.08:
                key = b"g" + str(random.randrange(1, 1200)).encode() + b"\r"
            # One after the other, as a person types.
            for byte in re.findall(rb"\x1b\[.~?~?|.|\r", key, re.S):
                screen.press(byte)
                time.sleep(random.random() * 0.012)
            pressed += 1
        # Every dialog closed, full speed, and on to the last step, until the weights are saved.
        deadline = time.monotonic() + 120
        while not save.exists():
            expect(time.monotonic() < deadline, f"script {number}: the run did not end")
            for byte in [b"\x1b", b"\x1b", b"1", *[b"f"] * 6, *(bytes([byte]) for byte in b"g1200\r")]:
                screen.press(byte)
                time.sleep(0.06)
            time.sleep(0.5)
        # A question may still be open, and takes no letters.
        for byte in (b"\x1b", b"\x1b", b"q", b"q"):
            screen.press(byte)
            time.sleep(0.2)
        status = screen.end(60)
        expect(status == 0, f"script {number}: status {status}")
        expect(save.read_bytes() == plain, f"script {number}: other weights")
    return f"{count} scripts, {pressed} keys"


TRIALS = {trial.__name__: trial for trial in (links, swaps, folders, limits, faults, kills, keys)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("trials", nargs="*", choices=[[], *TRIALS], help="all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    failed = False
    for name in options.trials or TRIALS:
        place, start = Place(options.program), time.monotonic()
        try:
            result = TRIALS[name](place, random.Random(options.seed), options.scale)
            print(f"{name:8} passed  {result}, {time.monotonic() - start:.0f} s", flush=True)
            place.clear()
        except Failure as failure:
            failed = True
            print(f"{name:8} FAILED  {failure} (left in {place.path})", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
