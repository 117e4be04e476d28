"""Measures revq alone and holds it against thresholds.json, in shares of the sgemm rate of the same run.

    python -m revq_bench.check [--repeats 5]     needs the standard library alone

Weights are random and never touch the disk: speed does not depend on them. A busy moment spoils a share, so a case that misses is measured
twice more and its best counts. A threshold is a little below the least that quiet runs gave, and applies where the processor has its feature and
as many cores as it has threads. Ends with status 1 where one is missed.
"""

import argparse
import functools
import itertools
import json
import os
import pathlib
import subprocess
import sys

from . import CONFIGURATIONS, FOLDER, ROOT
from .processor import features

ATTEMPTS = 3


def case(threshold):
    """What one run measures, both operations at once."""
    return tuple(threshold[key] for key in ("model", "precision", "size", "batch", "threads"))


def shares(thresholds, run):
    """The share of each operation that has a threshold; `run` measures once."""
    best = {}
    for _ in range(ATTEMPTS):
        answer = run()
        for threshold in thresholds:
            operation = threshold["operation"]
            best[operation] = max(best.get(operation, 0), answer[f"{operation}_share_of_sgemm"])
        if all(best[threshold["operation"]] >= threshold["sgemm_share"] for threshold in thresholds):
            break
    return best


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
    for shape, group in itertools.groupby(sorted(wanted, key=case), key=case):
        thresholds = list(group)
        best = shares(thresholds, functools.partial(measure, options.executable, options.repeats, *shape))
        for threshold in thresholds:
            share, floor = best[threshold["operation"]], threshold["sgemm_share"]
            has_failed |= share < floor
            verdict = "pass" if share >= floor else "FAIL"
            model, precision, size, batch, threads = shape
            where = f"{threshold['operation']}, {model}, {precision}, {size}×{size}, batch {batch}, {threads} threads"
            print(f"{verdict:7}  {share:14.2f}  {floor:6.2f}  {where}", flush=True)
    sys.exit(has_failed)


if __name__ == "__main__":
    main()
