"""The tokenizer without a server around it: what `revq-bench work` computes in a process of its own."""

import json
import math
import pathlib
import random
import struct
import tempfile
import time

from ..worker import Worker
from . import usage
from .server import newest_version

# What one request computes; reading the picture or writing the PNG is not in it.
_PARTS = {"encode": ("encode", "quantise"), "decode": ("decode",)}


def measure(executable, checkpoints, operation, threads, batch=8, seconds=3.0):
    """Images a second, and CPU milliseconds of one, in batches of `batch`."""
    version = newest_version(checkpoints)
    worker = Worker(executable, "work", "--checkpoint", version, "--threads", threads)
    try:
        worker.answer()
        with tempfile.TemporaryDirectory() as scratch:
            for part in _PARTS[operation]:
                path = pathlib.Path(scratch) / part
                path.write_bytes(_tensor(_shape(part, batch, json.loads((version / "manifest.json").read_text()))))
                worker.ask(json.dumps({"do": "prepare", "operation": part, "input": str(path)}))
            return _repeat(worker, operation, batch, seconds)
    finally:
        worker.close()


def _repeat(worker, operation, batch, seconds):
    round_ms = lambda: sum(worker.ask(json.dumps({"do": "run", "operation": part}))["ms"] for part in _PARTS[operation])
    # The first brings weights into the form that the kernels read.
    round_ms()
    pid, count, spent_ms, end = worker.process.pid, 0, 0.0, time.monotonic() + seconds
    start = usage.cpu_seconds(pid)
    while time.monotonic() < end:
        spent_ms += round_ms()
        count += batch
    return {"per_s": 1000 * count / spent_ms, "cpu_ms": 1000 * (usage.cpu_seconds(pid) - start) / count}


def _shape(part, batch, manifest):
    side, latent, quantizer = manifest["imageSize"], manifest["latentShape"], manifest["quantizer"]
    return {
        "encode": [batch, side, side, 3],
        "quantise": [batch, quantizer["tokens"] * quantizer["dimension"]],
        "decode": [batch, latent["height"], latent["width"], latent["channels"]],
    }[part]


def _tensor(shape):
    """A safetensors file with noise as `x`."""
    count, source = math.prod(shape), random.Random(1)
    some = struct.pack("<4096f", *(source.gauss(0, 0.5) for _ in range(4096)))
    data = (some * (count // 4096 + 1))[: 4 * count]
    head = json.dumps({"x": {"dtype": "F32", "shape": shape, "data_offsets": [0, len(data)]}}).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + data
