"""One case: all its peers alive at once, each measured once before any is measured again."""

import statistics
import subprocess
import time

import numpy as np
from safetensors.numpy import load_file, save_file

from . import export, flops, mnn, profile
from .engines import READERS_OF_GRAPHS
from .process import Worker, WorkerFailed

# Threads of a peer that has just answered may spin for a while; the next one waits that long.
SETTLING_SECONDS = 0.25


class Inputs:
    """Random inputs in PyTorch's order and, for revq, with channels last; the same for every peer."""

    def __init__(self, case, scratch):
        self.files = {}
        for operation in case.operations:
            x = np.random.default_rng(7).standard_normal(case.model.input_shape(operation, case.batch, case.size), np.float32)
            if operation == "encode":
                x = np.clip(x / 2, -1, 1)
            for engine in ("revq", "peer"):
                file = scratch / f"{operation}-{engine}.safetensors"
                save_file({"x": channels_last(x) if engine == "revq" else x}, file)
                self.files[operation, engine] = file

    def file(self, operation, peer):
        return str(self.files[operation, "revq" if peer.engine == "revq" else "peer"])


def channels_last(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim == 4 else x


def measure(case, peers, repeats, executable, scratch, say):
    """All results of one case, ready for JSON."""
    result = {
        "model": case.model.name,
        "batch": case.batch,
        "size": case.size,
        "threads": case.threads,
        "precision": case.precision,
        "gflop_per_image": _flops(case, say),
        "peers": {},
        "refused": {},
        "sgemm_gflops": [],
        "copy_gigabytes_per_second": [],
    }
    inputs = Inputs(case, scratch)
    _prepare_graphs(case, {peer.engine for peer in peers}, say)
    workers = []
    for peer in peers:
        say(f"starting {peer.name}")
        try:
            workers.append(_started(peer, case, inputs, executable, scratch, result))
            _compare(case, workers[-1], scratch, result)
        except WorkerFailed as failure:
            result["refused"][peer.name] = str(failure)
            say(f"without {peer.name}: {failure}")
    for repeat in range(repeats):
        say(f"round {repeat + 1} of {repeats}")
        _round(case, workers, repeat, result)
    for worker in workers:
        if worker.peer.engine == "revq" and case.is_profiled:
            result["profiles"] = {operation: profile.take(worker, operation) for operation in worker.operations}
        worker.close()
    return result


def _prepare_graphs(case, engines, say):
    if not engines.intersection(READERS_OF_GRAPHS):
        return
    for operation in case.operations:
        say(f"exporting {operation}")
        shape = case.model, operation, case.batch, case.size
        try:
            export.prepare(*shape)
            if "mnn" in engines:
                mnn.prepare(*shape)
        except subprocess.CalledProcessError:
            say(f"{operation} cannot be expressed in PyTorch, nor exported")
        except ValueError as problem:
            say(str(problem))


def _flops(case, say):
    try:
        return flops.of(case.model, case.size)
    except subprocess.CalledProcessError:
        say("cannot be expressed in PyTorch, so its operations are not counted")
        return {}


def _started(peer, case, inputs, executable, scratch, result):
    """A worker that has done everything once, and what that took."""
    start = time.perf_counter()
    worker = Worker(peer, case, executable, scratch)
    first = {}
    for operation in worker.operations:
        worker.ask(do="prepare", operation=operation, input=inputs.file(operation, peer))
        first[operation] = worker.ask(do="run", operation=operation)["ms"]
    ready = time.perf_counter() - start
    result["peers"][peer.name] = {
        "ms": {operation: [] for operation in worker.operations},
        "load_ms": worker.load_ms,
        "first_ms": first,
        "start_to_results_ms": 1000 * ready,
        "peak_bytes": worker.peak_bytes,
    }
    return worker


def _round(case, workers, repeat, result):
    """Every operation of every peer once, and the machine's own rates; each round begins with another peer."""
    turned = workers[repeat % len(workers) :] + workers[: repeat % len(workers)]
    for operation in case.operations:
        for worker in turned:
            if operation in worker.operations:
                time.sleep(SETTLING_SECONDS)
                milliseconds = worker.ask(do="run", operation=operation)["ms"]
                result["peers"][worker.peer.name]["ms"][operation].append(milliseconds / case.batch)
    for worker in workers:
        if worker.peer.engine == "revq":
            time.sleep(SETTLING_SECONDS)
            rates = worker.ask(do="rates")
            result["sgemm_gflops"].append(rates["sgemm_gflops"])
            result["copy_gigabytes_per_second"].append(rates["copy_gigabytes_per_second"])
            break


def _compare(case, worker, scratch, result):
    """How far a peer's results are from revq's, which come first: relative L2, or the share of other tokens."""
    differences = result["peers"][worker.peer.name]["difference"] = {}
    for operation in worker.operations:
        file, reference = scratch / f"{operation}-result.safetensors", scratch / f"{operation}-reference.safetensors"
        worker.ask(do="save", operation=operation, output=str(file))
        y = load_file(file)["y"]
        y = np.ascontiguousarray(np.moveaxis(y, -1, 1)) if worker.peer.engine == "revq" and y.ndim == 4 else y
        if not reference.exists():
            save_file({"y": y}, reference)
        y, expected = y.astype(np.float64), load_file(reference)["y"].astype(np.float64)
        differences[operation] = float(np.mean(y != expected) if operation == "quantise" else np.linalg.norm(y - expected) / np.linalg.norm(expected))


def median(result, peer, operation):
    values = result["peers"].get(peer, {}).get("ms", {}).get(operation)
    return statistics.median(values) if values else None
