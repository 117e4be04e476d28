#!/usr/bin/env python3
"""Latents, pictures, activations and gradients of small AutoencoderKL and VQModel with random weights, by diffusers.

Writes kl/ (all of it), kl_plain/ (no 1x1 convolutions at the latents, no attention) and vq/ (a codebook beside the weights, an older file's names):
config.json, the weights, and reference.safetensors with image, latent, reconstruction (NCHW), activations of the first image as encoder.* and
decoder.*, and the gradients of mean (reconstruction - image)^2 as gradients.*. Everything but the weights is of a float64 run. Needs torch,
diffusers and safetensors; run it in this folder.
"""

import copy
import json
import pathlib

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, VQModel
from safetensors.torch import save_file

torch.set_num_threads(1)
STAGES = {"down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3, "block_out_channels": (8, 8, 16)}
COMMON = {**STAGES, "layers_per_block": 1, "norm_num_groups": 4, "act_fn": "silu", "sample_size": 40}
MODELS = {
    "kl": (AutoencoderKL, {**COMMON, "latent_channels": 3, "layers_per_block": 2, "scaling_factor": 0.18215}),
    "kl_plain": (
        AutoencoderKL,
        {
            **COMMON,
            "latent_channels": 5,
            "use_quant_conv": False,
            "use_post_quant_conv": False,
            "mid_block_add_attention": False,
            "shift_factor": 0.1159,
        },
    ),
    "vq": (VQModel, {**COMMON, "latent_channels": 3, "vq_embed_dim": 4, "num_vq_embeddings": 8}),
}
OLD_NAMES = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}


def randomise(model, seed):
    """Fills every parameter with seeded values, so that no norm's gain or bias is left at 1 or 0."""
    source = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        values = torch.randn(parameter.shape, generator=source)
        if parameter.ndim > 1:
            values /= parameter[0].numel() ** 0.5
        else:
            values = 0.6 + 0.15 * values if name.endswith("weight") else 0.1 * values
        with torch.no_grad():
            parameter.copy_(values)
    return model


def encoded(model, x):
    if isinstance(model, VQModel):
        return model.quant_conv(model.encoder(x))
    return model.encode(x).latent_dist.mean


def decoded(model, z):
    if isinstance(model, VQModel):
        return model.decoder(model.post_quant_conv(z))
    return model.decode(z).sample


def watched(model):
    """The parts whose results are kept, by the names that the tests have."""
    parts = {}
    for half, blocks in (("encoder", "down_blocks"), ("decoder", "up_blocks")):
        network = getattr(model, half)
        parts[f"{half}.conv_in"] = network.conv_in
        parts[f"{half}.middle"] = network.mid_block
        parts |= {f"{half}.stage{i}": block for i, block in enumerate(getattr(network, blocks))}
    return parts


def reference(model, image):
    model = copy.deepcopy(model).double()
    activations = {}
    for name, part in watched(model).items():
        part.register_forward_hook(lambda _, __, result, name=name: activations.__setitem__(name, result[:1].detach()))
    image = image.double().requires_grad_(True)
    latent = encoded(model, image)
    reconstruction = decoded(model, latent)
    F.mse_loss(reconstruction, image.detach()).backward()
    tensors = {"image": image.detach(), "latent": latent.detach(), "reconstruction": reconstruction.detach(), **activations}
    tensors |= {"gradients." + name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    tensors["input_gradient"] = image.grad
    return {name: tensor.float().contiguous() for name, tensor in tensors.items()}


def renamed(name):
    for new, old in OLD_NAMES.items():
        name = name.replace(new, old) if ".attentions." in name else name
    return name


for seed, (folder, (kind, options)) in enumerate(MODELS.items()):
    torch.manual_seed(seed)
    model = randomise(kind(**options).eval(), seed + 1)
    path = pathlib.Path(folder)
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps({"_class_name": kind.__name__, **options}, indent=1) + "\n")
    weights = {(renamed(name) if folder == "vq" else name): tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, path / "diffusion_pytorch_model.safetensors")
    image = torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(7)) * 2 - 1
    save_file(reference(model, image), path / "reference.safetensors")
