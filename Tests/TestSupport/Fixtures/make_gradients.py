#!/usr/bin/env python3
"""Gradients of whole autoencoders, by PyTorch, for the two models that make_fixture.py wrote.

Writes DIR/gradients.safetensors for DIR in dcae_sana, dcae_in: d(mean squared error of decode(encode(x)) against x)/d(parameter) for the
image a64 in training mode (BatchNorm uses the batch's statistics), the running statistics after that one pass as running/NAME, and
the gradient for the image itself as `input`. Needs torch, diffusers, safetensors and numpy; run it in this folder.
"""

import json

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderDC
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
for name in ("dcae_sana", "dcae_in"):
    config = {k: v for k, v in json.load(open(f"{name}/config.json")).items() if not k.startswith("_")}
    model = AutoencoderDC(**config)
    model.load_state_dict(load_file(f"{name}/diffusion_pytorch_model.safetensors"))
    model.train()
    pixels = torch.from_numpy(np.load(f"{name}/a64_image_u8.npy")).float() / 127.5 - 1
    pixels.requires_grad_(True)
    output = model.decode(model.encode(pixels).latent).sample
    F.mse_loss(output, pixels.detach()).backward()
    tensors = {k: p.grad.contiguous() for k, p in model.named_parameters()}
    tensors |= {"running/" + k: b.clone() for k, b in model.named_buffers() if "running" in k}
    tensors["input"] = pixels.grad.permute(0, 2, 3, 1).contiguous()
    save_file(tensors, f"{name}/gradients.safetensors")
    print(name, len(tensors), "tensors")
