"""Writes a full-size autoencoder with random weights in the diffusers layout.

    python -m revq_bench.random_vae FOLDER [sana-1.1 | in-1.0 | narrow | taesd]

sana-1.1 has 312 M parameters (1.25 GB); narrow is the same with a sixteenth of the work, to try a benchmark itself; taesd is the tiny autoencoder,
2.4 M parameters. The files in configurations/ are diffusers' own, so `revq-bench measure --config` takes them too. Needs torch, diffusers and
safetensors.
"""

import json
import os
import shutil
import sys

import diffusers
import torch
from safetensors.torch import save_file

from . import CONFIGURATIONS


def main(folder, name="sana-1.1"):
    file = CONFIGURATIONS / f"{name}.json"
    configuration = json.loads(file.read_text())
    torch.manual_seed(0)
    model = getattr(diffusers, configuration["_class_name"])(**{key: value for key, value in configuration.items() if not key.startswith("_")})
    os.makedirs(folder, exist_ok=True)
    save_file({key: tensor.contiguous() for key, tensor in model.state_dict().items()}, f"{folder}/diffusion_pytorch_model.safetensors")
    shutil.copyfile(file, f"{folder}/config.json")
    print(folder, sum(parameter.numel() for parameter in model.parameters()), "parameters")


if __name__ == "__main__":
    main(*sys.argv[1:])
