#!/usr/bin/env python3
"""Reference values for AutoencoderTiny by diffusers: small models with random weights.

Writes DIR/config.json, DIR/diffusion_pytorch_model.safetensors and DIR/reference.safetensors for DIR in tiny, tiny_silu, tiny_pool and tiny_stem:
pictures as `pixels`, what encode and decode make of them as `latents` and `pictures`, what every module of the two halves answers as
`encoder.layers.N` and `decoder.layers.N`, and d(mean squared error of decode(encode(pixels)) against pixels)/d(parameter) as gradient/NAME, with
the one for the pixels as gradient/input. Feature maps are [n, h, w, c]. tiny_pool has what the authors' taesd.py calls `use_midblock_gn`, and its
weights once more as they publish them, small_encoder.pth and small_decoder.pth; tiny_stem is as their TAESANA. Needs torch, diffusers,
safetensors; run it in this folder.
"""

import json
import os
import pathlib
import sys

import diffusers
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "Benchmarks"))
from revq_bench.autoencoders import build

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
MODELS = {
    # 16 channels and maps of 16 tiles are what Winograd's algorithm takes; three stages with unequal halves.
    "tiny": dict(
        encoder_block_out_channels=(16, 16, 16),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 0, 1),
        num_decoder_blocks=(2, 1, 1),
        latent_channels=4,
    ),
    "tiny_silu": dict(
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(12, 12),
        num_encoder_blocks=(0, 1),
        num_decoder_blocks=(1, 0),
        latent_channels=6,
        act_fn="silu",
    ),
    "tiny_pool": dict(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 0, 2),
        num_decoder_blocks=(1, 1, 0),
        latent_channels=4,
        use_midblock_gn=True,
    ),
    "tiny_stem": dict(
        stem_out_channels=(6, 8),
        encoder_block_out_channels=(8, 10),
        decoder_block_out_channels=(16, 8, 8, 4),
        num_encoder_blocks=(1, 2),
        num_decoder_blocks=(1, 2, 0, 1),
        latent_channels=4,
    ),
}


def save_as_published(model, folder):
    """Half precision, no name of the half, and the soft clamp as the decoder's number 0."""
    for half, offset in (("encoder", 0), ("decoder", 1)):
        tensors = {}
        for name, tensor in getattr(model, half).layers.state_dict().items():
            number, rest = name.split(".", 1)
            tensors[f"{int(number) + offset}.{rest}"] = tensor.half()
        torch.save(tensors, f"{folder}/small_{half}.pth")


def randomised(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            gain = 1 if name.endswith("pool.1.weight") else 0
            parameter.copy_(noise / parameter[0].numel() ** 0.5 if parameter.ndim > 1 else gain + 0.1 * noise)
    return model


def channels_last(x):
    return x.detach().permute(0, 2, 3, 1).contiguous()


def reference(model, pixels):
    tensors = {}
    hooks = []

    def keep(name):
        def hook(module, arguments, y):
            tensors[name] = channels_last(y[:1])

        return hook

    for half in ("encoder", "decoder"):
        for number, module in enumerate(getattr(model, half).layers):
            hooks.append(module.register_forward_hook(keep(f"{half}.layers.{number}")))
    pixels.requires_grad_(True)
    latents = model.encode(pixels).latents
    pictures = model.decode(latents).sample
    for hook in hooks:
        hook.remove()
    F.mse_loss(pictures, pixels.detach()).backward()
    tensors |= {"pixels": channels_last(pixels), "latents": channels_last(latents), "pictures": channels_last(pictures)}
    tensors |= {f"gradient/{name}": parameter.grad.contiguous() for name, parameter in model.named_parameters()}
    return tensors | {"gradient/input": channels_last(pixels.grad)}


def main():
    for seed, (name, options) in enumerate(MODELS.items()):
        configuration = dict(_class_name="AutoencoderTiny", _diffusers_version=diffusers.__version__, **options)
        model = randomised(build(configuration), seed)
        os.makedirs(name, exist_ok=True)
        save_file({key: value.contiguous() for key, value in model.state_dict().items()}, f"{name}/diffusion_pytorch_model.safetensors")
        with open(f"{name}/config.json", "w") as file:
            json.dump(configuration, file, indent=1)
        pixels = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(seed + 100)) * 2 - 1
        save_file(reference(model, pixels), f"{name}/reference.safetensors")
        if "use_midblock_gn" in options:
            save_as_published(model, name)


main()
