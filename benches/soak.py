"""Trains a million steps in a terminal of its own and watches memory and descriptors.

    python3 benches/soak.py PROGRAM [--headless] [MORE OPTIONS OF THE PROGRAM]

Prints resident memory, descriptors and the journal's size once a second, and ends with status 1 if
memory in the last quarter of the run is more than a tenth above that in the second quarter, or if
descriptors grew.
"""

import os
import pathlib
import pty
import select
import shutil
import statistics
import sys
import tempfile
import time

STEPS = 1_000_000


def memory(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def is_done(journal):
    if not journal.exists():
        return False
    with open(journal, "rb") as file:
        file.seek(max(journal.stat().st_size - 65536, 0))
        return b'{"state":"done"}' in file.read()


def main():
    program, *more = sys.argv[1:]
    folder = pathlib.Path(tempfile.mkdtemp())
    run = ["--epochs", "834", "--steps", str(STEPS)]
    command = [program, *run, "--run-dir", str(folder / "run"), *more]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execv(program, command)
    samples, start, due = [], time.time(), 0.0
    try:
        while True:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    os.read(terminal, 65536)
                except OSError:
                    break
            if time.time() - start >= due:
                due += 1
                journal = folder / "run" / "journal.jsonl"
                size = journal.stat().st_size / 1e6 if journal.exists() else 0
                samples.append((memory(pid), len(os.listdir(f"/proc/{pid}/fd"))))
                print(f"{due - 1:5.0f} s  {samples[-1][0]:7.1f} MiB  {samples[-1][1]:3} descriptors  journal {size:6.1f} MB", flush=True)
                if is_done(journal):
                    os.write(terminal, b"q")
    except FileNotFoundError:
        pass
    _, status = os.waitpid(pid, 0)
    shutil.rmtree(folder)
    quarter = max(len(samples) // 4, 1)
    middle = [kept[0] for kept in samples[quarter : 2 * quarter]] or [samples[0][0]]
    last = [kept[0] for kept in samples[-quarter - 1 : -1]] or middle
    growth = statistics.median(last) / statistics.median(middle) - 1
    descriptors = [kept[1] for kept in samples[1:-1]] or [0]
    print(f"memory {100 * growth:+.1f} % from the second quarter to the last, descriptors {min(descriptors)} to {max(descriptors)}, exit status {os.waitstatus_to_exitcode(status)}")
    sys.exit(os.waitstatus_to_exitcode(status) or int(growth > 0.1 or max(descriptors) > min(descriptors) + 2))


main()
