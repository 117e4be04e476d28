"""Writes a full-size DC-AE with random weights in the diffusers layout.

    python -m revq_bench.random_vae FOLDER [sana-1.1 | in-1.0 | narrow]

sana-1.1 has 312 M parameters (1.25 GB); narrow is the same with a sixteenth of the work, to try a benchmark itself. The files in
configurations/ are diffusers' own, so `revq-bench measure --config` takes them too. Needs torch, diffusers and safetensors.
"""

import json
import os
import shutil
import sys

import torch
from diffusers import AutoencoderDC
from safetensors.torch import save_file

from . import CONFIGURATIONS


def main(folder, name="sana-1.1"):
    file = CONFIGURATIONS / f"{name}.json"
    configuration = {key: value for key, value in json.loads(file.read_text()).items() if not key.startswith("_")}
    torch.manual_seed(0)
    model = AutoencoderDC(**configuration)
    os.makedirs(folder, exist_ok=True)
    save_file({key: tensor.contiguous() for key, tensor in model.state_dict().items()}, f"{folder}/diffusion_pytorch_model.safetensors")
    shutil.copyfile(file, f"{folder}/config.json")
    print(folder, sum(parameter.numel() for parameter in model.parameters()), "parameters")


if __name__ == "__main__":
    main(*sys.argv[1:])
