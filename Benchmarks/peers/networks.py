"""The four operations of a tokenizer as PyTorch modules."""
import torch
import torch.nn.functional as F
from diffusers import AutoencoderDC
from diffusers.models.autoencoders.autoencoder_dc import EfficientViTBlock
from diffusers.models.normalization import RMSNorm
from safetensors.torch import load_file
from torch import nn


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


class PatchSkipEncoder(nn.Module):
    """The default checkpoint's encoder: a small network beside a linear code of patches."""

    def __init__(self, network, projection, factor):
        super().__init__()
        self.network, self.projection, self.factor = network, projection, factor

    def forward(self, x):
        return self.network(x) + self.projection(F.pixel_unshuffle(x, self.factor))


class PatchSkipDecoder(nn.Module):
    def __init__(self, network, projection, factor):
        super().__init__()
        self.network, self.projection, self.factor = network, projection, factor

    def forward(self, z):
        return self.network(z) + F.pixel_shuffle(self.projection(z), self.factor)


def load(model):
    """{operation: module} in fp32; what of a checkpoint these modules cannot express is left out."""
    modules = _autoencoder(model)
    modules |= _checkpoint_parts(model) if model.is_checkpoint else _random_parts(model)
    return {operation: module.eval().requires_grad_(False) for operation, module in modules.items()}


def _autoencoder(model):
    weights = {name: tensor.float() for name, tensor in load_file(model.autoencoder / "diffusion_pytorch_model.safetensors").items()}
    configuration = {key: value for key, value in model.configuration.items() if not key.startswith("_")}
    with torch.device("meta"):
        autoencoder = AutoencoderDC(**configuration)
    skips = {name: weights.pop(name) for name in list(weights) if ".patch_skip." in name}
    autoencoder.load_state_dict(weights, assign=True)
    if not skips:
        return {"encode": autoencoder.encoder, "decode": autoencoder.decoder}
    projection = {half: _projection(skips, half) for half in ("encoder", "decoder")}
    return {"encode": PatchSkipEncoder(autoencoder.encoder, projection["encoder"], model.factor),
            "decode": PatchSkipDecoder(autoencoder.decoder, projection["decoder"], model.factor)}


def _projection(weights, half):
    weight = weights[f"{half}.patch_skip.projection.weight"]
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
    layer.load_state_dict({"weight": weight, "bias": weights[f"{half}.patch_skip.projection.bias"]})
    return layer


def _random_parts(model):
    from .models import RECTIFIER_DEPTH, RECTIFIER_WIDTH, TOKENS
    rectifier = Rectifier(model.latent_channels, RECTIFIER_WIDTH, RECTIFIER_DEPTH)
    rectifier.load_state_dict(load_file(model.folder / "rectifier.safetensors"))
    codebooks = load_file(model.folder / "codebooks.safetensors")["codebooks"]
    return {"quantise": Quantiser(codebooks, TOKENS), "rectify": rectifier}


def _checkpoint_parts(model):
    modules = {}
    quantiser, rectifier = model.manifest["quantizer"], model.manifest["rectifier"]
    weights = load_file(model.folder / "quantizer.safetensors")
    if set(quantiser) == {"tokens", "codes", "codebooks", "dimension"}:
        modules["quantise"] = Quantiser(weights["quantizer.embeddings"], quantiser["tokens"])
    shape = rectifier["network"].get("vit")
    if shape:
        modules["rectify"] = Rectifier(model.latent_channels, shape["width"], shape["depth"], rectifier["isResidual"])
        modules["rectify"].load_state_dict(load_file(model.folder / "rectifier.safetensors"))
    return modules
