"""A peer in a process of its own, obeying the same JSON lines as `revq-bench work`:

python -m revq_bench.peers.worker ENGINE --form FORM --model FOLDER --graphs FOLDER --threads N --precision fp32|bf16 --batch N --size N OPERATION…
"""

import argparse
import json
import os
import pathlib
import sys
import time

import numpy as np
from safetensors.numpy import load_file, save_file

from .engines import ENGINES
from .models import Model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("operations", nargs="+")
    parser.add_argument("--form", default="")
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--graphs", type=pathlib.Path)
    parser.add_argument("--precision")
    for number in ("--threads", "--batch", "--size"):
        parser.add_argument(number, type=int)
    options = parser.parse_args()
    # Answers leave by a copy of standard output; whatever the peer prints goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**values):
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    engine = ENGINES[options.engine](Model("", options.model, options.graphs), options.threads, options.precision, options.form)
    loaded = []
    start = time.perf_counter()
    for operation in options.operations:
        try:
            engine.load(operation, options.batch, options.size)
            loaded.append(operation)
        except ValueError as problem:
            print(problem, file=sys.stderr)
    answer(operations=loaded, load_ms=1000 * (time.perf_counter() - start))

    inputs, results = {}, {}
    for line in sys.stdin:
        request = json.loads(line)
        operation = request["operation"]
        if request["do"] == "prepare":
            inputs[operation] = engine.input(load_file(request["input"])["x"])
            answer()
        elif request["do"] == "run":
            start = time.perf_counter()
            results[operation] = engine.run(operation, inputs[operation])
            answer(ms=1000 * (time.perf_counter() - start))
        elif request["do"] == "save":
            save_file({"y": np.ascontiguousarray(engine.array(results[operation]), dtype=np.float32)}, request["output"])
            answer()


if __name__ == "__main__":
    main()
