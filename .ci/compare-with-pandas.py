"""Writes two large tables, and compares the time and memory that both programs read them with."""

import gzip
import pathlib
import re
import statistics
import subprocess
import sys

import numpy as np
import pandas as pd

ROUNDS = 5
PROGRAM, DIGITS, SCRATCH = (pathlib.Path(path) for path in sys.argv[1:4])

READ = """
import sys, time, pandas
start = time.perf_counter()
table = pandas.read_csv(sys.argv[1])
seconds = time.perf_counter() - start
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, int(peak.split()[1]) / 1e6, table.memory_usage(index=False, deep=True).sum() / 1e9)
"""


def write_digits(path):
    """The training digits: a label and 784 bytes a row."""
    images = gzip.decompress((DIGITS / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((DIGITS / "train-labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8)[16:].reshape(-1, 784)
    rows = np.column_stack([np.frombuffer(labels, np.uint8)[8:], pixels])
    names = ["label", *(f"p{place}" for place in range(784))]
    pd.DataFrame(rows, columns=names).to_csv(path, index=False)


def write_mixed(path):
    """Numbers of several sizes, some of them missing, whole numbers and a label of three classes."""
    random, rows = np.random.default_rng(1), 1_000_000
    table = {
        f"x{place}": np.round(random.normal(size=rows) * 10.0 ** (place - 2), max(6 - place, 2))
        for place in range(8)
    }
    table["x5"][random.random(rows) < 0.05] = np.nan
    table["count"] = random.integers(0, 10_000, rows)
    table["small"] = random.integers(-5, 6, rows)
    table["label"] = np.array(["low", "mid", "high"])[random.integers(0, 3, rows)]
    pd.DataFrame(table).to_csv(path, index=False)


def read_with_pandas(path):
    """Seconds, the process's peak of memory and the memory of the numbers, in GB."""
    run = subprocess.run(
        [sys.executable, "-c", READ, str(path)], check=True, capture_output=True, text=True
    )
    return tuple(float(figure) for figure in run.stdout.split())


def read_with_pipeline(path):
    """Seconds until the samples are there, and the process's peak of memory by then, in GB."""
    command = [
        str(PROGRAM), "train", "--Data:Train", str(path), "--Data:Label", "label", "--Data:Missing", "Mean",
        "--Training:Iterations", "1", "--Run:Directory", str(SCRATCH / "runs"),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        for line in run.stderr:
            found = re.search(r"Loaded .* in ([0-9.]+) s", line)
            if found:
                status = pathlib.Path(f"/proc/{run.pid}/status").read_text()
                peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1e6
                run.stderr.read()
                return float(found[1]), peak
    sys.exit(f"{PROGRAM} did not load {path}")


print("| file | numbers | pandas | Pipeline |")
print("|---|---:|---:|---:|")
for name, write in (("digits", write_digits), ("mixed", write_mixed)):
    file = SCRATCH / f"{name}.csv"
    write(file)
    pandas_runs, own_runs = [], []
    for _ in range(ROUNDS):
        pandas_runs.append(read_with_pandas(file))
        own_runs.append(read_with_pipeline(file))
    theirs = [statistics.median(figures) for figures in zip(*pandas_runs)]
    own = [statistics.median(figures) for figures in zip(*own_runs)]
    print(
        f"| {name}, {file.stat().st_size / 1e6:.0f} MB | {theirs[2]:.2f} GB "
        f"| {theirs[0]:.2f} s, {theirs[1]:.2f} GB | {own[0]:.2f} s, {own[1]:.2f} GB |"
    )
