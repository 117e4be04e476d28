"""Makes, under published/, what PublishedQuantizerTests import: a small DC-AE as diffusers saves a sharded bf16 model, and a quantiser,
rectifier and preprocessor as the authors' training script saves them, with random weights; and what PyTorch computes with them.

`python make_published.py` (torch, diffusers, numpy); the modules are the project's own, in model.py beside this file.
With `--full DIR` it writes the published size, 512 codebooks of 16,384 codes and a rectifier of 512 × 3, to DIR instead.
"""

import os
import shutil
import sys

import numpy as np
import torch
from diffusers import AutoencoderDC
from model import Quantizer, Rectifier

here = os.path.dirname(os.path.abspath(__file__))

full = len(sys.argv) > 2 and sys.argv[1] == "--full"
out = sys.argv[2] if full else os.path.join(here, "published")
channels, tokens, codes, dimension, width, depth, head, images = (32, 512, 16384, 4, 512, 3, 32, 16) if full else (8, 128, 4, 4, 16, 1, 8, 3)
torch.manual_seed(1)
os.makedirs(out, exist_ok=True)


def varied(module):
    """Norms and biases away from the ones and zeros they start with, everything else as PyTorch starts it."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return module


quantizer = Quantizer(tokens, codes, dimension)
quantizer.index_offset = torch.tensor([i * codes for i in range(tokens)])
rectifier = varied(Rectifier(channels, width, depth, head, (5,))).eval()
optimizer = torch.optim.AdamW(
    [{"params": quantizer.parameters(), "lr": 0.01, "weight_decay": 0.0}, {"params": rectifier.parameters(), "lr": 0.0005, "weight_decay": 1e-4}]
)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
(rectifier(torch.randn(1, channels, 8, 8)).square().mean() + quantizer.embeddings[:2].square().mean()).backward()
optimizer.step()
scheduler.step()
saved = {"quantizer": quantizer.state_dict(), "decoder": rectifier.state_dict(), "scheduler": scheduler.state_dict(), "epoch": 99}
# The optimiser's state has the weights' size twice over; a part of it has every kind of object.
saved["optimizer"] = (
    optimizer.state_dict()
    if full
    else {
        "state": {number: state for number, state in optimizer.state_dict()["state"].items() if state["exp_avg"].numel() < 20},
        "param_groups": optimizer.state_dict()["param_groups"],
    }
)
torch.save(saved, f"{out}/ckpt.pth")


class Preprocessor(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.randn(tokens * dimension))
        self.register_buffer("std", 0.5 + torch.rand(tokens * dimension))


preprocessor = Preprocessor()
torch.save(preprocessor.state_dict(), f"{out}/preprocessor.pth")
torch.save({"mean": torch.ones(1)}, f"{out}/old.pth", _use_new_zipfile_serialization=False)

with torch.no_grad():
    latents = torch.randn(images, channels, 8, 8) * 1.5
    z = (latents.flatten(1) - preprocessor.mean) / preprocessor.std
    quantized, indices = quantizer(z.view(images, tokens, dimension))
    rectified = rectifier(quantized.reshape(images, channels, 8, 8)).flatten(1)
np.save(f"{out}/latents.npy", latents.flatten(1).numpy())
np.save(f"{out}/tokens.npy", np.ascontiguousarray(indices.to(torch.int32).numpy()))
np.save(f"{out}/rectified.npy", rectified.numpy())

if not full:
    vae = varied(
        AutoencoderDC(
            in_channels=3,
            latent_channels=channels,
            attention_head_dim=8,
            encoder_block_types="ResBlock",
            decoder_block_types="ResBlock",
            encoder_block_out_channels=(8, 16),
            decoder_block_out_channels=(8, 16),
            encoder_layers_per_block=(1, 1),
            decoder_layers_per_block=(1, 1),
            encoder_qkv_multiscales=((), ()),
            decoder_qkv_multiscales=((), ()),
            downsample_block_type="conv",
            upsample_block_type="interpolate",
        )
    )
    shutil.rmtree(f"{out}/vae", ignore_errors=True)
    vae.to(torch.bfloat16).save_pretrained(f"{out}/vae", max_shard_size="20KB")
    np.save(f"{out}/encoder_conv_in.npy", vae.encoder.conv_in.weight.detach().float().numpy())
