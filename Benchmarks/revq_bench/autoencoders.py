"""Autoencoders by diffusers, as a configuration describes them, and TAESD's later kinds, which diffusers does not have."""

import json

import diffusers
import torch
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from safetensors.torch import load_file
from torch import nn


class PooledBlock(nn.Module):
    """A block of AutoencoderTiny with what its authors' code calls `use_midblock_gn` (github.com/madebyollin/taesd, taesd.py)."""

    def __init__(self, block, channels):
        super().__init__()
        self.conv, self.skip, self.fuse = block.conv, block.skip, block.fuse
        hidden = 4 * channels
        layers = nn.Conv2d(channels, hidden, 1, bias=False), nn.GroupNorm(4, hidden), nn.ReLU(), nn.Conv2d(hidden, channels, 1, bias=False)
        self.pool = nn.Sequential(*layers)

    def forward(self, x):
        x = x + self.pool(x)
        return self.fuse(self.conv(x) + self.skip(x))


class Encoder(nn.Module):
    """Pictures -> latents, those of AutoencoderKL being the means; parts are named as in its file."""

    def __init__(self, autoencoder):
        super().__init__()
        self.encoder, self.quant_conv = autoencoder.encoder, getattr(autoencoder, "quant_conv", None)
        self.has_variances = isinstance(autoencoder, diffusers.AutoencoderKL)

    def forward(self, x):
        z = self.encoder(x)
        if self.quant_conv is not None:
            z = self.quant_conv(z)
        return z.chunk(2, dim=1)[0] if self.has_variances else z


class Decoder(nn.Module):
    """Latents -> pictures; parts are named as in its file."""

    def __init__(self, autoencoder):
        super().__init__()
        self.decoder, self.post_quant_conv = autoencoder.decoder, getattr(autoencoder, "post_quant_conv", None)

    def forward(self, z):
        return self.decoder(z if self.post_quant_conv is None else self.post_quant_conv(z))


def build(configuration):
    """The autoencoder of a `config.json`, with the weights that torch's generator gives it."""
    keys = {key: value for key, value in configuration.items() if not key.startswith("_")}
    has_pools, stem = keys.pop("use_midblock_gn", False), keys.pop("stem_out_channels", [])
    autoencoder = getattr(diffusers, configuration["_class_name"])(**keys)
    if stem:
        _stem(autoencoder, stem)
    if has_pools:
        _pool(autoencoder)
    return autoencoder


def load(folder):
    """The autoencoder of a folder of the diffusers layout, in fp32."""
    with torch.device("meta"):
        autoencoder = build(json.loads((folder / "config.json").read_text()))
    weights = load_file(folder / "diffusion_pytorch_model.safetensors")
    autoencoder.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, assign=True)
    return autoencoder


def _stem(autoencoder, stem):
    """An encoder that opens with strided convolutions, and stages of unequal widths: TAESANA (`F32Encoder`, `F32Decoder` of its authors' code)."""
    configuration = autoencoder.config
    activation = {"relu": nn.ReLU, "silu": nn.SiLU}[configuration.act_fn]

    def blocks(count, width):
        return [AutoencoderTinyBlock(width, width, configuration.act_fn) for _ in range(count)]

    layers, width = [], configuration.in_channels
    for wider in stem:
        layers += [nn.Conv2d(width, wider, 3, stride=2, padding=1), activation()]
        width = wider
    for number, (wider, count) in enumerate(zip(configuration.encoder_block_out_channels, configuration.num_encoder_blocks, strict=True)):
        layers += [nn.Conv2d(width, wider, 3, stride=2, padding=1, bias=False)] if number > 0 else []
        layers += blocks(count, wider)
        width = wider
    autoencoder.encoder.layers = nn.Sequential(*layers, nn.Conv2d(width, configuration.latent_channels, 3, padding=1))

    width = configuration.decoder_block_out_channels[0]
    layers = [nn.Conv2d(configuration.latent_channels, width, 3, padding=1), activation()]
    for number, (wider, count) in enumerate(zip(configuration.decoder_block_out_channels, configuration.num_decoder_blocks, strict=True)):
        layers += [nn.Upsample(scale_factor=2), nn.Conv2d(width, wider, 3, padding=1, bias=False)] if number > 0 else []
        layers += blocks(count, wider)
        width = wider
    autoencoder.decoder.layers = nn.Sequential(*layers, nn.Conv2d(width, configuration.out_channels, 3, padding=1))


def _pool(autoencoder):
    """In the coarsest stages: the blocks behind the encoder's last step, and those before the decoder's first one."""
    configuration = autoencoder.config
    encoder, decoder = autoencoder.encoder.layers, autoencoder.decoder.layers
    end = len(encoder) - 1
    for number in range(end - configuration.num_encoder_blocks[-1], end):
        encoder[number] = PooledBlock(encoder[number], configuration.encoder_block_out_channels[-1])
    for number in range(2, 2 + configuration.num_decoder_blocks[0]):
        decoder[number] = PooledBlock(decoder[number], configuration.decoder_block_out_channels[0])
