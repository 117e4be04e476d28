#!/usr/bin/env python3
"""Writes a full-size DC-AE with random weights in the diffusers layout: python make_random_vae.py FOLDER [sana-1.1 | in-1.0 | narrow]

Needs torch, diffusers and safetensors. sana-1.1 has 312 M parameters (1.25 GB).
"""
import json, os, sys
import torch
from diffusers import AutoencoderDC
from safetensors.torch import save_file

VIT, RES = "EfficientViTBlock", "ResBlock"
COMMON = dict(latent_channels=32, attention_head_dim=32, encoder_block_types=(RES,) * 3 + (VIT,) * 3, decoder_block_types=(RES,) * 3 + (VIT,) * 3)
CONFIGS = {
    "sana-1.1": dict(
        COMMON, encoder_layers_per_block=(2, 2, 2, 3, 3, 3), decoder_layers_per_block=(3, 3, 3, 3, 3, 3),
        downsample_block_type="conv", upsample_block_type="interpolate", scaling_factor=0.41407),
    "in-1.0": dict(
        COMMON, encoder_layers_per_block=(0, 4, 8, 2, 2, 2), decoder_layers_per_block=(0, 5, 10, 2, 2, 2),
        encoder_qkv_multiscales=((),) * 6, decoder_qkv_multiscales=((),) * 6, downsample_block_type="pixel_unshuffle",
        upsample_block_type="pixel_shuffle", decoder_norm_types=("batch_norm",) * 3 + ("rms_norm",) * 3,
        decoder_act_fns=("relu",) * 3 + ("silu",) * 3),
}
# The first with a sixteenth of the work, to try the benchmark itself.
NARROW = (32, 64, 128, 128, 256, 256)
CONFIGS["narrow"] = dict(CONFIGS["sana-1.1"], encoder_block_out_channels=NARROW, decoder_block_out_channels=NARROW)
folder, name = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "sana-1.1"
torch.manual_seed(0)
model = AutoencoderDC(**CONFIGS[name])
os.makedirs(folder, exist_ok=True)
save_file({k: v.contiguous() for k, v in model.state_dict().items()}, f"{folder}/diffusion_pytorch_model.safetensors")
json.dump(dict(_class_name="AutoencoderDC", **CONFIGS[name]), open(f"{folder}/config.json", "w"), indent=1)
print(folder, sum(p.numel() for p in model.parameters()), "parameters")
