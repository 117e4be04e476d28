"""Brings an exported graph into MNN's own form: python -m revq_bench.peers.mnn GRAPH RESULT

It holds the weights once more: 1.4 GB for each shape of an autoencoder with 312 million parameters.
"""

import os
import subprocess
import sys

from .. import FOLDER
from . import export


def path(model, operation, batch, size):
    return export.path(model, operation, batch, size).with_suffix(".mnn")


def existing(model, operation, batch, size):
    graph = path(model, operation, batch, size)
    if not graph.exists():
        raise ValueError(f"{operation} could not be converted")
    return graph


def prepare(model, operation, batch, size):
    """Converts in a process of its own, which alone prints what MNN prints; once for each shape. Its exit status does not tell whether
    it succeeded, the file does."""
    target = path(model, operation, batch, size)
    if not target.exists():
        command = [sys.executable, "-m", "revq_bench.peers.mnn", export.existing(model, operation, batch, size), target]
        subprocess.run(command, env=dict(os.environ, PYTHONPATH=str(FOLDER)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    existing(model, operation, batch, size)


def convert(graph, target):
    # The converter itself: the command `mnnconvert` besides tells its makers about every conversion.
    import _tools

    partial = f"{target}.partial"
    _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", graph, "--MNNModel", partial, "--keepInputFormat"])
    os.rename(partial, target)


if __name__ == "__main__":
    # Weights beside the graph are named relative to it.
    convert(*sys.argv[1:])
