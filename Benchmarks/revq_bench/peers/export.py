"""Writes one operation of a model as an ONNX graph for fixed shapes: python -m revq_bench.peers.export FOLDER GRAPHS OPERATION BATCH SIZE

Weights that the folder's safetensors files already hold are referenced there, so that many shapes do not store them many times.
"""

import json
import os
import pathlib
import struct
import subprocess
import sys

from .. import FOLDER
from .models import Model


def path(model, operation, batch, size):
    return model.graphs / f"{operation}-{batch}x{size}.onnx"


def existing(model, operation, batch, size):
    graph = path(model, operation, batch, size)
    if not graph.exists():
        raise ValueError(f"{operation} could not be exported")
    return graph


def prepare(model, operation, batch, size):
    """Exports in a process of its own, so that its memory is gone afterwards; once for each shape."""
    target = path(model, operation, batch, size)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-W", "ignore", "-m", "revq_bench.peers.export", model.folder, model.graphs, operation, str(batch), str(size)]
        subprocess.run(command, check=True, env=dict(os.environ, PYTHONPATH=str(FOLDER)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def export(model, operation, batch, size):
    import onnx_ir
    import torch

    from . import networks

    modules = networks.load(model)
    example = torch.randn(model.input_shape(operation, batch, size))
    program = torch.onnx.export(modules[operation], (example,), dynamo=True, input_names=["x"], output_names=["y"], verbose=False)
    if not model.is_checkpoint:
        _refer(program.model, _stored_tensors(model.folder, operation))
    target = path(model, operation, batch, size)
    partial = target.with_suffix(".partial")
    onnx_ir.save(program.model, partial)
    partial.rename(target)


def _stored_tensors(folder, operation):
    """{a tensor's name: (file, offset, bytes, shape)}."""
    file = {"rectify": "rectifier.safetensors", "quantise": "codebooks.safetensors"}.get(operation, "diffusion_pytorch_model.safetensors")
    with open(folder / file, "rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    found = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = entry["data_offsets"]
            found[name] = (file, 8 + length + start, end - start, entry["shape"])
    return found


def _refer(graph_model, stored):
    import onnx_ir

    for name, value in graph_model.graph.initializers.items():
        if name not in stored or list(value.const_value.shape) != stored[name][3]:
            continue
        file, offset, length, shape = stored[name]
        value.const_value = onnx_ir.ExternalTensor(file, offset, length, onnx_ir.DataType.FLOAT, shape=onnx_ir.Shape(shape), name=name, base_dir="")


if __name__ == "__main__":
    folder, graphs, operation, batch, size = sys.argv[1:]
    export(Model("", pathlib.Path(folder), pathlib.Path(graphs)), operation, int(batch), int(size))
