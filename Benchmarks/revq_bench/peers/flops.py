"""Floating-point operations of one image, computed directly (no Winograd): python -m revq_bench.peers.flops FOLDER SIZE -> JSON by operation"""

import json
import os
import pathlib
import subprocess
import sys

from .. import FOLDER
from .models import Model


def of(model, size):
    """{operation: 10⁹ operations}; counted once, in a process of its own, whose memory is gone afterwards."""
    known = model.graphs / f"operations-{size}.json"
    if known.exists():
        return json.loads(known.read_text())
    command = [sys.executable, "-W", "ignore", "-m", "revq_bench.peers.flops", model.folder, str(size)]
    answer = subprocess.run(command, check=True, env=dict(os.environ, PYTHONPATH=str(FOLDER)), capture_output=True, text=True)
    known.parent.mkdir(parents=True, exist_ok=True)
    known.write_text(answer.stdout.splitlines()[-1])
    return json.loads(known.read_text())


def count(model, size):
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from . import networks

    counts = {}
    for operation, module in networks.load(model).items():
        if operation == "quantise" and size != model.image_size:
            continue
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module.to("meta")(torch.empty(model.input_shape(operation, 1, size), device="meta"))
        counts[operation] = counter.get_total_flops() / 1e9
    return counts


if __name__ == "__main__":
    print(json.dumps(count(Model("", pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[1])), int(sys.argv[2]))))
