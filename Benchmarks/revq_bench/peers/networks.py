"""The four operations of a tokenizer as PyTorch modules."""

import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_dc import EfficientViTBlock, ResBlock
from diffusers.models.normalization import RMSNorm
from safetensors.torch import load_file
from torch import nn

from .. import autoencoders


class Rectifier(nn.Module):
    """[n, c, h, w] -> the same shape: EfficientViT blocks between two convolutions, named as diffusers' decoder (ReVQ, arXiv 2507.10547)."""

    def __init__(self, channels, width, depth, is_residual=False):
        super().__init__()
        self.repeats, self.is_residual = width // channels, is_residual
        self.conv_in = nn.Conv2d(channels, width, 3, padding=1)
        blocks = [EfficientViTBlock(width, attention_head_dim=32, qkv_multiscales=(5,), norm_type="rms_norm") for _ in range(depth)]
        self.up_blocks = nn.ModuleList([nn.Sequential(*blocks)])
        self.norm_out = RMSNorm(width, 1e-5, elementwise_affine=True, bias=True)
        self.conv_out = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, q):
        hidden = self.up_blocks[0](self.conv_in(q) + q.repeat_interleave(self.repeats, dim=1))
        hidden = self.norm_out(hidden.movedim(1, -1)).movedim(-1, 1)
        y = self.conv_out(F.relu(hidden))
        return q + y if self.is_residual else y


class Quantiser(nn.Module):
    """[n, T·d] -> [n, T]: the nearest code by ‖c‖²/2 − z·c, one batched product for all tokens."""

    def __init__(self, codebooks, tokens):
        super().__init__()
        self.tokens, self.groups, self.d = tokens, codebooks.shape[0], codebooks.shape[2]
        self.register_buffer("codes", codebooks.transpose(1, 2).contiguous())
        self.register_buffer("half_norms", 0.5 * codebooks.square().sum(-1).unsqueeze(1))

    def forward(self, z):
        n, run = z.shape[0], self.tokens // self.groups
        rows = z.reshape(n, self.groups, run, self.d).transpose(0, 1).reshape(self.groups, n * run, self.d)
        nearest = (self.half_norms - rows @ self.codes).argmin(-1)
        return nearest.reshape(self.groups, n, run).transpose(0, 1).reshape(n, self.tokens)


class PatchEncoder(nn.Module):
    """The default checkpoint's encoder: a linear code of patches."""

    def __init__(self, projection, factor):
        super().__init__()
        self.projection, self.factor = projection, factor

    def forward(self, x):
        return self.projection(F.pixel_unshuffle(x, self.factor))


class PatchDecoder(nn.Module):
    """The default checkpoint's decoder: the patches drawn from their code, and a network that corrects the picture."""

    def __init__(self, projection, factor, refiner):
        super().__init__()
        self.projection, self.factor, self.refiner = projection, factor, refiner

    def forward(self, z):
        return self.refiner(F.pixel_shuffle(self.projection(z), self.factor))


class Refiner(nn.Module):
    def __init__(self, factor, channels, layers):
        super().__init__()
        self.factor = factor
        self.conv_in = nn.Conv2d(3 * factor**2, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResBlock(channels, channels, "rms_norm", "silu") for _ in range(layers))
        self.conv_out = nn.Conv2d(channels, 3 * factor**2, 3, padding=1)

    def forward(self, x):
        hidden = self.conv_in(F.pixel_unshuffle(x, self.factor))
        for block in self.blocks:
            hidden = block(hidden)
        return x + F.pixel_shuffle(self.conv_out(hidden), self.factor)


def load(model):
    """{operation: module} in fp32; what of a checkpoint these modules cannot express is left out."""
    modules = _autoencoder(model)
    modules |= _checkpoint_parts(model) if model.is_checkpoint else _random_parts(model)
    return {operation: module.eval().requires_grad_(False) for operation, module in modules.items()}


def _autoencoder(model):
    if "decoder_refiner" in model.configuration:
        return _patch_code(model)
    autoencoder = autoencoders.load(model.autoencoder)
    return {"encode": autoencoders.Encoder(autoencoder), "decode": autoencoders.Decoder(autoencoder)}


def _patch_code(model):
    weights = {name: tensor.float() for name, tensor in load_file(model.autoencoder / "diffusion_pytorch_model.safetensors").items()}
    refiner = Refiner(**model.configuration["decoder_refiner"])
    refiner.load_state_dict(_below(weights, "decoder.refiner."))
    encoder, decoder = (_projection(_below(weights, f"{half}.patch_skip.projection.")) for half in ("encoder", "decoder"))
    return {"encode": PatchEncoder(encoder, model.factor), "decode": PatchDecoder(decoder, model.factor, refiner)}


def _below(weights, prefix):
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}


def _projection(weights):
    layer = nn.Conv2d(weights["weight"].shape[1], weights["weight"].shape[0], 1)
    layer.load_state_dict(weights)
    return layer


def _random_parts(model):
    from .models import RECTIFIER_DEPTH, RECTIFIER_WIDTH, TOKENS

    modules = {}
    if model.codebooks.exists():
        modules["quantise"] = Quantiser(load_file(model.codebooks)["codebooks"], TOKENS)
    if model.rectifier.exists():
        modules["rectify"] = Rectifier(model.latent_channels, RECTIFIER_WIDTH, RECTIFIER_DEPTH)
        modules["rectify"].load_state_dict(load_file(model.rectifier))
    return modules


def _checkpoint_parts(model):
    modules = {}
    quantiser, rectifier = model.manifest["quantizer"], model.manifest["rectifier"]
    weights = load_file(model.folder / "quantizer.safetensors")
    if set(quantiser) == {"tokens", "codes", "codebooks", "dimension"}:
        modules["quantise"] = Quantiser(weights["quantizer.embeddings"], quantiser["tokens"])
    shape = rectifier["network"].get("vit")
    if shape:
        modules["rectify"] = Rectifier(model.latent_channels, shape["width"], shape["depth"], rectifier["isResidual"])
        modules["rectify"].load_state_dict(load_file(model.rectifier))
    return modules
