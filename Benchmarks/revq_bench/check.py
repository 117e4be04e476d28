"""Measures revq alone and holds it against thresholds.json, in shares of the sgemm rate of the same run.

    python -m revq_bench.check [--repeats 5]     needs the standard library alone

Weights are random and never touch the disk: speed does not depend on them. A threshold applies where the processor has its feature and
as many cores as it has threads. Ends with status 1 where one is missed.
"""

import argparse
import itertools
import json
import os
import pathlib
import subprocess
import sys

from . import CONFIGURATIONS, FOLDER, ROOT
from .processor import features


def case(threshold):
    """What one run measures, both operations at once."""
    return tuple(threshold[key] for key in ("model", "precision", "size", "batch", "threads"))


def measure(executable, repeats, model, precision, size, batch, threads):
    shape = ["--precision", precision, "--size", size, "--batch", batch, "--threads", threads, "--repeats", repeats]
    command = [executable, "measure", "--config", CONFIGURATIONS / f"{model}.json", *shape]
    return json.loads(subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--executable", type=pathlib.Path, default=ROOT / ".build/release/revq-bench")
    options = parser.parse_args()
    cores, known = len(os.sched_getaffinity(0)), features()
    wanted = json.loads((FOLDER / "thresholds.json").read_text())
    wanted = [threshold for threshold in wanted if threshold.get("processor", "") in known and threshold["threads"] <= cores]
    has_failed = False
    print("verdict  share of sgemm  wanted  case")
    for shape, thresholds in itertools.groupby(sorted(wanted, key=case), key=case):
        answer = measure(options.executable, options.repeats, *shape)
        for threshold in thresholds:
            share, floor = answer[f"{threshold['operation']}_share_of_sgemm"], threshold["sgemm_share"]
            has_failed |= share < floor
            verdict = "pass" if share >= floor else "FAIL"
            model, precision, size, batch, threads = shape
            where = f"{threshold['operation']}, {model}, {precision}, {size}×{size}, batch {batch}, {threads} threads"
            print(f"{verdict:7}  {share:14.2f}  {floor:6.2f}  {where}", flush=True)
    sys.exit(has_failed)


if __name__ == "__main__":
    main()
