"""Writes a full-size autoencoder with random weights in the diffusers layout.

    python -m revq_bench.random_vae FOLDER [sana-1.1 | in-1.0 | narrow | taesd | taef2 | sd-1]

sana-1.1 has 312 M parameters (1.25 GB); narrow is the same with a sixteenth of the work, to try a benchmark itself; taesd and taef2 are tiny
autoencoders, 2.4 and 2.7 M; sd-1 is Stable Diffusion 1's, 84 M. The files in configurations/ are diffusers' own, but for taef2's
`use_midblock_gn`, so `revq-bench measure --config` takes them too. Needs torch, diffusers and safetensors.
"""

import json
import os
import shutil
import sys

import torch
from safetensors.torch import save_file

from . import CONFIGURATIONS, autoencoders


def main(folder, name="sana-1.1"):
    file = CONFIGURATIONS / f"{name}.json"
    torch.manual_seed(0)
    model = autoencoders.build(json.loads(file.read_text()))
    os.makedirs(folder, exist_ok=True)
    save_file({key: tensor.contiguous() for key, tensor in model.state_dict().items()}, f"{folder}/diffusion_pytorch_model.safetensors")
    shutil.copyfile(file, f"{folder}/config.json")
    print(folder, sum(parameter.numel() for parameter in model.parameters()), "parameters")


if __name__ == "__main__":
    main(*sys.argv[1:])
